"""Tables of ours as HTML and as aligned text: settings, models, usage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...conversation.ledger import Entry, by_day, by_model, by_turn, total
from ...messages import plain_text
from ...messages.catalogue import Catalogue
from ...messages.errors import ClaudeError, InputError
from ...messages.models import EFFORTS, MODELS, Model, replacement
from ...rendering import STYLE, escape, plain
from ..config import PROJECT_FILE, Settable, refused_by_project
from . import header_footer

if TYPE_CHECKING:
    from ...conversation.session import Session
    from ...conversation.turns import Turn

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


# A gateway may list hundreds; these are shown, and how many more there are is said.
_MOST_ROWS = 200
_LONGEST_ID = 60
_MODEL_COLUMNS = (
    "model",
    "alias",
    "in",
    "out",
    "context",
    "longest",
    "thinks",
    "effort",
    "refuses",
)


def models_table(session: Session) -> Bundle:
    """Models with alias, price, limits, thinking, effort, what each refuses, and when it ends.

    Those that the server lists where it gives a list, else the built-in table, and which it was;
    those of the user's own file in any case.
    """
    try:
        known = session.models()
        whose = "Models as the server lists them"
    except ClaudeError as error:
        known = session.catalogue
        whose = f"The built-in table, for the server gave no list: {error}"
    listed = list(MODELS) if known.listed is None else list(known.listed)
    ids = list(dict.fromkeys((*listed, *known.added)))
    below = [f"Prices in USD per million tokens. {whose}.".replace("..", ".")]
    below += [f"{len(ids) - _MOST_ROWS:,} more are not shown."] if len(ids) > _MOST_ROWS else []
    shown = ids[:_MOST_ROWS]
    below += [line for line in (_long_prompts(known.lookup(i)) for i in shown) if line]
    return table(
        (*_MODEL_COLUMNS, "retires"),
        [_model_row(model_id, known) for model_id in shown],
        right=(2, 3, 4, 5),
        below=" ".join(below),
    )


def _model_row(model_id: str, known: Catalogue) -> list[str]:
    model = known.lookup(model_id)
    start = model_id if len(model_id) <= _LONGEST_ID else f"{model_id[: _LONGEST_ID - 1]}…"
    if model is None:
        return [start, *[""] * len(_MODEL_COLUMNS)]
    return [
        start,
        ", ".join(known.aliases_of(model_id)),
        f"{model.price.input:g}" if model.price else "",
        f"{model.price.output:g}" if model.price else "",
        f"{model.context:,}" if model.context else "",
        f"{model.max_output:,}" if model.max_output else "",
        thinks(model),
        efforts(model),
        refuses(model),
        retires(model),
    ]


def thinks(model: Model) -> str:
    """Whether `model` thinks, and whether that can be changed, in words."""
    if model.thinking in ("unknown", "none"):
        return "" if model.thinking == "unknown" else "no"
    if model.thinking == "manual" or not model.thinking_default:
        return "if asked"
    return "always" if model.thinking_off == "none" else "unless off"


def efforts(model: Model) -> str:
    """The efforts of `model`, with the one that it has by itself, in words."""
    levels = model.efforts
    if not levels:
        return ""
    between = EFFORTS[EFFORTS.index(levels[0]) : EFFORTS.index(levels[-1])]
    missing = "".join(f", no {level}" for level in between if level not in levels)
    usual = f" ({model.default_effort})" if model.default_effort else ""
    return f"{levels[0]} to {levels[-1]}{missing}{usual}"


def refuses(model: Model) -> str:
    """What `model` does not take, in words; empty where nothing is known of it."""
    if model.thinking == "unknown":
        return ""
    kinds = {
        "prefill": not model.prefill,
        "forced tools": not model.forced_tool_choice,
        "temperature": model.high_resolution,  # both came with 4.7
        "JSON schemas": not model.structured_outputs,
    }
    return ", ".join(word for word, refused in kinds.items() if refused)


def retires(model: Model) -> str:
    """When `model` ends at the earliest, and what takes its place if that is decided."""
    following = replacement(model.id, model) if model.deprecated else None
    words = (
        model.retires or ("soon" if model.deprecated else ""),
        following and f"use {following}",
    )
    return ", ".join(word for word in words if word)


def _long_prompts(model: Model | None) -> str:
    if model is None or model.long_prompt is None:
        return ""
    most, price = model.long_prompt
    return f"{model.id} over {most:,} tokens of prompt: {price.input:g} in, {price.output:g} out."


_DAYS = 7
_USAGE_COLUMNS = ("", "turns", "in", "cached", "out", "cost")


def usage_table(
    notebook: Sequence[Turn],
    everywhere: Sequence[Turn],
    spent: float,
    budget: float,
    known: Catalogue,
) -> Bundle:
    """This kernel, this notebook, all notebooks, each model, the last days.

    `spent` and `budget` of this kernel are in USD; `known` says what models cost.
    """
    mine, all_of_it = total(notebook, known), total(everywhere, known)
    rows = [_usage_row("this notebook", mine), _usage_row("all notebooks", all_of_it)]
    rows += [
        _usage_row(f"model {name}", entry) for name, entry in by_model(everywhere, known).items()
    ]
    days = list(by_day(everywhere, known=known).items())[-_DAYS:]
    rows += [_usage_row(f"{day:%Y-%m-%d}", entry) for day, entry in reversed(days)]
    below = [
        f"This kernel: {plain_text.dollars(spent)} of a budget of {plain_text.dollars(budget)}"
    ]
    below += _apart(all_of_it)
    return table(_USAGE_COLUMNS, rows, right=range(1, 6), below=" · ".join(below))


def turns_table(turns: Sequence[Turn], known: Catalogue) -> Bundle:
    """What each turn of this notebook cost, in the order asked."""
    from ...conversation.export import question_text

    entries = by_turn(turns, known)
    rows = []
    for number, turn in enumerate(turns, 1):
        start = header_footer.start(question_text(turn))
        rows.append([str(number), start, *_usage_row("", entries[turn.id])[2:]])
    below = " · ".join(_apart(total(turns, known)))
    return table(("#", "question", *_USAGE_COLUMNS[2:]), rows, right=(0, 2, 3, 4, 5), below=below)


def distinct(turns: Iterable[Turn]) -> list[Turn]:
    """Each turn once: a copied notebook holds those of the notebook that it was copied from."""
    return list({turn.id: turn for turn in turns}.values())


def _usage_row(name: str, entry: Entry) -> list[str]:
    usage = entry.usage
    cost = plain_text.dollars(entry.cost) if entry.turns else "$0"
    return [
        name,
        f"{entry.turns + entry.free:,}",
        f"{usage.input:,}",
        f"{usage.read:,}",
        f"{usage.output:,}",
        f"{cost}+?" if entry.unpriced else cost,
    ]


def _apart(entry: Entry) -> list[str]:
    """What the sums leave out."""
    said = []
    if entry.free:
        said.append(
            f"{plain_text.count(entry.free, 'turn')} answered offline or from the record: free"
        )
    if entry.unpriced:
        said.append(f"{plain_text.count(entry.unpriced, 'turn')} of models without a known price")
    return said
