"""Restart & Run All, in real kernels: what is the same is free, what has changed is asked again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.kernels import Kernel, Ran, kernel

PICTURE = (
    "import io\nfrom IPython.display import Image, display\nfrom PIL import Image as P\n"
    "held = io.BytesIO()\nP.new('RGB', (64, 48), '{}').save(held, 'PNG')\n"
    "display(Image(held.getvalue()))"
)
CELLS: Mapping[str, str] = {
    "title": "# A study of doses",
    "data": "from pathlib import Path\ndoses = [1, 2, 4]\nprint(Path('level.txt').read_text())",
    "object": "object()",
    "figure": PICTURE.format("red"),
    "A": "%%claude\nWhat do these cells show?",
    "after": "doses[0]",
    "B": "%%claude\nAnd for {{ doses[0] }}?",
}
FREE = "from the record · free"


class Page:
    """A saved notebook of these cells, run by one kernel after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cells = dict(CELLS)
        (folder / "level.txt").write_text("high", encoding="utf-8")

    def kernel_runs(self, *cells: str, setup: str = "") -> tuple[dict[str, Ran], int]:
        """What each cell gave, and how many requests were sent."""
        kinds = {"title": "markdown"}
        saved = [
            {
                "id": cell,
                "cell_type": kinds.get(cell, "code"),
                "source": source,
                "metadata": {},
                **({} if cell in kinds else {"outputs": [], "execution_count": None}),
            }
            for cell, source in self.cells.items()
        ]
        path = self.folder / "page.ipynb"
        page = {"cells": saved, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        path.write_text(json.dumps(page), encoding="utf-8")
        with kernel(self.folder, JPY_SESSION_NAME=str(path)) as started:
            if setup:
                started.run(setup)
            ran = {
                cell: started.run(source, cell=cell)
                for cell, source in self.cells.items()
                if cell not in kinds and (not cells or cell in cells)
            }
            return ran, _sent(started)


def _sent(started: Kernel) -> int:
    offline = (
        "get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session.offline is None"
    )
    return 0 if started.value(offline) else len(started.requests())


@pytest.fixture
def study(tmp_path: Path) -> Page:
    made = Page(tmp_path)
    _, sent = made.kernel_runs()
    assert sent == 2
    return made


def test_after_a_restart_all_is_answered_from_the_record_and_says_so(study: Page) -> None:
    ran, sent = study.kernel_runs()
    assert sent == 0
    for cell in "AB":
        above, _, rest = ran[cell].shown().partition("This is the **offline server**")
        assert rest.rstrip().endswith(f"\n{FREE}")
        for then in ("Asked again", "First question", "will be asked", "$"):
            assert then not in above


CHANGES: Mapping[str, tuple[str, str, int]] = {
    "a cell edited": ("data", CELLS["data"] + "  # in mg", 2),
    "a picture redrawn": ("figure", PICTURE.format("blue"), 2),
    "a variable of another kind": ("after", "doses = {0: 1}\ndoses[0]", 1),
    "a question in other words": ("A", "%%claude\nWhat do they show?", 2),
    "a cell below it": ("after", "doses[1]", 1),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_has_changed_is_asked_again(study: Page, case: str) -> None:
    cell, source, sent = CHANGES[case]
    study.cells[cell] = source
    assert study.kernel_runs()[1] == sent


def test_an_output_that_has_changed_is_asked_about_again(study: Page) -> None:
    (study.folder / "level.txt").write_text("low", encoding="utf-8")
    ran, sent = study.kernel_runs()
    assert sent == 2
    assert "Asked again: a cell, an output or a value" in ran["A"].shown()


def test_a_variable_that_has_changed_is_asked_about_again(tmp_path: Path) -> None:
    """Though no cell of the page says so: it comes from elsewhere."""
    page = Page(tmp_path)
    page.cells = {"A": "%%claude\nHow large is size?"}
    assert page.kernel_runs(setup="size = 1")[1] == 1
    assert page.kernel_runs(setup="size = 2")[1] == 0, "no value is told, so none has changed"
    assert page.kernel_runs()[1] == 0, "one that is not defined contradicts nothing"
    assert page.kernel_runs(setup="size = [1, 2]")[1] == 1
    assert page.kernel_runs(setup="size = 1")[1] == 0
