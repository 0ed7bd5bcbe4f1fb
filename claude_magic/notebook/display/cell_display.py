"""A reply as it comes, in outputs of the cell that asked.

Its text stands in segments: all but the last are frozen at a block boundary and never touched
again; the last one, the tail, is shown again at most ten times a second. So a long reply costs
little more than a short one, in the kernel and in the browser.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...conversation.events import (
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
from ...conversation.reply_value import parts_of, reply_as_shown
from ...messages.plain_text import count
from ...rendering import ReplyFold, drawn, notes_bundle, stacked
from ...rendering.reply import Call, Change, Grew, Part, Put, ServerCall, Text, Thinking, Unknown
from . import header_footer, json_value, tool_calls
from .output_slots import NOTHING, Publisher, Segments, Slot, slots
from .tool_calls import DesktopView, is_call, strip

if TYPE_CHECKING:
    from ...conversation.asking.plan import Plan
    from ...conversation.reply_value import Reply
    from ...messages.blocks import Block
    from ...messages.images.prepare import ImageCache


_INTERVAL = 0.1
# A tail that cannot be frozen (one long code block) is shown the less often the longer it is.
_LONG_TAIL = 5_000


class CellDisplay:
    """Shows one reply. A `Listener`, to be closed when all is over.

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
        # No Event: an interrupt of the kernel can leave one locked; see `Latch`.
        self._lock = threading.Lock()
        self._over = False
        self._top: Mapping[str, str] | None = None
        """What stands above all, until it is shown; None before anything was sent."""
        self._segments: Segments | None = None
        self._spare: Slot | None = None
        """The last output of all, where nothing is shown in it any more."""
        self._desktop = DesktopView(self._take, streaming=streaming)
        self._calls: dict[str, Slot] = {}
        self._folds: dict[int, Slot] = {}
        self._fold = ReplyFold()
        self._words: dict[int, type[Text | Thinking]] = {}
        """Which parts of the reply are words, and of which kind."""
        self._text: list[str] = []
        """The Markdown since what was last shown apart from it."""
        self._thinking = self._status = ""
        self._dirty = self._thinking_shown = self._as_value = False
        self._flushed = self._began = 0.0

    def close(self) -> None:
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
                    self._status = f"{tool_calls.name(call)}: {what}"
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
        self._fold = ReplyFold(plan.request.prefill, plan.request.emulated)
        self._as_value = plan.question.shape is not None
        self._top = header_footer.header(plan, self._cache, quiet=self._quiet)
        if not self._streaming:
            return
        if self._top:
            next(self._slots).show(self._top)
            self._top = {}
        images = sum(b.get("type") == "image" for b in plan.question.sent)
        with self._lock:
            self._wait(f"sending {count(images, 'image')}" if images else "sending")
        threading.Thread(
            target=self._keep_showing, name="claude-magic-display", daemon=True
        ).start()

    def _receive(self, event: Mapping[str, Any]) -> None:
        with self._lock:
            changes = self._fold.event(event)
            self._status = self._fold.doing or self._status
            self._change(changes)

    def _change(self, changes: Iterable[Change]) -> None:
        """Show what is new of the reply; calls of tools that run here are shown as they run."""
        for change in changes:
            if isinstance(change, Grew):
                self._add(self._words.get(change.number), change.text)
                continue
            match change.part:
                case Text(words) | Thinking(words) as part:
                    self._words[change.number] = type(part)
                    apart = self._text if isinstance(part, Text) else self._thinking
                    self._add(type(part), ("\n\n" if apart else "") + words)
                case ServerCall() | Unknown() as part:
                    self._show_fold(change.number, part)

    def _begin_call(self, call: Block) -> None:
        self._settle()
        self._status, self._began = tool_calls.name(call), self._clock()
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
        changes = self._fold.called(call, result, seconds)
        self._change(changes)
        parts = (change.part for change in changes if isinstance(change, Put))
        for part in parts if not is_call(call) else ():
            if isinstance(part, Call) and part.outcome:
                slot = self._calls.pop(part.id, None) or self._take()
                slot.show(self._drawn(part))
        if self._streaming and not self._calls:
            self._wait("sending the result")

    def _end(self, plan: Plan, reply: Reply) -> None:
        self._drop_calls()
        self._desktop.close()
        footer: Mapping[str, str] = {} if self._quiet else header_footer.footer(plan, reply)
        self._change(self._fold.end())
        # By it the cell is found again whose id has changed: front ends keep it in the file.
        self._marks["turn"] = reply.turn.id
        text, notes = self._shown(), notes_bundle(self._fold.notes)
        body = json_value.body(plan, reply)
        if reply.replayed:
            self._marks["replayed"] = True  # in the metadata; what is shown is what was saved
        if self._top is None:  # a recorded reply: nothing was shown yet
            self._top = header_footer.header(plan, self._cache, quiet=self._quiet)
            body = body or reply_as_shown(reply.turn, self._pictures)
            thoughts = (p.text for p in parts_of(reply.turn) if isinstance(p, Thinking))
            self._thinking = "\n\n".join(thoughts)
            if self._streaming:
                next(self._slots).show(self._top)
                self._top = {}
        segments = self._segments or Segments(self._take)
        self._show_thinking(segments)
        pictures = strip([step.picture for step in reply.steps])
        segments.finish(text, self._top, stacked([pictures, notes, footer]), body=body)

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
        self._segments, self._text = None, []
        self._thinking, self._thinking_shown, self._dirty = "", False, False

    def _drop_calls(self) -> None:
        """Take away the lines of calls that came to no end."""
        for slot in self._calls.values():
            slot.show(NOTHING)
        self._calls.clear()

    def _show_fold(self, number: int, part: ServerCall | Unknown) -> None:
        """Show a call of the server's where it was made; without streaming once its result came."""
        slot = self._folds.get(number)
        if slot is None:
            if not self._streaming and isinstance(part, ServerCall) and not part.done:
                return
            self._settle()
            self._desktop.close()
            slot = self._folds[number] = self._take()
        slot.show(self._drawn(part))
        if self._streaming and self._segments is None:
            self._wait("waiting for the server's tool")

    def _add(self, kind: type[Text | Thinking] | None, words: str) -> None:
        if kind is Thinking:
            self._thinking += words
        elif kind is Text and not self._as_value:
            self._text.append(words)
            self._dirty = True
            self._flush()

    def _drawn(self, part: Part) -> dict[str, str]:
        shown = drawn(part, self._pictures)
        if isinstance(part, Call | Thinking):
            del shown["text/markdown"]  # for documents; here it would only make the file larger
        return shown

    def _pictures(self, blocks: Sequence[Block]) -> str:
        return header_footer.thumbnails(blocks, self._cache)

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
            segments.put_above(self._drawn(Thinking(self._thinking)))
            self._thinking_shown = True

    def _shown(self) -> str:
        return "".join(self._text)

    def _show_status(self) -> None:
        status = header_footer.status(self._doing())
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
