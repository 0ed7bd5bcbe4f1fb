"""An image that is lost, or was never the store's, becomes text that says so."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from claude_magic.conversation.store.store import Store
from claude_magic.messages.blocks import image_base64, text
from tests.conversation.store.store_child import image, turn
from tests.conversation.store.store_segments import filled, start_line

IMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "cut short": lambda file: os.truncate(file, 10),
    "empty": lambda file: os.truncate(file, 0),
    "changed at the same size": lambda file: file.write_bytes(b"x" * file.stat().st_size),
}


@pytest.mark.parametrize("damage", IMAGES.values(), ids=IMAGES.keys())
def test_a_lost_image_becomes_text_that_says_so(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    shown = image_base64("image/png", image(9))
    result = {"type": "tool_result", "tool_use_id": "t", "content": [shown]}
    whole = replace(turn("a"), asked=(text("What?"), shown, result))
    Store(tmp_path, "c").end(whole)
    (file,) = (tmp_path / "c" / "images").iterdir()
    damage(file)
    store = Store(tmp_path, "c")
    (kept,) = store.load().turns
    said = text("[A file of type image/png stood here; its record is missing or damaged.]")
    assert kept.asked == (text("What?"), said, {**result, "content": [said]})
    assert kept.reply == whole.reply
    (warning,) = store.warnings
    assert "missing or damaged: 1" in warning
    # Sent again, it is whole again.
    store.end(replace(whole, id="b"))
    assert Store(tmp_path, "c").load().turns == (whole, replace(whole, id="b"))


@pytest.mark.parametrize("sha", ["/", "..", "a\0b", "A" * 64, 5, None], ids=repr)
def test_a_reference_that_is_no_digest_names_no_file(tmp_path: Path, sha: object) -> None:
    segment = filled(tmp_path, "a")
    source = {"type": "stored", "sha256": sha, "media_type": "image/png"}
    segment.write_bytes(start_line(asked=[{"type": "image", "source": source}]))
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert [block["type"] for block in loaded.turns[0].asked] == ["text"]
    assert not loaded.read_only
    assert len(store.warnings) == 1
