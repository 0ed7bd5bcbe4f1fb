"""How a cell stands, by what is told of it and what ran; what a notebook's file holds."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from claude_magic.notebook.page.page_cells import EarlierCells, ToldCell, output
from claude_magic.notebook.page.recorder import CellRun, Output
from claude_magic.notebook.page.saved_file import SavedNotebook, notebook_path, parse, source_digest

PICTURE = {"image/png": "iVBORw0KGgo="}


def run(source: str = "x = 1", **said: Any) -> CellRun:
    made = CellRun(5, "A", source, at=100.0, **said)
    made.outputs = [Output(6, bundle={"text/plain": "1"}), Output(7, bundle=PICTURE)]
    return made


@pytest.mark.parametrize(
    ("told", "state", "source", "outputs"),
    [
        (ToldCell("code", "x = 1", 3, 2, at=9), "ran", "x = 1", [6, 7]),
        (ToldCell("code", " x = 1\n", 3, 2, at=9), "ran", "x = 1", [6, 7]),
        (ToldCell("code", "x = 2", 3, 2, at=9), "edited", "x = 2", [6, 7]),
        # Cleared since it ran; or it runs, and shows nothing yet.
        (ToldCell("code", "x = 1", None, 0, at=9), "ran", "x = 1", []),
        (ToldCell("code", "x = 1", None, 0, at=4), "ran", "x = 1", [6, 7]),
        (ToldCell("code", "x = 1", None, None, at=9), "ran", "x = 1", [6, 7]),
        # A file that is older than the run says nothing of it.
        (ToldCell("code", "x = 0", 2, 1, saved=99.0), "ran", "x = 1", [6, 7]),
        (ToldCell("code", "x = 2", 2, 1, saved=101.0), "edited", "x = 2", [6, 7]),
        # A text that is too long to be told whole.
        (ToldCell("code", "x =", 3, 2, at=9, missing=2), "ran", "x = 1", [6, 7]),
        (ToldCell("code", "y =", 3, 2, at=9, missing=2), "edited", "y =", [6, 7]),
    ],
)
def test_a_cell_that_ran_here_stands_as_it_ran_or_was_edited_since(
    told: ToldCell, state: str, source: str, outputs: list[int]
) -> None:
    found = told.ran_as(run())
    assert (found.state, found.source) == (state, source)
    assert [shown.serial for shown in found.outputs] == outputs


@pytest.mark.parametrize(
    ("told", "here", "state"),
    [
        (ToldCell("code", "x", None, 0), None, "not run"),
        (ToldCell("code", "x", 3, 0), None, "elsewhere"),
        (ToldCell("code", "x", None, 2), None, "elsewhere"),
        (ToldCell("code", "x", 3, 0), "ran", "ran"),
        (ToldCell("code", "x", 3, 0), "edited", "edited"),
        (ToldCell("markdown", "x", None, 0), None, "ran"),
        (ToldCell("raw", "x", None, 0), None, "ran"),
    ],
)
def test_a_cell_that_was_not_recorded_ran_before_or_elsewhere_or_not_at_all(
    told: ToldCell, here: Any, state: str
) -> None:
    shown = told.shown("A", itertools.count(1).__next__, here)
    assert (shown.state, shown.kind, shown.source, shown.cell) == (state, told.kind, "x", "A")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"output_type": "stream", "text": ["a\n", "b"]}, "text a\nb"),
        ({"output_type": "error", "traceback": ["one", "two"]}, "error one\ntwo"),
        ({"output_type": "error", "traceback": 3}, "error "),
        ({"output_type": "display_data", "data": {"text/plain": ["1", "2"]}}, "text/plain 12"),
        ({"output_type": "execute_result", "data": PICTURE}, "image/png iVBORw0KGgo="),
        ({"output_type": "display_data", "png": "iVBO", "text": "fig"}, "text/plain fig"),
        ({"output_type": "pyerr", "traceback": ["old"]}, "error old"),
        ({"output_type": "display_data", "data": PICTURE, "metadata": {"claude_magic": {}}}, None),
        ({"output_type": "display_data", "data": {}}, None),
        ({"output_type": "display_data", "data": 7}, None),
        ({}, None),
    ],
)
def test_an_output_of_a_file_is_read_and_none_of_ours(
    told: dict[str, Any], shown: str | None
) -> None:
    found = output(told, 1)
    if found is None:
        assert shown is None
    elif found.bundle is not None:
        kind, words = next(iter(found.bundle.items()))
        assert f"{kind} {words}" == shown
    else:
        assert shown == (f"text {found.text}" if found.text else f"error {found.error}")


CELLS = [
    {"id": "a", "cell_type": "markdown", "source": ["# T\n", "x"], "metadata": {"tags": ["t", 3]}},
    {"id": "b", "cell_type": "code", "source": "x", "execution_count": 4, "outputs": [{}, 7]},
    {"cell_type": "raw", "source": 5, "attachments": 3},
    {"cell_type": "heading", "source": "old"},
    "no cell",
]


def test_a_file_is_read_and_what_does_not_fit_is_left_out() -> None:
    found = parse({"cells": CELLS, "metadata": {"claude_magic": {"conversation": "c1"}}}, 3.0)
    assert [(c.id, c.kind, c.source, c.count) for c in found.cells] == [
        ("a", "markdown", "# T\nx", None),
        ("b", "code", "x", 4),
        (None, "raw", "", None),
        (None, "markdown", "old", None),
    ]
    assert (found.conversation, found.at, found.ids) == ("c1", 3.0, ())
    assert found.cells[0].tags == {"t"}
    assert found.cells[1].outputs == [{}]
    assert parse({"cells": CELLS[:2]}).ids == ("a", "b")
    assert parse({"cells": [CELLS[0], CELLS[0]]}).ids == ()


@pytest.mark.parametrize(
    "content",
    [None, [], 3, {}, {"cells": 3}, {"cells": [3]}, {"cells": [[]]}, {"worksheets": [3]}],
)
def test_a_file_that_is_no_notebook_has_no_cells(content: object) -> None:
    assert parse(content).cells == ()


def test_a_notebook_of_three_has_its_cells_in_worksheets() -> None:
    cell = {"cell_type": "code", "input": ["a = 1"], "prompt_number": 2, "outputs": []}
    found = parse({"nbformat": 3, "worksheets": [{"cells": [cell]}]})
    assert [(c.source, c.kind) for c in found.cells] == [("a = 1", "code")]


def test_pictures_attached_to_markdown_are_what_it_shows() -> None:
    cell = {
        "cell_type": "markdown",
        "source": "![](attachment:a.png)",
        "attachments": {"a.png": PICTURE},
    }
    (found,) = parse({"cells": [cell]}).cells
    shown = output(found.outputs[0], 1)
    assert shown is not None
    assert shown.bundle == PICTURE


def test_our_turns_are_known_by_the_outputs_that_show_their_replies() -> None:
    ours = {"output_type": "display_data", "metadata": {"claude_magic": {"turn": "t1"}}}
    odd = {"output_type": "display_data", "metadata": {"claude_magic": {"turn": 3}}}
    (found,) = parse({"cells": [{"cell_type": "code", "outputs": [ours, odd, {}]}]}).cells
    assert found.turns == {"t1"}


@pytest.mark.parametrize("name", ["a.ipynb", "a.py", "a.md", "a.Rmd", "a.qmd"])
def test_the_file_of_a_notebook_may_be_one_of_jupytext(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    file = tmp_path / name
    assert notebook_path({"__vsc_ipynb_file__": str(file)}) is None
    file.write_text("x = 1")
    assert notebook_path({"__vsc_ipynb_file__": str(file)}) == file
    assert notebook_path({"__vsc_ipynb_file__": name}) is None
    assert notebook_path({"__vsc_ipynb_file__": str(tmp_path / "a.txt")}) is None


def test_a_file_is_read_again_when_it_has_changed_and_kept_where_it_is_gone(tmp_path: Path) -> None:
    file, notebook = tmp_path / "a.ipynb", SavedNotebook()
    file.write_text(json.dumps({"cells": CELLS[:1]}))
    first = notebook.read(file)
    assert notebook.read(file) is first
    file.write_text(json.dumps({"cells": CELLS[:2]}))
    second = notebook.read(file)
    assert len(second.cells) == 2
    file.unlink()
    assert notebook.read(file) is second
    file.write_text("no JSON")
    assert notebook.read(file).cells == ()


class Shell:
    """As far as IPython's history goes."""

    def __init__(self, *sources: str, **said: Any) -> None:
        self.history_manager = SimpleNamespace(input_hist_raw=["", *sources], **said)
        self.execution_count = len(sources) + 1
        self.user_ns: dict[str, Any] = {"Out": {}}
        self.display_formatter = SimpleNamespace(format=lambda value: ({"text/plain": value}, {}))


def earlier(shell: Any, *, loads: bool = False, runs: Any = ()) -> EarlierCells:
    loaded = len(shell.history_manager.input_hist_raw)
    serial = itertools.count(1).__next__
    recorder: Any = SimpleNamespace(
        serial=serial, loaded=loaded, loaded_at=0.0, loads=loads, runs=runs
    )
    return EarlierCells(shell, recorder)


def test_what_ran_before_loading_is_known_by_text_and_count() -> None:
    cells = earlier(Shell("a", "b", "a", "%load_ext claude_magic"))
    known = [(c.source, c.count) for c in cells.cells([])]
    assert known == [("b", 2), ("a", 3), ("%load_ext claude_magic", 4)]


def test_the_cell_that_loads_is_one_of_them_once_another_has_run() -> None:
    shell = Shell("a", "b = 1\n%load_ext claude_magic")
    assert [c.count for c in earlier(shell, loads=True).cells([])] == [1]
    assert [c.count for c in earlier(shell, loads=True, runs=[run()]).cells([])] == [1, 2]
    assert [c.count for c in earlier(shell).cells([])] == [1, 2]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (ToldCell("code", "a", 1), "ran"),
        (ToldCell("code", " a\n", 3), "ran"),
        (ToldCell("code", "a", None, 1), "ran"),
        # Cleared, or never run: the same text may stand in two cells.
        (ToldCell("code", "a", None, 0), None),
        (ToldCell("code", "c", None, 1), None),
        # The text that ran with its count stands elsewhere: the count is of an earlier kernel.
        (ToldCell("code", "c", 1), None),
        (ToldCell("code", "a", 2), "edited"),
        (ToldCell("code", "c", 2), "edited"),
        (ToldCell("code", "c", 7), "edited"),
        (ToldCell("code", "c", 8), None),
        (ToldCell("code", "c", 9), None),
    ],
)
def test_a_cell_whose_text_ran_under_its_count_ran_here_and_one_with_another_was_edited(
    told: ToldCell, state: str | None
) -> None:
    page = {source_digest(text) for text in ("a", "c", "there")}
    recorded = {7: source_digest("gone"), 8: source_digest("there")}
    assert earlier(Shell("a", "b", "a")).state(told, recorded, lambda: page) == state


def test_what_the_page_shows_already_is_not_told_twice() -> None:
    cells = earlier(Shell("a", "b"))
    (digest,) = [c.digest for c in parse({"cells": [{"cell_type": "code", "source": "a"}]}).cells]
    assert [c.source for c in cells.cells([digest])] == ["b"]


def test_what_an_earlier_cell_showed_is_what_ipython_kept_or_else_its_value_now() -> None:
    printed = SimpleNamespace(output_type="out_stream", bundle={"stream": ["a\n", "b"]})
    kept = {1: [printed, SimpleNamespace(output_type="display_data", bundle=PICTURE)]}
    shell = Shell("plot()", "value", "nothing", outputs=kept)
    shell.user_ns["Out"] = {1: "not this", 2: "42"}
    found = [[o.bundle or str(o.text) for o in cell.outputs] for cell in earlier(shell).cells([])]
    assert found == [["a\nb", PICTURE], [{"text/plain": "42"}], []]
    again = earlier(shell).outputs(ToldCell("code", "plot()", None, None))
    assert [o.bundle for o in again] == [None, PICTURE]
    assert earlier(shell).outputs(ToldCell("code", "other", None, None)) == []


def test_a_value_that_cannot_be_shown_takes_nothing_with_it() -> None:
    def fails(value: object) -> object:
        raise ValueError(value)

    shell = Shell("value")
    shell.user_ns["Out"] = {1: "42"}
    shell.display_formatter = SimpleNamespace(format=fails)
    assert [cell.outputs for cell in earlier(shell).cells([])] == [[]]
