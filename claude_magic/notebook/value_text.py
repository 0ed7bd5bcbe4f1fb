"""The parts of a value as Markdown in which nothing is active, and as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..rendering import literal, plain
from .listings import table
from .value_parts import are_numbers, columns, first, in_one_line, more, numeric, size, word

_LONGEST_CELL = 80
# What begins another kind of block where a line begins with it.
_START = re.compile(r"^(\d{1,9}(?=[.)])|(?=[#>+=:-]))")


class _Rows(NamedTuple):
    names: list[str]
    """Empty where the columns have none."""
    cells: list[list[str]]
    right: set[int]


def as_markdown(part: Any) -> str:
    """A table where all is flat, else a list within a list."""
    shown = in_one_line(part)
    rows = _rows(part) if shown is None else None
    if shown is not None:
        return _at_start(_inert(shown)) + "\n"
    if rows is None:
        return "\n".join(_items(part)) + "\n"
    width = len(rows.cells[0])
    rule = ["--:" if i in rows.right else "---" for i in range(width)]
    lines = [
        [_inert(name) for name in rows.names or [""] * width],
        rule,
        *([_inert(cell) for cell in row] for row in rows.cells),
    ]
    below = [f"\n{said}" for said in more(part)]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in lines), *below]) + "\n"


def as_text(part: Any) -> str:
    """An aligned table where all is flat, else indented lines."""
    shown = in_one_line(part)
    return plain("\n".join(_lines(part)) if shown is None else shown)


def _items(part: Any, indent: str = "") -> Iterator[str]:
    for label, held in _labelled(part):
        shown = in_one_line(held)
        said = size(held) if shown is None else _inert(shown)
        yield f"{indent}- {_at_start(f'{_inert(label)}: {said}' if label else said)}"
        if shown is None:
            yield from _items(held, indent + "  ")
    yield from (f"{indent}- {said}" for said in more(part))


def _lines(part: Any) -> Iterator[str]:
    rows = _rows(part)
    if rows is not None:
        names = rows.names or [""] * len(rows.cells[0])
        lines = table(names, rows.cells, right=sorted(rows.right))["text/plain"].split("\n")
        yield from lines if rows.names else lines[1:]
    else:
        for label, held in _labelled(part):
            shown = in_one_line(held)
            said = size(held) if shown is None else _one_line(shown)
            yield f"{_one_line(label)}: {said}" if label else said
            if shown is None:
                yield from (f"  {line}" for line in _lines(held))
    yield from more(part)


def _labelled(part: Any) -> Iterable[tuple[str, Any]]:
    """What a record or a list holds, with names; items that are plain need none."""
    if isinstance(part, dict):
        return [(word(name), held) for name, held in first(part.items())]
    numbered = enumerate(first(part), 1)
    return [("" if in_one_line(held) is not None else str(n), held) for n, held in numbered]


def _rows(part: Any) -> _Rows | None:
    """The rows of a record or of a list of records; None where a cell would hold several words."""
    if isinstance(part, dict):
        cells = [[word(name), in_one_line(held)] for name, held in first(part.items())]
        right = {1} if are_numbers(part.values()) else set()
        return _cut([], cells, right)
    names = columns(part)
    cells = [[in_one_line(r[n]) if n in r else "" for n in names] for r in first(part)]
    return _cut(names, cells, numeric(part, names)) if names else None


def _cut(names: list[str], cells: list[list[str | None]], right: set[int]) -> _Rows | None:
    if any(cell is None for row in cells for cell in row):
        return None
    short = [[_short(cell or "") for cell in row] for row in cells]
    return _Rows([_short(name) for name in names], short, right)


def _short(text: str) -> str:
    text = _one_line(text)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())


def _inert(text: str) -> str:
    """A text in Markdown that reads as it is, in one line and within a cell."""
    return literal(_one_line(text)).replace("|", "\\|")


def _at_start(inert: str) -> str:
    """Such a text where a line begins with it."""
    return _START.sub(r"\g<1>\\", inert)
