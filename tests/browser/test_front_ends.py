"""The page that every front end plays, in JupyterLab and in Notebook 7 themselves."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from tests.browser.lab import Lab, Notebook
from tests.browser.test_conversation import Page
from tests.front_ends.playing import CELLS, MARKDOWN

APPLICATIONS = {"JupyterLab": "lab/tree", "Notebook 7": "notebooks"}
COLUMNS = (
    *("answers", "cells above", "Markdown", "figures", "after a restart", "tools", "JSON"),
    *("help", "completion"),
)
NAMES = [name for name in CELLS if name not in ("panel", "tell")]


def shown(notebook: Notebook, name: str) -> str:
    """What a cell shows, as text."""
    place = NAMES.index(name)
    text: str = notebook.js(
        "[...panel.content.widgets[argument].node.querySelectorAll('.jp-OutputArea')]"
        ".map((area) => area.innerText).join('\\n')",
        place,
    )
    return text


def write(lab: Lab, name: str) -> None:
    """Write the page."""
    made = nbformat.v4.new_notebook()
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    for cell in NAMES:
        new = nbformat.v4.new_markdown_cell if cell in MARKDOWN else nbformat.v4.new_code_cell
        made.cells.append(new(CELLS[cell]))
    nbformat.write(made, lab.folder / name)


def run_all(notebook: Notebook) -> None:
    """Run the cells one after the other, as a reader does who looks at each."""
    for place in range(len(NAMES)):
        notebook.run(place)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, marks=[pytest.mark.front_end(row, column) for column in COLUMNS])
        for row in APPLICATIONS
    ],
)
def test_the_page_that_every_front_end_plays(lab: Lab, page: Any, row: str) -> None:
    notebook = Notebook(lab, page)
    write(lab, f"{row}.ipynb")
    notebook.open(f"{row}.ipynb", application=APPLICATIONS[row])
    run_all(notebook)
    assert "What is above?" in shown(notebook, "ask")
    requests = Page(notebook).requests()
    assert len(requests) == 5, "the call's result is sent, too"
    first = str(requests[0]["messages"])
    assert first.index("# Ants and bees") < first.index("ants = 41") < first.index("seen 41\\n")
    assert "image/png" in first
    assert '`run_python` returned a result: 2 characters, "42"' in shown(notebook, "tool").replace(
        "run_python returned", "`run_python` returned"
    )
    assert shown(notebook, "bound").strip() == "bound Point(x=1)"
    assert "--max-tokens N" in shown(notebook, "help")
    completes(notebook)
    notebook.command("docmanager:save")
    notebook.js("panel.sessionContext.restartKernel()")
    notebook.until_idle()
    run_all(notebook)
    assert Page(notebook).requests() == []
    assert "from the record · free" in shown(notebook, "ask")


def completes(notebook: Notebook) -> None:
    """A model's name that was begun completes by Tab, in a cell that was just inserted."""
    notebook.select(len(NAMES) - 1)
    notebook.command("notebook:insert-cell-below")
    notebook.command("notebook:enter-edit-mode")
    keyboard, offered = notebook.page.keyboard, notebook.page.locator(".jp-Completer-item")
    keyboard.type("%claude -m op")

    def asked() -> bool:
        """JupyterLab passes over what takes longer than a second: it is asked again then."""
        keyboard.press("Tab")
        notebook.page.wait_for_timeout(1_000)
        return offered.filter(has_text="opus").count() == 1

    notebook.until_true(asked)
    keyboard.press("Enter")
    notebook.until("panel.content.activeCell.model.sharedModel.getSource() === '%claude -m opus'")
    notebook.command("notebook:enter-command-mode")
    notebook.js("panel.model.sharedModel.deleteCell(argument)", len(NAMES))
