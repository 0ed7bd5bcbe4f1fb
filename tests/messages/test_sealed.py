"""A sealed message is encoded once, and is the same JSON as any other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.messages.blocks import image_base64, message, text
from claude_magic.messages.body import Sealed, as_json, encode, post, seal

DATA = "aGVsbG8=" * 1000


MESSAGES: dict[str, Any] = {
    "a string": {"role": "user", "content": "Hi"},
    "text blocks": {"role": "user", "content": [text("one"), text("two")]},
    "an image between texts": {
        "role": "user",
        "content": [text("a"), image_base64("image/png", DATA), text("b")],
    },
    "an image with a cache mark": {
        "role": "user",
        "content": [{**image_base64("image/png", DATA), "cache_control": {"type": "ephemeral"}}],
    },
    "data that JSON must escape": {
        "role": "user",
        "content": [image_base64("image/png", 'a"b\\c\nd'), image_base64("image/png", "é")],
    },
    "an image in a tool result": {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [image_base64("image/png", DATA)],
            }
        ],
    },
    "content first": {"content": [image_base64("image/png", DATA)], "role": "user"},
    "content alone": {"content": [image_base64("image/png", DATA)]},
    "no content": {"role": "user", "content": []},
}


@pytest.mark.parametrize("case", MESSAGES)
def test_sealed_or_not_the_bytes_are_the_same(case: str) -> None:
    """Else what the server has cached would not be found."""
    found = MESSAGES[case]
    assert encode({"messages": [seal(found), found]}) == as_json({"messages": [found, found]})


blocks = st.one_of(
    st.text().map(text),
    st.builds(image_base64, st.sampled_from(["image/png"]), st.text()),
    st.dictionaries(st.text(), st.text()),
)


@given(st.lists(blocks))
def test_any_content_survives(content: list[Any]) -> None:
    said: Any = {"role": "user", "content": content}
    assert json.loads(as_json(seal(said))) == said


def test_images_in_tool_results_count() -> None:
    assert Sealed(MESSAGES["an image in a tool result"]).images == 1


def test_a_request_goes_out_in_pieces_of_a_size_and_is_whole() -> None:
    few = [seal(MESSAGES["an image between texts"]) for _ in range(100)]
    large = seal(message("user", [image_base64("image/png", "aGVsbG8=" * 200_000)]))
    many = [*few, large, *few]
    sent = post("/v1/messages", {"model": "m", "messages": many, "stream": True}, {})
    pieces = list(sent)
    assert b"".join(pieces) == b"".join(sent), "it can be sent again"
    assert len(b"".join(pieces)) == int(sent.headers["content-length"]) > 1_000_000
    assert all(0 < len(piece) <= 512 * 1024 for piece in pieces)
    assert len(pieces) < 20
    assert json.loads(b"".join(pieces)) == {"model": "m", "messages": many, "stream": True}
