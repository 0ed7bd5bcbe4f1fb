"""What came of captions, as text: Markdown, JSON or CSV for people and programs, lists for CI."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..messages.amounts import count
from ..rendering import plain as visible
from .notebooks import Notebooks, Placed

_COLUMNS = (
    "notebook", "cell", "figure", "kind", "alt_text", "description", "x_axis", "y_axis", "trend",
    "confidence", "warnings", "cost", "error",
)  # fmt: skip


def missing(notebooks: Notebooks) -> str:
    """A line for each figure without alt text, and how many there are of how many."""
    lines = [f"{placed.name}: no alt text" for placed in notebooks.wanted]
    lines.append(f"{len(lines)} of {count(len(notebooks.placed), 'figure')} without alt text")
    return "\n".join(lines)


def as_markdown(placed: Sequence[Placed]) -> str:
    """A section for each notebook, and one within it for each figure."""
    return "\n".join(_sections(placed))


def as_json(placed: Sequence[Placed]) -> str:
    """A list of objects, one a figure."""
    return json.dumps([_row(p) for p in placed], ensure_ascii=False, indent=1)


def as_csv(placed: Sequence[Placed]) -> str:
    """A row a figure; lists as JSON."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in map(_row, placed):
        writer.writerow(
            {
                k: json.dumps(v, ensure_ascii=False) if isinstance(v, list) else v
                for k, v in row.items()
            }
        )
    return out.getvalue().rstrip("\n")


FORMATS: Mapping[str, Callable[[Sequence[Placed]], str]] = {
    "md": as_markdown,
    "json": as_json,
    "csv": as_csv,
}


def _sections(placed: Sequence[Placed]) -> Iterator[str]:
    last = None
    for p in placed:
        if p.file is not last:
            yield f"# {p.file.path}\n"
            last = p.file
        kind = p.value.get("kind")
        yield f"## {p.figure.name.capitalize()}{f': {kind}' if kind else ''}\n"
        if p.error:
            yield visible(f"Not captioned: {p.error}\n")
            continue
        yield visible(f"**{p.alt}**\n")
        yield visible(f"{p.value.get('description', '')}\n")
        if warnings := p.value.get("warnings"):
            yield visible("\n".join(f"- {warning}" for warning in warnings) + "\n")


def _row(placed: Placed) -> dict[str, Any]:
    value, answer = placed.value, placed.answer
    return {
        "notebook": str(placed.file.path),
        "cell": placed.figure.cell,
        "figure": placed.figure.place,
        **{name: value.get(name) for name in _COLUMNS[3:11]},
        "alt_text": placed.alt or None,
        "cost": answer.cost if answer else None,
        "error": placed.error or None,
    }


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
