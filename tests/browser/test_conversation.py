"""The conversation follows the page in a real JupyterLab: moved cells, restarts, old outputs."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.lab import Lab, Notebook

ARTIFACTS = Path(__file__).parents[2] / "test-artifacts"
LOAD = "%load_ext claude_magic\n%claude_config base_url=offline"
SERVER = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session.offline"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Page:
    """A notebook whose kernel is asked what its offline server received."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook

    def run(self, cell: int) -> str:
        """The text of the cell's output area, run alone."""
        self.notebook.run(cell)
        return str(self.notebook.output(cell).inner_text())

    def value(self, expression: str) -> Any:
        """The value of a JSON-ready expression in the kernel."""
        shown = self.notebook.value(f"__import__('json').dumps({expression})")
        return json.loads(ast.literal_eval(shown))

    def requests(self) -> list[Any]:
        found: list[Any] = self.value(
            f"[r.json for r in {SERVER}.requests if r.path == '/v1/messages'] if {SERVER} else []"
        )
        return found

    def asked(self) -> list[str]:
        """The prompts of the last request, the last lines of its user messages."""
        found = []
        for message in self.requests()[-1]["messages"]:
            if message["role"] == "user":
                content = message["content"]
                said = content if isinstance(content, str) else content[-1]["text"]
                found.append(said.splitlines()[-1])
        return found


@pytest.fixture
def page(lab: Lab, page: Any) -> Page:
    return Page(Notebook(lab, page))


@pytest.mark.front_end("JupyterLab", "cells above")
@pytest.mark.front_end("JupyterLab", "moved, inserted, deleted")
def test_a_cell_that_was_moved_carries_the_context_of_its_new_place(page: Page) -> None:
    """Without saving: the kernel knows the page as it stands."""
    cells = [LOAD, "%claude Question A", "height = 3", "%claude Question B", "weight = 4"]
    page.notebook.open("moved.ipynb", cells)
    page.notebook.run_all()
    assert page.asked() == ["Question A", "Question B"]
    assert "height = 3" in str(page.requests()[-1]["messages"][-1])
    page.notebook.select(3)
    page.notebook.command("notebook:move-cell-down")
    page.run(4)
    last = page.requests()[-1]["messages"]
    assert page.asked() == ["Question A", "Question B"]
    assert "weight = 4" in str(last[-1])
    for _ in range(3):
        page.notebook.command("notebook:move-cell-up")
    shown = page.run(1)
    assert page.asked() == ["Question B"], "above the other question it does not see it"
    assert "sees 0 of 1 turn" in shown


@pytest.mark.front_end("JupyterLab", "after a restart")
def test_restart_and_run_all_asks_nothing_again(page: Page) -> None:
    page.notebook.open("again.ipynb", [LOAD, "%claude One", "x = 1", "%claude Two"])
    page.notebook.run_all()
    assert len(page.requests()) == 2
    before = [page.notebook.output(n).inner_text() for n in (1, 3)]
    conversation = page.notebook.js("model.getMetadata('claude_magic')")["conversation"]
    page.notebook.command("docmanager:save")
    page.notebook.js("panel.sessionContext.restartKernel()")
    page.notebook.until_idle()
    page.notebook.run_all()
    assert page.requests() == []
    after = [page.notebook.output(n).inner_text() for n in (1, 3)]
    assert "2 turns of this notebook are back" in after[0]
    for shown, first in zip(after, before, strict=True):
        *_, quote = (line for line in first.splitlines() if line in ("One", "Two"))
        assert quote in shown
        assert shown.rstrip().endswith("from the record · free")
    assert page.notebook.js("model.getMetadata('claude_magic')")["conversation"] == conversation
    ARTIFACTS.mkdir(exist_ok=True)
    page.notebook.page.screenshot(path=ARTIFACTS / "restarted.png")


def asked_after_a_restart(page: Page, name: str, question: str) -> tuple[Any, str]:
    """The request of a cell below one that showed a figure before, and what the cell shows."""
    nb = nbformat.v4.new_notebook()
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    figure = nbformat.v4.new_output("display_data", {"image/png": PIXEL, "text/plain": "<Figure>"})
    printed = nbformat.v4.new_output("stream", name="stdout", text="slow result: 42\n")
    nb.cells = [
        nbformat.v4.new_code_cell(LOAD),
        nbformat.v4.new_code_cell("slow()", outputs=[printed, figure], execution_count=7),
        nbformat.v4.new_code_cell(question),
    ]
    nbformat.write(nb, page.notebook.lab.folder / name)
    page.notebook.open(name)
    page.run(0)
    shown = page.run(2)
    (request,) = page.requests()
    return request, shown


def test_what_a_cell_showed_before_the_restart_goes_along_though_it_did_not_run(
    page: Page,
) -> None:
    request, shown = asked_after_a_restart(page, "shown.ipynb", "%%claude\nWhat came out?")
    assert "slow result: 42" in str(request)
    assert PIXEL in str(request)
    assert "1 figure" in shown


def test_a_figure_of_before_the_restart_can_be_named_in_python(page: Page) -> None:
    asks = "from claude_magic import ask\nask('What came out?', images='last')"
    request, _ = asked_after_a_restart(page, "named.ipynb", asks)
    assert PIXEL in str(request)
