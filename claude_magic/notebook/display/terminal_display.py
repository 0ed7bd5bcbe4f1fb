"""A reply as it comes, as text in a terminal; no escape code of the model gets through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from ...conversation.events import Called, Calling, Doing, Ended, Event, Received, Sending, Waiting
from ...conversation.reply_value import footer_of, header_of, reply_as_shown
from ...messages.blocks import is_call
from ...rendering.markdown import OPENING, spelled
from ...rendering.reply import (
    Call,
    Change,
    Grew,
    Part,
    ReplyFold,
    ServerCall,
    Sources,
    Text,
    Unknown,
    footer_text,
    header_text,
)
from ...rendering.terminal import plain

if TYPE_CHECKING:
    from ...conversation.asking.plan import Plan
    from ...conversation.reply_value import Reply


class TerminalDisplay:
    """Writes one reply to `out`. A `Listener` and a context manager."""

    def __init__(self, out: TextIO, *, quiet: bool = False, streaming: bool = True) -> None:
        self._out = out
        self._quiet = quiet
        self._streaming = streaming
        self._fold = ReplyFold()
        self._texts: set[int] = set()
        """Which parts of the reply are text."""
        self._said: list[str] = []
        """The text since what was last written apart from it, and how much of it stands there."""
        self._written = 0
        self._sources: Sources | None = None
        self._began = self._as_value = False

    def close(self) -> None:
        """All is over."""
        self._out.flush()

    def __call__(self, event: Event) -> None:
        """Write what happens; a terminal shows no pictures."""
        match event:
            case Received(part):
                self._receive(part)
            case Sending(plan):
                self._begin(plan)
            case Waiting(wait):
                self._lines([f"{wait.reason}, again in {wait.seconds:.0f} s"])
            case Calling() | Doing() | Called():
                self._tell_call(event)
            case Ended(plan, reply):
                self._end(plan, reply)

    def _begin(self, plan: Plan) -> None:
        self._fold = ReplyFold(plan.request.prefill, plan.request.emulated)
        self._began, self._as_value = True, plan.question.shape is not None
        header = header_of(plan)
        self._lines([*([] if self._quiet else [header_text(header)]), *header.notices])

    def _tell_call(self, event: Calling | Doing | Called) -> None:
        from . import tool_calls  # few replies call tools

        match event:
            case Calling(call):
                self._settle()
                if not is_call(call):  # a step on a desktop is one line, when it is done
                    self._lines([f"[{tool_calls.name(call)}]"])
            case Doing(call, what):
                self._lines([f"[{tool_calls.name(call)}: {what}]"])
            case Called(call, result, seconds):
                self._settle()
                if is_call(call):
                    self._lines([tool_calls.text(call, result, seconds)])
                self._change(self._fold.called(call, result, seconds), shown=not is_call(call))

    def _receive(self, event: Mapping[str, Any]) -> None:
        self._change(self._fold.event(event))

    def _change(self, changes: Iterable[Change], *, shown: bool = True) -> None:
        """Write what is new of the reply; `shown` says whether a call that ended is written."""
        for change in changes:
            if isinstance(change, Grew):
                if change.number in self._texts:
                    self._say(change.text)
                continue
            match change.part:
                case Text(words):
                    self._texts.add(change.number)
                    self._say(("\n\n" if self._said else "") + words)
                case Call(outcome=outcome) as part if outcome and shown:
                    self._apart(part)
                case ServerCall(done=True) | Unknown() as part:
                    self._apart(part)
                case Sources() as part:
                    self._sources = part

    def _end(self, plan: Plan, reply: Reply) -> None:
        from . import json_value  # the request has left long ago

        if not self._began and not self._quiet:
            self._lines([header_text(header_of(plan))])
        body = json_value.body(plan, reply)
        if not self._began:  # a recorded reply: nothing was shown yet
            body = body or reply_as_shown(reply.turn)
        self._change(self._fold.end())
        if body is None:
            self._write()
        else:
            self._out.write(body["text/plain"])
        if self._sources is not None:
            self._out.write("\n")
            self._lines([_text(self._sources)])
        self._out.write("\n")
        if not self._quiet:
            said = footer_of(reply.turn, plan.known, recorded=reply.replayed)
            footer = footer_text(said, "--max-tokens")
            self._lines([*reply.notices[len(plan.notices) :], footer])

    def _say(self, words: str) -> None:
        self._said.append(spelled(words) if OPENING in words else words)
        if self._streaming and not self._as_value:
            self._write()

    def _apart(self, part: Part) -> None:
        """Write a part below what was said before it."""
        self._settle()
        self._lines([_text(part)])

    def _settle(self) -> None:
        """Have what was said so far stand, above what a tool displays."""
        self._write()
        self._out.write("\n" if self._said else "")
        self._said, self._written = [], 0

    def _write(self) -> None:
        self._out.write("".join(self._said[self._written :]))
        self._written = len(self._said)
        self._out.flush()

    def _lines(self, texts: list[str]) -> None:
        for text in texts:
            self._out.write(plain(text) + "\n")
        self._out.flush()


def _text(part: Part) -> str:
    from ...rendering.part_bundles import drawn

    return drawn(part, lambda _: "")["text/plain"]
