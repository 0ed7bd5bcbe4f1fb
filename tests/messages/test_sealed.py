"""A sealed message is encoded once, and is the same JSON as any other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.messages.blocks import image_base64, message, text
from claude_magic.messages.models import lookup
from claude_magic.messages.outgoing import post
from claude_magic.messages.sealed import Part, Sealed, as_json, seal
from claude_magic.messages.transcript import Transcript, transcript
from claude_magic.messages.usage import estimate_input

DATA = "aGVsbG8=" * 1000


def content(parts: Sequence[Part]) -> bytes:
    return b"".join(p.encode("ascii") if isinstance(p, str) else bytes(p) for p in parts)


def joined(messages: list[Any]) -> bytes:
    return content(transcript(messages).parts())


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
    assert transcript([seal(found)]).digest == transcript([found]).digest


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


def test_a_longer_transcript_is_as_if_it_were_made_at_once() -> None:
    model = lookup("sonnet")
    assert model is not None
    many = list(MESSAGES.values())
    short = Transcript(many[:4])
    before = estimate_input({"messages": short}, model)
    longer, whole = short.extended(many[4:]), Transcript(many)
    assert list(longer) == list(whole) == many
    assert content(longer.parts()) == content(whole.parts())
    assert (longer.digest, longer.images) == (whole.digest, whole.images)
    assert estimate_input({"messages": longer}, model) == estimate_input({"messages": many}, model)
    assert (len(short), estimate_input({"messages": short}, model)) == (4, before)


def test_no_message_is_an_empty_array() -> None:
    assert joined([]) == b"[]"


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
