"""Whatever blocks a turn holds come back as they were, and an image is kept once."""

from __future__ import annotations

import base64
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.conversation.store.store import Store
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import document_base64, image_base64, text
from claude_magic.messages.usage import Usage
from tests.conversation.store.store_child import image, turn
from tests.conversation.store.store_segments import segments
from tests.image_blocks import image_url

PIXELS = image(1)


def test_an_image_is_kept_once_and_held_once(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    for name in "ab":
        shown = image_base64("image/png", "".join(PIXELS))
        result = {"type": "tool_result", "tool_use_id": "t", "content": [text("see"), shown]}
        store.end(replace(turn(name), asked=(shown, result), reply=(text("ok"),)))
    (file,) = (tmp_path / "c" / "images").iterdir()
    assert file.read_bytes() == base64.b64decode(PIXELS)
    assert PIXELS[:100] not in segments(tmp_path)[0].read_text()
    a, b = Store(tmp_path, "c").load().turns
    held = [t.asked[0]["source"]["data"] for t in (a, b)]
    held += [t.asked[1]["content"][1]["source"]["data"] for t in (a, b)]
    assert held == [PIXELS] * 4
    assert len({id(data) for data in held}) == 1


SOURCES = {
    "png": image_base64("image/png", PIXELS),
    "pdf": document_base64("application/pdf", PIXELS, "Title"),
    "address": image_url("https://example.com/a.png"),
    "empty": image_base64("image/png", ""),
    "line breaks": image_base64("image/png", "QUJD\nREVG"),
    "no padding": image_base64("image/png", "QUI"),
    "stray bits": image_base64("image/png", "QUJ="),
    "not base64": image_base64("image/png", "<&>"),
    "more fields": {"type": "image", "source": {**image_base64("a", "QUJD")["source"], "x": 1}},
    "the store's own word": {
        "type": "image",
        "source": {"type": "stored", "sha256": "0" * 64, "media_type": "image/png"},
    },
    "the store's own word twice": {
        "type": "image",
        "source": {"type": "stored", "verbatim": {"type": "stored", "verbatim": 1}},
    },
    "source that is text": {"type": "search_result", "source": "https://example.com"},
    "nested in an unknown block": {
        "type": "hologram",
        "rays": [{"deep": [image_base64("image/webp", PIXELS)]}],
        "source": {"type": "other", "content": [image_base64("image/gif", PIXELS)]},
    },
}


@pytest.mark.parametrize("block", SOURCES.values(), ids=SOURCES.keys())
def test_a_block_comes_back_as_it_was(tmp_path: Path, block: dict[str, Any]) -> None:
    whole = replace(turn("a"), asked=(text("What?"), block), reply=(block,))
    Store(tmp_path, "c").end(whole)
    store = Store(tmp_path, "c")
    assert store.load().turns == (whole,)
    assert store.warnings == []


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(list(SOURCES.values())),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
    max_leaves=8,
)
blocks = st.lists(
    st.dictionaries(st.text(), json_values, max_size=3)
    | st.builds(text, st.text())
    | st.sampled_from(list(SOURCES.values())),
    max_size=3,
).map(tuple)
turns = st.builds(
    Turn,
    id=st.text(),
    asked=blocks,
    reply=blocks,
    model=st.text(),
    server=st.text(),
    parameters=st.dictionaries(st.text(), json_values, max_size=3),
    usage=st.builds(Usage, fresh=st.integers(0, 10**9), output=st.integers(0, 10**9)),
    status=st.sampled_from(["complete", "interrupted", "broken", "refused"]),
    stop_reason=st.none() | st.text(),
    cell=st.none() | st.text(),
    ordinal=st.integers(0, 9),
    saw=st.lists(st.text()).map(tuple),
    order=st.lists(st.text()).map(tuple),
    started=st.floats(0, 1e10),
    ended=st.floats(0, 1e10),
    digest=st.text(),
)


@given(whole=turns)
@settings(max_examples=150)
def test_any_turn_comes_back_equal(whole: Turn) -> None:
    with tempfile.TemporaryDirectory() as root:
        store = Store(Path(root), "c")
        store.start(replace(whole, reply=(), usage=Usage(), status="complete"))
        store.progress(whole.id, whole.reply)
        store.end(whole)
        again = Store(Path(root), "c")
        assert again.load().turns == (whole,)
        assert again.warnings == store.warnings == []
