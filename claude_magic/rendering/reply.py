"""A reply as every face shows it: the wire, folded once, into parts in the order of reading.

fold = ReplyFold()
for event in stream:
    for change in fold.event(event):
        ...  # `Grew`: words more of a part; `Put`: a part that is new, or another than it was
fold.end()
fold.parts  # the same parts as those of the blocks, once they are finished: `fold.block(block)`

A kind of block that is new takes a frozen class here, in `Part`, and a line in `_PARTS`, which says
what a finished block of that kind becomes. Then one drawing for each face: in `drawn` of
`part_bundles.py` (HTML for cell and history, Markdown for the export, text for a terminal), and for
the panel in `part_of` of `panel/live.py` and in `made` of `labextension/src/panel/reply.ts`. Until
then it is `Unknown`, which every face shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Literal, NamedTuple, TypeAlias, TypeGuard

from ..messages.blocks import NOT_ALLOWED, Block, content_blocks
from ..messages.errors import ProtocolError
from ..messages.plain_text import count, dollars
from ..messages.request import Emulated, Opening
from ..messages.transport.stream import GrowingBlock
from ..messages.usage import Usage
from ..value_classes import frozen
from .citations import CitingText, Footnotes, Note
from .server_calls import described, unknown
from .terminal import TerminalFilter, plain

Outcome: TypeAlias = Literal["", "ok", "error", "denied"]


@frozen
class Text:
    """A stretch of the reply's Markdown, for `reply_bundle`: marks in it are footnotes' numbers.

    Without control characters.
    """

    markdown: str


@frozen
class Thinking:
    """A summary of the model's thinking, without control characters."""

    text: str


@frozen
class Call:
    """A call of a tool that runs here.

    `input` is as it came: an object, or the text of one that was cut off. `outcome` is "" as long
    as there is no result, `seconds` None where it is not known; `texts` and `images` are what the
    result holds, the images as blocks.
    """

    id: str
    name: str
    input: Any = None
    outcome: Outcome = ""
    seconds: float | None = None
    texts: tuple[str, ...] = ()
    images: tuple[Block, ...] = ()


@frozen
class ServerCall:
    """A call of a tool of the server's: one line, and what is folded below it.

    That is inert Markdown, and the same as text. Queries, titles, addresses and what programs print
    stand there as they are, and only a web address is a link. `done` says that the result has come,
    `failed` that it is an error.
    """

    id: str
    line: str
    markdown: str = ""
    text: str = ""
    done: bool = False
    failed: bool = False


@frozen
class Sources:
    """What the reply cites, by number; the last part of a reply that cites."""

    notes: tuple[Note, ...]


@frozen
class Remark:
    """What went back to the model where its reply did not fit what was asked for."""

    text: str


@frozen
class Unknown:
    """A block of a kind that is not known here: a line that says so, and all of it, folded."""

    line: str
    markdown: str
    text: str


Part: TypeAlias = Text | Thinking | Call | ServerCall | Sources | Remark | Unknown


class Grew(NamedTuple):
    """What is new at the end of part `number`: of its text; of a call, of its input as it comes."""

    number: int
    text: str


class Put(NamedTuple):
    """A part that stands at `number` from now on: a new one, or in place of what stood there."""

    number: int
    part: Part


Change: TypeAlias = Grew | Put


class ReplyFold:
    """The parts of one reply, of all the requests that answer one question.

    Takes what comes of a stream by `event`, or blocks that are finished by `block`: the parts are
    the same. `prefill` is how the reply begins, as `Opening` takes it. Never raises for what a
    server sends.
    """

    def __init__(self, prefill: str = "", emulated: Emulated = False) -> None:
        self._parts: list[Part | _Growing] = []
        self._footnotes = Footnotes()
        self._opening = Opening(prefill, emulated) if prefill else None
        self._growing: _Growing | None = None
        self._index: object = None
        self._block: GrowingBlock | None = None
        self._kind = ""
        self._citations: list[Any] = []
        self._numbers: dict[str, int] = {}
        self._server_calls: dict[str, tuple[int, Block]] = {}
        self._goes_on = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts so far. Costs a copy of the text."""
        return tuple(p.part if isinstance(p, _Growing) else p for p in self._parts)

    @property
    def notes(self) -> tuple[Note, ...]:
        """The sources cited so far."""
        return self._footnotes.notes

    @property
    def doing(self) -> Literal["", "thinking", "writing"]:
        """What the model does now: it thinks or writes as long as a block of it is open."""
        if not self._kind:
            return ""
        return "thinking" if self._kind == "thinking" else "writing"

    def event(self, event: Mapping[str, Any]) -> list[Change]:
        """What one event of a stream changes; each costs its own length, whatever came before."""
        match event.get("type"):
            case "content_block_delta":
                delta = event.get("delta")
                return self._delta(event.get("index"), delta) if _is(delta) else []
            case "content_block_start":
                block = event.get("content_block")
                return self._begin(event.get("index"), block) if _is(block) else []
            case "content_block_stop":
                return self._finish(stopped=True)
            case "message_start":
                return [] if self._goes_on else self.apart()
            case "message_delta":
                delta = event.get("delta")
                stop = delta.get("stop_reason") if _is(delta) else None
                self._goes_on = stop == "pause_turn"
        return []

    def block(self, block: Block) -> list[Change]:
        """What a content block changes that is finished."""
        return [*self._begin(None, block), *self._finish(stopped=True)]

    def apart(self) -> list[Change]:
        """A reply is over and another one follows: its text is a part of its own."""
        self._goes_on = False
        return [*self._finish(), *self._close()]

    def result(self, result: Block, seconds: float | None = None) -> list[Change]:
        """A `tool_result` block, which says how a call ended; `seconds` if it ran just now."""
        number = self._numbers.get(str(result.get("tool_use_id")))
        call = None if number is None else self._parts[number]
        if number is None or not isinstance(call, Call):
            return []
        inner = [b for b in _content(result) if _is(b)]
        texts = tuple(str(b.get("text", "")) for b in inner if b.get("type") == "text")
        ended = replace(
            call,
            outcome=outcome_of(result),
            seconds=seconds,
            texts=texts,
            images=tuple(b for b in inner if b.get("type") == "image"),
        )
        return [*self._finish(), self._put(ended, number)]

    def called(self, call: Block, result: Block, seconds: float | None) -> list[Change]:
        """The same as `result`; `call` is the block that asked for it, had that not come."""
        known = str(call.get("id")) in self._numbers
        return [*([] if known else self.block(call)), *self.result(result, seconds)]

    def remark(self, text: str) -> list[Change]:
        """Words that went back to the model."""
        return [*self.apart(), self._put(Remark(text))]

    def end(self) -> list[Change]:
        """Nothing comes any more: what was held back, and the sources. May be called again."""
        changes = self.apart()
        if self._opening is not None:  # no text came that it could begin
            changes += [*self._say("text", ""), *self._close()]
        notes = self._footnotes.notes
        if notes and not (self._parts and isinstance(self._parts[-1], Sources)):
            changes.append(self._put(Sources(notes)))
        return changes

    def _begin(self, index: object, block: Block) -> list[Change]:
        changes = self._finish()
        self._index, self._kind = index, str(block.get("type"))
        if self._kind in _WORDS:
            cited = block.get("citations")
            self._citations = list(cited) if isinstance(cited, list) else []
            said = block.get(self._kind)
            if self._growing is not None and self._growing.shown:
                self._growing.between = "\n\n"
            return changes + self._say(self._kind, said if isinstance(said, str) else "")
        self._block = GrowingBlock(block)
        changes += self._close()
        if self._kind == "tool_use":
            number = len(self._parts)
            self._numbers[str(block.get("id"))] = number
            changes.append(self._put(_call(block, "")))
        return changes

    def _delta(self, index: object, delta: Mapping[str, Any]) -> list[Change]:
        kind = delta.get("type")
        words = _DELTAS.get(kind) if isinstance(kind, str) else None
        if words is not None:
            # Some servers send words without saying that a block begins.
            begun = [] if self._kind == words else self._begin(index, {"type": words})
            said = delta.get(words)
            return begun + self._say(words, said) if isinstance(said, str) else begun
        if kind == "citations_delta":
            self._citations.append(delta.get("citation"))
        elif self._block is not None and index == self._index:
            return self._grow(self._block, delta)
        return []

    def _grow(self, block: GrowingBlock, delta: Mapping[str, Any]) -> list[Change]:
        try:
            block.add(delta)
        except ProtocolError:
            return []
        raw = delta.get("partial_json")
        if self._kind != "tool_use" or not isinstance(raw, str) or not raw:
            return []
        return [Grew(len(self._parts) - 1, plain(raw))]

    def _finish(self, *, stopped: bool = False) -> list[Change]:
        """Nothing more comes of the block that is open, if one is; whole only if it was stopped."""
        kind, block = self._kind, self._block
        self._kind, self._block, self._index = "", None, None
        if kind == "text" and self._citations:
            cited, self._citations = self._citations, []
            return self._say("text", "", cited)
        if block is None:
            return []
        block.stopped = stopped
        whole = block.wire()
        self._footnotes.fetched(whole)
        call = self._server_calls.get(str(whole.get("tool_use_id")))
        if call is not None and kind.endswith("_result"):
            number, made = call
            return [self._put(_at_server(made, whole), number)]
        if kind == "tool_use":
            number = self._numbers[str(whole.get("id"))]
            return [self._put(_call(whole, whole.get("input")), number)]
        if kind in _AT_SERVER:
            self._server_calls[str(whole.get("id"))] = len(self._parts), whole
        part = _PARTS.get(kind, _unknown)(whole)
        return [] if part is None else [self._put(part)]

    def _say(self, kind: str, said: str, cited: Sequence[Any] = ()) -> list[Change]:
        """Words of the model's, in the part that is open if it is of their kind."""
        changes: list[Change] = []
        growing = self._growing
        if growing is None or growing.kind != kind:
            if not (said or cited or (kind == "text" and self._opening)):
                return changes
            changes = self._close()
            opening = self._opening if kind == "text" else None
            self._opening = None if kind == "text" else self._opening
            growing = self._growing = _Growing(kind, self._footnotes, opening)
        shown = growing.say(said)
        if cited:
            shown += growing.cite(cited)
        if shown:
            growing.shown.append(shown)
            number = growing.number
            changes.append(self._stand(growing) if number is None else Grew(number, shown))
        return changes

    def _stand(self, growing: _Growing) -> Put:
        """The first words of a part are there: it has a place from now on."""
        growing.number = len(self._parts)
        self._parts.append(growing)
        return Put(growing.number, growing.part)

    def _close(self) -> list[Change]:
        """The text or thinking that is open gets no more words."""
        growing = self._growing
        if growing is None:
            return []
        self._growing = None
        shown, number = growing.end(), growing.number
        growing.shown.append(shown)
        if number is None:
            return [self._put(growing.part)] if shown else []
        self._parts[number] = growing.part
        return [Grew(number, shown)] if shown else []

    def _put(self, part: Part, number: int | None = None) -> Put:
        if number is None:
            number = len(self._parts)
            self._parts.append(part)
        else:
            self._parts[number] = part
        return Put(number, part)


class _Growing:
    """A part of words that more may come of."""

    def __init__(self, kind: str, footnotes: Footnotes, opening: Opening | None) -> None:
        self.kind = kind
        self.number: int | None = None
        self.shown: list[str] = []
        self.between = ""
        """What comes before the next words of thinking, once there are any."""
        self._opening = opening
        self._filter = TerminalFilter()
        self._citing = CitingText(footnotes) if kind == "text" else None

    @property
    def part(self) -> Text | Thinking:
        words = "".join(self.shown)
        return Text(words) if self._citing else Thinking(words)

    def say(self, said: str) -> str:
        """What of these words can be shown now."""
        # Most words are all printable: there is nothing to take out, unless a sequence goes on.
        clean = said
        if self._filter.midway or not said.isprintable():
            clean = self._filter.feed(said)
        if self._opening is not None:
            clean = self._opening.feed(clean)
        if self._citing is not None:
            return self._citing.say(clean)
        if not self.shown:
            return clean.lstrip()
        before, self.between = self.between if clean else "", "" if clean else self.between
        return before + clean

    def cite(self, citations: Iterable[object]) -> str:
        """The marks of the passage that ends here."""
        return self._citing.cite(citations) if self._citing else ""

    def end(self) -> str:
        """What was held back."""
        return self._citing.end() if self._citing else ""


_WORDS = ("text", "thinking")
_DELTAS = {"text_delta": "text", "thinking_delta": "thinking"}
_AT_SERVER = ("server_tool_use", "mcp_tool_use")


def _is(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _call(block: Block, given: Any) -> Call:
    return Call(str(block.get("id")), plain(str(block.get("name"))), given)


def _at_server(call: Block, result: Block | None = None) -> ServerCall:
    said, done = described(call, result), result is not None
    return ServerCall(str(call.get("id")), said.line, said.markdown, said.text, done, said.failed)


def _unknown(block: Block) -> Unknown:
    said = unknown(block)
    return Unknown(said.line, said.markdown, said.text)


# What a finished block becomes; None for one that shows nothing. Text, thinking and the calls of
# tools that run here are there before they are finished: see `ReplyFold`.
_PARTS: Mapping[str, Callable[[Block], Part | None]] = {
    **dict.fromkeys(_AT_SERVER, _at_server),
    "redacted_thinking": lambda _: None,  # a sealed text, for the server alone
}


def _content(result: Block) -> list[Block]:
    content = result.get("content")
    known = isinstance(content, str | list | tuple) and content
    return content_blocks({"content": content}) if known else []


def outcome_of(result: Block) -> Outcome:
    """How a call ended that has this result."""
    if not result.get("is_error"):
        return "ok"
    first = next((b for b in _content(result) if _is(b)), {})
    return "denied" if str(first.get("text", "")).startswith(NOT_ALLOWED) else "error"


# A reason that is not known here is the server's word.
_LONGEST_REASON = 60
_ENDINGS: Mapping[str, str] = {
    "interrupted": "interrupted; what came is kept",
    "broken": "broken off; what came is kept, and not sent later",
    "refused": "declined by the model; not sent later",
}


@frozen
class Header:
    """Who was asked, and with what.

    `server` is "" for Anthropic's own. `sees` is how many of the `standing` turns went along, None
    where that need not be said; `carried` says in words what of the notebook did. `notices` are
    lines that the user should read before the reply.
    """

    model: str
    server: str = ""
    sees: int | None = None
    standing: int = 0
    carried: str = ""
    notices: tuple[str, ...] = ()


@frozen
class Footer:
    """What a reply took, and how it ended.

    `cost` is in USD, None where it is not known or nothing was paid; with `unpaid` it is what it
    would have been. `seconds` is None where it is not known. `status` and `stop_reason` are those
    of the turn. A `recorded` reply is shown from the record: it took nothing now.
    """

    model: str
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    unpaid: bool = False
    seconds: float | None = None
    status: str = "complete"
    stop_reason: str | None = None
    recorded: bool = False


def header_text(header: Header) -> str:
    """For example "Sonnet 5.5 · sees 3 of 7 turns · 4 cells, 2 figures"."""
    turns = "" if header.sees is None else f"sees {header.sees} of {count(header.standing, 'turn')}"
    return _joined(header.model, header.server, turns, header.carried)


def footer_text(footer: Footer, raise_by: str = "") -> str:
    """For example "1,551 in (1,200 cached) · 71 out · $0.004 · 3.1 s".

    "from the record · free" of one that is. `raise_by` names what raises the limit that a reply was
    cut at.
    """
    if footer.recorded:
        return _joined("from the record", "free", _ending(footer, raise_by))
    usage = footer.usage
    cached = f" ({usage.read:,} cached)" if usage.read else ""
    price = "" if footer.cost is None else dollars(footer.cost)
    return _joined(
        f"{usage.input:,} in{cached}",
        f"{usage.output:,} out",
        f"would cost {price}" if price and footer.unpaid else price,
        "" if footer.seconds is None else f"{footer.seconds:.1f} s",
        _ending(footer, raise_by),
    )


def detail_text(footer: Footer) -> str:
    """The particulars of a footer, a line each: model, kinds of tokens, how it ended."""
    ended = f"status {footer.status}, stop reason {footer.stop_reason}"
    if footer.recorded:
        return plain(f"model {footer.model}\nnothing was sent\n{ended}")
    usage = footer.usage
    thinking = f", thinking {usage.thinking:,}" if usage.thinking else ""
    lines = (
        f"model {footer.model}",
        f"input {usage.fresh:,}, cache written {usage.written:,}, cache read {usage.read:,}",
        f"output {usage.output:,}{thinking}",
        ended,
    )
    return plain("\n".join(lines))


def _ending(footer: Footer, raise_by: str) -> str:
    if footer.status != "complete":
        return _ENDINGS.get(footer.status, footer.status)
    if footer.stop_reason == "max_tokens":
        return "max_tokens: cut at the limit" + (f", raise it with {raise_by}" if raise_by else "")
    if footer.stop_reason in ("end_turn", None):
        return ""
    return str(footer.stop_reason)[:_LONGEST_REASON]


def _joined(*said: str) -> str:
    return plain(" · ".join(part for part in said if part))
