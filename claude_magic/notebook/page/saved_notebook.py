"""The notebook's file: where it is, and what stood in it when it was last saved."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...conversation.turns import text_digest

_FIGURES = frozenset({"image/png", "image/jpeg", "image/svg+xml"})
_OURS = "claude_magic"


@dataclass(frozen=True)
class SavedCell:
    """A cell of the file: its id, the digest of its text, its tags, how many figures it shows."""

    id: str
    source: str
    tags: frozenset[str] = frozenset()
    figures: int = 0


@dataclass(frozen=True)
class Saved:
    """A notebook's file: its cells from top to bottom, and the conversation in its metadata."""

    cells: tuple[SavedCell, ...] = ()
    conversation: str | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """The ids of the cells."""
        return tuple(cell.id for cell in self.cells)


def notebook_path(namespace: Mapping[str, object]) -> Path | None:
    """The file of the running notebook, as far as the front end tells; None in a console.

    Jupyter sets JPY_SESSION_NAME when the kernel starts (stale after a rename), VS Code a name in
    the notebook's `namespace`.
    """
    for name in (namespace.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(name, str) and name.endswith(".ipynb"):
            path = Path(name)
            if path.is_absolute() and path.is_file():
                return path
    return None


class SavedNotebook:
    """A notebook's file, read again when it has changed."""

    def __init__(self) -> None:
        self._stamp: tuple[str, int, int] | None = None
        self._saved = Saved()

    def read(self, path: Path) -> Saved:
        """What stands in the file; without cells where it is no notebook or has no cell ids."""
        try:
            stat = path.stat()
            stamp = (str(path), stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._saved = parse(path.read_bytes())
                self._stamp = stamp
        except OSError:  # moved or deleted: what is known stays
            pass
        return self._saved


def source_digest(source: str) -> str:
    """The digest of a cell's text: what recognises a cell whose id has changed."""
    return text_digest(source.strip())


def parse(content: bytes) -> Saved:
    """What a notebook's file holds. It may be anything: what does not fit is left out."""
    try:
        notebook = json.loads(content)
        cells = tuple(_cell(cell) for cell in notebook["cells"])
        ours = notebook.get("metadata", {}).get(_OURS, {})
        conversation = ours.get("conversation") if isinstance(ours, dict) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Saved()
    return Saved(cells, conversation if isinstance(conversation, str) else None)


def _cell(cell: Mapping[str, Any]) -> SavedCell:
    tags = cell.get("metadata", {}).get("tags", ())
    return SavedCell(
        str(cell["id"]),
        source_digest(_joined(cell.get("source", ""))),
        frozenset(tag for tag in tags if isinstance(tag, str)),
        sum(_is_figure(output) for output in cell.get("outputs", ())),
    )


def _joined(source: str | Sequence[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _is_figure(output: Mapping[str, Any]) -> bool:
    return _OURS not in output.get("metadata", {}) and not _FIGURES.isdisjoint(
        output.get("data", {})
    )
