"""A request body for one question: what the model takes, what it refuses, what had to change.

Fields that a model refuses are left out or replaced before the request leaves; each such change is
a notice, shown with the reply. Other servers than Anthropic's get basic fields only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .blocks import Block, Message, message, text
from .errors import InputError
from .models import Model
from .transcript import transcript

DEFAULT_MAX_TOKENS = 32_000
OTHER_SERVER_MAX_TOKENS = 8_192
# Room for the answer beside the thinking, and the least that the API takes as a thinking budget.
_MANUAL_THINKING_BUDGET = 8_000
_MANUAL_THINKING_LEAST = 1_024


@dataclass(frozen=True)
class Options:
    """What the user asked of the model; None or empty means "not said".

    `tools` are in wire form, and `betas` the names that the header `anthropic-beta` needs for
    them; `schema` is the JSON schema that the reply has to fit, as the API takes it.
    """

    system: str = ""
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    prefill: str = ""
    effort: str | None = None
    # An effort that the user named is sent, or refused, as it is; a default one gives way.
    effort_named: bool = False
    think: str = "auto"
    tools: Sequence[Mapping[str, Any]] = ()
    betas: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    cache: bool = True


@dataclass(frozen=True)
class Request:
    """`body` as it goes on the wire, without `stream`; `betas` go into a header.

    `emulated` says that `prefill` is asked for in words.
    """

    body: Mapping[str, Any]
    prefill: str = ""
    emulated: bool = False
    betas: tuple[str, ...] = ()
    notices: tuple[str, ...] = field(default=())


def build(
    model: Model,
    history: Sequence[Message],
    content: Sequence[Block],
    options: Options,
    *,
    anthropic: bool,
) -> Request:
    """The request that asks `content` after `history`.

    `anthropic` says that the server knows all of the API. Raises InputError for a combination that
    the model refuses and that has no other form.
    """
    notices: list[str] = []
    prefill = options.prefill.rstrip()
    emulated = bool(prefill) and not model.prefill
    question = list(content)
    if options.schema is not None and prefill:
        raise InputError("--json and --prefill do not go together: leave one of them out.")
    if options.schema is not None and not anthropic:
        question.append(text(_schema_instruction(options.schema)))
    if emulated:
        question.append(text(_prefill_instruction(prefill)))
        notices.append(f"{model.name} takes no prefill: asked for in words")
    asked = [message("user", question)]
    if prefill and not emulated:
        asked.append({"role": "assistant", "content": prefill})
    body: dict[str, Any] = {
        "model": model.id,
        "max_tokens": _max_tokens(model, options, anthropic),
        "messages": transcript(history).extended(asked),
    }
    if options.system:
        body["system"] = options.system
    if options.stop:
        body["stop_sequences"] = list(options.stop)
    thinking = _thinking(model, options, body["max_tokens"], notices)
    if thinking:
        body["thinking"] = thinking
    output: dict[str, Any] = {}
    effort = _effort(model, options, anthropic, notices)
    if effort:
        output["effort"] = effort
    if options.schema is not None and anthropic:
        output["format"] = {"type": "json_schema", "schema": options.schema}
    if output:
        body["output_config"] = output
    if options.tools:
        body["tools"] = list(options.tools)
    if anthropic and options.cache:
        body["cache_control"] = {"type": "ephemeral"}
    return Request(body, prefill, emulated, options.betas, tuple(notices))


def _prefill_instruction(prefill: str) -> str:
    return (
        "Begin your answer with exactly the text between the marks and go on from its last "
        f"character, with nothing before it: «{prefill}»"
    )


def _schema_instruction(schema: Mapping[str, Any]) -> str:
    return (
        "Answer with one JSON value that fits the JSON schema below, and with nothing else: no "
        f"words around it, no code fence.\n{json.dumps(schema, ensure_ascii=False)}"
    )


def _max_tokens(model: Model, options: Options, anthropic: bool) -> int:
    if options.max_tokens is not None:
        if options.max_tokens < 1:
            raise InputError("max_tokens must be at least 1: give --max-tokens a larger number.")
        return min(options.max_tokens, model.max_output)
    return min(DEFAULT_MAX_TOKENS if anthropic else OTHER_SERVER_MAX_TOKENS, model.max_output)


def _thinking(
    model: Model, options: Options, max_tokens: int, notices: list[str]
) -> Mapping[str, Any] | None:
    if options.think == "show":
        if model.thinking != "manual":
            return {"type": "adaptive", "display": "summarized"}
        budget = min(_MANUAL_THINKING_BUDGET, max_tokens - 1)
        if budget < _MANUAL_THINKING_LEAST:
            raise InputError(
                f"--think show needs --max-tokens of at least {_MANUAL_THINKING_LEAST + 1} "
                f"with {model.name}."
            )
        return {"type": "enabled", "budget_tokens": budget}
    if options.think == "off":
        if model.thinking_off in ("disabled", "between_tools"):
            return {"type": model.thinking_off}
        if model.thinking_off == "none" and model.thinking != "unknown":
            notices.append(f"{model.name} always thinks: --think off has no effect")
    return None


def _effort(model: Model, options: Options, anthropic: bool, notices: list[str]) -> str | None:
    effort = options.effort
    if not effort:
        return None
    if not options.effort_named:
        return effort if anthropic and effort in model.efforts else None
    if anthropic and model.thinking != "unknown" and effort not in model.efforts:
        if not model.efforts:
            notices.append(f"{model.name} has no effort setting: left out")
            return None
        raise InputError(
            f"{model.name} has no effort {effort!r}: use one of {', '.join(model.efforts)}."
        )
    if options.think == "off" and effort in ("xhigh", "max") and model.thinking_off != "default":
        raise InputError(f"--effort {effort} needs thinking: leave out --think off, or use high.")
    return effort
