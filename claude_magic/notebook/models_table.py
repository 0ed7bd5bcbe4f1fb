"""The table of `%claude_models`: what the server lists, with what else is known of each model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..messages.catalogue import Catalogue
from ..messages.errors import ClaudeError
from ..messages.models import EFFORTS, MODELS, Model, replacement
from .listings import Bundle, table

if TYPE_CHECKING:
    from ..conversation.session import Session

# A gateway may list hundreds; these are shown, and how many more there are is said.
_MOST_ROWS = 200
_LONGEST_ID = 60
_COLUMNS = ("model", "alias", "in", "out", "context", "longest", "thinks", "effort", "refuses")


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
        (*_COLUMNS, "retires"),
        [_row(model_id, known) for model_id in shown],
        right=(2, 3, 4, 5),
        below=" ".join(below),
    )


def _row(model_id: str, known: Catalogue) -> list[str]:
    model = known.lookup(model_id)
    start = model_id if len(model_id) <= _LONGEST_ID else f"{model_id[: _LONGEST_ID - 1]}…"
    if model is None:
        return [start, *[""] * len(_COLUMNS)]
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
