"""A conversation's turns as plain values, and the messages that a later request makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from ..messages.blocks import Block, Message, content_blocks, joined_text, message, text
from ..messages.body import Sealed, seal
from ..messages.models import Model
from ..messages.request import CHOICE, completed
from ..messages.usage import Usage
from .steps import Step, calls, finished, told_later, with_results, without_open, without_thinking

Status = Literal["complete", "interrupted", "broken", "refused"]

_INTERRUPTED = "[The user interrupted this reply here.]"
_BROKEN = "[The connection broke here.]"
_NO_TEXT = "[This reply held no text.]"


@dataclass(frozen=True)
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
        record["healed"] = list(self.healed)
        record["steps"] = [
            {**s, "reply": list(s["reply"]), "answer": list(s["answer"])} for s in record["steps"]
        ]
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Turn:
        """The turn that `to_json` wrote."""
        values = dict(record)
        for name in ("asked", "reply", "saw", "order", "healed"):
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
