"""A conversation's turns as plain values, and the messages that a later request makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from ..messages.blocks import Block, Message, joined_text, message, sendable, text
from ..messages.sealed import Sealed, seal
from ..messages.usage import Usage

Status = Literal["complete", "interrupted", "broken", "refused"]

_INTERRUPTED = "[The user interrupted this reply here.]"
_BROKEN = "[The connection broke here.]"
_NO_TEXT = "[This reply held no text.]"
_THINKING = frozenset({"thinking", "redacted_thinking"})


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
    `shown` is what the line above the reply said, so that it says the same when shown again.
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
    shown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The reply's text, with a prefill at its start (the API does not repeat it)."""
        return with_prefill(joined_text(self.reply), self.parameters)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict; `from_json` gives the same turn back."""
        record = asdict(self)
        record["asked"], record["reply"] = list(self.asked), list(self.reply)
        record["saw"], record["order"] = list(self.saw), list(self.order)
        record["healed"] = list(self.healed)
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Turn:
        """The turn that `to_json` wrote."""
        values = dict(record)
        for name in ("asked", "reply", "saw", "order", "healed"):
            value = values.get(name, ())
            values[name] = tuple(value) if isinstance(value, list) else value
        values["usage"] = Usage(**values["usage"])
        return cls(**values)

    @property
    def sent_later(self) -> bool:
        """Whether later questions see this turn: not if it was stopped before any text came."""
        if self.alone:
            return False
        return self.status == "complete" or (self.status == "interrupted" and bool(self.text))

    @property
    def sealed(self) -> tuple[Sealed, Sealed]:
        """The question and the reply as later requests hold them."""
        found: tuple[Sealed, Sealed] | None = getattr(self, "_sealed", None)
        if found is None:
            found = (
                seal(message("user", self.asked)),
                seal(message("assistant", _reply_blocks(self))),
            )
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

    A prefill that was asked for in words is shown once, whether the model repeats it or not.
    """
    prefill = str(parameters.get("prefill", ""))
    if parameters.get("emulated"):
        start = received.lstrip()
        if prefill.startswith(start):  # not yet past the prefill
            return prefill
        received = start.removeprefix(prefill)
    return prefill + received


def _reply_blocks(turn: Turn) -> list[Block]:
    blocks = [b for b in sendable(turn.reply) if b.get("type") not in _THINKING]
    prefill = str(turn.parameters.get("prefill", ""))
    if prefill and not turn.parameters.get("emulated"):
        if blocks and blocks[0].get("type") == "text":
            blocks[0] = {**blocks[0], "text": prefill + str(blocks[0]["text"])}
        else:
            blocks.insert(0, text(prefill))
    if turn.status == "interrupted":
        blocks.append(text(_INTERRUPTED))
    elif turn.status == "broken":  # sent only where the user goes on from it
        blocks.append(text(_BROKEN))
    return blocks or [text(_NO_TEXT)]
