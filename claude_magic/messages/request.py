"""A request body for one question: what the model takes, what it refuses, what had to change.

Source: the API's thinking and effort pages; `models` holds which model knows what.

A conversation may hold documents of questions that asked for citations and of others that did not.

Fields that a model refuses are left out or replaced before the request leaves; each such change is
a notice, shown with the reply. Other servers than Anthropic's get basic fields only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from itertools import takewhile
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Literal, TypeAlias, cast

from ..value_classes import frozen
from .blocks import Block, Message, message, text
from .body import Sealed, all_blocks, sealed
from .errors import InputError
from .models import Model
from .plain_text import wrap

TOP_EFFORTS = ("xhigh", "max")
"""The efforts that need room: the API's pages advise 64k tokens for them."""
INTERLEAVED = "interleaved-thinking-2025-05-14"
"""The beta by which manual thinking goes on between the calls of tools."""
# The usual budget of manual thinking, and the least that the API takes.
_BUDGET = 8_000
_LEAST_BUDGET = 1_024


def thinking_for(
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
        switch = thinking_off(model, anthropic=anthropic)
        if switch:
            return {"type": switch}
        if model.thinking == "unknown":
            notices.append(f"It is not known how {model.name} is told not to think: it was not.")
        elif model.thinking_off == "none":
            notices.append(f"{model.name} always thinks: --think off has no effect")
    return None


def thinking_off(model: Model, *, anthropic: bool) -> str | None:
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


def effort_for(
    model: Model, options: Options, *, anthropic: bool, notices: list[str]
) -> str | None:
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


def thinking_betas(model: Model, body: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that the header `anthropic-beta` needs for the thinking that `body` asks for."""
    manual = body.get("thinking", {}).get("type") == "enabled"
    return (INTERLEAVED,) if manual and model.interleaved and body.get("tools") else ()


Emulated: TypeAlias = bool | Literal["choice"]
"""False: sent as the API has it; True: asked for in words; "choice": as one of several."""
CHOICE: Literal["choice"] = "choice"

_FIELD = "answer"
_BRACKETS = {"(": r"\(([{}])\)", "[": r"\[([{}])\]"}
_ALPHABETS = (ascii_uppercase, ascii_lowercase, "123456789")
# The JSON of a choice is short; after so many characters no label is looked for.
_LONGEST_CHOICE = 4_000
_CHOSEN = re.compile(rf'"{_FIELD}"\s*:\s*"([^"\\]*)"')


def labels(text: str, bracket: str = "(") -> Sequence[str]:
    """The labels of "(A) one thing, (B) another", from the first letter on; [] if none."""
    for alphabet in _ALPHABETS:
        found = dict.fromkeys(re.findall(_BRACKETS[bracket].format(alphabet), text))
        pairs = zip(alphabet, found, strict=False)
        in_order = [label for label, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        if len(in_order) > 1:
            return in_order
    return []


def choices(content: Iterable[Block], prefill: str) -> Sequence[str]:
    """What completes `prefill`, if it ends in a bracket and the question offers such choices."""
    texts = [str(block["text"]) for block in content if block.get("type") == "text"]
    bracket = prefill[-1:]
    return labels(texts[-1], bracket) if texts and bracket in _BRACKETS else []


def choice_format(offered: Sequence[str], prefill: str) -> Mapping[str, Any]:
    """The `output_config.format` by which the reply is one of the labels and nothing else."""
    about = f"What stands next in an answer that begins: {prefill}"
    answer = {"type": "string", "enum": list(offered), "description": about}
    return {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {_FIELD: answer},
            "required": [_FIELD],
            "additionalProperties": False,
        },
    }


def instruction(prefill: str) -> str:
    """The words that ask for an answer that begins so."""
    return (
        "Begin your answer with exactly the text between the marks and go on from its last "
        f"character, with nothing before it: «{prefill}»"
    )


def completed(received: str, prefill: str, emulated: Emulated) -> str:
    """The text to show for `received`: the prefill once, then what goes on from it."""
    return Opening(prefill, emulated).feed(received)


class Opening:
    """How a reply begins, as it comes: the prefill once, whether the model repeats it or not.

    Of one that was asked for as a choice, the label that completes it and nothing else. What `feed`
    returns is to be appended to what it returned before, however the text is cut into pieces.
    """

    def __init__(self, prefill: str, emulated: Emulated = False) -> None:
        self._prefill = prefill
        self._emulated = emulated
        self._begun = self._over = False
        self._passing = not emulated
        self._received = ""

    def feed(self, text: str) -> str:
        """What of the reply can be shown now."""
        said = "" if self._begun else self._prefill
        self._begun = True
        if self._passing:
            return said + text
        return said if self._over else said + self._decided(text)

    def _decided(self, text: str) -> str:
        """What goes on from the prefill, once it is known where that is."""
        start = self._received = (self._received + text).lstrip()
        if self._emulated == CHOICE and (not start or start.startswith("{")):
            found = _CHOSEN.search(start, 0, _LONGEST_CHOICE)
            self._over = found is not None or len(start) > _LONGEST_CHOICE
            return found[1] if found else ""
        if self._prefill.startswith(start):  # not yet past the prefill
            return ""
        self._passing = True
        return start.removeprefix(self._prefill)


_CITABLE = frozenset({"document", "search_result"})
# What a search of the server found is cited in any case.
_OF_DOCUMENTS = frozenset(
    {
        "char_location",
        "page_location",
        "content_block_location",
        "search_result_location",
    }
)


def can_be_cited(messages: Iterable[Sealed]) -> bool:
    """Whether a block of the messages can be cited."""
    return any(message.noted("citations", _counts)[0] for message in messages)


def agreed(
    messages: Iterable[Mapping[str, Any]], *, cite: bool, allowed: bool = True
) -> list[Sealed]:
    """The messages with citations on for all their documents, or off for all.

    They are on where `cite` asks for it, and from then on: replies that cite are sent back as they
    came. `allowed` False turns them off, and takes out what cites a document: a reply in JSON can
    hold none. Messages that need no change are the same objects.
    """
    found = sealed(messages)
    counts = [message.noted("citations", _counts) for message in found]
    count, enabled, cited = (
        (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    )
    on = allowed and (cite or cited + enabled > 0)
    if not count or (on and enabled == count) or (not on and not cited + enabled):
        return found
    return [message.noted(f"citations {on}", partial(switched, on=on)) for message in found]


def switched(message: Sealed, *, on: bool) -> Sealed:
    """The message with citations on or off for all its documents."""
    content = message["content"]
    if isinstance(content, str):
        return message
    blocks = [_block(block, on) for block in content]
    same = all(new is old for new, old in zip(blocks, content, strict=True))
    return message if same else Sealed({**message, "content": blocks})


def _block(block: Block, on: bool) -> Block:
    kind, inner = block.get("type"), block.get("content")
    if kind in _CITABLE:
        if _is_enabled(block) == on:
            return block
        return {**block, "citations": {"enabled": True}} if on else _without_citations(block)
    if kind == "tool_result" and isinstance(inner, list):
        blocks = [_block(part, on) for part in inner]
        same = all(new is old for new, old in zip(blocks, inner, strict=True))
        return block if same else {**block, "content": blocks}
    if kind == "text" and not on and _citations(block):
        rest = [cited for cited in block["citations"] if not _of_document(cited)]
        return {**block, "citations": rest} if rest else _without_citations(block)
    return block


def _without_citations(block: Block) -> Block:
    return {name: value for name, value in block.items() if name != "citations"}


def _counts(message: Sealed) -> tuple[int, int, int]:
    """Its blocks that can be cited, those of them with citations on, and texts that cite one."""
    blocks = list(all_blocks(cast(Message, message)))
    citable = [block for block in blocks if block.get("type") in _CITABLE]
    cited = sum(block.get("type") == "text" and _citations(block) for block in blocks)
    return len(citable), sum(map(_is_enabled, citable)), cited


def _is_enabled(block: Block) -> bool:
    citations = block.get("citations")
    return isinstance(citations, Mapping) and bool(citations.get("enabled"))


def _citations(block: Block) -> bool:
    """Whether a text cites a document."""
    citations = block.get("citations")
    return isinstance(citations, list) and any(map(_of_document, citations))


def _of_document(citation: Any) -> bool:
    return isinstance(citation, Mapping) and citation.get("type") in _OF_DOCUMENTS


DEFAULT_MAX_TOKENS = 32_000
OTHER_SERVER_MAX_TOKENS = 8_192
TOP_EFFORT_MAX_TOKENS = 64_000
# A choice is a few tokens of JSON, after as much thinking as a model cannot be kept from.
_CHOICE_MAX_TOKENS = 4_096


@frozen
class Options:
    """What the user asked of the model; None or empty means "not said".

    `tools` are in wire form, and `betas` the names that the header `anthropic-beta` needs for
    them; `schema` is the JSON schema that the reply has to fit, as the API takes it. `cite` asks
    for citations of the documents that go along.
    `preface` are words of ours that stand before the user's `system` text.
    """

    system: str = ""
    preface: str = ""
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


@frozen
class Request:
    """`body` as it goes on the wire, without `stream`; `betas` go into a header.

    `emulated` says how `prefill` is asked for where the model takes none. `system` is the user's
    own part of the system prompt. `notices` are for the
    user to read before the reply, `remarks` after it.
    """

    body: Mapping[str, Any]
    system: str = ""
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
    effort = effort_for(model, options, anthropic=anthropic, notices=notices)
    max_tokens = _max_tokens(model, options, effort, emulated, anthropic=anthropic)
    thought = thinking_for(model, options.think, max_tokens, anthropic=anthropic, notices=notices)
    form = _format(options, offered, anthropic=anthropic)
    content = content if anthropic else _basic(content, notices)
    asked = _asked(content, options, emulated, anthropic=anthropic)
    body = {
        "model": model.id,
        "max_tokens": max_tokens,
        "messages": _messages(sealed(history), asked, cite=options.cite, allowed=form is None),
        **_said(
            system="\n\n".join(part for part in (options.preface, options.system) if part),
            stop_sequences=list(options.stop),
            thinking=thought,
            output_config=_said(effort=effort, format=form),
            tools=list(options.tools),
            cache_control={"type": "ephemeral"} if anthropic and options.cache else None,
        ),
    }
    betas = (*options.betas, *(thinking_betas(model, body) if anthropic else ()))
    remarks = (_remark(model, emulated, offered),) if emulated else ()
    return Request(body, options.system, prefill, emulated, betas, tuple(notices), remarks)


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
    off = thinking_off(model, anthropic=True)
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
        large = TOP_EFFORT_MAX_TOKENS if effort in TOP_EFFORTS and known else 0
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
