"""Front ends as far as a kernel can tell them apart: by the ids that they send, and the file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import jupytext
import nbformat

from tests.kernels import IPYKERNEL, XEUS_PYTHON, Kernel, Ran


@dataclass(eq=False)
class Cell:
    """A cell of a page; `handle` is the number that VS Code gave it."""

    source: str
    kind: str = "code"
    id: str = field(default_factory=lambda: uuid4().hex[:8])
    handle: int = 0
    count: int | None = None
    outputs: list[Mapping[str, Any]] = field(default_factory=list)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def as_saved(self, *, ids: bool) -> dict[str, Any]:
        found: dict[str, Any] = {
            "cell_type": self.kind,
            "metadata": self.metadata,
            "source": self.source,
        }
        if self.kind == "code":
            found |= {"execution_count": self.count, "outputs": self.outputs}
        return found | ({"id": self.id} if ids else {})


class JupyterLab:
    """The ids that it sends are those in the file. Nothing is saved by itself."""

    name = "page.ipynb"
    minor = 5
    command: Sequence[str] = IPYKERNEL

    def __init__(self, path: Path, *sources: str) -> None:
        self.path = path
        self.cells: list[Cell] = []
        for source in sources:
            self.insert(len(self.cells), source)
        self.save()

    def __getitem__(self, text: str) -> Cell:
        """The one cell whose text holds this."""
        (found,) = [cell for cell in self.cells if text in cell.source]
        return found

    def insert(self, place: int, source: str, kind: str = "code") -> Cell:
        cell = Cell(source, kind)
        self.cells.insert(place, cell)
        return cell

    def move(self, cell: Cell, place: int) -> None:
        self.cells.remove(cell)
        self.cells.insert(place, cell)

    def delete(self, cell: Cell) -> None:
        self.cells.remove(cell)

    def reload(self) -> None:
        """The window is loaded again: the ids stay."""

    def save(self) -> None:
        path = self.path.with_suffix(".ipynb")
        path.write_text(json.dumps(self.as_notebook()), encoding="utf-8")

    def as_notebook(self) -> dict[str, Any]:
        """The page in the form of nbformat."""
        cells = [cell.as_saved(ids=self.minor >= 5) for cell in self.cells]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        return {
            "nbformat": 4,
            "nbformat_minor": self.minor,
            "metadata": {"kernelspec": kernel},
            "cells": cells,
        }

    def told(self, cell: Cell) -> str | None:
        """The id by which the kernel is told of a cell."""
        return cell.id

    def begin(self, kernel: Kernel) -> None:
        """Tell a fresh kernel where it is, as the front end does."""

    def run(self, kernel: Kernel, *cells: Cell, ok: bool = True) -> Ran:
        """Run these cells, else all from top to bottom; what the last one gave back."""
        for cell in cells or [cell for cell in self.cells if cell.kind == "code"]:
            ran = kernel.run(cell.source, cell=self.told(cell), ok=ok)
            cell.count = ran.reply.get("execution_count")
            cell.outputs = _outputs(ran)
        return ran


class VSCode(JupyterLab):
    """Its ids are handles of its own, given in order as a page is opened, and to new cells."""

    def __init__(self, path: Path, *sources: str) -> None:
        self._next = 0
        super().__init__(path, *sources)

    def insert(self, place: int, source: str, kind: str = "code") -> Cell:
        cell = super().insert(place, source, kind)
        cell.handle, self._next = self._next, self._next + 1
        return cell

    def reload(self) -> None:
        for place, cell in enumerate(self.cells):
            cell.handle = place
        self._next = len(self.cells)

    def move(self, cell: Cell, place: int) -> None:
        super().move(cell, place)  # to VS Code it is another cell then
        cell.handle, self._next = self._next, self._next + 1

    def told(self, cell: Cell) -> str:
        digits = _in_sevens(cell.handle)
        letter = chr(ord("W") + len(digits) - 1)
        return f"vscode-notebook-cell:{self.path}#{letter}{digits}sZmlsZQ%3D%3D"

    def begin(self, kernel: Kernel) -> None:
        kernel.value(f"get_ipython().user_ns.update(__vsc_ipynb_file__={str(self.path)!r})")


class Older(JupyterLab):
    """A page saved by nbformat 4.4, which has no ids: each opening gives others."""

    minor = 4

    def reload(self) -> None:
        for cell in self.cells:
            cell.id = uuid4().hex[:8]


class XeusPython(JupyterLab):
    """The same page with another kernel, which does not pass on the ids that it is sent."""

    command = XEUS_PYTHON


class Jupytext(Older):
    """A page whose file is text, in the format of its name: neither ids nor outputs are in it."""

    name = "page.md"

    def save(self) -> None:
        jupytext.write(nbformat.from_dict(self.as_notebook()), self.path)


class Paired(Jupytext):
    """A page opened by its text, a script of percent cells; an .ipynb beside it has outputs."""

    name = "page.py"

    def save(self) -> None:
        jupytext.write(nbformat.from_dict(self.as_notebook()), self.path, fmt="py:percent")
        JupyterLab.save(self)


def _in_sevens(number: int) -> str:
    digits = str(number % 7)
    while number := number // 7:
        digits = str(number % 7) + digits
    return digits


def _outputs(ran: Ran) -> list[Mapping[str, Any]]:
    """What a cell shows, as it is saved."""
    printed = [{"output_type": "stream", "name": "stdout", "text": ran.printed}]
    shown = [{"output_type": "display_data", **output} for output in ran.outputs]
    return [*(printed if ran.printed else []), *shown]
