"""A request body for one question: what the model takes, what it refuses, what had to change.

Fields that a model refuses are left out or replaced before the request leaves; each such change is
a notice, shown with the reply. Other servers than Anthropic's get basic fields only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import thinking
from .blocks import Block, Message, message, text
from .citing import agreed, can_be_cited
from .errors import InputError
from .models import Model
from .prefill import CHOICE, Emulated, choice_format, choices, instruction
from .sealed import Sealed, sealed
from .wrap import wrap

DEFAULT_MAX_TOKENS = 32_000
OTHER_SERVER_MAX_TOKENS = 8_192
TOP_EFFORT_MAX_TOKENS = 64_000
# A choice is a few tokens of JSON, after as much thinking as a model cannot be kept from.
_CHOICE_MAX_TOKENS = 4_096


@dataclass(frozen=True)
class Options:
    """What the user asked of the model; None or empty means "not said".

    `tools` are in wire form, and `betas` the names that the header `anthropic-beta` needs for
    them; `schema` is the JSON schema that the reply has to fit, as the API takes it. `cite` asks
    for citations of the documents that go along.
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
    cite: bool = False
    cache: bool = True


@dataclass(frozen=True)
class Request:
    """`body` as it goes on the wire, without `stream`; `betas` go into a header.

    `emulated` says how `prefill` is asked for where the model takes none. `notices` are for the
    user to read before the reply, `remarks` after it.
    """

    body: Mapping[str, Any]
    prefill: str = ""
    emulated: Emulated = False
    betas: tuple[str, ...] = ()
    notices: tuple[str, ...] = field(default=())
    remarks: tuple[str, ...] = field(default=())


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
    if options.schema is not None and prefill:
        raise InputError("--json and --prefill do not go together: leave one of them out.")
    if options.schema is not None and options.cite:
        raise InputError("--json and --cite do not go together: leave one of them out.")
    if options.cite and not anthropic:
        raise InputError("--cite: this server cites no documents: leave it out.")
    emulated, offered = _emulation(model, content, prefill, options, anthropic=anthropic)
    if offered:
        options = _quick(options, model)
    effort = thinking.effort(model, options, anthropic=anthropic, notices=notices)
    max_tokens = _max_tokens(model, options, effort, emulated, anthropic=anthropic)
    thought = thinking.thinking(
        model, options.think, max_tokens, anthropic=anthropic, notices=notices
    )
    form = _format(options, offered, anthropic=anthropic)
    content = content if anthropic else _basic(content, notices)
    asked = _asked(content, options, emulated, anthropic=anthropic)
    body = {
        "model": model.id,
        "max_tokens": max_tokens,
        "messages": _messages(sealed(history), asked, cite=options.cite, allowed=form is None),
        **_said(
            system=options.system,
            stop_sequences=list(options.stop),
            thinking=thought,
            output_config=_said(effort=effort, format=form),
            tools=list(options.tools),
            cache_control={"type": "ephemeral"} if anthropic and options.cache else None,
        ),
    }
    betas = (*options.betas, *(thinking.betas(model, body) if anthropic else ()))
    remarks = (_remark(model, emulated, offered),) if emulated else ()
    return Request(body, prefill, emulated, betas, tuple(notices), remarks)


def _said(**fields: Any) -> dict[str, Any]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value}


def _format(
    options: Options, offered: Sequence[str], *, anthropic: bool
) -> Mapping[str, Any] | None:
    """The `output_config.format` of a request, where there is one."""
    if offered:
        return choice_format(offered, options.prefill.rstrip())
    if options.schema is not None and anthropic:
        return {"type": "json_schema", "schema": options.schema}
    return None


def _asked(
    content: Sequence[Block], options: Options, emulated: Emulated, *, anthropic: bool
) -> list[Message]:
    """The messages of the question itself."""
    question, prefill = list(content), options.prefill.rstrip()
    if options.schema is not None and not anthropic:
        question.append(text(_schema_instruction(options.schema)))
    if emulated is True:
        question.append(text(instruction(prefill)))
    asked = [message("user", question)]
    if prefill and not emulated:
        asked.append({"role": "assistant", "content": prefill})
    return asked


def _messages(
    history: Sequence[Sealed], asked: Sequence[Message], *, cite: bool, allowed: bool
) -> list[Sealed]:
    """The messages, with citations on for all documents or for none; see `citing.agreed`."""
    messages = [*history, *sealed(asked)]
    if cite and not can_be_cited(messages):
        raise InputError(
            "--cite: no document goes along to cite; add one, for example -f paper.pdf."
        )
    return agreed(messages, cite=cite, allowed=allowed)


def _basic(content: Sequence[Block], notices: list[str]) -> list[Block]:
    """The blocks as other servers know them: they pass over documents, so text goes as text."""
    if any(block.get("type") == "document" and not _plain(block) for block in content):
        notices.append("A PDF goes along: not every server reads one, nor says so")
    return [
        text(wrap("document", str(block["source"]["data"]), name=block.get("title")))
        if block.get("type") == "document" and _plain(block)
        else block
        for block in content
    ]


def _plain(document: Block) -> bool:
    return bool(document["source"].get("type") == "text")


def _schema_instruction(schema: Mapping[str, Any]) -> str:
    return (
        "Answer with one JSON value that fits the JSON schema below, and with nothing else: no "
        f"words around it, no code fence.\n{json.dumps(schema, ensure_ascii=False)}"
    )


def _emulation(
    model: Model, content: Sequence[Block], prefill: str, options: Options, *, anthropic: bool
) -> tuple[Emulated, Sequence[str]]:
    """How the prefill is asked for, and the choices if it is as one of them."""
    # Manual thinking comes first in a reply, so nothing can be put in its place.
    manual = options.think == "show" and model.thinking == "manual"
    if not prefill or (model.prefill and not manual):
        return False, ()
    # A model with tools may first say something, and then it is not the choice alone; and a choice
    # cites nothing.
    fits = model.structured_outputs and not (options.tools or options.cite)
    offered = choices(content, prefill) if anthropic and fits else ()
    return (CHOICE, offered) if offered else (True, ())


def _quick(options: Options, model: Model) -> Options:
    """The options for a choice: no thinking and little effort, where nothing else was said."""
    off = thinking.off_switch(model, anthropic=True)
    return replace(
        options,
        effort=options.effort if options.effort_named else "low",
        think="off" if off and options.think == "auto" else options.think,
    )


def _remark(model: Model, emulated: Emulated, offered: Sequence[str]) -> str:
    taken = f"{model.name} takes no prefill" + (" here" if model.prefill else "")
    if emulated == CHOICE:
        return f"{taken}: asked for as one of {', '.join(offered)}"
    return f"{taken}: asked for in words"


def _max_tokens(
    model: Model, options: Options, effort: str | None, emulated: Emulated, *, anthropic: bool
) -> int:
    said = options.max_tokens
    if said is None:
        known = anthropic or model.thinking != "unknown"
        usual = DEFAULT_MAX_TOKENS if anthropic else OTHER_SERVER_MAX_TOKENS
        large = TOP_EFFORT_MAX_TOKENS if effort in thinking.TOP_EFFORTS and known else 0
        return _within(model, max(usual, large))
    if said < 1:
        raise InputError("max_tokens must be at least 1: give --max-tokens a larger number.")
    if emulated == CHOICE:
        said = max(said, _CHOICE_MAX_TOKENS)
    elif emulated:  # the prefill comes back in the reply; a token is one character or more
        said += len(options.prefill)
    return _within(model, said)


def _within(model: Model, tokens: int) -> int:
    return min(tokens, model.max_output or tokens)
