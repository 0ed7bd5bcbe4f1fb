"""A conversation's turns as plain values, and the messages that a later request makes of them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, field
from typing import Any, Literal, cast

from ..messages.blocks import (
    Block,
    Message,
    content_blocks,
    is_image_label,
    is_image_note,
    joined_text,
    message,
    sendable,
    text,
)
from ..messages.body import Sealed, seal
from ..messages.models import Model
from ..messages.request import CHOICE, Options, Request, completed
from ..messages.transport.stream import runnable
from ..messages.usage import Usage
from ..value_classes import frozen

StepKind = Literal["tools", "pause", "retry"]

_SHORT = 16  # hex digits

FORM = 2
"""The form in which questions are asked now; see `Turn`."""

_THINKING = frozenset({"thinking", "redacted_thinking"})


@frozen
class Step:
    """A reply that was not the last one to its question, and what went back to the server.

    `kind` says why the reply was not the last: it called `tools`, the server made a `pause`, or it
    did not have the shape that was asked for: `retry`. `reply` holds the content blocks as
    received, `answer` the blocks that went back, none after a pause. `digest` is that of the
    request which the answer makes; "" where none was made. `usage` is zero where the reply came
    from the record.
    """

    kind: StepKind
    reply: tuple[Block, ...]
    answer: tuple[Block, ...] = ()
    digest: str = ""
    stop_reason: str | None = None
    usage: Usage = field(default_factory=Usage)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Step:
        """The step that `Turn.to_json` wrote."""
        parts = {name: tuple(record[name]) for name in ("reply", "answer")}
        return cls(**{**record, **parts, "usage": Usage(**record["usage"])})


def new_id() -> str:
    """32 hexadecimal digits that no other turn or conversation has. Random, as a UUID is."""
    return os.urandom(16).hex()


def asked_again(steps: Iterable[Step]) -> list[Message]:
    """The messages of an open loop: each reply as it came, thinking too, and what went back."""
    found: list[Message] = []
    for step in steps:
        if blocks := [_whole(block) for block in sendable(step.reply)]:
            found.append({"role": "assistant", "content": blocks})
        if step.answer:
            found.append({"role": "user", "content": list(step.answer)})
    return found


def told_later(steps: Iterable[Step], last: Sequence[Block]) -> list[Message]:
    """The same for the questions that follow, when all is over; `last` is the last reply's content.

    Thinking is left out: it is bound to what stood before it, and a notebook's history is edited.
    A reply that the server paused stands in one message with what followed.
    """
    found: list[Message] = []
    held: list[Block] = []
    for step in steps:
        held += [_whole(block) for block in without_thinking(step.reply)]
        if not step.answer:
            continue
        if held:
            found.append({"role": "assistant", "content": held})
        found.append({"role": "user", "content": list(step.answer)})
        held = []
    return [*found, message("assistant", [*held, *last])]


def without_thinking(blocks: Iterable[Block]) -> list[Block]:
    """What of a reply goes along with later questions."""
    return [block for block in sendable(blocks) if block.get("type") not in _THINKING]


def finished(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without calls that came to nothing: cut off, or at the server with no result."""
    kept = without_open([{"role": "assistant", "content": list(blocks)}])[0]["content"]
    return [
        block
        for block in cast(Sequence[Block], kept)
        if not (block.get("type") == "tool_use" and not runnable(block))
    ]


def without_open(messages: Sequence[Message]) -> list[Message]:
    """The messages of one turn without calls at the server that have no result in any of them.

    What code had called goes with the code. Messages that hold none are the same objects.
    """
    waiting = unanswered(block for message in messages for block in content_blocks(message))
    if not waiting:
        return list(messages)
    return [
        {**message, "content": kept} if len(kept) < len(blocks) else message
        for message in messages
        for blocks in [content_blocks(message)]
        for kept in [[block for block in blocks if not _is_of(block, waiting)]]
    ]


def unanswered(blocks: Iterable[Block]) -> set[str]:
    """The ids of the calls at the server that have no result among the blocks."""
    every = list(blocks)
    answered = {block.get("tool_use_id") for block in every}
    called = {str(block.get("id")) for block in every if block.get("type") == "server_tool_use"}
    return called - answered


def _is_of(block: Block, waiting: set[str]) -> bool:
    """Whether a block is one of these calls, or was called from one."""
    if block.get("type") in ("tool_use", "tool_result"):
        return False
    caller = block.get("caller")
    outer = caller.get("tool_id") if isinstance(caller, Mapping) else None
    return block.get("id") in waiting or outer in waiting


def calls(blocks: Iterable[Block]) -> list[Block]:
    """The calls among the blocks of tools that run here."""
    return [block for block in blocks if block.get("type") == "tool_use"]


def with_results(blocks: Iterable[Block], answer: Iterable[Block]) -> list[tuple[Block, Block]]:
    """The calls among `blocks` that have a result in `answer`, each with it."""
    results = {block.get("tool_use_id"): block for block in answer}
    found = ((call, results.get(call.get("id"))) for call in calls(blocks))
    return [(call, result) for call, result in found if result is not None]


def _whole(block: Block) -> Block:
    """The block as the API takes it back: input that is no JSON object stands in one."""
    if block.get("type") != "tool_use" or runnable(block):
        return block
    return {**block, "input": {"INVALID_JSON": str(block.get("input", ""))}}


Status = Literal["complete", "interrupted", "broken", "refused"]

_INTERRUPTED = "[The user interrupted this reply here.]"
_BROKEN = "[The connection broke here.]"
_NO_TEXT = "[This reply held no text.]"


@frozen
class Turn:
    """One question and its reply.

    `asked` and `reply` are content blocks as sent and as received; `server` is the address or
    "offline"; `cell` the id of the cell that asked and `ordinal` which of its questions this was,
    from 0; `saw` the ids of the turns that went along, and `order` the cells of the page as they
    stood then; `started` and `ended` in seconds since the epoch; `digest` the SHA-256 of the
    request as it was planned, before anything was healed.

    `prompt` is the question in the user's own words, without what went along; `requested` the
    model that the request named (`model` is the one that answered); `source` the SHA-256 of the
    asking cell's text; `counts` the cells that execution counts meant when this was first asked;
    `healed` what had to be changed for the server to take the request, a line each. A turn that is
    `alone` neither saw the conversation nor joins it; a `panel` turn was not asked by a cell:
    it stands below `cell`. `copy_of` is the id of the turn whose reply this one shows again: only
    that one was paid. `going_on` is the id of the turn whose reply this one goes on with.
    `version_of` is the id of the first of the panel turns that answer the same question in turn,
    asked again or in other words; "" for that one itself.
    `page`, `values` and `context` are what the question held of the page: a digest per thing, one
    per variable, and how many of the blocks `asked` carry it. `form` is the version of all that
    our words and the digests are made by; 1 knew none of the three.
    `question` is the digest of the question by itself, of what the page held and the user gave.
    `shown` is what the line above the reply said, so that it says the same when shown again.
    `steps` are the replies before the last one, where tools ran or the server paused: `reply` and
    `stop_reason` are the last one's, `usage` is that of all.
    """

    id: str
    asked: tuple[Block, ...]
    reply: tuple[Block, ...]
    model: str
    server: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    status: Status = "complete"
    stop_reason: str | None = None
    cell: str | None = None
    ordinal: int = 0
    saw: Sequence[str] = ()
    order: Sequence[str] = ()
    started: float = 0.0
    ended: float = 0.0
    digest: str = ""
    prompt: str = ""
    requested: str = ""
    source: str = ""
    counts: Mapping[str, str] = field(default_factory=dict)
    healed: tuple[str, ...] = ()
    alone: bool = False
    panel: bool = False
    copy_of: str = ""
    going_on: str = ""
    version_of: str = ""
    shown: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    page: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    context: int = 0
    question: str = ""
    form: int = 1

    @property
    def text(self) -> str:
        """The reply's text, with a prefill at its start (the API does not repeat it).

        What was said between calls of tools belongs to it; a try that did not fit does not.
        """
        said = ""
        for step in self.steps:
            if step.kind != "retry":
                said += joined_text(step.reply)
            if step.kind == "tools" and said.strip():
                said = said.rstrip() + "\n\n"
        return with_prefill(said + joined_text(self.reply), self.parameters)

    @property
    def blocks(self) -> list[Block]:
        """The content blocks of all replies, in the order received."""
        return [*(block for step in self.steps for block in step.reply), *self.reply]

    @property
    def digests(self) -> list[str]:
        """The digests of its requests, in their order."""
        return [self.digest, *(step.digest for step in self.steps if step.digest)]

    @property
    def answered(self) -> list[tuple[Block, Block]]:
        """The calls of tools that ran here, each with its result."""
        return [pair for step in self.steps for pair in with_results(step.reply, step.answer)]

    def cost(self, model: Model) -> float | None:
        """USD, each request by itself, since a long prompt may cost more; None if not known."""
        parts = [step.usage for step in self.steps]
        costs = [used.cost(model) for used in (*parts, self.usage - sum(parts, Usage()))]
        return None if None in costs else sum(cost or 0.0 for cost in costs)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict; `from_json` gives the same turn back."""
        record = asdict(self)
        record["asked"], record["reply"] = list(self.asked), list(self.reply)
        record["saw"], record["order"] = list(self.saw), list(self.order)
        record["healed"], record["page"] = list(self.healed), list(self.page)
        record["steps"] = [
            {**s, "reply": list(s["reply"]), "answer": list(s["answer"])} for s in record["steps"]
        ]
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Turn:
        """The turn that `to_json` wrote."""
        values = dict(record)
        for name in ("asked", "reply", "saw", "order", "healed", "page"):
            value = values.get(name, ())
            values[name] = tuple(value) if isinstance(value, list) else value
        values["usage"] = Usage(**values["usage"])
        values["steps"] = tuple(Step.from_json(step) for step in values.get("steps", ()))
        return cls(**values)

    @property
    def sent_later(self) -> bool:
        """Whether later questions see this turn: not if it was stopped before anything came."""
        if self.alone:
            return False
        if self.status == "interrupted":
            return bool(self.steps or self.text)
        return self.status == "complete"

    @property
    def seen_as(self) -> str:
        """SHA-256 of the turn as later questions see it: of what was asked and what came of it.

        No words of ours are part of it.
        """
        found: str | None = getattr(self, "_seen_as", None)
        if found is None:
            found = self._seen(self.asks)
            object.__setattr__(self, "_seen_as", found)
        return found

    @property
    def asks(self) -> str:
        """What the question by itself is known by: in an older form by the user's words."""
        if self.question:
            return self.question
        return words_digest(self.prompt) if self.prompt else question_digest((), self.asked)

    def _seen(self, question: str) -> str:
        ended = self.status if self.status != "complete" else ""
        prefill = str(self.parameters.get("prefill", ""))
        steps = [_came(step, without_thinking(step.reply)) for step in self.steps]
        return _json_digest([question, ended, prefill, steps, without_thinking(self.reply)])

    @property
    def written(self) -> bool:
        """Whether the user wrote the reply, and nothing was sent."""
        return bool(self.parameters.get("synthetic"))

    def alike(self, other: Turn) -> bool:
        """Whether later questions see the same in both: asked the same, it came to the same.

        What the user wrote in an older form is told by its words, since it is written anew with
        each run.
        """
        if self is other or self.seen_as == other.seen_as:
            return True
        if not (self.written and other.written and min(self.form, other.form) < FORM):
            return False
        return self.prompt == other.prompt and self._seen("") == other._seen("")

    @property
    def sealed(self) -> tuple[Sealed, ...]:
        """The question, the reply and what stands between them, as later requests hold them."""
        found: tuple[Sealed, ...] | None = getattr(self, "_sealed", None)
        if found is None:
            found = tuple(map(seal, (message("user", self.asked), *_replies(self))))
            # Not a cached_property: that would give each turn a dict of its own, 1.5 kB.
            object.__setattr__(self, "_sealed", found)
        return found


def told(turns: Iterable[Turn], going_on: str = "") -> list[Turn]:
    """Those of `turns` that go along with a question that sees them.

    A broken one goes along where another goes on from it, or the question itself: `going_on`.
    """
    turns = list(turns)
    goals = {going_on, *(turn.going_on for turn in turns)}
    return [turn for turn in turns if turn.sent_later or turn.id in goals]


def messages(turns: Iterable[Turn], going_on: str = "") -> list[Message]:
    """The user and assistant messages of the turns that go along; see `told`.

    Thinking is left out: it is bound to what stood before it, and a notebook's history is edited.
    """
    return [cast(Message, part) for turn in told(turns, going_on) for part in turn.sealed]


def with_prefill(received: str, parameters: Mapping[str, Any]) -> str:
    """The text to show for `received`, which may still be growing.

    A prefill that was asked for in words is shown once, whether the model repeats it or not; of
    one that was asked for as a choice, the label that completes it.
    """
    emulated = parameters.get("emulated", False)
    return completed(received, str(parameters.get("prefill", "")), emulated)


def _replies(turn: Turn) -> list[Message]:
    """What came of the question as later requests hold it, beginning with a reply."""
    last = without_thinking(turn.reply)
    if turn.parameters.get("emulated") == CHOICE:  # the answer, not the JSON that it came in
        last = [*(block for block in last if block.get("type") != "text"), text(turn.text)]
    if turn.status == "interrupted":
        last = [*_not_run(last), text(_INTERRUPTED)]
    elif turn.status == "broken":  # sent only where the user goes on from it
        last = [*_not_run(last), text(_BROKEN)]
    found = without_open(told_later(turn.steps, last))
    found[-1] = message("assistant", finished(content_blocks(found[-1])) or [text(_NO_TEXT)])
    prefill = str(turn.parameters.get("prefill", ""))
    if prefill and not turn.parameters.get("emulated"):
        found[0] = message("assistant", _with_opening(prefill, content_blocks(found[0])))
    return found


def _not_run(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without calls of tools, which nobody made any more."""
    called = calls(blocks)
    return [block for block in blocks if block not in called]


def _with_opening(prefill: str, blocks: Sequence[Block]) -> list[Block]:
    if blocks and blocks[0].get("type") == "text":
        return [{**blocks[0], "text": prefill + str(blocks[0]["text"])}, *blocks[1:]]
    return [text(prefill), *blocks]


def question_digest(page: Sequence[str], content: Iterable[Block]) -> str:
    """SHA-256 of a question by itself: of the digests of its page, and of what the user gave."""
    said = [b for b in content if not (is_image_label(b) or is_image_note(b))]
    return _json_digest([page, said])


def words_digest(prompt: str) -> str:
    """What stands in place of that where nothing but the user's words is known."""
    return _json_digest(["words", prompt])


def thing_digest(kind: str, content: str | bytes) -> str:
    """The short digest of one thing of the page, with its kind: "code-0123456789abcdef"."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    return f"{kind}-{hashlib.sha256(data).hexdigest()[:_SHORT]}"


def request_digest(
    server: str,
    request: Request,
    options: Options,
    earlier: Iterable[Turn],
    question: str,
    *,
    ours: Collection[str] = (),
) -> str:
    """SHA-256 of what is asked of whom: not of transport, not of caching, not of words of ours.

    `question` is the digest of the question by itself, `earlier` the turns that it sees. Of the
    body all else counts, the system prompt as far as it is the user's, and of the tools of `ours`
    their names.
    """
    left_out = ("cache_control", "messages", "system")
    settings = {k: v for k, v in request.body.items() if k not in left_out}
    if request.emulated == CHOICE:  # its format follows from question and prefill, in our words
        output = {k: v for k, v in settings["output_config"].items() if k != "format"}
        settings["output_config"] = output
    if ours:
        settings["tools"] = [
            tool["name"] if tool.get("name") in ours else tool for tool in settings["tools"]
        ]
    settings |= {"system": request.system, "prefill": request.prefill}
    settings |= {"schema": options.schema, "cite": options.cite}
    return _json_digest([server, settings, [turn.seen_as for turn in earlier], question])


def following_digest(first: str, steps: Iterable[Step], *, last: bool = False) -> str:
    """The digest of the request that follows on `steps` of the one with the digest `first`.

    `last` says that no tool may be called any more.
    """
    return _json_digest([first, [_came(step, sendable(step.reply)) for step in steps], last])


def _came(step: Step, reply: Iterable[Block]) -> list[object]:
    """What came of a request, and what tools gave; the words that we put beside it are left out."""
    return [step.kind, list(reply), [b for b in step.answer if b.get("type") == "tool_result"]]


def _json_digest(value: object) -> str:
    return text_digest(json.dumps(value, sort_keys=True, ensure_ascii=False))


def text_digest(text: str) -> str:
    """SHA-256 of a text; lone surrogates count as question marks."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
