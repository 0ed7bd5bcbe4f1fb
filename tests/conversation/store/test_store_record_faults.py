"""Whatever a segment holds: the store opens, the turns are kept, the user is told once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_magic.conversation.store.store import Store
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import text
from tests.conversation.store.store_child import asked, turn
from tests.conversation.store.store_segments import IN_MEMORY, filled, line, start_line

ASIDE = "Records of this conversation that could not be read: {}."

DEEP = json.loads("[" * 600 + "]" * 600)
GARBAGE = {
    "bytes that are no text": b"\xff\xfe\x00garbage\n",
    "text that is no JSON": b"<html>\n",
    "an empty line": b"\n",
    "JSON that is no record": b"[1, 2]\n",
    "a number too long": b"9" * 5000 + b"\n",
    "JSON too deep": b"[" * 100_000 + b"\n",
    "a record without a schema": line(schema=None),
    "an older schema than there is": line(schema=0),
    "a lamport that is text": line(lamport="1"),
    "a kind that is a list": line(kind=["retire"]),
    "a start without a turn": line(),
    "a turn without an id": start_line(id=None),
    "a turn that asked a number": start_line(asked=5),
    "a turn that asked numbers": start_line(asked=[5]),
    "a turn with a word for usage": start_line(usage="much"),
    "an end without its start": line(kind="turn_end", turn="nobody"),
    "progress of an id that is a list": line(kind="turn_progress", turn=["a"], reply=[]),
    "a retirement of a number": line(kind="retire", turns=5),
    "a retirement of numbers": line(kind="retire", turns=[5]),
    "a restored turn that is not there": line(kind="restore", turn="nobody"),
    "an order without cells": line(kind="order", sha256="0"),
    "an order that is like one by a word": line(kind="order", sha256="0", like="0", cells="a"),
    "a note too deep": line(kind="n", deep=DEEP),
    "a turn too deep": start_line(parameters={"deep": DEEP}),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_set_aside_and_said(tmp_path: Path, garbage: bytes) -> None:
    segment = filled(tmp_path, "a", "b")
    lines = segment.read_bytes().splitlines(keepends=True)
    content = b"".join([*lines[:2], garbage, *lines[2:]])
    segment.write_bytes(content)
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert loaded.turns == (turn("a"), turn("b"))
    assert not loaded.read_only
    (warning,) = store.take_warnings()
    assert warning.startswith(ASIDE.format(1))
    store.load()
    assert store.warnings == []  # said once
    assert segment.read_bytes() == content


def test_an_end_that_is_garbage_leaves_the_turn_broken(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a")
    *start, end = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(start) + end[:40] + b"\n")
    assert [t.status for t in Store(tmp_path, "c").load().turns] == ["broken"]


@pytest.mark.parametrize("cut", [1, 2, 100, -2])
def test_a_torn_last_line_is_dropped_and_only_noted(tmp_path: Path, cut: int) -> None:
    segment = filled(tmp_path, "a", "b")
    *lines, last = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join([*lines, last[:cut]]))
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert [t.status for t in loaded.turns] == ["complete", "broken"]
    torn = {"kind": "torn", "segment": segment.name, "bytes": len(last[:cut])}
    assert (loaded.notes, store.warnings) == ((torn,), [])


def test_a_last_line_that_lacks_only_its_newline_is_whole(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a")
    segment.write_bytes(segment.read_bytes()[:-1])
    assert Store(tmp_path, "c").load().turns == (turn("a"),)


def test_a_torn_line_within_a_segment_costs_no_other_record(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.end(turn("a"))
    (segment,) = (tmp_path / "c").glob("*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"schema":1,')  # a write that failed and could not be taken back
    store.end(turn("b"))
    again = Store(tmp_path, "c")
    assert again.load().turns == (turn("a"), turn("b"))
    assert again.warnings[0].startswith(ASIDE.format(1))


def test_an_empty_file_is_an_empty_conversation(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "0.jsonl").touch()
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert (loaded.turns, loaded.notes, store.warnings) == ((), (), [])


def test_a_record_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a", "b")
    segment.with_name("copy.jsonl").write_bytes(segment.read_bytes())
    assert [t.id for t in Store(tmp_path, "c").load().turns] == ["a", "b"]


def test_a_later_minor_version_may_add_fields_kinds_and_statuses(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a")
    usage = {"fresh": 1, "holograms": 2}
    with segment.open("ab") as file:
        file.write(start_line(mood="good", usage=usage, status="paused"))
        end = {"usage": usage, "status": "paused", "reply": [text("ok")], "mood": "good"}
        file.write(line(seq=2, kind="turn_end", turn="z", **end))
        file.write(line(seq=3, kind="poem", verse="one"))
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert [(t.id, t.status, t.usage.fresh) for t in loaded.turns][1] == ("z", "broken", 1)
    assert [note["verse"] for note in loaded.notes] == ["one"]
    assert (loaded.read_only, store.warnings) == (False, [])


def test_a_newer_schema_makes_the_store_read_only(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a")
    with segment.open("ab") as file:
        file.write(line(schema=2, turn={"entirely": "new"}))
    before = {path: path.read_bytes() for path in (tmp_path / "c").rglob("*.jsonl")}
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert (loaded.turns, loaded.read_only) == ((turn("a"),), True)
    store.end(turn("b"))
    store.retire(["a"])
    again = store.load()
    assert ([t.id for t in again.turns], again.retired) == (["a", "b"], frozenset({"a"}))
    assert {path: path.read_bytes() for path in (tmp_path / "c").rglob("*.jsonl")} == before
    (warning,) = store.warnings
    assert "newer version" in warning
    assert IN_MEMORY in warning
    store.purge()
    store.end(turn("c"))
    assert Store(tmp_path, "c").load().turns == (turn("c"),)


def test_what_is_not_json_is_said_and_not_raised(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    store = Store(tmp_path, "c")
    store.start(asked(turn("a")))
    store.progress("a", [{"type": "text", "text": {1, 2}}])
    store.end(replace(turn("a"), reply=({"type": "x", "deep": deep},)))
    assert all("not JSON" in warning for warning in store.warnings)
    assert len(store.warnings) == 2
    kept: tuple[Turn, ...] = Store(tmp_path, "c").load().turns
    assert [t.status for t in kept] == ["broken"]
