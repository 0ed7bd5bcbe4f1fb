"""A sealed message is encoded once, and is the same JSON as any other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.messages.blocks import image_base64, message, text
from claude_magic.messages.models import lookup
from claude_magic.messages.sealed import Sealed, as_json, message_digest, pieces, seal
from claude_magic.messages.usage import estimate_input

DATA = "aGVsbG8=" * 1000


def joined(messages: list[Any]) -> bytes:
    return b"".join(pieces(messages))


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
def test_its_json_is_that_of_the_message(case: str) -> None:
    found = MESSAGES[case]
    assert json.loads(joined([seal(found), found])) == [found, found]


@pytest.mark.parametrize("case", MESSAGES)
def test_sealed_or_not_the_bytes_are_the_same(case: str) -> None:
    """Else what the server has cached would not be found."""
    found = MESSAGES[case]
    assert joined([seal(found)]) == joined([found])
    assert message_digest(seal(found)) == message_digest(found) == seal(found).digest


blocks = st.one_of(
    st.text().map(text),
    st.builds(image_base64, st.sampled_from(["image/png"]), st.text()),
    st.dictionaries(st.text(), st.text()),
)


@given(st.lists(blocks))
def test_any_content_survives(content: list[Any]) -> None:
    said: Any = {"role": "user", "content": content}
    assert json.loads(joined([seal(said)])) == [json.loads(as_json(said))]


def test_base64_data_is_held_once() -> None:
    block = image_base64("image/png", DATA)
    sealed = seal(message("user", [block, text("What is it?")]))
    assert any(part is block["source"]["data"] for part in sealed.parts)


def test_what_was_counted_is_not_counted_again() -> None:
    model = lookup("sonnet")
    assert model is not None
    sealed = seal(message("user", [text("word " * 100)]))
    first = estimate_input({"messages": [sealed]}, model)
    assert first == estimate_input({"messages": [dict(sealed)]}, model)
    assert sealed.noted(f"tokens {model.id}", lambda: 0) == first - 3


def test_images_in_tool_results_count() -> None:
    assert Sealed(MESSAGES["an image in a tool result"]).images == 1
