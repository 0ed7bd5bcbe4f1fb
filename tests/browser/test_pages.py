"""Whatever the notebook, and whenever the extension is loaded: in JupyterLab, too, all above a
question is in it. The pages and moments are those of `tests/notebook/generated_pages.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.chat import Chat
from tests.browser.lab import Lab, Notebook
from tests.browser.test_conversation import Page
from tests.notebook import generated_pages
from tests.notebook.front_ends import Cell, JupyterLab
from tests.notebook.generated_pages import MOMENTS, QUESTION, TOKEN, carried, expected
from tests.notebook.shown_outputs import BUNDLES, sources, without_states

# Three with ids, three of nbformat 4.1, 4.4 and 4.2, which has none.
PAGES = (0, 3, 6, 1, 4, 7)
LOAD = "%load_ext claude_magic"


class Opened:
    """A generated page, open in JupyterLab; `made` is changed as the page is."""

    def __init__(self, lab: Lab, page: Any, made: JupyterLab) -> None:
        self.made = made
        self.notebook = Notebook(lab, page)
        made.path = lab.folder / made.path.name
        for cell in made.cells:
            if "raise " in cell.source:  # Run All goes on
                cell.metadata = {"tags": ["raises-exception"]}
        made.save()
        self.notebook.open(made.path.name)

    def insert(self, place: int, source: str) -> Cell:
        said = {"cell_type": "code", "source": source}
        self.notebook.js("panel.model.sharedModel.insertCell(...argument)", [place, said])
        return self.made.insert(place, source)

    def edit(self, cell: Cell, source: str) -> None:
        place = self.made.cells.index(cell)
        self.notebook.js(
            "panel.model.sharedModel.getCell(argument[0]).setSource(argument[1])", [place, source]
        )
        cell.source = source

    def run(self, cell: Cell) -> None:
        self.notebook.run(self.made.cells.index(cell))


def run_all(notebook: Notebook) -> None:
    """Run all cells, and wait for the last: JupyterLab takes the first error for the end."""
    notebook.run_all()
    notebook.until("[...model.cells].every(c => c.type !== 'code' || c.executionCount !== null)")
    notebook.until_idle()


def played(opened: Opened, moment: str) -> tuple[list[Any], list[Cell]]:
    """The blocks of the page's question, and the cells that did not run in the kernel that asked.

    As a user does it: Run All, with the cell that loads at the top or in the middle; or Run All,
    then the panel is opened; or Run All, then the kernel is restarted.
    """
    made, notebook = opened.made, opened.notebook
    code = [cell for cell in made.cells[:-1] if cell.kind == "code"]
    if moment in ("first", "middle"):
        place = 0 if moment == "first" or not code else made.cells.index(code[len(code) // 2])
        opened.insert(place, LOAD)
    else:  # the question is not asked by Run All
        opened.notebook.js("panel.model.sharedModel.deleteCell(argument)", len(made.cells) - 1)
        made.cells.pop()
    run_all(notebook)
    if moment == "restarted":
        notebook.js("panel.sessionContext.restartKernel()")
        notebook.until_idle()
        opened.run(opened.insert(0, LOAD))
    chat = Chat(notebook)
    if moment == "after":
        chat.open()
    if code:
        opened.edit(code[len(code) // 2], f"{code[len(code) // 2].source}\n# edited")
    last = len(made.cells) - (moment in ("first", "middle"))
    opened.insert(last, "cell_999 = 'not run'")
    if moment == "after":
        notebook.select(last)
        chat.ask("What stands above?")
        made.insert(len(made.cells), QUESTION)  # it stands where this would
    else:
        if moment == "restarted":
            opened.insert(len(made.cells), QUESTION)
        opened.run(made.cells[-1])
    content = Page(notebook).requests()[-1]["messages"][-1]["content"]
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return blocks, code if moment == "restarted" else []


@pytest.mark.met("P3")
@pytest.mark.front_end("JupyterLab", "Markdown")
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("seed", PAGES)
def test_every_cell_above_a_question_goes_along_in_order_with_its_state(
    lab: Lab, page: Any, tmp_path: Path, seed: int, moment: str
) -> None:
    made = generated_pages.page(tmp_path, seed)
    made.path = made.path.with_name(f"pages-{seed}-{moment}.ipynb")
    opened = Opened(lab, page, made)
    blocks, elsewhere = played(opened, moment)
    assert carried(blocks) == expected(made, elsewhere)
    said = "\n".join(str(block.get("text", "")) for block in blocks)
    assert "load_ext" not in said
    for cell in made.cells[:-1]:
        token = TOKEN.search(cell.source)
        if token is not None and "said by" in cell.source:
            assert f"\nsaid by {token[0]}" in said
    figures = sum("Image(data=" in cell.source for cell in made.cells)
    assert sum(block["type"] == "image" for block in blocks) == figures


def test_outputs_of_every_form_are_told_by_the_page_as_by_the_kernel_that_showed_them(
    lab: Lab, page: Any, tmp_path: Path
) -> None:
    asks = "%%claude\nWhat is there?"
    made = JupyterLab(tmp_path / "pages-shown.ipynb", LOAD, *sources(), asks)
    opened = Opened(lab, page, made)
    notebook = opened.notebook
    run_all(notebook)
    then = Page(notebook).requests()[-1]["messages"][-1]["content"]
    notebook.js("panel.sessionContext.restartKernel()")
    notebook.until_idle()
    opened.run(made.cells[0])
    opened.run(made.cells[-1])
    shown = notebook.output(len(made.cells) - 1).inner_text()
    assert "from the record" in shown
    opened.edit(made.cells[-1], asks.replace("%%claude", "%%claude --fresh"))
    opened.run(made.cells[-1])
    now = Page(notebook).requests()[-1]["messages"][-1]["content"]
    # JupyterLab puts a picture of its own beside a chart's specification.
    before, after = ([b.get("text") for b in without_states(blocks)] for blocks in (then, now))
    assert after == before
    said = str(before)
    assert [name for name in BUNDLES if f"# {name}" not in said] == []
