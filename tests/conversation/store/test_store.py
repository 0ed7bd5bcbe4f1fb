"""What a store keeps and gives back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_magic.conversation.store.records import ReadRecords
from claude_magic.conversation.store.store import Store
from claude_magic.conversation.turns import Step
from claude_magic.messages.blocks import text
from tests.conversation.store.store_child import asked, turn
from tests.conversation.store.store_segments import segments


def records(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in segments(root) for line in path.read_text().splitlines()]


def test_nothing_is_made_before_the_first_write(tmp_path: Path) -> None:
    store = Store(tmp_path / "root", "c")
    assert store.load().turns == ()
    store.progress("no such turn", [text("a")])
    store.retire([])
    store.purge()
    assert list(tmp_path.iterdir()) == []
    assert store.warnings == []


def test_every_record_says_where_it_stands(tmp_path: Path) -> None:
    first, second = (Store(tmp_path, "c", clock=lambda: 7.5) for _ in range(2))
    first.end(turn("a"))
    second.load()
    second.note("fork", {"forked_from": "x"})
    found = sorted(records(tmp_path), key=lambda r: r["lamport"])
    assert [(r["schema"], r["lamport"], r["seq"], r["kind"], r["time"]) for r in found] == [
        (1, 1, 1, "order", 7.5),
        (1, 2, 2, "turn_start", 7.5),
        (1, 3, 3, "turn_end", 7.5),
        (1, 4, 1, "fork", 7.5),
    ]
    assert {r["segment"] for r in found} == {path.stem for path in segments(tmp_path)}


def test_the_end_does_not_repeat_what_was_asked(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.start(asked(turn("a")))
    store.end(turn("a"))
    end = records(tmp_path)[-1]
    own = {"schema", "lamport", "segment", "seq", "kind", "time", "turn"}
    assert set(end) - own == {
        "reply",
        "usage",
        "status",
        "stop_reason",
        "ended",
        "model",
        "digest",
        "healed",
    }


def test_a_start_is_there_for_others_before_the_request_leaves(tmp_path: Path) -> None:
    Store(tmp_path, "c", clock=lambda: 9.0).start(asked(turn("a")))
    (broken,) = Store(tmp_path, "c").load().turns
    assert broken == replace(asked(turn("a")), status="broken", ended=9.0)


def test_a_turn_that_did_not_end_holds_what_had_come(tmp_path: Path) -> None:
    store = Store(tmp_path, "c", clock=lambda: 9.0)
    store.start(asked(turn("a")))
    store.progress("a", [text("An")])
    store.progress("a", [text("An ant")])
    (broken,) = Store(tmp_path, "c").load().turns
    assert (broken.status, broken.reply, broken.ended) == ("broken", (text("An ant"),), 9.0)


def test_of_a_turn_s_progress_only_the_newest_is_held(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.start(asked(turn("a")))
    for count in range(1, 50):
        store.progress("a", [text("word " * count)])
    found = ReadRecords()
    for path in [*segments(tmp_path), *segments(tmp_path)]:
        found.read(path.read_bytes().splitlines(keepends=True))
    assert [record["seq"] for record in found.ordered()] == [1, 2, 51]


def test_progress_after_the_end_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.start(asked(turn("a")))
    store.end(turn("a"))
    store.progress("a", [text("late")])
    assert Store(tmp_path, "c").load().turns == (turn("a"),)


def test_a_turn_that_is_ended_once_more_has_its_steps_once(tmp_path: Path) -> None:
    """As where the end of a reply is interrupted."""
    store = Store(tmp_path, "c")
    steps = tuple(Step("tools", (text(f"call {n}"),), (text("result"),)) for n in range(2))
    whole = replace(turn("a"), steps=steps)
    store.start(asked(turn("a")))
    store.step("a", steps[0])
    for _ in range(2):
        store.end(whole)
    assert Store(tmp_path, "c").load().turns == (whole,)


def test_turns_come_in_the_order_started(tmp_path: Path) -> None:
    one, two = Store(tmp_path, "c"), Store(tmp_path, "c")
    for number, store in enumerate([one, two, two, one, two]):
        store.load()
        store.start(asked(turn(str(number))))
    for number, store in reversed(list(enumerate([one, two, two, one, two]))):
        store.end(turn(str(number)))
    assert [t.id for t in Store(tmp_path, "c").load().turns] == ["0", "1", "2", "3", "4"]


def test_a_restored_turn_stands_in_place_of_the_newer_ones_of_its_question(tmp_path: Path) -> None:
    places = {"old": ("A", 0), "new": ("A", 0), "next": ("A", 1), "other": ("B", 0)}
    store = Store(tmp_path, "c")
    for name, (cell, ordinal) in places.items():
        store.end(replace(turn(name), cell=cell, ordinal=ordinal))
    store.retire(["old"])
    assert Store(tmp_path, "c").load().retired == {"old"}
    store.restore("old")
    assert Store(tmp_path, "c").load().retired == {"new"}


def test_a_restored_turn_without_a_cell_stands_beside_the_others(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    for name in ("old", "new"):
        store.end(replace(turn(name), cell=None))
    store.retire(["old"])
    store.restore("old")
    assert store.load().retired == frozenset()


def test_notes_come_back_whole(tmp_path: Path) -> None:
    store = Store(tmp_path, "c", clock=lambda: 3.0)
    store.note("path", {"path": "a/b.ipynb", "host": "h"})
    (note,) = Store(tmp_path, "c").load().notes
    assert note.items() >= {"kind": "path", "time": 3.0, "path": "a/b.ipynb", "host": "h"}.items()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        pytest.param("retire", {"turns": []}, id="kind of the store"),
        pytest.param("path", {"seq": 1}, id="name of the store"),
    ],
)
def test_a_note_cannot_pass_for_a_record_of_the_store(
    tmp_path: Path, kind: str, values: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="the store uses"):
        Store(tmp_path, "c").note(kind, values)


def test_purge_deletes_records_and_images_and_the_next_turn_starts_afresh(tmp_path: Path) -> None:
    store, other = Store(tmp_path, "c"), Store(tmp_path, "d")
    store.end(turn("a"))
    other.end(turn("b"))
    store.purge()
    assert not (tmp_path / "c").exists()
    assert other.load().turns == (turn("b"),)
    store.end(turn("c"))
    assert Store(tmp_path, "c").load().turns == (turn("c"),)
    assert store.warnings == []
