"""A reply as it comes, in the cell that asked.

Its text stands in segments: all but the last are frozen at a block boundary and never touched
again; the last one, the tail, is shown again at most ten times a second. So a long reply costs
little more than a short one, in the kernel and in the browser.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..conversation.turns import with_prefill
from ..rendering import TerminalFilter
from . import frame, lines
from .slots import NOTHING, Publisher, Segments, slots

if TYPE_CHECKING:
    from ..conversation.plan import Plan
    from ..conversation.reply import Reply
    from ..messages.images import ImageCache
    from ..messages.retry import Wait

_INTERVAL = 0.1
# A tail that cannot be frozen (one long code block) is shown the less often the longer it is.
_LONG_TAIL = 5_000


class CellDisplay:
    """Shows one reply. A `Watcher` and a context manager.

    `streaming` False shows everything once, at the end. While streaming, a thread keeps the
    seconds of the waiting line going and shows text that came since the last update.
    """

    def __init__(
        self,
        publisher: Publisher,
        cache: ImageCache,
        *,
        quiet: bool = False,
        streaming: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._marks: dict[str, Any] = {}
        self._slots = slots(publisher, self._marks)
        self._cache = cache
        self._quiet = quiet
        self._streaming = streaming
        self._clock = clock
        # No Event: an interrupt of the kernel can leave one locked; see `messages.latch`.
        self._lock = threading.Lock()
        self._over = False
        self._segments: Segments | None = None
        self._parameters: Mapping[str, Any] = {}
        # What was frozen must stay the beginning of what comes: so filtered as it comes.
        self._filter = TerminalFilter()
        self._text: list[str] = []
        self._thinking = self._status = ""
        self._dirty = self._thinking_shown = False
        self._flushed = self._began = 0.0

    def __enter__(self) -> CellDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread and take the waiting line away, where no reply came."""
        if not self._over:
            self._over = True
            with self._lock:
                if self._segments is not None and not self._text:
                    self._segments.tail.show(NOTHING)

    def sending(self, plan: Plan) -> None:
        self._parameters = {"prefill": plan.request.prefill, "emulated": plan.request.emulated}
        self._began = self._clock()
        if not self._streaming:
            return
        top = frame.header(plan, self._cache, quiet=self._quiet)
        if top:
            next(self._slots).show(top)
        images = sum(b.get("type") == "image" for b in plan.question.content)
        self._status = f"sending {lines.count(images, 'image')}" if images else "sending"
        self._segments = Segments(lambda: next(self._slots))
        self._show_status()
        threading.Thread(
            target=self._keep_showing, name="claude-magic-display", daemon=True
        ).start()

    def waiting(self, wait: Wait) -> None:
        with self._lock:
            self._status = f"{wait.reason}: again in {wait.seconds:.0f} s"
            self._show_status()

    def received(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        if kind == "content_block_start":
            block = event["content_block"]
            self._status = "thinking" if block.get("type") == "thinking" else "writing"
            self._add(block)
        elif kind == "content_block_delta":
            self._add(event["delta"])

    def ended(self, plan: Plan, reply: Reply) -> None:
        self._over = True
        if reply.replayed:
            self._marks["replayed"] = True  # in the metadata; what is shown is what was saved
            self._thinking = "".join(str(b.get("thinking", "")) for b in reply.blocks)
        with self._lock:
            footer: Mapping[str, str] = {} if self._quiet else frame.footer(plan, reply)
            header: Mapping[str, str] = {}
            segments = self._segments
            text = self._shown()
            if segments is None:
                header, text = frame.header(plan, self._cache, quiet=self._quiet), reply.text
                if self._streaming:
                    next(self._slots).show(header)
                    header = {}
                segments = Segments(lambda: next(self._slots))
            self._show_thinking(segments)
            segments.finish(text, header, footer)

    def _add(self, part: Mapping[str, Any]) -> None:
        text, thinking = part.get("text"), part.get("thinking")
        with self._lock:
            if isinstance(thinking, str):
                self._thinking += thinking
            if isinstance(text, str) and text:
                self._text.append(self._filter.feed(text))
                self._dirty = True
                self._flush()

    def _flush(self) -> None:
        if self._segments is None:
            return
        interval = _INTERVAL * max(1.0, self._segments.tail_length / _LONG_TAIL)
        if self._clock() - self._flushed < interval:
            return
        self._show_thinking(self._segments)
        self._segments.show(self._shown())
        self._dirty = False
        self._flushed = self._clock()

    def _show_thinking(self, segments: Segments) -> None:
        """Fold the thinking away above the text, once: what comes after the text began is rare."""
        if self._thinking and not self._thinking_shown:
            segments.put_above(frame.thinking(self._thinking))
            self._thinking_shown = True

    def _shown(self) -> str:
        return with_prefill("".join(self._text), self._parameters)

    def _show_status(self) -> None:
        if self._segments is not None and not self._text:
            self._segments.tail.show(frame.status(self._doing()))

    def _doing(self) -> str:
        """What is happening, with the seconds so far; a wait counts down by itself."""
        seconds = int(self._clock() - self._began)
        if "again in" in self._status or not seconds:
            return self._status
        doing = "waiting for the first words" if "sending" in self._status else self._status
        return f"{doing} · {seconds} s"

    def _keep_showing(self) -> None:
        said = 0
        while not self._over:
            time.sleep(_INTERVAL)
            with self._lock:
                if self._over:
                    return
                if self._dirty:
                    self._flush()
                elif int(self._clock() - self._began) != said:
                    said = int(self._clock() - self._began)
                    self._show_status()
