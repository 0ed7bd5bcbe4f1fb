"""The notebook's file: which it is, and what stood in it when it was last saved."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ...conversation.turns import text_digest
from ...value_classes import frozen
from .recorder import OURS, Kind

_KINDS = ("code", "markdown", "raw")
# What a front end can show as a notebook; jupytext pairs them or opens them as they are.
_SUFFIXES = frozenset({".ipynb", ".py", ".md", ".rmd", ".qmd", ".r", ".jl", ".myst"})


@frozen
class SavedCell:
    """A cell of the file. `digest` is that of its text, `turns` the ids of our turns whose replies
    its outputs hold; `outputs` are as in the file, and for a Markdown cell its attached pictures.
    """

    id: str | None
    kind: Kind
    source: str
    digest: str
    count: int | None = None
    outputs: Sequence[Mapping[str, Any]] = ()
    tags: frozenset[str] = frozenset()
    turns: frozenset[str] = frozenset()


@frozen
class Saved:
    """A notebook's file: its cells from top to bottom, and the conversation in its metadata.

    `at` says when it was saved, in seconds since 1970.
    """

    cells: tuple[SavedCell, ...] = ()
    conversation: str | None = None
    at: float = 0.0

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the cells; none at all where one has none, or two have the same."""
        found = [cell.id for cell in self.cells if cell.id is not None]
        return tuple(found) if len(set(found)) == len(self.cells) else ()


def notebook_path(namespace: Mapping[str, object]) -> Path | None:
    """The file of the running notebook, as far as the front end tells; None in a console.

    Jupyter sets JPY_SESSION_NAME when the kernel starts (stale after a rename), VS Code a name in
    the notebook's `namespace`.
    """
    for name in (namespace.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(name, str) and Path(name).suffix.lower() in _SUFFIXES:
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
        """What stands in the file; without cells where it is no notebook."""
        try:
            stat = path.stat()
            stamp = (str(path), stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._saved = parse(_as_json(path), stat.st_mtime)
                self._stamp = stamp
        except OSError:  # moved or deleted: what is known stays
            pass
        return self._saved


def _as_json(path: Path) -> object:
    """The notebook in the form of nbformat; None where the file is none, or cannot be read so."""
    content = path.read_bytes()
    if path.suffix.lower() == ".ipynb":
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            return None
    try:
        import jupytext
    except ImportError:  # then the cells are known once they run
        return None
    try:
        return cast(object, jupytext.reads(content.decode(), fmt=path.suffix.lower()))
    except Exception:  # of whatever kind: a user's file that is no notebook
        return None


def source_digest(source: str) -> str:
    """The digest of a cell's text: what recognises a cell whose id has changed."""
    return text_digest(source.strip())


def parse(notebook: object, at: float = 0.0) -> Saved:
    """What a notebook holds. It may be anything: what does not fit is left out."""
    if not isinstance(notebook, Mapping):
        return Saved(at=at)
    ours = _mapping(_mapping(notebook.get("metadata")).get(OURS))
    conversation = ours.get("conversation")
    cells = tuple(_cell(cell) for cell in _cells_of(notebook) if isinstance(cell, Mapping))
    return Saved(cells, conversation if isinstance(conversation, str) else None, at)


def _cells_of(notebook: Mapping[str, Any]) -> Iterable[object]:
    """The cells; until nbformat 3 they stood in worksheets."""
    cells = notebook.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = notebook.get("worksheets")
    sheets = sheets if isinstance(sheets, list) else []
    return [cell for sheet in sheets for cell in _list(_mapping(sheet).get("cells"))]


def _cell(cell: Mapping[str, Any]) -> SavedCell:
    said = cell.get("cell_type")
    kind: Kind = said if said in _KINDS else "markdown"
    source = joined(cell.get("source", cell.get("input")))
    tags = _list(_mapping(cell.get("metadata")).get("tags"))
    outputs = [output for output in _list(cell.get("outputs")) if isinstance(output, Mapping)]
    count = cell.get("execution_count")
    name = cell.get("id")
    turns = (_mapping(_mapping(o.get("metadata")).get(OURS)).get("turn") for o in outputs)
    return SavedCell(
        name if isinstance(name, str) and name else None,
        kind,
        source,
        source_digest(source),
        count if type(count) is int else None,
        outputs if kind == "code" else _attached(cell.get("attachments")),
        frozenset(tag for tag in tags if isinstance(tag, str)),
        frozenset(turn for turn in turns if isinstance(turn, str)),
    )


def _attached(attachments: object) -> list[Mapping[str, Any]]:
    """The pictures attached to a Markdown cell, as outputs."""
    return [
        {"output_type": "display_data", "data": bundle, "metadata": {"attachment": name}}
        for name, bundle in _mapping(attachments).items()
        if isinstance(bundle, Mapping)
    ]


def joined(value: object) -> str:
    """Multi-line text as nbformat has it: one string or a list of them."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
