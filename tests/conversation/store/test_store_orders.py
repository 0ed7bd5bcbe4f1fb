"""The order of the cells and the turns that were seen: written in few bytes, given back whole."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.conversation.store.store import Store
from claude_magic.conversation.turns import Turn
from tests.conversation.store.store_child import turn
from tests.conversation.store.store_segments import segments


def test_the_order_of_the_cells_is_written_once_and_what_was_seen_as_what_was_added(
    tmp_path: Path,
) -> None:
    """Else a thousand turns on a page of a thousand cells would write a million ids."""
    cells = tuple(f"cell {n}" for n in range(1000))
    turns = [
        replace(turn(f"t{n}"), saw=tuple(f"t{m}" for m in range(n)), order=cells) for n in range(30)
    ]
    changed = replace(turn("last"), saw=("t3", "t1"), order=cells[::-1])
    store = Store(tmp_path, "c")
    for each in (*turns, changed):
        store.end(each)
    (segment,) = segments(tmp_path)
    assert segment.read_text().count("cell 500") == 2
    assert sum('"t7"' in line for line in segment.read_text().splitlines()) < 5
    assert list(Store(tmp_path, "c").load().turns) == [*turns, changed]


def test_of_an_order_that_changed_what_came_and_went_is_written(tmp_path: Path) -> None:
    """Else a page that gets a cell with every question would be written with every turn."""
    store, whole, cells = Store(tmp_path, "c"), [], [f"cell {n}" for n in range(1000)]
    for number in range(120):
        cells.insert(500, f"new {number}")
        del cells[2]
        whole.append(replace(turn(f"t{number}"), saw=(), order=tuple(cells)))
        store.end(whole[-1])
    (segment,) = segments(tmp_path)
    assert segment.read_text().count("cell 999") == 3  # now and then it is spelled out again
    assert list(Store(tmp_path, "c").load().turns) == whole


orders = st.lists(st.lists(st.sampled_from("abcdef")).map(tuple), max_size=8)


@given(orders=orders)
def test_any_orders_come_back(orders: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        store = Store(Path(root), "c")
        for number, order in enumerate(orders):
            store.end(replace(turn(str(number)), order=order))
        found = Store(Path(root), "c").load().turns
        assert [t.order for t in found] == orders


def test_turns_that_were_read_can_be_written_to_another_conversation(tmp_path: Path) -> None:
    store, ids = Store(tmp_path, "c"), [f"t{n}" for n in range(120)]
    cells = tuple(f"cell {n}" for n in range(200))
    for number, name in enumerate(ids):
        store.end(replace(turn(name), saw=tuple(ids[:number]), order=cells[: number + 50]))
    loaded = Store(tmp_path, "c").load()
    found = loaded.turns
    Store(tmp_path, "d").adopt(loaded)
    again = Store(tmp_path, "d").load().turns
    assert again == found
    assert [t.saw for t in again] == [tuple(ids[:number]) for number in range(120)]
    assert [t.order for t in again] == [cells[: number + 50] for number in range(120)]
    assert Turn.from_json(again[-1].to_json()) == again[-1]


def test_an_order_that_is_lost_takes_those_that_are_like_it_and_no_turn(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    pages = [("a",), ("a", "b"), ("a", "b", "c")]
    for number, order in enumerate([*pages, pages[0]]):
        store.end(replace(turn(str(number)), order=order))
    (segment,) = segments(tmp_path)
    lines = segment.read_text().splitlines(keepends=True)
    lost = next(line for line in lines if '"like"' in line)
    segment.write_text("".join(line for line in lines if line != lost))
    again = Store(tmp_path, "c")
    assert [t.order for t in again.load().turns] == [("a",), (), (), ("a",)]
    assert again.warnings == []


@pytest.mark.parametrize(("head", "tail"), [(-1, 0), (0, -1), (1, 1), (None, 0), (0, "0")])
def test_an_order_that_is_like_another_in_no_way_is_set_aside(
    tmp_path: Path, head: Any, tail: Any
) -> None:
    store = Store(tmp_path, "c")
    for number, order in enumerate([("a",), ("a", "b")]):
        store.end(replace(turn(str(number)), order=order))
    (segment,) = segments(tmp_path)
    lines = [json.loads(line) for line in segment.read_text().splitlines()]
    lines = [{**line, "head": head, "tail": tail} if "like" in line else line for line in lines]
    segment.write_text("".join(json.dumps(line) + "\n" for line in lines))
    again = Store(tmp_path, "c")
    assert [t.order for t in again.load().turns] == [("a",), ()]
    assert "could not be read: 1" in again.warnings[0]


def test_turns_that_were_written_whole_are_read(tmp_path: Path) -> None:
    """As earlier versions wrote them."""
    store = Store(tmp_path, "c")
    store.end(turn("a"))
    (segment,) = segments(tmp_path)
    lines = [json.loads(line) for line in segment.read_text().splitlines()]
    start = next(line for line in lines if line["kind"] == "turn_start")
    start["turn"] |= {"order": ["x", "y"], "saw": ["one", "two"]}
    segment.write_text("".join(json.dumps(line) + "\n" for line in lines[1:]))
    (found,) = Store(tmp_path, "c").load().turns
    assert (found.order, found.saw) == (("x", "y"), ("one", "two"))


def test_an_order_that_is_lost_leaves_the_turn(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.end(turn("a"))
    (segment,) = segments(tmp_path)
    segment.write_text("".join(segment.read_text().splitlines(keepends=True)[1:]))
    (found,) = Store(tmp_path, "c").load().turns
    assert found == replace(turn("a"), order=())
