"""Short words for the cells of a notebook, and for the notebook itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..notebook.notebook import Notebook


def places(notebook: Notebook) -> dict[str, str]:
    """By cell id its execution count, "[7]", else where it stands: "cell 3"."""
    notebook.standing.read()
    found = {cell: f"cell {n}" for n, cell in enumerate(notebook.standing.page.order, 1)}
    found |= {
        run.cell: f"[{run.count}]"
        for run in tuple(notebook.recorder.runs)
        if run.cell and run.count is not None
    }
    return found


def title(notebook: Notebook) -> str:
    """The notebook's name; "" where it is not known."""
    path = notebook.standing.path
    return path.stem if path else ""
