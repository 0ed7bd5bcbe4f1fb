"""Which cell is which: the evidence in its order, and what holds for whatever page."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from claude_magic.notebook.page.alignment import (
    AlignedRuns,
    Generations,
    Trace,
    align,
    handle,
    trusted,
)
from claude_magic.notebook.page.recorder import CellRun
from claude_magic.notebook.page.saved_file import parse, source_digest


def uri(number: int) -> str:
    digits = ""
    while True:
        digits = str(number % 7) + digits
        number //= 7
        if not number:
            break
    return f"vscode-notebook-cell:/p/nb.ipynb#{chr(ord('W') + len(digits) - 1)}{digits}sZmlsZQ%3D"


def traces(*cells: str) -> list[Trace]:
    """Cells as "id text count turns", each of which may be "-"."""
    found = []
    for cell in cells:
        name, text, count, turns = [*cell.split(), "-", "-", "-"][:4]
        found.append(
            Trace(
                None if name == "-" else uri(int(name)) if name.isdecimal() else name,
                text,
                None if count == "-" else int(count),
                frozenset() if turns == "-" else frozenset(turns.split(",")),
            )
        )
    return found


@pytest.mark.parametrize(
    ("known", "page", "found"),
    [
        # A turn of ours in an output outranks all else.
        (["a x - t1"], ["a x", "b y - t1"], {0: 1}),
        # An id with the same text before the same text alone.
        (["a x", "b x"], ["b x", "a x"], {0: 1, 1: 0}),
        # A text that is there once on both sides.
        (["1 x", "2 y"], ["- y", "- x"], {0: 1, 1: 0}),
        (["5 x"], ["- x", "- x"], {0: 0}),
        # A text with its execution count, the topmost first.
        (["1 x 3", "2 x 4"], ["- x 4", "- x 3"], {0: 1, 1: 0}),
        (["1 x 3", "2 x 3"], ["- x 3", "- x 3"], {0: 0, 1: 1}),
        # VS Code's handle is the place that the cell had when the page was opened.
        (["0 x", "2 x"], ["- x", "- x", "- x"], {0: 0, 1: 2}),
        (["5 x", "6 x"], ["- x", "- x"], {0: 0, 1: 1}),
        # Unbroken order: the same text between the same neighbours.
        (["- a", "- x", "- b", "- x"], ["- x", "- a", "- x", "- b"], {0: 1, 1: 2, 2: 3}),
        # An id alone: it was edited. One that contradicts the texts says nothing.
        (["a x", "b y", "c z", "d v", "e w"], ["a x", "b y", "c z", "d v", "e n"], None),
        (["a x", "b y"], ["a y", "b n"], {1: 0}),
        (["a x"], ["a y"], {0: 0}),
        # Edited, and nothing to rely on.
        (["- x"], ["- y"], {}),
        (["1 x"], ["- y"], {}),
    ],
)
def test_what_tells_most_is_looked_at_first(
    known: list[str], page: list[str], found: dict[int, int] | None
) -> None:
    expected = {n: n for n in range(len(page))} if found is None else found
    assert align(traces(*known), traces(*page)) == expected


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        *((uri(n), n) for n in (0, 6, 7, 48, 49, 342, 343)),
        ("vscode-notebook-cell:/p/nb.ipynb#W6sZmlsZQ%3D%3D", 6),
        ("vscode-notebook-cell:/p/nb.ipynb#X10sZmlsZQ%3D%3D", 7),
        ("vscode-notebook-cell:/p/nb.ipynb#X1sZmlsZQ%3D%3D", None),
        ("vscode-notebook-cell:/p/nb.ipynb#W8sZmlsZQ%3D%3D", None),
        ("vscode-notebook-cell:/p/nb.ipynb", None),
        ("2b1c6f3e", None),
        ("", None),
    ],
)
def test_the_handle_in_an_id_of_vs_code_is_read(cell: str, number: int | None) -> None:
    assert handle(cell) == number


@pytest.mark.parametrize(
    ("agree", "contradict", "good"),
    [(0, 0, True), (4, 1, True), (3, 1, False), (0, 1, False), (8, 2, True), (7, 2, False)],
)
def test_ids_are_relied_on_until_a_quarter_as_many_contradict_as_agree(
    agree: int, contradict: int, good: bool
) -> None:
    assert trusted(agree, contradict) is good


@pytest.mark.parametrize(
    ("told", "generations"),
    [
        # The same cells again, and edits: one generation.
        (["0 a", "1 b", "0 a", "1 c", "1 d"], [0, 0, 0, 0, 0]),
        # The window was loaded again, and each id names another cell.
        (["0 a", "1 b", "2 c", "0 x", "1 a", "2 b"], [0, 0, 0, 0, 1, 1]),
        # A copy has a new number, above all others.
        (["0 a", "1 b", "2 a"], [0, 0, 0]),
        (["1 a", "2 b", "0 a"], [0, 0, 1]),
        # Where ids agree often enough, one that does not is a copy.
        (["a x", "b y", "a x", "b y", "a x", "b y", "c x"], [0] * 7),
    ],
)
def test_ids_are_of_one_generation_as_long_as_texts_do_not_move(
    told: list[str], generations: list[int]
) -> None:
    ids = Generations()
    said = [ids.told(str(trace.id), trace.text) for trace in traces(*told)]
    assert [n - said[0] for n in said] == generations


def saved(*cells: str, at: float = 0.0, ids: bool = True) -> Any:
    """A file with these cells, each "id text"."""
    made: list[dict[str, Any]] = []
    for cell in cells:
        name, text = cell.split()
        made.append({"cell_type": "code", "source": text} | ({"id": name} if ids else {}))
    return parse({"cells": made}, at)


def ran(serial: int, hint: str, text: str, at: float = 0.0) -> CellRun:
    return CellRun(serial, hint, text, at=at)


def settled(runs: Sequence[CellRun], *files: Any) -> tuple[AlignedRuns, list[str]]:
    aligned = AlignedRuns()
    for run in runs:
        aligned.started(run)
    gone: list[str] = []
    for file in files:
        _, gone = aligned.settle(file, runs, aligned.ids)
    return aligned, gone


def test_a_cell_that_ran_before_it_was_saved_is_that_of_the_file_once_it_is() -> None:
    runs = [ran(1, uri(0), "x", at=1.0), ran(2, uri(1), "new", at=5.0)]
    _, gone = settled(runs, saved("A x", at=3.0))
    assert [run.cell for run in runs] == ["A", uri(1)]
    assert gone == [uri(0)]  # the page knows it by the file's id now
    settled(runs, saved("A x", "B new", at=6.0))
    assert [run.cell for run in runs] == ["A", "B"]


def test_an_edit_that_is_not_saved_yet_is_of_its_cell_and_one_that_is_gone_stands_nowhere() -> None:
    runs = [ran(1, uri(0), "x", at=1.0), ran(2, uri(0), "edited", at=5.0)]
    _, gone = settled(runs, saved("A x", at=3.0))
    assert [run.cell for run in runs] == ["A", "A"]
    runs = [ran(1, uri(0), "x", at=1.0), ran(2, uri(1), "deleted", at=2.0)]
    _, gone = settled(runs, saved("A x", at=3.0))
    assert gone == [uri(0), uri(1)]
    assert runs[1].cell == uri(1)


def test_the_newest_runs_of_a_text_are_those_of_its_cells() -> None:
    runs = [ran(1, uri(4), "x"), ran(2, uri(0), "a"), ran(3, uri(0), "x"), ran(4, uri(1), "a")]
    settled(runs, saved("X x", "A a"))
    assert [run.cell for run in runs] == ["X", "A", "X", "A"]


def test_where_the_file_has_no_ids_its_cells_keep_ours_for_as_long_as_they_are_found() -> None:
    aligned = AlignedRuns()
    first, _ = aligned.settle(saved("- a", "- b", "- c", ids=False), [], ())
    assert len({*first}) == 3
    second, _ = aligned.settle(saved("- c", "- new", "- a", ids=False), [], first)
    assert (second[0], second[2]) == (first[2], first[0])
    assert second[1] not in first
    twice, _ = aligned.settle(saved("A a", "A b"), [], second)
    assert len({*twice}) == 2


# Pages of up to 25 cells, a third of whose texts are there more than once, after a few edits.
@pytest.mark.parametrize("seed", range(1_000))
def test_no_cell_is_two_and_what_kept_its_order_keeps_it(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same pages each time
    copies = seed % 4 < 2
    texts = [f"text {n % 3}" if copies and n % 3 else f"text {n}" for n in range(25)]
    chance.shuffle(texts)
    page = [(n, texts[n], n) for n in range(chance.randint(1, 25))]
    known = [
        Trace(uri(n) if seed % 2 else None, source_digest(text), count)
        for n, text, count in page
        if chance.random() < 0.8
    ]
    origin = [n for n, trace in enumerate(known)]
    after = list(page)
    moved = False
    for _ in range(chance.randint(0, 4)):
        match chance.choice(("insert", "delete", "edit", "move")):
            case "insert":
                after.insert(
                    chance.randint(0, len(after)),
                    (99, chance.choice(texts) if copies else "new", 0),
                )
            case "delete" if after:
                after.pop(chance.randrange(len(after)))
            case "edit" if after:
                place = chance.randrange(len(after))
                after[place] = (after[place][0], "edited", 0)
            case "move" if after:
                moved = True
                after.insert(chance.randrange(len(after)), after.pop(chance.randrange(len(after))))
    there = [Trace(None, source_digest(text), count or None) for _, text, count in after]
    found = align(known, there)
    assert set(found) <= set(origin)
    assert len(set(found.values())) == len(found)
    assert all(known[n].text == there[place].text for n, place in found.items())
    if not moved and not copies:
        assert [found[n] for n in sorted(found)] == sorted(found.values())
    # What is there once on both sides is found, whatever happened around it.
    for n, trace in enumerate(known):
        once = [t.text for t in known].count(trace.text) == 1
        if once and [t.text for t in there].count(trace.text) == 1:
            assert n in found
