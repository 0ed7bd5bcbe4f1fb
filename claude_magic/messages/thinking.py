"""Thinking and effort in the form that a model takes.

Source: the API's thinking and effort pages; `models` holds which model knows what.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .models import Model

if TYPE_CHECKING:
    from .request import Options

TOP_EFFORTS = ("xhigh", "max")
"""The efforts that need room: the API's pages advise 64k tokens for them."""
INTERLEAVED = "interleaved-thinking-2025-05-14"
"""The beta by which manual thinking goes on between the calls of tools."""
# The usual budget of manual thinking, and the least that the API takes.
_BUDGET = 8_000
_LEAST_BUDGET = 1_024


def thinking(
    model: Model, think: str, max_tokens: int, *, anthropic: bool, notices: list[str]
) -> Mapping[str, Any] | None:
    """The `thinking` of a request, None to say nothing: `think` is show, off or auto.

    What has no effect becomes a notice. Raises InputError where `max_tokens` leaves no room.
    """
    if think == "show" and model.thinking == "none":
        notices.append(f"{model.name} does not think: --think show has no effect")
    elif think == "show":
        # Servers of others know the older form alone, and pass over the newer one.
        manual = model.thinking == "manual" or (model.thinking == "unknown" and not anthropic)
        if manual:
            return {"type": "enabled", "budget_tokens": _budget(model, max_tokens)}
        return {"type": "adaptive", "display": "summarized"}
    elif think == "off" and model.thinking != "none":
        switch = off_switch(model, anthropic=anthropic)
        if switch:
            return {"type": switch}
        if model.thinking == "unknown":
            notices.append(f"It is not known how {model.name} is told not to think: it was not.")
        elif model.thinking_off == "none":
            notices.append(f"{model.name} always thinks: --think off has no effect")
    return None


def off_switch(model: Model, *, anthropic: bool) -> str | None:
    """The `thinking.type` that keeps `model` from thinking; None if none does, or none need."""
    if model.thinking_off in ("disabled", "between_tools"):
        return model.thinking_off
    return "disabled" if model.thinking == "unknown" and not anthropic else None


def _budget(model: Model, max_tokens: int) -> int:
    """The tokens of thinking: half of what there is, since the answer has to come out of it too."""
    if max_tokens <= _LEAST_BUDGET:
        raise InputError(
            f"--think show needs --max-tokens of at least {_LEAST_BUDGET + 1} with {model.name}."
        )
    return max(_LEAST_BUDGET, min(_BUDGET, max_tokens // 2))


def effort(model: Model, options: Options, *, anthropic: bool, notices: list[str]) -> str | None:
    """The `output_config.effort` of a request, None to leave it out.

    One that the user named is sent, or refused, as it is; a default one gives way. Raises
    InputError for one that the model does not have, or not without thinking.
    """
    wanted, named, known = options.effort, options.effort_named, model.thinking != "unknown"
    if not wanted or not (named or anthropic):
        return None
    if known and not model.efforts:
        if named:
            notices.append(f"{model.name} has no effort setting: left out")
        return None
    if wanted not in model.efforts and (known or not named):
        if not named:
            return None
        raise InputError(
            f"{model.name} has no effort {wanted!r}: use one of {', '.join(model.efforts)}."
        )
    switched_off = options.think == "off" and model.thinking_off in ("disabled", "between_tools")
    if wanted in TOP_EFFORTS and switched_off and not model.thinking_off_at_top:
        if named:
            raise InputError(
                f"--effort {wanted} needs thinking with {model.name}: use --think auto, "
                "or --effort high."
            )
        notices.append(f"Effort {wanted} needs thinking, which is off: asked with effort high")
        return "high"
    return wanted


def betas(model: Model, body: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that the header `anthropic-beta` needs for the thinking that `body` asks for."""
    manual = body.get("thinking", {}).get("type") == "enabled"
    return (INTERLEAVED,) if manual and model.interleaved and body.get("tools") else ()
