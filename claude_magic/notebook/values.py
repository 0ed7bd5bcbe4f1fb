"""A value that a reply in JSON stands for, as it is shown: tables, and folded ones within them.

What it holds is the model's text: all of it is escaped, and nothing in it becomes a link.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..rendering import code_bundle, escape
from ..rendering.html import box, line
from .frame import Bundle
from .listings import RIGHT
from .value_parts import (
    are_numbers,
    columns,
    first,
    in_one_line,
    more,
    numeric,
    parts_of,
    size,
    word,
)
from .value_text import as_markdown, as_text

if TYPE_CHECKING:
    from ..conversation.asking.plan import Plan
    from ..conversation.reply_value import Reply

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
