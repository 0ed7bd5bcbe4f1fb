"""A reply as it comes, as text in a terminal; no escape code of the model gets through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from ..conversation.events import Called, Calling, Doing, Ended, Event, Received, Sending, Waiting
from ..conversation.shown import reply_as_shown
from ..conversation.turns import with_prefill
from ..rendering import Citing, TerminalFilter, notes_bundle, plain
from ..rendering.marks import spelled
from . import calls, desktop_view, lines, values
from .desktop_view import is_call
from .server_calls import ServerCalls

if TYPE_CHECKING:
    from ..conversation.plan import Plan
    from ..conversation.reply import Reply


class TerminalDisplay:
    """Writes one reply to `out`. A `Listener` and a context manager."""

    def __init__(self, out: TextIO, *, quiet: bool = False, streaming: bool = True) -> None:
        self._out = out
        self._quiet = quiet
        self._streaming = streaming
        self._filter = TerminalFilter()
        self._parameters: Mapping[str, Any] = {}
        self._received = ""
        self._written = 0
        self._began = self._as_value = False
        self._citing, self._at_server = Citing(), ServerCalls()

    def __enter__(self) -> TerminalDisplay:
        return self

    def __exit__(self, *_: object) -> None:
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
            case Calling(call):
                self._settle()
                if not is_call(call):  # a step on a desktop is one line, when it is done
                    self._lines([f"[{calls.name(call)}]"])
            case Doing(call, what):
                self._lines([f"[{calls.name(call)}: {what}]"])
            case Called(call, result, seconds):
                self._settle()
                shown = desktop_view.text if is_call(call) else calls.text
                self._lines([shown(call, result, seconds)])
            case Ended(plan, reply):
                self._end(plan, reply)

    def _begin(self, plan: Plan) -> None:
        self._parameters = {"prefill": plan.request.prefill, "emulated": plan.request.emulated}
        self._began, self._as_value = True, plan.question.shape is not None
        shown = [] if self._quiet else [lines.header(plan)]
        self._lines([*shown, *lines.notices(plan)])

    def _receive(self, event: Mapping[str, Any]) -> None:
        text = self._citing.feed(event)
        if text:
            self._received += spelled(text)
            if self._streaming and not self._as_value:
                self._write(self._shown())
        fold = self._at_server.feed(event)
        if fold is not None and fold.done:
            self._settle()
            self._lines([fold.bundle["text/plain"]])

    def _end(self, plan: Plan, reply: Reply) -> None:
        if not self._began and not self._quiet:
            self._lines([lines.header(plan)])
        body = values.body(plan, reply)
        if not self._began:  # a recorded reply: nothing was shown yet
            body = body or reply_as_shown(reply.turn)
        self._received += spelled(self._citing.end())
        self._write(self._shown() if body is None else body["text/plain"])
        if self._citing.notes:
            self._out.write("\n")
            self._lines([notes_bundle(self._citing.notes)["text/plain"]])
        self._out.write("\n")
        if not self._quiet:
            self._lines([*reply.notices[len(plan.notices) :], lines.footer(plan, reply)])

    def _shown(self) -> str:
        return with_prefill(self._received, self._parameters)

    def _settle(self) -> None:
        """Have what was said so far stand, above what a tool displays."""
        self._write(self._shown())
        self._out.write("\n" if self._received else "")
        self._received, self._written, self._parameters = "", 0, {}

    def _write(self, text: str) -> None:
        self._out.write(self._filter.feed(text[self._written :]))
        self._written = len(text)
        self._out.flush()

    def _lines(self, texts: list[str]) -> None:
        for text in texts:
            self._out.write(plain(text) + "\n")
        self._out.flush()
