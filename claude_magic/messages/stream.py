"""The events of one reply, folded into the message they make. No I/O.

snapshot = Snapshot()
for event in decoder.feed(chunk):
    snapshot = accumulate(snapshot, event)
snapshot.message
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .blocks import Block, joined_text, replace_surrogates
from .errors import BrokenReply, ProtocolError
from .sse import Event, EventDecoder, LineSplitter, parse_json

__all__ = [
    "Event",
    "EventDecoder",
    "GrowingBlock",
    "LineSplitter",
    "Snapshot",
    "accumulate",
    "runnable",
]

# Which field of a delta is appended to which field of its block.
_APPENDED: Mapping[str, tuple[str, str]] = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("partial_json", "input"),
}
# Servers have been seen to begin at 1 or to leave a number out; one far off is a fault.
_INDEX_SLACK = 3


class Snapshot:
    """The message as far as it came. `accumulate` changes it; a fold begins with a new one."""

    def __init__(self) -> None:
        self._head: dict[str, Any] | None = None
        self._usage: dict[str, Any] | None = None
        self._blocks: dict[int, GrowingBlock] = {}
        self.complete = False

    @property
    def message(self) -> dict[str, Any]:
        """The message in wire form, blocks in the order of their index; {} before its start.

        Costs a copy of the text so far: read it now and then, not at each of 20,000 deltas.
        """
        if self._head is None:
            return {}
        message = {**self._head, "content": self.blocks}
        if self._usage is not None:
            message["usage"] = dict(self._usage)
        return message

    @property
    def blocks(self) -> list[Block]:
        """The content blocks so far, kinds that are not known here included."""
        return [self._blocks[index].wire() for index in sorted(self._blocks)]

    @property
    def text(self) -> str:
        """The text blocks so far, joined without a separator."""
        return joined_text(self.blocks)

    @property
    def stop_reason(self) -> str | None:
        """Why the reply ended, once the server said so."""
        return (self._head or {}).get("stop_reason")

    @property
    def started(self) -> bool:
        """Whether the message's first event came."""
        return self._head is not None

    def end(self) -> None:
        """Takes note that no more events come; the message is complete if it has a stop_reason.

        Other servers leave `message_stop` out. Raises ProtocolError if there was no message at
        all, BrokenReply with `partial` if it is cut off.
        """
        if self._head is None:
            raise ProtocolError(
                "The server's answer held no message; is base_url a Messages API server?"
            )
        if not self.complete and self.stop_reason is None:
            error = BrokenReply("The server ended the reply part way. Ask again.")
            error.partial = self.message
            raise error
        self.complete = True

    def _message_start(self, event: Event) -> None:
        if self._head is not None:
            raise _violation("two message_start events")
        message = event.get("message")
        if not isinstance(message, dict):
            raise _violation("a message_start without a message")
        self._head = dict(message)
        usage = self._head.get("usage")
        self._usage = dict(usage) if isinstance(usage, dict) else None

    def _block_start(self, event: Event) -> None:
        index = event.get("index")
        block = event.get("content_block")
        if type(index) is not int or not 0 <= index <= len(self._blocks) + _INDEX_SLACK:
            raise _violation("a block index out of range")
        if index in self._blocks:
            raise _violation("the same block index twice")
        if not isinstance(block, dict):
            raise _violation("a content_block_start without a block")
        self._blocks[index] = GrowingBlock(block)

    def _block_delta(self, event: Event) -> None:
        block = self._block(event)
        delta = event.get("delta")
        if not isinstance(delta, dict):
            raise _violation("a delta without content")
        if block.stopped:
            raise _violation("a delta after its block's end")
        block.add(delta)

    def _block_stop(self, event: Event) -> None:
        self._block(event).stopped = True

    def _block(self, event: Event) -> GrowingBlock:
        index = event.get("index")
        block = self._blocks.get(index) if type(index) is int else None
        if block is None:
            raise _violation("a block without its start")
        return block

    def _message_delta(self, event: Event) -> None:
        head = self._started_head()
        delta = event.get("delta")
        rest = {k: v for k, v in event.items() if k not in ("type", "delta", "usage")}
        for part in (delta, rest):
            if isinstance(part, dict):
                head.update({k: v for k, v in part.items() if v is not None})
        usage = event.get("usage")
        if isinstance(usage, dict):
            # Totals so far, not differences; one that is missing or null says nothing new.
            new = {k: v for k, v in usage.items() if v is not None}
            self._usage = {**(self._usage or {}), **new}

    def _message_stop(self, _event: Event) -> None:
        self.complete = True

    def _started_head(self) -> dict[str, Any]:
        if self._head is None:
            raise _violation("no message_start")
        return self._head


_FOLDS: Mapping[str, Callable[[Snapshot, Event], None]] = {
    "content_block_delta": Snapshot._block_delta,
    "content_block_start": Snapshot._block_start,
    "content_block_stop": Snapshot._block_stop,
    "message_delta": Snapshot._message_delta,
    "message_stop": Snapshot._message_stop,
}


def accumulate(snapshot: Snapshot, event: Event) -> Snapshot:
    """`snapshot` with `event` in it; the one given is used up, so that a long reply stays linear.

    Events of other types, and those after the message's end, change nothing. Raises ProtocolError
    for an event that cannot stand where it does.
    """
    if snapshot.complete:
        return snapshot
    kind = event["type"]
    if kind == "message_start":
        snapshot._message_start(event)
        return snapshot
    fold = _FOLDS.get(kind)
    if fold is not None:
        snapshot._started_head()
        fold(snapshot, event)
    return snapshot


def runnable(block: Block) -> bool:
    """Whether a tool's input came whole: it is an object.

    Input that was cut off, or is not JSON, stands in the block as the string that came.
    """
    return isinstance(block.get("input"), Mapping)


class GrowingBlock:
    """One content block: as it began, and what its deltas added; `stopped` once it is whole."""

    __slots__ = ("_parts", "_start", "_wire", "stopped")

    def __init__(self, start: Mapping[str, Any]) -> None:
        self._start = dict(start)
        self._parts: dict[str, list[str]] = {}
        self._wire: dict[str, Any] | None = None
        self.stopped = False

    def add(self, delta: Mapping[str, Any]) -> None:
        """Take one more delta. Raises ProtocolError for one without its content."""
        kind = delta.get("type")
        appended = _APPENDED.get(kind) if isinstance(kind, str) else None
        if appended is not None:
            value = delta.get(appended[0])
            if not isinstance(value, str):
                raise _violation(f"a {kind} without {appended[0]}")
            parts = self._parts.get(appended[1])
            if parts is None:
                parts = self._parts[appended[1]] = []
            parts.append(value)
        elif kind == "signature_delta":
            self._start["signature"] = delta.get("signature")
        elif kind == "citations_delta":
            known = self._start.get("citations")
            self._start["citations"] = [*(known or []), delta.get("citation")]
        elif kind == "compaction_delta":
            self._start.update({k: v for k, v in delta.items() if k != "type"})

    def wire(self) -> dict[str, Any]:
        """The block in wire form, kept once it has stopped."""
        if self._wire is not None:
            return self._wire
        block = dict(self._start)
        for name, parts in self._parts.items():
            if name != "input":
                block[name] = replace_surrogates(str(block.get(name) or "") + "".join(parts))
        if "input" in block or "input" in self._parts:
            block["input"] = self._input()
        if self.stopped:
            self._wire = block
        return block

    def _input(self) -> Any:
        """The tool's input: an object only if it came whole."""
        raw = "".join(self._parts.get("input", ()))
        start = self._start.get("input")
        if not self.stopped:
            return raw or (json.dumps(start) if start else "")
        if not raw:
            # Nothing was streamed: it is empty, or other servers sent it whole at the start.
            return {} if start is None else start
        try:
            value = parse_json(raw)
        except ValueError:
            return raw
        return value if isinstance(value, dict) else raw


def _violation(what: str) -> ProtocolError:
    return ProtocolError(f"The server's stream breaks the protocol ({what}). Ask again.")
