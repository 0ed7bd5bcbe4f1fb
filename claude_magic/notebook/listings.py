"""The tables of `%claude_models` and `%claude_config`, as HTML and as aligned text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..messages import models
from ..messages.errors import ClaudeError, InputError
from ..messages.models import Model
from ..rendering import STYLE, escape, plain
from .config import PROJECT_FILE, Settable, refused_by_project

if TYPE_CHECKING:
    from ..conversation.session import Session

Bundle = dict[str, str]
# After a blank comes the value, unless it is the next name: "model= budget=20" takes model back.
_ASSIGNMENT = re.compile(r"""\s*(\w+)\s*=(?:\s+(?!\w+\s*=))?("[^"]*"|'[^']*'|\S*)""")
RIGHT = ' class="claude-magic-right"'
_PRICES = "Prices in USD per million tokens."


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


def models_table(session: Session) -> Bundle:
    """Models with alias, price, context, retirement, and what each refuses.

    The server's own list where it gives one, else the built-in table, and which it was.
    """
    listed: Sequence[Mapping[str, Any]]
    try:
        listed = session.models()
        below = f"{_PRICES} Models as the server lists them."
    except ClaudeError as error:
        listed = [{"id": model_id} for model_id in models.MODELS]
        below = f"{_PRICES} The built-in table, for the server gave no list: {error}"
    columns = ("model", "alias", "in", "out", "context", "refuses", "retires")
    return table(columns, [_model_row(item) for item in listed], right=(2, 3, 4), below=below)


def _model_row(item: Mapping[str, Any]) -> list[str]:
    model_id = str(item.get("id", ""))
    model = models.lookup(model_id)
    alias = next((a for a, target in models.ALIASES.items() if target == model_id), "")
    context = item.get("max_input_tokens") or (model.context if model else None)
    retires = item.get("retires_at") or (model.retires if model else None)
    return [
        model_id,
        alias,
        f"{model.price.input:g}" if model and model.price else "",
        f"{model.price.output:g}" if model and model.price else "",
        f"{int(context):,}" if context else "",
        refuses(model) if model else "",
        str(retires or "")[:10],
    ]


def refuses(model: Model) -> str:
    """What `model` does not take, in words."""
    kinds = {
        "prefill": not model.prefill,
        "effort": not model.efforts,
        "thinking off": model.thinking_off == "none",
        "forced tools": not model.forced_tool_choice,
    }
    return ", ".join(word for word, refused in kinds.items() if refused)


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


def settings_table(settable: Settable, names: Sequence[str]) -> Bundle:
    """Settings with value, source and meaning: those of `names`, or all."""
    rows = [
        [row.name, _shown(row.value), row.source, row.help]
        for row in settable.settings_rows()
        if not names or row.name in names
    ]
    refused = ", ".join(refused_by_project())
    below = f"{PROJECT_FILE} sets {refused}: not taken from a project file." if refused else ""
    return table(("setting", "value", "from", "meaning"), rows, below=below)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if value not in ("", None) else "-"
