"""Tables as HTML and as aligned text, and that of `%claude_config`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..messages.errors import InputError
from ..rendering import STYLE, escape, plain
from .config import PROJECT_FILE, Settable, refused_by_project

Bundle = dict[str, str]
# After a blank comes the value, unless it is the next name: "model= budget=20" takes model back.
_ASSIGNMENT = re.compile(r"""\s*(\w+)\s*=(?:\s+(?!\w+\s*=))?("[^"]*"|'[^']*'|\S*)""")
RIGHT = ' class="claude-magic-right"'


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    below: str = "",
) -> Bundle:
    """A table in the notebook's own style; columns whose index is in `right` are right-aligned."""

    def line(tag: str, values: Sequence[str]) -> str:
        cells = (
            f"<{tag}{RIGHT if i in right else ''}>{escape(value)}</{tag}>"
            for i, value in enumerate(values)
        )
        return f"<tr>{''.join(cells)}</tr>"

    body = "".join(line("td", row) for row in rows)
    note = f'<div class="claude-magic-line">{escape(below)}</div>' if below else ""
    html = (
        f'{STYLE}<div class="claude-magic"><table><thead>{line("th", columns)}</thead>'
        f"<tbody>{body}</tbody></table>{note}</div>"
    )
    widths = [max(len(r[i]) for r in (columns, *rows)) for i in range(len(columns))]
    text = [
        "  ".join(
            value.rjust(width) if i in right else value.ljust(width)
            for i, (value, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (columns, *rows)
    ]
    return {"text/html": html, "text/plain": plain("\n".join([*text, below]).rstrip())}


def assignments(line: str) -> Iterator[tuple[str, str]]:
    """The `name=value` pairs of a line; a value with spaces is quoted.

    Raises InputError for anything else.
    """
    position, line = 0, line.strip()
    while position < len(line):
        found = _ASSIGNMENT.match(line, position)
        if found is None:
            word = line[position:].split()[0]
            raise InputError(f"{word}: write name=value, as in %claude_config model=opus")
        name, value = found.groups()
        yield name, value[1:-1] if value[:1] in ("'", '"') and len(value) > 1 else value
        position = found.end()


def settings_table(settable: Settable, names: Sequence[str], remark: str = "") -> Bundle:
    """Settings with value, source and meaning: those of `names`, or all; `remark` stands below."""
    rows = [
        [row.name, _shown(row.value), row.source, row.help]
        for row in settable.settings_rows()
        if not names or row.name in names
    ]
    refused = ", ".join(refused_by_project())
    below = f"{PROJECT_FILE} sets {refused}: not taken from a project file." if refused else ""
    below = " ".join(line for line in (remark, below) if line)
    return table(("setting", "value", "from", "meaning"), rows, below=below)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if value not in ("", None) else "-"
