"""A reply as it comes, as text in a terminal; no escape code of the model gets through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from ..conversation.turns import with_prefill
from ..rendering import TerminalFilter, plain
from . import lines

if TYPE_CHECKING:
    from ..conversation.plan import Plan
    from ..conversation.reply import Reply
    from ..messages.retry import Wait


class TerminalDisplay:
    """Writes one reply to `out`. A `Watcher` and a context manager."""

    def __init__(self, out: TextIO, *, quiet: bool = False, streaming: bool = True) -> None:
        self._out = out
        self._quiet = quiet
        self._streaming = streaming
        self._filter = TerminalFilter()
        self._parameters: Mapping[str, Any] = {}
        self._received = ""
        self._written = 0

    def __enter__(self) -> TerminalDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.flush()

    def sending(self, plan: Plan) -> None:
        self._parameters = {"prefill": plan.request.prefill, "emulated": plan.request.emulated}
        shown = [] if self._quiet else [lines.header(plan)]
        self._lines([*shown, *lines.notices(plan)])

    def waiting(self, wait: Wait) -> None:
        self._lines([f"{wait.reason}, again in {wait.seconds:.0f} s"])

    def received(self, event: Mapping[str, Any]) -> None:
        part = event.get("delta") or event.get("content_block") or {}
        text = part.get("text")
        if isinstance(text, str) and text:
            self._received += text
            if self._streaming:
                self._write(with_prefill(self._received, self._parameters))

    def ended(self, plan: Plan, reply: Reply) -> None:
        if reply.replayed and not self._quiet:
            self._lines([lines.header(plan)])
        self._write(reply.text)
        self._out.write("\n")
        if not self._quiet:
            self._lines([lines.footer(plan, reply)])

    def _write(self, text: str) -> None:
        self._out.write(self._filter.feed(text[self._written :]))
        self._written = len(text)
        self._out.flush()

    def _lines(self, texts: list[str]) -> None:
        for text in texts:
            self._out.write(plain(text) + "\n")
        self._out.flush()
