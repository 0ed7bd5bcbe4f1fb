"""A value that a reply in JSON stands for, as it is shown: tables, and folded ones within them.

What it holds is the model's text: all of it is escaped, and nothing in it becomes a link.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ...messages.plain_text import count
from ...rendering import code_bundle, escape, literal, plain
from ...rendering.style import box, line
from .header_footer import Bundle
from .tables import RIGHT, table

if TYPE_CHECKING:
    from ...conversation.asking.plan import Plan
    from ...conversation.reply_value import Reply

LONGEST_TEXT = 500
_LONGEST_LIST = 200
_MOST = 50
_DEEPEST = 12
"""Levels that are taken apart; what is below is written as Python shows it."""


def parts_of(value: Any, depth: int = 0) -> Any:
    """`value` of dicts, lists, texts, numbers, truth values and None only.

    Models, dataclasses and named tuples become dicts of their fields, an enum's member its value,
    sets lists in order; anything else its text. Never raises.
    """
    if isinstance(value, Enum):
        return parts_of(value.value, depth)
    pydantic = sys.modules.get("pydantic")  # a value of its kind means that it is loaded
    if pydantic and isinstance(value, pydantic.RootModel):
        return parts_of(value.root, depth)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if depth == _DEEPEST:
        return _text(value)
    try:
        fields = _fields(value)
        if fields is not None:
            return {_text(name): parts_of(held, depth + 1) for name, held in fields.items()}
        if isinstance(value, Set):
            value = sorted(value, key=_text)
        if isinstance(value, list | tuple):
            return [parts_of(held, depth + 1) for held in value]
    except Exception:  # a field of the user's own class may be computed, and raise anything
        return _text(value)
    return _text(value)


def is_plain(part: Any) -> bool:
    """Whether it stands in a cell by itself: no record, no list."""
    return not isinstance(part, dict | list)


def in_one_line(part: Any) -> str | None:
    """A plain part, a short list of such or an empty part as one text; None for any other."""
    if is_plain(part):
        return word(part)
    if not part:
        return "empty"
    if isinstance(part, dict) or not all(map(is_plain, part)):
        return None
    text = ", ".join([*map(word, first(part)), *more(part)])
    return text if len(text) <= _LONGEST_LIST else None


def word(part: Any, longest: int = LONGEST_TEXT) -> str:
    """A plain part as a text: floats to 10 digits, long texts cut."""
    text = f"{part:.10g}" if isinstance(part, float) else str(part)
    rest = len(text) - longest
    return text if rest <= 0 else f"{text[:longest]}… {rest:,} characters more"


def first(items: Iterable[Any]) -> list[Any]:
    """Those that are shown: a long list is cut."""
    return list(islice(items, _MOST))


def more(part: Any) -> list[str]:
    """What is said of those that are not shown, if there are any."""
    rest = len(part) - _MOST
    return [f"… {rest:,} more of {len(part):,}"] if rest > 0 else []


def size(part: Any) -> str:
    """What a record or a list is called where it is folded: "3 records"."""
    if isinstance(part, dict):
        return count(len(part), "field")
    return count(len(part), "record" if _are_records(part) else "item")


def columns(part: Any) -> list[str]:
    """The names of all fields of a list of records; none where there are other things in it."""
    return list(dict.fromkeys(n for r in part for n in r)) if _are_records(part) else []


def numeric(part: Any, names: Sequence[str]) -> set[int]:
    """Which of these columns hold numbers, and nothing else but None."""
    return {i for i, name in enumerate(names) if are_numbers(r[name] for r in part if name in r)}


def are_numbers(held: Iterable[Any]) -> bool:
    """Whether all of them are numbers or None."""
    return all(
        one is None or (isinstance(one, int | float) and not isinstance(one, bool)) for one in held
    )


def _are_records(part: Any) -> bool:
    return isinstance(part, list) and all(isinstance(held, dict) and held for held in part)


def _fields(value: Any) -> Mapping[Any, Any] | None:
    pydantic = sys.modules.get("pydantic")
    if pydantic and isinstance(value, pydantic.BaseModel):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    return value if isinstance(value, Mapping) else None


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # a foreign __str__ may raise anything
        return f"<{type(value).__name__}>"


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


# A folded table of the first level stands open if it has no more rows.
_OPEN_ROWS = 8


def value_bundle(value: Any) -> Bundle:
    """The value as a table: a list of records with a row for each, one record with a row for each
    field. Lists and records within are folded; what is long is cut, and that is said.
    """
    parts = parts_of(value)
    shown = in_one_line(parts)
    html = _table(parts, 0) if shown is None else f"<p>{escape(shown)}</p>"
    return {
        "text/html": box(html),
        "text/markdown": as_markdown(parts),
        "text/plain": as_text(parts),
    }


def body(plan: Plan, reply: Reply) -> Bundle | None:
    """What is shown in place of the text where JSON was asked for: the value, or what came."""
    if plan.question.shape is None or not reply.text:
        return None
    whole = reply.turn.status == "complete" and not reply.problem
    return value_bundle(reply.value) if whole else code_bundle(reply.text, "json")


def _table(part: Any, depth: int) -> str:
    names = columns(part)
    head = ""
    if isinstance(part, dict):
        rows = [[escape(word(name)), _cell(held, depth)] for name, held in first(part.items())]
        right = {1} if are_numbers(part.values()) else set()
    elif names:
        right = numeric(part, names)
        head = f"<thead>{_row('th', [escape(word(name)) for name in names], right)}</thead>"
        rows = [
            [_cell(record[name], depth) if name in record else "" for name in names]
            for record in first(part)
        ]
    else:
        rows, right = [[_cell(held, depth)] for held in first(part)], set()
    body = "".join(_row("td", row, right) for row in rows)
    rest = "".join(map(line, more(part)))
    return f"<table>{head}<tbody>{body}</tbody></table>{rest}"


def _row(tag: str, cells: Sequence[str], right: set[int]) -> str:
    inner = (f"<{tag}{RIGHT if i in right else ''}>{c}</{tag}>" for i, c in enumerate(cells))
    return f"<tr>{''.join(inner)}</tr>"


def _cell(part: Any, depth: int) -> str:
    """HTML of what stands in a cell: folded if it has parts of its own."""
    shown = in_one_line(part)
    if shown is not None:
        return escape(shown)
    is_open = " open" if depth == 0 and len(part) <= _OPEN_ROWS else ""
    return (
        f'<details class="claude-magic-fold"{is_open}><summary>{size(part)}</summary>'
        f"{_table(part, depth + 1)}</details>"
    )
