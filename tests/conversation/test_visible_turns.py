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
    above,
    current,
    gone_on_from,
    left_out,
    lowest,
    on_page,
    places_of,
    stands_at,
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
    old, first = turn("b1", "B", 1), turn("b2", "B")
    assert names(seen_by("B", {"b2"}, [A, B, old, first, C], (), "ABC")) == ["a", "b2"]
    # For the cells below they count until the run has ended.
    assert names(seen_by("C", {"b2"}, [A, B, old], (), "ABC")) == ["a", "b", "b1"]


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


Steps = Sequence[tuple[str, str]]

# What a kernel hears of the page, step by step, and the order that comes of it. "told" is an order
# that was saved, "live" the page as it stands.
PAGES: dict[str, tuple[Steps, str]] = {
    "nothing": ([], ""),
    "an unknown cell stands below the cell that ran before it": (
        [("told", "AB"), ("ran", "A"), ("ran", "n")],
        "AnB",
    ),
    "the next one below that": (
        [("told", "AB"), ("ran", "A"), ("ran", "n"), ("ran", "m")],
        "AnmB",
    ),
    "the cell that ran before it may be another by then": (
        [("told", "AB"), ("ran", "A"), ("ran", "B"), ("ran", "n")],
        "ABn",
    ),
    "an unknown cell that runs first stands last": ([("told", "AB"), ("ran", "n")], "ABn"),
    "the first cell of an unknown page is its first": (
        [("ran", "A"), ("ran", "B"), ("ran", "A")],
        "AB",
    ),
    "one that runs below another of an unknown page": (
        [("ran", "A"), ("ran", "B"), ("ran", "A"), ("ran", "n")],
        "AnB",
    ),
    "a saved order is taken over when cells were moved": (
        [("told", "ABC"), ("told", "CAB")],
        "CAB",
    ),
    "a cell that was not saved yet keeps its neighbour": (
        [("told", "AB"), ("ran", "A"), ("ran", "n"), ("told", "BA")],
        "BAn",
    ),
    "several keep theirs in turn": (
        [("told", "AB"), ("ran", "A"), ("ran", "n"), ("ran", "m"), ("told", "BA")],
        "BAnm",
    ),
    "one that stood below no other comes last": ([("ran", "n"), ("told", "AB")], "ABn"),
    "the same file read once more changes nothing": (
        [("told", "AB"), ("ran", "A"), ("ran", "n"), ("told", "AB")],
        "AnB",
    ),
    "a cell that was saved and then deleted is gone": ([("told", "ABC"), ("told", "AC")], "AC"),
    "though it ran here": ([("told", "ABC"), ("ran", "B"), ("told", "AC")], "AC"),
    "the live page has what it has, and nothing else": (
        [("told", "AB"), ("ran", "A"), ("ran", "n"), ("live", "BA")],
        "BA",
    ),
    "a file that says what the live page said changes nothing": (
        [("live", "AB"), ("ran", "B"), ("ran", "n"), ("told", "AB")],
        "ABn",
    ),
    "a file that was saved before the live page takes out what it has not": (
        [("live", "ABC"), ("told", "AC")],
        "AC",
    ),
    "a deleted cell is gone": ([("told", "ABCD"), ("deleted", "BC")], "AD"),
    "a file that was saved before that does not bring it back": (
        [("told", "ABC"), ("deleted", "B"), ("told", "CBA")],
        "CA",
    ),
    "the live page does": (
        [("told", "ABC"), ("deleted", "B"), ("live", "ABC"), ("told", "CBA")],
        "CBA",
    ),
    "it is back in its place when it runs": (
        [("told", "ABCD"), ("deleted", "BC"), ("ran", "C")],
        "ACD",
    ),
    "then the other one": (
        [("told", "ABCD"), ("deleted", "BC"), ("ran", "C"), ("ran", "B")],
        "ABCD",
    ),
    "the nearest above it says the place": (
        [("told", "ABCD"), ("deleted", "C"), ("ran", "D"), ("ran", "C")],
        "ABCD",
    ),
    "the topmost one is on top again": (
        [("told", "ABC"), ("deleted", "AB"), ("ran", "B")],
        "BC",
    ),
    "and stands where a file says that is saved then": (
        [("told", "AB"), ("deleted", "B"), ("ran", "B"), ("told", "BA")],
        "BA",
    ),
    "one that was never saved stands below the cell that ran before it": (
        [("told", "AB"), ("ran", "n"), ("ran", "A"), ("deleted", "n"), ("ran", "n")],
        "AnB",
    ),
    "what is deleted twice is gone all the same": (
        [("told", "ABC"), ("deleted", "A"), ("deleted", "B"), ("told", "BCA")],
        "C",
    ),
}


def page_after(steps: Steps) -> PageOrder:
    page = PageOrder()
    for step, cells in steps:
        if step == "ran":
            page.ran(cells)
        elif step == "deleted":
            page.deleted(cells)
        else:
            page.tell(list(cells), live=step == "live")
    return page


@pytest.mark.parametrize("case", PAGES)
def test_the_order_of_the_page_is_what_was_told_and_what_ran_since(case: str) -> None:
    steps, order = PAGES[case]
    assert "".join(page_after(steps).order) == order


@pytest.mark.parametrize(
    ("steps", "active"),
    [
        ([], None),
        ([("told", "AB")], None),
        ([("told", "AB"), ("ran", "A")], "A"),
        ([("told", "AB"), ("ran", "A"), ("ran", "n")], "n"),
        ([("told", "AB"), ("ran", "A"), ("deleted", "A")], None),
        ([("told", "AB"), ("ran", "A"), ("live", "B")], None),
        ([("told", "AB"), ("ran", "A"), ("deleted", "A"), ("ran", "A")], "A"),
    ],
)
def test_the_active_cell_is_the_one_that_ran_last_if_it_is_still_there(
    steps: Steps, active: str | None
) -> None:
    assert page_after(steps).active == active


def of_panel(name: str, cell: str | None, started: float = 0, **said: object) -> Turn:
    return turn(name, cell, panel=True, started=started, **said)


# Turns in the order they were asked, and on the page ABC from top to bottom.
ON_PAGE: dict[str, tuple[list[Turn], str]] = {
    "by the page": ([C, A, B], "a b c"),
    "what stands nowhere comes last": ([turn("x", "X"), turn("n", None), B, A], "a b x n"),
    "a cell's by their number": ([turn("b1", "B", 1), B, A], "a b b1"),
    "a cell's not by their time": (
        [turn("b1", "B", 1, started=1.0), turn("b", "B", started=2.0)],
        "b b1",
    ),
    "the panel's below the cell's": ([of_panel("p", "A"), A, B], "a p b"),
    "whatever the number": ([of_panel("p", "A"), turn("a9", "A", 9)], "a9 p"),
    "the panel's by their time": ([of_panel("q", "A", 2), of_panel("p", "A", 1)], "p q"),
    "the panel's without a cell on top": ([A, of_panel("p", None)], "p a"),
    "the panel's whose cell is gone, below the nearest above that": (
        [A, B, C, of_panel("p", "X", order="ABXC")],
        "a b p c",
    ),
    "or further up": ([A, B, C, of_panel("p", "X", order="AYXBC")], "a p b c"),
    "or on top": ([A, of_panel("p", "X", order="YXA")], "p a"),
    "or nowhere, if it does not know where it stood": (
        [of_panel("p", "X", order="ABC"), A],
        "a p",
    ),
    "of two versions the last": ([turn("b0", "B"), B], "b"),
    "of two versions the whole one": ([B, turn("b2", "B", status="interrupted")], "b"),
    "broken ones too": ([turn("b", "B", status="broken"), A], "a b"),
    "a broken one that another goes on from is whole": (
        [
            turn("b", "B", status="broken"),
            turn("b2", "B", status="interrupted"),
            turn("d", "C", going_on="b"),
        ],
        "b d",
    ),
}


@pytest.mark.parametrize("case", ON_PAGE)
def test_what_counts_stands_as_the_page_does(case: str) -> None:
    turns, shown = ON_PAGE[case]
    assert names(on_page(turns, (), "ABC")) == shown.split()
    assert names(on_page([*turns, turn("z", "A", 7)], {"z"}, "ABC")) == shown.split()


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        (A, 0),
        (C, 2),
        (turn("x", "X"), None),
        (turn("n", None), None),
        (turn("x", "X", order="AXB"), None),  # only the panel's stand by another cell
        (of_panel("p", "B"), 1),
        (of_panel("p", None), -1),
        (of_panel("p", "X", order="ABX"), 1),
        (of_panel("p", "X", order="AXB"), 0),
        (of_panel("p", "X", order="XAB"), -1),
        (of_panel("p", "X", order="AB"), None),
    ],
)
def test_a_turn_stands_at_its_cell_and_the_panels_below_the_nearest_that_is_left(
    asked: Turn, place: int | None
) -> None:
    assert stands_at(asked, places_of("ABC")) == place


@pytest.mark.parametrize(
    ("turns", "retired", "cell"),
    [
        ([], (), None),
        ([B, A], (), "B"),
        ([A, C, B], (), "C"),
        ([A, C], {"c"}, "A"),
        ([A, turn("x", "X")], (), "A"),
        ([turn("n", None), turn("x", "X")], (), None),
        ([A, of_panel("p", "C")], (), "C"),
    ],
)
def test_the_lowest_cell_that_asked_is_found(
    turns: list[Turn], retired: Collection[str], cell: str | None
) -> None:
    assert lowest(turns, retired, "ABC") == cell


# The versions of one question with their status, in the order asked, and which one counts.
VERSIONS = {
    "c": "0",
    "c c": "1",
    "c i": "0",
    "c b": "0",
    "i c": "1",
    "b c": "1",
    "i i": "1",
    "i b": "0",
    "b i": "1",
    "b b": "1",
    "b r": "1",
    "c i b c b": "3",
    "b i b": "1",
}
STATUS = {"c": "complete", "i": "interrupted", "b": "broken", "r": "refused"}


@pytest.mark.parametrize("versions", VERSIONS)
def test_of_the_versions_of_a_question_the_last_of_the_best_counts(versions: str) -> None:
    asked = [turn(str(n), "B", status=STATUS[status]) for n, status in enumerate(versions.split())]
    assert names(current([A, *asked, C])) == ["a", VERSIONS[versions], "c"]
    # The same of another question, of another cell, of the panel or asked alone is no version.
    others = [
        turn("o", "B", 1),
        turn("x", "X"),
        turn("n", None),
        of_panel("p", "B"),
        of_panel("q", "B"),
        turn("l", "B", alone=True),
        turn("m", "B", alone=True),
    ]
    assert set(names(current([*asked, *others]))) == {VERSIONS[versions], *names(others)}


def test_a_goal_counts_as_complete() -> None:
    broken, stopped = turn("1", "B", status="broken"), turn("2", "B", status="interrupted")
    assert names(current([broken, stopped], {"1"})) == ["1"]
    assert names(current([broken, stopped], {"9"})) == ["2"]
    assert names(current([broken, turn("3", "B")], {"1"})) == ["3"]


@pytest.mark.parametrize(
    ("turns", "retired", "goals"),
    [
        ([A, B], (), set()),
        ([turn("d", "D", going_on="b")], (), {"b"}),
        ([turn("d", "D", going_on="b")], {"d"}, set()),
        ([turn("d", "D", going_on="b")], {"b"}, {"b"}),
        ([turn("d", "D", going_on="b", status="broken")], (), set()),
        ([turn("d", "D", going_on="b", status="interrupted")], (), {"b"}),
    ],
)
def test_a_turn_is_gone_on_from_by_one_that_goes_along(
    turns: list[Turn], retired: Collection[str], goals: set[str]
) -> None:
    assert gone_on_from(turns, retired) == goals


def at(name: str, cell: str | None, started: float, **said: object) -> Turn:
    return turn(name, cell, started=started, **said)


# Which turns are above a question in B of the page ABC that has asked "run" so far.
ABOVE: dict[str, tuple[list[Turn], str]] = {
    "of the cells above": ([C, A, B], "a"),
    "of the cells above and of this run": ([C, turn("run", "B"), A, B], "a run"),
    "this run's wherever it stood": ([turn("run", "C"), turn("p", "A", panel=True), A], "a p run"),
    "a cell's by number, and then by time": (
        [at("a1", "A", 1, ordinal=1), at("a0", "A", 3), at("again", "A", 2)],
        "again a0 a1",
    ),
    "the panel's by time": ([of_panel("q", "A", 2), of_panel("p", "A", 1), A], "a p q"),
    "the panel's below B not": ([of_panel("p", "B"), of_panel("q", None)], "q"),
    "none that stands nowhere": ([turn("x", "X"), turn("n", None)], ""),
    "none asked alone": ([turn("l", "A", alone=True)], ""),
    "broken ones too": ([turn("a", "A", status="broken")], "a"),
}


@pytest.mark.parametrize("case", ABOVE)
def test_above_a_question_is_what_the_cells_above_and_its_run_asked(case: str) -> None:
    turns, found = ABOVE[case]
    assert names(above("B", {"run"}, turns, (), "ABC")) == found.split()
    assert names(above("B", {"run"}, [turn("z", "A"), *turns], {"z"}, "ABC")) == found.split()


def test_above_a_question_of_no_known_cell_is_all_that_was_asked_before() -> None:
    turns = [at("3", "A", 3), at("1", None, 1), at("2", "X", 2), at("l", None, 0, alone=True)]
    assert names(above(None, (), turns, {"2"}, "ABC")) == ["1", "3"]


def test_above_a_question_of_a_cell_that_is_not_on_the_page_is_the_whole_page() -> None:
    assert names(above("X", (), [C, turn("x", "X"), A], (), "ABC")) == ["a", "c"]


class TestWhatIsKeptOfTheTurns:
    def test_a_turn_that_is_put_again_is_another_version_of_itself(self) -> None:
        counting = VisibleTurns([A, turn("b", "B", status="broken")])
        assert names(counting.seen("C", (), "ABC")) == ["a"]
        counting.put(B)
        assert names(counting.seen("C", (), "ABC")) == ["a", "b"]
        counting.put(turn("b", "X"))
        assert names(counting.seen("C", (), "ABC")) == ["a"]
        assert names(counting.seen("C", (), "AXC")) == ["a", "b"]
        assert names(counting.of_cell("B")) == []
        assert names(counting.of_cell("X")) == ["b"]

    def test_turns_retire_and_come_back(self) -> None:
        counting = VisibleTurns([A, B], {"a"})
        assert names(counting.seen("C", (), "ABC")) == ["b"]
        counting.retire(["b"])
        assert (names(counting.seen("C", (), "ABC")), counting.retired) == ([], {"a", "b"})
        counting.retire(["a", "x"], back=True)
        assert (names(counting.seen("C", (), "ABC")), counting.retired) == (["a"], {"b"})

    def test_the_turns_of_a_cell_are_those_it_asked_itself(self) -> None:
        nowhere = [turn("n", None), of_panel("p", None)]
        counting = VisibleTurns([B, A, turn("b2", "B"), of_panel("q", "B"), *nowhere], {"b"})
        assert names(counting.of_cell("B")) == ["b", "b2"]
        assert names(counting.of_cell("X")) == []
        assert names(counting.of_cell(None)) == ["n"]
        assert names(counting.before("B")) == ["b2"]
        counting.begin(["b2"])
        assert names(counting.before("B")) == []
        assert names(counting.before("A")) == ["a"]

    def test_a_run_ends_once(self) -> None:
        counting = VisibleTurns([A, B])
        counting.begin(["a"])
        counting.begin(["b"])
        assert counting.ended(["a", "x"]) == {"a"}
        assert counting.ended(["a", "b"]) == {"b"}
        assert counting.ended(["a", "b"]) == set()

    def test_the_panel_sees_its_stopped_replies_and_the_cells_do_not(self) -> None:
        stopped = [of_panel("s", "A", status="interrupted"), of_panel("t", None, status="broken")]
        counting = VisibleTurns([A, *stopped, of_panel("p", "B", 1), of_panel("o", "C")])
        assert names(counting.seen("B", (), "AEBC", panel=True)) == ["a", "s", "p"]
        assert names(counting.seen("C", (), "AEBC")) == ["a", "p"]
        counting.retire(["p"])
        assert names(counting.seen("C", (), "AEBC")) == ["a"]

    def test_a_question_of_a_cell_not_on_the_page_sees_the_whole_page(self) -> None:
        assert names(seen_by("X", (), [C, A], (), "ABC")) == ["a", "c"]
        assert names(seen_by("X", (), [C, A], (), "ABC", panel=True)) == ["a", "c"]

    def test_of_its_run_a_question_sees_what_goes_along_by_number(self) -> None:
        run = [turn("r1", "B", 1), turn("r0", "B"), turn("r2", "B", 2, status="broken")]
        found = seen_by("B", ["r1", "r0", "r2", "x"], [A, *run], (), "ABC")
        assert names(found) == ["a", "r0", "r1"]
        assert names(seen_by("B", ["r1", "r0"], [A, *run], {"r1"}, "ABC")) == ["a", "r0"]

    def test_without_a_cell_a_question_sees_what_of_its_run_goes_along(self) -> None:
        turns = [turn("1", None), turn("2", None, status="broken"), turn("3", None), A]
        assert names(seen_by(None, ("1", "2", "3"), turns, {"3"}, "ABC")) == ["1"]


# How many turns count beside those that a question replaces, of a page ABC on which all cells have
# asked: which asks, what its run has asked so far, whether it is the panel's.
@pytest.mark.parametrize(
    ("cell", "run", "panel", "many"),
    [
        ("B", "", False, 2),
        ("B", "", True, 3),
        ("B", "b2", False, 3),
        ("B", "b2 b3", False, 4),
        ("B", "x", False, 2),
        ("X", "", False, 3),
        ("X", "", True, 3),
        (None, "b2 c", False, 2),
        (None, "", False, 0),
    ],
)
def test_so_many_turns_count_beside_those_that_a_question_replaces(
    cell: str | None, run: str, panel: bool, many: int
) -> None:
    asked = [turn("b2", "B"), turn("b3", "B", 1)]
    counting = VisibleTurns([A, B, C, *(t for t in asked if t.id in run)])
    counting.begin(run.split())
    assert counting.how_many(cell, run.split(), panel=panel) == many
    counting.put(of_panel("p", "A"))
    assert counting.how_many(cell, run.split(), panel=panel) == many + (cell is not None)
    counting.retire(["p"])
    assert counting.how_many(cell, run.split(), panel=panel) == many


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
    higher = order[: order.index(cell)]
    assert [t.cell for t in seen] == [name for name in higher if any(name == r for r, _ in ran)]
    for t in seen:
        versions = [v for v in turns if v.cell == t.cell]
        complete = [v for v in versions if v.status == "complete"]
        assert t == (complete or versions)[-1]


@pytest.mark.parametrize("status", ["complete", "interrupted"])
def test_of_several_turns_of_one_question_one_counts(status: str) -> None:
    assert names(current([B, turn("b2", "B", status=status)])) == [
        "b2" if status == "complete" else "b"
    ]
