"""The cells of a notebook as JSON nodes: their source, and the text around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..messages.errors import InputError
from .json_text import Edit, Node
from .json_writer import Writer, raw_places

_MOST_AROUND = 2


class Around:
    """The text of the Markdown cells before and after a cell."""

    def __init__(self, cells: Sequence[Node], number: int) -> None:
        self._cells, self._number = cells, number

    @property
    def before(self) -> str:
        near = self._cells[max(0, self._number - _MOST_AROUND) : self._number]
        return "\n\n".join(_texts(near))

    @property
    def after(self) -> str:
        near = self._cells[self._number + 1 : self._number + 1 + _MOST_AROUND]
        return "\n\n".join(_texts(near))


def _texts(cells: Iterable[Node]) -> Iterator[str]:
    for cell in cells:
        if plain(cell.get("cell_type")) == "markdown":
            yield source_of(cell)


def cells_of(root: Node, path: Path) -> Sequence[Node]:
    if plain(root.get("worksheets")) is not None:
        raise InputError(
            f"{path} is a notebook of an old format: "
            f"jupyter nbconvert --to notebook --inplace {path.name}"
        )
    cells = root.get("cells")
    if cells is None or not isinstance(cells.value, list):
        raise InputError(f"{path} is no notebook: it has no cells.")
    return [cell for cell in cells.value if isinstance(cell.value, dict)]


def plain(node: Node | None) -> Any:
    return node.plain() if node is not None else None


def is_object(node: Node | None) -> bool:
    return node is not None and isinstance(node.value, dict)


def strings_of(source: Node | None) -> list[Node]:
    """The JSON strings that a source is written in: one, or one a line."""
    if source is None:
        return []
    items = source.value if isinstance(source.value, list) else [source]
    return [item for item in items if isinstance(item.value, str)]


def source_of(cell: Node) -> str:
    return "".join(string.value for string in strings_of(cell.get("source")))


def edits_in_strings(
    text: str, strings: Sequence[Node], edit: Edit, writer: Writer
) -> Iterator[Edit]:
    """An edit of the joined value of some JSON strings, as edits of the file's text."""
    at, new = 0, edit.new
    for string in strings:
        end = at + len(string.value)
        first, last = max(edit.start, at), min(edit.end, end)
        if at <= edit.start < end or first < last:
            places = raw_places(text, string, [first - at, last - at])
            yield Edit(places[first - at], places[last - at], writer.inside_string(new))
            new = ""
        at = end
