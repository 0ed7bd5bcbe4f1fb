"""A question sees the turns that stand above it on the page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.conversation.turns import Turn
from claude_magic.conversation.visible_turns import (
    PageOrder,
    VisibleTurns,
    current,
    left_out,
    on_page,
)
from claude_magic.messages.blocks import text


def turn(name: str, cell: str | None, ordinal: int = 0, **said: object) -> Turn:
    made = Turn(name, (text("?"),), (text("!"),), "m", "offline", cell=cell, ordinal=ordinal)
    return replace(made, **said)  # type: ignore[arg-type]


A, B, C = turn("a", "A"), turn("b", "B"), turn("c", "C")


def names(turns: Iterable[Turn]) -> list[str]:
    return [t.id for t in turns]


def seen_by(
    cell: str | None,
    run: Collection[str],
    turns: Sequence[Turn],
    retired: Collection[str],
    order: Sequence[str],
    **said: bool,
) -> list[Turn]:
    return VisibleTurns(turns, retired).seen(cell, run, order, **said)


def test_a_question_sees_the_turns_of_the_cells_above_it_and_none_below() -> None:
    assert names(seen_by("B", (), [A, B, C], (), "ABC")) == ["a"]


def test_the_order_is_that_of_the_page_and_not_of_execution() -> None:
    assert names(seen_by("D", (), [C, A, B], (), "ABCD")) == ["a", "b", "c"]


def test_running_a_cell_again_leaves_its_old_turns_out_of_its_own_context() -> None:
    assert names(seen_by("B", (), [A, B, C], (), "ABC")) == ["a"]


def test_a_later_question_of_the_same_run_sees_the_earlier_one() -> None:
    second = turn("b2", "B", 0)
    assert names(seen_by("B", {"b2"}, [A, B, second], (), "ABC")) == ["a", "b2"]


def test_the_newest_version_of_a_cell_counts_for_the_cells_below() -> None:
    again = turn("b2", "B")
    assert names(seen_by("C", (), [A, B, again], (), "ABC")) == ["a", "b2"]


def test_an_interrupted_run_leaves_the_last_complete_version_in_its_place() -> None:
    again = turn("b2", "B", status="interrupted")
    assert names(seen_by("C", (), [A, B, again], (), "ABC")) == ["a", "b"]


def test_an_interrupted_turn_counts_where_there_is_no_complete_one() -> None:
    only = turn("b2", "B", status="interrupted")
    assert names(seen_by("C", (), [A, only], (), "ABC")) == ["a", "b2"]


def test_a_later_broken_version_does_not_hide_the_interrupted_one_that_goes_along() -> None:
    stopped, broken = turn("b1", "B", status="interrupted"), turn("b2", "B", status="broken")
    assert names(seen_by("C", (), [stopped, broken], (), "ABC")) == ["b1"]
    assert names(on_page([stopped, broken], (), "ABC")) == ["b1"]


def test_retired_and_broken_turns_are_not_seen() -> None:
    broken = turn("b", "B", status="broken")
    assert names(seen_by("C", (), [A, broken], {"a"}, "ABC")) == []


def test_a_deleted_cell_hides_its_turns_until_it_is_back() -> None:
    assert names(seen_by("C", (), [A, B], (), "AC")) == ["a"]
    assert names(seen_by("C", (), [A, B], (), "ABC")) == ["a", "b"]


def test_without_cell_ids_a_question_sees_all_that_was_asked_before_it() -> None:
    first, second = turn("1", None), turn("2", None)
    assert names(seen_by(None, ("1", "2"), [first, second], (), ())) == ["1", "2"]


def test_what_a_run_replaces_are_the_older_versions_and_what_it_asks_no_more() -> None:
    old, new = [turn("b0", "B", 0), turn("b1", "B", 1)], turn("n0", "B", 0)
    assert left_out([*old, new], old, [new], well=True, whole=True) == ["b0", "b1"]


def test_a_cell_that_asks_nothing_any_more_replaces_all_that_it_asked() -> None:
    assert left_out([B], [B], [], well=True, whole=True) == ["b"]


def test_a_run_that_did_not_end_well_leaves_the_whole_one_and_not_parts_of_both() -> None:
    old = [turn("b0", "B", 0), turn("b1", "B", 1)]
    new = [turn("n0", "B", 0), turn("n1", "B", 1, status="broken")]
    assert left_out([*old, *new], old, new, well=False, whole=True) == ["n0", "n1"]
    assert left_out([*old, *new], old, new, well=False, whole=False) == ["b0", "b1"]
    assert left_out([*old, *new], old, new[1:], well=False, whole=False) == []


def test_a_run_under_way_is_seen_by_itself_and_by_others_once_it_has_ended() -> None:
    """Until then they see the run before it, if there is one."""
    counting = VisibleTurns([A, B])
    counting.put(turn("b2", "B"))
    counting.begin(["b2"])
    assert names(counting.seen("C", (), "ABC")) == ["a", "b"]
    assert names(counting.seen("B", ["b2"], "ABC")) == ["a", "b2"]
    counting.retire(["b"])
    assert names(counting.seen("C", (), "ABC")) == ["a", "b2"]
    counting.ended(["b2"])
    assert names(counting.seen("C", (), "ABC")) == ["a", "b2"]


def test_a_broken_turn_is_seen_where_the_one_that_goes_on_from_it_is() -> None:
    broken = turn("b", "B", status="broken")
    counting = VisibleTurns([A, broken, turn("d", "D", going_on="b")])
    assert names(counting.seen("C", (), "ABCD")) == ["a"]
    assert names(counting.seen("E", (), "ABCDE")) == ["a", "b", "d"]
    counting.retire(["d"])
    assert names(counting.seen("E", (), "ABCDE")) == ["a"]


def test_panel_turns_stand_below_their_cell_in_the_order_started() -> None:
    panel = [
        turn("p2", "A", panel=True, started=2.0),
        turn("p1", "A", panel=True, started=1.0),
        turn("stopped", "B", panel=True, status="interrupted"),
        turn("gone", "X", panel=True, order=("X", "B")),
    ]
    counting = VisibleTurns([B, *panel, A])
    assert names(counting.seen("C", (), "ABC")) == ["gone", "a", "p1", "p2", "b"]
    assert names(counting.seen("A", (), "ABC")) == ["gone"]
    seen = counting.seen("B", (), "ABC", panel=True)
    assert names(seen) == ["gone", "a", "p1", "p2", "b", "stopped"]


class TestThePage:
    def test_an_unknown_cell_stands_below_the_cell_that_ran_before_it(self) -> None:
        page = PageOrder()
        page.tell(["A", "B"])
        page.ran("A")
        page.ran("new")
        assert page.order == ("A", "new", "B")

    def test_the_first_cell_of_an_unknown_page_is_its_first(self) -> None:
        page = PageOrder()
        page.ran("A")
        page.ran("B")
        page.ran("A")
        assert page.order == ("A", "B")

    def test_a_saved_order_is_taken_over_when_cells_were_moved(self) -> None:
        page = PageOrder()
        page.tell(["A", "B", "C"])
        page.tell(["C", "A", "B"])
        assert page.order == ("C", "A", "B")

    def test_a_cell_that_was_not_saved_yet_keeps_its_neighbour(self) -> None:
        page = PageOrder()
        page.tell(["A", "B"])
        page.ran("A")
        page.ran("new")
        page.tell(["B", "A"])
        assert page.order == ("B", "A", "new")

    def test_a_cell_that_was_saved_and_then_deleted_is_gone(self) -> None:
        page = PageOrder()
        page.tell(["A", "B", "C"])
        page.tell(["A", "C"])
        assert page.order == ("A", "C")


CELLS = st.sampled_from("ABCDE")


@given(st.lists(st.tuples(CELLS, st.booleans())), st.permutations("ABCDE"), CELLS)
def test_whatever_ran_a_question_sees_one_turn_of_each_cell_above_in_page_order(
    ran: list[tuple[str, bool]], order: list[str], cell: str
) -> None:
    turns = [
        turn(str(n), name, status="complete" if whole else "interrupted")
        for n, (name, whole) in enumerate(ran)
    ]
    seen = seen_by(cell, (), turns, (), order)
    above = order[: order.index(cell)]
    assert [t.cell for t in seen] == [name for name in above if any(name == r for r, _ in ran)]
    for t in seen:
        versions = [v for v in turns if v.cell == t.cell]
        complete = [v for v in versions if v.status == "complete"]
        assert t == (complete or versions)[-1]


@pytest.mark.parametrize("status", ["complete", "interrupted"])
def test_of_several_turns_of_one_question_one_counts(status: str) -> None:
    assert names(current([B, turn("b2", "B", status=status)])) == [
        "b2" if status == "complete" else "b"
    ]
