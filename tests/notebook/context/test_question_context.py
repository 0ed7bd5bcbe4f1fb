"""Which cells a question carries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import text
from claude_magic.messages.catalogue import BUILT_IN
from claude_magic.messages.errors import InputError
from claude_magic.notebook.context.cell_blocks import (
    CarriedCell,
    Context,
)
from claude_magic.notebook.context.question_context import (
    CarriedContext,
    ContextPlace,
    between,
    choose,
    kept,
)
from claude_magic.notebook.page.question_place import NamedCells, PanelPlace, QuestionPlace
from claude_magic.notebook.page.recorder import CellRun, Output
from tests.notebook.context.shown_cells import drawn, picture, printed


def ran(serial: int, cell: str | None, *outputs: Output, **said: Any) -> CellRun:
    source = said.pop("source", f"x{serial} = 1")
    return CellRun(serial, cell, source, list(outputs), at=float(serial), **said)


def named(*runs: CellRun) -> NamedCells:
    """The cells as the page holds them: those that it has from top to bottom, then the others."""
    places = {cell: n for n, cell in enumerate("ABCDQZ")}
    return NamedCells(lambda: sorted(runs, key=lambda run: places.get(run.cell or "", 9)), {})


def told(pieces: Sequence[CarriedCell]) -> str:
    """Each piece as its serial, in brackets without its source, with its outputs' serials."""
    return " ".join(
        (f"{p.serial}" if p.source else f"({p.serial})")
        + "".join(f":{o.serial}" for o in p.outputs)
        for p in pieces
    )


# Runs of the cells A to D, in the order of their serials: cell B ran before A, C asked at 25, and
# showed something before and after that. E is not on the page.
RUNS = (
    ran(10, "B", printed(11, "b")),
    ran(12, "A", printed(13, "a")),
    ran(20, "C", printed(21, "before"), printed(26, "after"), asked_at=25),
    ran(30, "E", printed(31, "e")),
    ran(32, "D", printed(33, "d")),
)
ASKER = ran(40, "Q", printed(41, "here"), source="x = 1\n%claude Why?")
PAGE = tuple("ABCDQZ")


@pytest.mark.parametrize(
    ("place", "carried"),
    [
        # A first question carries the page from its top.
        (ContextPlace(order=PAGE), "12:13 10:11 20:21:26 32:33 40:41"),
        # Else from the cell that asked before: of it what it showed after its question.
        (ContextPlace(order=PAGE, asked=frozenset("C")), "(20):26 32:33 40:41"),
        (ContextPlace(order=PAGE, asked=frozenset("AC")), "(20):26 32:33 40:41"),
        (ContextPlace(order=PAGE, asked=frozenset("A")), "12:13 10:11 20:21:26 32:33 40:41"),
        (ContextPlace(order=PAGE, asked=frozenset("D")), "32:33 40:41"),
        # Not one below, nor one that is nowhere.
        (ContextPlace(order=PAGE, asked=frozenset("ZE")), "12:13 10:11 20:21:26 32:33 40:41"),
        (ContextPlace(order=tuple("QABCD")), "40:41"),
        (ContextPlace(order=tuple("BQA")), "10:11 40:41"),
        # Where the asking cell is not on the page the whole page stands above.
        (ContextPlace(order=tuple("ABCD")), "12:13 10:11 20:21:26 32:33 40:41"),
    ],
)
def test_a_question_carries_what_stands_between_the_one_before_it_and_itself(
    place: ContextPlace, carried: str
) -> None:
    assert told(choose(named(*RUNS), ASKER, "auto", place)) == carried
    assert choose(named(*RUNS), ASKER, "none", place) == []


def test_a_run_that_has_asked_before_carries_what_it_showed_since() -> None:
    again = ran(40, "Q", printed(41, "before"), printed(43, "since"), asked_at=42)
    assert told(choose(named(*RUNS), again, "auto", ContextPlace(order=PAGE))) == "(40):43"


@pytest.mark.parametrize(
    ("since", "carried"),
    [
        (0, "10:11 12:13 20:21:26 30:31 32:33"),
        (12, "(12):13 20:21:26 30:31 32:33"),
        (25, "(20):26 30:31 32:33"),
        (33, ""),
    ],
)
@pytest.mark.parametrize("current", [None, ran(40, None)])
def test_without_cell_ids_a_question_carries_what_ran_since_the_last_one(
    current: CellRun | None, since: int, carried: str
) -> None:
    cells = NamedCells(lambda: RUNS, {})
    assert told(choose(cells, current, "auto", ContextPlace(since=since))) == carried


@pytest.mark.parametrize(
    ("here", "asked", "marks", "carried"),
    [
        ("D", "", [], "12:13 10:11 20:21:26 32:33"),
        ("B", "", [], "12:13 10:11"),
        ("A", "", [], "12:13"),
        ("D", "C", [], "(20):26 32:33"),
        ("C", "C", [], "(20):26"),
        ("B", "C", [], "12:13 10:11"),  # that cell is below
        ("D", "B", [], "10:11 20:21:26 32:33"),
        # What stood above an earlier question of the panel went along with that.
        ("D", "", [("B", 15)], "20:21:26 32:33"),
        ("D", "", [("C", 22)], "(20):26 32:33"),
        ("D", "", [("C", 22), ("B", 99)], "(20):26 32:33"),
        ("D", "", [("B", 12)], "(12):13 20:21:26 32:33"),
        ("D", "C", [("D", 32)], "(32):33"),
        ("D", "C", [("D", 26)], "32:33"),
        ("D", "", [(None, 99)], "12:13 10:11 20:21:26 32:33"),
        # A cell that is not on the page: all that ran since whichever was last.
        ("E", "", [], "(20):26 32:33 30:31"),
        (None, "", [("X", 31)], "32:33"),
        (None, "", [("X", 3)], "(20):26 32:33 30:31"),
    ],
)
def test_a_question_of_the_panel_carries_what_stands_down_to_its_cell(
    here: str | None, asked: str, marks: list[tuple[str | None, int]], carried: str
) -> None:
    place = ContextPlace(25, PAGE, frozenset(asked), panel=True, here=here, marks=tuple(marks))
    # A run without an id stands nowhere.
    pieces = choose(named(*RUNS, ran(1, None, printed(2, "n"))), ASKER, "auto", place)
    assert told(pieces) == carried


@pytest.mark.parametrize(
    ("cell", "asked", "cells"),
    [
        (None, "", ""),
        ("C", "", "AB"),
        ("C", "A", "AB"),
        ("C", "AB", "B"),
        ("C", "CD", "AB"),
        ("A", "", ""),
        ("X", "B", "BCDQZ"),
    ],
)
def test_between_two_questions_is_the_first_ones_cell_and_those_above_the_second(
    cell: str | None, asked: str, cells: str
) -> None:
    place = ContextPlace(order=PAGE, asked=frozenset(asked))
    assert "".join(between(place, cell)) == cells


COUNTED = tuple(
    ran(n, cell, source=source, count=n, **said)
    for n, cell, source, said in (
        (2, "B", "b = 1", {}),
        (3, "A", "a = 1", {"tags": frozenset({"data"})}),
        (4, "D", "d = 1", {"tags": frozenset({"mine"})}),
        (5, None, "n = 1", {}),
        (6, "C", "%%claude\nWhy?", {"tags": frozenset({"data"})}),
    )
)


@pytest.mark.parametrize(
    ("choice", "carried"),
    [
        ("above", "3 2"),
        ("last", "5"),
        ("last:1", "5"),
        ("last:2", "4 5"),
        ("last:9", "2 3 4 5"),
        ("3", "3"),
        ("3-4", "3 4"),
        ("2-9", "2 3 4 5"),
        ("#data", "3"),
        ("#mine", "4"),
        ("none", ""),
    ],
)
def test_cells_are_chosen_by_place_by_time_by_count_and_by_tag(choice: str, carried: str) -> None:
    cells = named(*COUNTED)
    place = ContextPlace(order=tuple("ABCQD"))
    assert told(choose(cells, ran(7, "Q"), choice, place)) == carried


def test_above_is_the_whole_page_for_a_cell_that_is_not_on_it_and_all_runs_without_ids() -> None:
    cells, place = named(*COUNTED), ContextPlace(order=tuple("ABCD"))
    assert told(choose(cells, ran(7, "X"), "above", place)) == "3 2 4"
    ran_so = NamedCells(lambda: COUNTED, {})
    assert told(choose(ran_so, None, "above", place)) == "2 3 4 5"
    assert told(choose(ran_so, ran(7, None), "above", place)) == "2 3 4 5"


def test_the_cell_that_asks_is_none_of_the_last() -> None:
    asker = ran(9, "Q", count=9)
    assert told(choose(named(*COUNTED, asker), asker, "last", ContextPlace())) == "5"


@pytest.mark.parametrize("choice", ["", "all", "last:0", "last:", "3-", "-3", "3 4", "AUTO", "a#b"])
def test_another_choice_is_refused_and_those_there_are_are_named(choice: str) -> None:
    with pytest.raises(InputError) as fault:
        choose(named(*COUNTED), None, choice, ContextPlace())
    said = str(fault.value)
    assert said.startswith(f"-c {choice}: give auto, none, above, last, last:2, #tag, or")
    assert said.endswith("3-5.")


@pytest.mark.parametrize("choice", ["7", "7-9", "#other"])
def test_a_choice_that_finds_no_cell_is_refused_by_its_name(choice: str) -> None:
    with pytest.raises(InputError, match=f"^-c {choice}: no cell"):
        choose(named(*COUNTED), None, choice, ContextPlace())


# What a cell holds, and whether its source goes along; its outputs do in any case.
SOURCES = {
    "x = 1": True,
    "x = 1\n%claude Why?": True,
    "%claude Why?": False,
    "  %claude Why?  ": False,
    "%claude_usage": False,
    "%%claude -i fig\nx = 1": False,
    "\n\n%%claude\nWhy?": False,
    "%%claude_chat": False,
    "# a comment\n\n%claude Why?\n# another": False,
    "%load_ext claude_magic": False,
    "%load_ext claude_magic\n%claude_config model=opus": False,
    "%reload_ext   claude_magic": False,
    "%load_ext claude_magic_other": True,
    "%load_ext autoreload": True,
    "%time x": True,
    "print('%claude')": True,
    "": False,
    "# only a comment": False,
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_cell_that_only_asks_is_carried_for_what_it_showed(source: str) -> None:
    goes = SOURCES[source]
    shows, silent = ran(1, "A", printed(2, "shown"), source=source), ran(3, "B", source=source)
    pieces = choose(named(shows, silent), None, "auto", ContextPlace())
    assert told(pieces) == ("1:2 3" if goes else "(1):2")
    assert [p.source for p in pieces if p.source] == [source] * (2 * goes)


@pytest.mark.parametrize(
    ("without", "left"),
    [
        ((), "1:2:3 4 5:6"),
        ({1}, "(1):3 4 5:6"),  # its source and its text, not its figure
        ({3}, "1:2 4 5:6"),
        ({2}, "1:2:3 4 5:6"),  # a text has no number of its own
        ({1, 3}, "4 5:6"),
        ({4}, "1:2:3 5:6"),
        ({5}, "1:2:3 4 (5):6"),
        ({5, 6}, "1:2:3 4"),
    ],
)
def test_what_the_user_took_out_is_left_out(without: Collection[int], left: str) -> None:
    pieces = [
        CarriedCell(1, "a", [printed(2, "a"), drawn(3)]),
        CarriedCell(4, "b", []),
        CarriedCell(5, "c", [drawn(6)]),
        CarriedCell(7, "", []),
    ]
    assert told(kept(pieces, without)) == left


class Desk:
    """A kernel that a question is asked in, as far as what it carries needs one."""

    def __init__(self, *runs: CellRun, seen: Sequence[Turn] = (), setting: str = "auto") -> None:
        self.current: CellRun | None = ASKER
        self.runs = runs
        self.asked_of: list[object] = []
        self._mark = 99

        def all_seen(*place: object, **panel: object) -> Sequence[Turn]:
            self.asked_of = [*place, panel]
            return seen

        recorder: Any = self
        self.standing: Any = SimpleNamespace(page=SimpleNamespace(order=PAGE), as_saved=False)
        settable: Any = SimpleNamespace(value={"context": setting, "model": "sonnet"}.__getitem__)
        session: Any = SimpleNamespace(seen=all_seen, catalogue=BUILT_IN)
        self.carried = CarriedContext(recorder, settable, self.standing, session)

    def mark(self) -> int:
        self._mark += 1
        return self._mark

    def pieces(self, *choices: str, **said: Any) -> str:
        asker = QuestionPlace(said.pop("cell", "Q"), run=("r",), **said)
        without = PanelPlace("Q", frozenset({12})) if asker.panel else None
        options: Any = {"context": choices} if choices else {}
        return told(self.carried.pieces(options, named(*self.runs), asker, without))

    def context(self, *choices: str, figures: bool = True) -> Context:
        pieces = [CarriedCell(1, "v = 1", [drawn(2)])]
        options: Any = {"context": choices} if choices else {}
        return self.carried.context(
            pieces,
            options,
            prompt="",
            render=picture,
            namespace={"v": 1},
            figures=figures,
        )


def turn(name: str, cell: str | None, **said: Any) -> Turn:
    return Turn(name, (text("?"),), (text("!"),), "m", "offline", cell=cell, **said)


def test_the_option_says_what_goes_along_and_else_the_setting() -> None:
    desk = Desk(*RUNS)
    assert desk.pieces() == "12:13 10:11 20:21:26 32:33 40:41"
    assert desk.asked_of == ["Q", ("r",), PAGE, {"panel": False}]
    assert desk.pieces("none") == ""
    assert desk.pieces("last") == "32:33"
    assert desk.pieces("last", "last:2") == "32:33 30:31"  # a cell named twice goes along once
    assert Desk(*RUNS, setting="none").pieces() == ""


def test_a_cell_that_a_question_asked_from_begins_what_the_next_one_carries() -> None:
    assert Desk(*RUNS, seen=[turn("t", "C")]).pieces() == "(20):26 32:33 40:41"
    below = [turn("p", "C", panel=True), turn("n", None)]
    assert Desk(*RUNS, seen=below).pieces() == "12:13 10:11 20:21:26 32:33 40:41"


def test_a_question_of_the_panel_leaves_out_what_an_earlier_one_brought() -> None:
    desk = Desk(*RUNS, seen=[turn("t", "A"), turn("p", "B", panel=True)])
    assert desk.pieces(cell="D", panel=True) == "10:11 20:21:26 32:33"
    desk.carried.asked(turn("p", "B", panel=True), 15)
    desk.carried.asked(turn("other", "D", panel=True), 99)  # not seen by this one
    assert desk.pieces(cell="D", panel=True) == "20:21:26 32:33"
    assert desk.current is not None
    assert desk.current.turns == []


@pytest.mark.parametrize(
    ("status", "asked_at"), [("complete", 100), ("interrupted", 100), ("broken", 0)]
)
def test_later_questions_begin_after_one_that_they_see(status: Any, asked_at: int) -> None:
    desk = Desk(*RUNS)
    desk.current = ran(40, "Q")
    desk.carried.asked(turn("t", "Q", status=status))
    assert (desk.current.turns, desk.current.asked_at) == (["t"], asked_at)
    desk.current = None
    desk.runs = (*RUNS, ran(99, "A"), ran(101, "B"))
    since = "101" if asked_at else "12:13 99 10:11 101 20:21:26 32:33 30:31"
    assert desk.pieces(cell=None) == since
    desk.carried.asked(turn("t2", "Q"))
    assert desk.pieces(cell=None) == ("101" if not asked_at else "")


def test_a_page_that_is_known_as_last_saved_is_said_to_be() -> None:
    desk = Desk(*RUNS)
    assert desk.context().notices == ("note 2",)
    desk.standing.as_saved = True
    assert desk.context().notices[1:] == (
        "the page is known as it was last saved, without this cell: save it to have all go along",
    )
    assert desk.context("none").notices == ()


# The characters of one output, and the model: a quarter of its context, 50,000 tokens at the most.
@pytest.mark.parametrize(
    ("model", "sources", "fits"),
    [("sonnet", 3, True), ("sonnet", 4, False), ("nobody-knows", 1, False)],
)
def test_the_room_for_the_page_follows_the_model(model: str, sources: int, fits: bool) -> None:
    pieces = [CarriedCell(n, "x" * 39_000, [], count=n) for n in range(sources)]
    options: Any = {"model": model}
    context = Desk().carried.context(
        pieces, options, prompt="", render=picture, namespace={}, figures=True
    )
    assert any(said.startswith("left out or cut") for said in context.notices) is not fits


def test_without_any_context_not_even_variables_go_along() -> None:
    assert Desk().context("none") == Context()
    assert Desk(setting="none").context() == Context()
    assert Desk().context("none", "last").blocks != ()
