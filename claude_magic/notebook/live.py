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

from ..conversation.events import (
    Called,
    Calling,
    Doing,
    Ended,
    Event,
    Received,
    Seen,
    Sending,
    Waiting,
)
from ..conversation.shown import reply_as_shown
from ..conversation.turns import with_prefill
from ..rendering import Citing, Fold, TerminalFilter, notes_bundle
from . import calls, frame, lines, values
from .desktop_view import DesktopView, is_call, strip
from .server_calls import ServerCalls
from .slots import NOTHING, Publisher, Segments, Slot, slots, stack

if TYPE_CHECKING:
    from ..conversation.plan import Plan
    from ..conversation.reply import Reply
    from ..messages.blocks import Block
    from ..messages.images import ImageCache

_INTERVAL = 0.1
# A tail that cannot be frozen (one long code block) is shown the less often the longer it is.
_LONG_TAIL = 5_000


class CellDisplay:
    """Shows one reply. A `Listener` and a context manager.

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
        self._top: Mapping[str, str] | None = None
        """What stands above all, until it is shown; None before anything was sent."""
        self._segments: Segments | None = None
        self._spare: Slot | None = None
        """The last output of all, where nothing is shown in it any more."""
        self._desktop = DesktopView(self._take, streaming=streaming)
        self._calls: dict[str, Slot] = {}
        self._folds: dict[str, Slot] = {}
        self._citing, self._at_server = Citing(), ServerCalls()
        self._parameters: Mapping[str, Any] = {}
        # What was frozen must stay the beginning of what comes: so filtered as it comes.
        self._filter = TerminalFilter()
        self._text: list[str] = []
        self._thinking = self._status = ""
        self._dirty = self._thinking_shown = self._as_value = False
        self._flushed = self._began = 0.0

    def __enter__(self) -> CellDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread and take the waiting lines away, where no reply came."""
        if not self._over:
            self._over = True
            with self._lock:
                if self._segments is not None and not self._text:
                    self._segments.tail.show(NOTHING)
                self._desktop.close()
                self._drop_calls()

    def __call__(self, event: Event) -> None:
        """Show what happens."""
        match event:
            case Received(part):
                self._receive(part)
            case Sending(plan):
                self._begin(plan)
            case Waiting(wait):
                with self._lock:
                    self._status = f"{wait.reason}: again in {wait.seconds:.0f} s"
                    self._show_status()
            case Calling(call):
                with self._lock:
                    self._begin_call(call)
            case Doing(call, what):
                with self._lock:
                    self._status = f"{calls.name(call)}: {what}"
                    if self._streaming:
                        self._show_status()
            case Seen(_, picture):
                with self._lock:
                    self._desktop.seen(picture)
            case Called(call, result, seconds):
                with self._lock:
                    self._end_call(call, result, seconds)
            case Ended(plan, reply):
                self._over = True
                with self._lock:
                    self._end(plan, reply)

    def _begin(self, plan: Plan) -> None:
        self._parameters = {"prefill": plan.request.prefill, "emulated": plan.request.emulated}
        self._as_value = plan.question.shape is not None
        self._top = frame.header(plan, self._cache, quiet=self._quiet)
        if not self._streaming:
            return
        if self._top:
            next(self._slots).show(self._top)
            self._top = {}
        images = sum(b.get("type") == "image" for b in plan.question.content)
        with self._lock:
            self._wait(f"sending {lines.count(images, 'image')}" if images else "sending")
        threading.Thread(
            target=self._keep_showing, name="claude-magic-display", daemon=True
        ).start()

    def _receive(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        if kind == "content_block_start":
            block = event["content_block"]
            self._status = "thinking" if block.get("type") == "thinking" else "writing"
        part = event.get("content_block") or event.get("delta") or {}
        with self._lock:
            self._add(self._citing.feed(event), part.get("thinking"))
            fold = self._at_server.feed(event)
            if fold is not None:
                self._show_fold(fold)

    def _begin_call(self, call: Block) -> None:
        self._settle()
        self._status, self._began = calls.name(call), self._clock()
        if is_call(call):
            self._desktop.calling(call)
            return
        self._desktop.close()
        if self._streaming:
            self._calls[str(call.get("id"))] = self._take()
            self._show_status()

    def _end_call(self, call: Block, result: Block, seconds: float | None) -> None:
        self._settle()
        if is_call(call):
            self._desktop.called(call, result, seconds)
        else:
            slot = self._calls.pop(str(call.get("id")), None) or self._take()
            slot.show(calls.shown(call, result, seconds, self._cache))
        if self._streaming and not self._calls:
            self._wait("sending the result")

    def _end(self, plan: Plan, reply: Reply) -> None:
        self._drop_calls()
        self._desktop.close()
        footer: Mapping[str, str] = {} if self._quiet else frame.footer(plan, reply)
        self._add(self._citing.end())
        text, notes = self._shown(), notes_bundle(self._citing.notes)
        body = values.body(plan, reply)
        if reply.replayed:
            self._marks["replayed"] = True  # in the metadata; what is shown is what was saved
        if self._top is None:  # a recorded reply: nothing was shown yet
            self._top = frame.header(plan, self._cache, quiet=self._quiet)
            body = body or reply_as_shown(reply.turn)
            self._thinking = "".join(str(b.get("thinking", "")) for b in reply.blocks)
            if self._streaming:
                next(self._slots).show(self._top)
                self._top = {}
        segments = self._segments or Segments(self._take)
        self._show_thinking(segments)
        pictures = strip([step.picture for step in reply.steps])
        segments.finish(text, self._top, stack(pictures, notes, footer), body=body)

    def _wait(self, status: str) -> None:
        """Begin a stretch of text with a line that says what it waits for."""
        self._status, self._began = status, self._clock()
        self._segments = Segments(self._take)
        self._show_status()

    def _take(self) -> Slot:
        """The next output: a new one, or the one below all that shows nothing any more."""
        slot, self._spare = self._spare or next(self._slots), None
        return slot

    def _settle(self) -> None:
        """Have what was said so far stand, above what a tool displays."""
        said, top = self._shown(), self._top or {}
        self._top = {}
        segments = self._segments
        any_said = bool(said.strip() or self._thinking or top)
        if any_said and not self._streaming:
            self._desktop.close()
        if segments is None and any_said:
            segments = Segments(self._take)
        if segments is not None:
            self._show_thinking(segments)
            segments.finish(said, top, {})
        if any_said:
            self._desktop.close()
        elif segments is not None:
            self._spare = segments.tail
        self._segments, self._text, self._parameters = None, [], {}
        self._thinking, self._thinking_shown, self._dirty = "", False, False

    def _drop_calls(self) -> None:
        """Take away the lines of calls that came to no end."""
        for slot in self._calls.values():
            slot.show(NOTHING)
        self._calls.clear()

    def _show_fold(self, fold: Fold) -> None:
        """Show a call of the server's where it was made; without streaming once its result came."""
        slot = self._folds.get(fold.call)
        if slot is None:
            if not (self._streaming or fold.done):
                return
            self._settle()
            self._desktop.close()
            slot = self._folds[fold.call] = self._take()
        slot.show(fold.bundle)
        if self._streaming and self._segments is None:
            self._wait("waiting for the server's tool")

    def _add(self, text: str, thinking: object = None) -> None:
        if isinstance(thinking, str):
            self._thinking += thinking
        if text and not self._as_value:
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
        status = frame.status(self._doing())
        if self._calls:
            next(reversed(self._calls.values())).show(status)
        elif self._segments is not None and not self._text:
            self._segments.tail.show(status)

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
