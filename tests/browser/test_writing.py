"""What tools write into the notebook, and how their calls are asked about, in a real JupyterLab."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from tests.browser.lab import Notebook
from tests.browser.test_page import LOAD, Panel, write


@pytest.fixture
def panel(notebook: Notebook) -> Panel:
    return Panel(notebook)


def opened(panel: Panel, name: str, *cells: str) -> list[str]:
    """The ids of these cells of a notebook whose kernel has the extension loaded, above them."""
    write(panel, name, *map(nbformat.v4.new_code_cell, (LOAD, *cells)))
    panel.notebook.open(name)
    panel.run(0)
    panel.until("front.told")
    return panel.cells[1:]


def say(panel: Panel, code: str) -> None:
    """Run code in the kernel, of no cell."""
    panel.notebook.js(
        "kernel.requestExecute({code: argument, store_history: false}).done.then(() => null)", code
    )


def test_a_new_cell_stands_below_the_cell_that_is_named(panel: Panel) -> None:
    first, _ = opened(panel, "writing-insert.ipynb", "'one'", "'two'")
    say(panel, f"front.insert('cell-new', below={first!r}, kind='code', source='new = 1')")
    panel.notebook.until_sources(LOAD, "'one'", "new = 1", "'two'")
    assert panel.cells[2] == "cell-new"
    say(panel, "front.insert('words', below='cell-new', kind='markdown', source='# New')")
    panel.notebook.until_sources(LOAD, "'one'", "new = 1", "# New", "'two'")
    assert panel.notebook.js("[...model.cells].map((c) => c.type)")[3] == "markdown"
    say(panel, "front.insert('last', below='nowhere', kind='code', source='last')")
    panel.notebook.until_sources(LOAD, "'one'", "new = 1", "# New", "'two'", "last")


def test_what_was_written_is_undone_as_what_is_typed(panel: Panel) -> None:
    first, _ = opened(panel, "writing-edit.ipynb", "x = 1", "x")
    say(panel, f"front.insert('cell-new', below={first!r}, kind='code', source='new = 1')")
    panel.notebook.until_sources(LOAD, "x = 1", "new = 1", "x")
    panel.notebook.command("notebook:undo-cell-action")
    panel.notebook.until_sources(LOAD, "x = 1", "x")
    say(panel, f"front.edit({first!r}, was='x = 1', source='x = 2')")
    panel.notebook.until_sources(LOAD, "x = 2", "x")
    assert panel.cells[1] == first
    panel.notebook.js("[...model.cells][1].sharedModel.undo()")
    panel.notebook.until_sources(LOAD, "x = 1", "x")


def test_where_the_user_has_changed_the_cell_the_new_text_stands_below_it(panel: Panel) -> None:
    first, _ = opened(panel, "writing-changed.ipynb", "x = 1", "x")
    panel.notebook.js("[...model.cells][1].sharedModel.setSource('x = 10  # mine')")
    say(panel, f"front.edit({first!r}, was='x = 1', source='x = 2')")
    panel.notebook.until_sources(LOAD, "x = 10  # mine", "x = 2", "x")


BAD: list[dict[str, Any]] = [
    {"kind": "raw"},
    {"source": None},
    {"source": "x" * 1_000_001},
    {"cell": 3},
    {"below": ["x"]},
    {"type": "edit", "was": None},
]


def test_a_message_of_another_form_writes_nothing(panel: Panel) -> None:
    opened(panel, "writing-bad.ipynb", "'one'")
    good = {"type": "insert", "cell": "n", "below": "", "kind": "code", "source": "x"}
    for bad in BAD:
        say(panel, f"front._send({good | bad!r})")
    say(panel, "front.insert('good', below='', kind='code', source='good')")
    panel.notebook.until_sources(LOAD, "'one'", "good")


ASK = "%%claude --tools insert_cell --approve auto\nCall insert_cell(source='a = 1')"


def test_cells_that_a_question_inserts_stand_below_it_in_their_order(panel: Panel) -> None:
    twice = f"{ASK}, then insert_cell(source='b = 2')"
    opened(panel, "writing-question.ipynb", twice, "'below'")
    panel.run(1)
    panel.notebook.until_sources(LOAD, twice, "a = 1", "b = 2", "'below'")


@pytest.mark.front_end("JupyterLab", "tools")
def test_a_call_is_asked_about_in_the_cell_and_runs_once_it_was_allowed(panel: Panel) -> None:
    ask = "%%claude --tools run_python\nCall run_python(code='answered = 6 * 7; answered')"
    opened(panel, "writing-approval.ipynb", ask)
    page = panel.notebook.page
    panel.notebook.select(1)
    panel.notebook.js("(jupyterapp.commands.execute('notebook:run-cell'), null)")
    field = page.locator(".jp-Stdin-input")
    field.wait_for()
    cell = panel.notebook.output(1)
    cell.get_by_text("run_python is to run").wait_for()
    assert "answered = 6 * 7; answered" in cell.inner_text()
    assert "Allow this call?" in cell.inner_text()
    field.fill("y")
    field.press("Enter")
    panel.notebook.until_idle()
    assert panel.notebook.value("answered") == "42"
    text = cell.inner_text()
    assert "is to run" not in text, "what was asked about is gone, and stands folded in its line"
    assert "run_python · " in text
    assert " · ok" in text
