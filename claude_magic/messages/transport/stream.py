"""The bytes of an event stream to the JSON events in them, folded into a message. No I/O.

The rules are those of the WHATWG server-sent events format, as far as the Messages API uses it: the
event's name is the `type` within its JSON, and only where that has none the `event:` line's.

snapshot = Snapshot()
for event in decoder.feed(chunk):
    snapshot = accumulate(snapshot, event)
snapshot.message
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, TypeAlias

from ..blocks import Block, joined_text, replace_surrogates
from ..errors import BrokenReply, ProtocolError

ServerEvent: TypeAlias = Mapping[str, Any]
"""One event: the parsed JSON of its `data:` lines, with a `type`."""

MAX_BYTES = 16 * 1024 * 1024
"""The most bytes that one line, or the data of one event, may have."""

_BOM = b"\xef\xbb\xbf"

# The events that say something; the data of others is nothing to us, whatever it is.
_TELLING = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "error",
    }
)
# Gateways of other APIs end a stream so.
_END_MARK = b"[DONE]"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# Python's json takes NaN and Infinity, which are not JSON and could not be sent back.
_JSON = json.JSONDecoder(parse_constant=_no_constant)


def parse_json(text: str) -> Any:
    """The value that `text` holds. Raises ValueError if it is not JSON or is nested too deeply."""
    try:
        return _JSON.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


class LineSplitter:
    """Cuts a stream of byte chunks into lines at LF, CRLF and CR, and nowhere else."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max = max_bytes
        # The unfinished line, in pieces: joining at each chunk would be quadratic.
        self._pieces: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` finishes, without their ends.

        Raises ProtocolError once an unfinished line is over the size cap.
        """
        if self._after_cr and chunk:
            # The CR that ended the last chunk was the first half of this CRLF.
            self._after_cr = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
        if b"\n" not in chunk and b"\r" not in chunk:
            self._keep(chunk)
            return []
        self._after_cr = chunk.endswith(b"\r")
        if self._pieces:
            chunk = b"".join((*self._pieces, chunk))
            self._pieces = []
            self._size = 0
        # bytes.splitlines() knows no line ends but these three; str.splitlines() knows more.
        lines = chunk.splitlines()
        if not chunk.endswith((b"\n", b"\r")):
            # Not checked against the cap before the next chunk: these lines are whole.
            self._pieces = [lines.pop()]
            self._size = len(self._pieces[0])
        if self._first:
            self._first = False
            lines[0] = lines[0].removeprefix(_BOM)
        return lines

    def _keep(self, piece: bytes) -> None:
        if not piece:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._max:
            raise _too_large(self._max)


class EventDecoder:
    """Cuts a stream of byte chunks into events."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max = max_bytes
        self._lines = LineSplitter(max_bytes)
        self._data: list[bytes] = []
        self._size = 0
        self._name = b""

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that `chunk` finishes, one by one; an event ends with a blank line.

        JSON that is no object with a type says nothing and is passed over, as are the events of
        other names. Raises ProtocolError for data over the size cap, that is not UTF-8 or is not
        JSON: after the events that came before it.
        """
        for line in self._lines.feed(chunk):
            if line.startswith(b"data:"):
                # One space after the colon belongs to the format, further ones to the data.
                data = line[6:] if line.startswith(b" ", 5) else line[5:]
                self._data.append(data)
                self._size += len(data)
                if self._size > self._max:
                    raise _too_large(self._max)
            elif line.startswith(b"event:"):
                self._name = line[6:].strip()
            elif not line:
                payload, name = b"\n".join(self._data), self._name.decode(errors="replace")
                self._data = []
                self._size = 0
                self._name = b""
                event = _event(payload, name) if payload else None
                if event is not None:
                    yield event


def _event(payload: bytes, name: str) -> ServerEvent | None:
    """The event, None for one that says nothing; `name` is what the `event:` line calls it."""
    if payload.strip() == _END_MARK:
        return None
    try:
        event = parse_json(payload.decode())
    except UnicodeDecodeError:
        raise ProtocolError("The server's answer is not UTF-8; is base_url right?") from None
    except ValueError:
        if name and name not in _TELLING:
            return None
        raise ProtocolError(
            "The server sent an event that is not JSON; is base_url a Messages API server?"
        ) from None
    if not isinstance(event, dict):
        return None
    if not isinstance(event.get("type"), str):
        return {**event, "type": name} if name and "type" not in event else None
    return event


def _too_large(limit: int) -> ProtocolError:
    return ProtocolError(
        f"The server sent an event of over {limit / 2**20:.3g} MB; the reply was given up. "
        "Ask for less at once."
    )


__all__ = [
    "EventDecoder",
    "GrowingBlock",
    "LineSplitter",
    "ServerEvent",
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

    def _message_start(self, event: ServerEvent) -> None:
        if self._head is not None:
            raise _violation("two message_start events")
        message = event.get("message")
        if not isinstance(message, dict):
            raise _violation("a message_start without a message")
        self._head = dict(message)
        usage = self._head.get("usage")
        self._usage = dict(usage) if isinstance(usage, dict) else None

    def _block_start(self, event: ServerEvent) -> None:
        index = event.get("index")
        block = event.get("content_block")
        if type(index) is not int or not 0 <= index <= len(self._blocks) + _INDEX_SLACK:
            raise _violation("a block index out of range")
        if index in self._blocks:
            raise _violation("the same block index twice")
        if not isinstance(block, dict):
            raise _violation("a content_block_start without a block")
        self._blocks[index] = GrowingBlock(block)

    def _block_delta(self, event: ServerEvent) -> None:
        block = self._block(event)
        delta = event.get("delta")
        if not isinstance(delta, dict):
            raise _violation("a delta without content")
        if block.stopped:
            raise _violation("a delta after its block's end")
        block.add(delta)

    def _block_stop(self, event: ServerEvent) -> None:
        self._block(event).stopped = True

    def _block(self, event: ServerEvent) -> GrowingBlock:
        index = event.get("index")
        block = self._blocks.get(index) if type(index) is int else None
        if block is None:
            raise _violation("a block without its start")
        return block

    def _message_delta(self, event: ServerEvent) -> None:
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

    def _message_stop(self, _event: ServerEvent) -> None:
        self.complete = True

    def _started_head(self) -> dict[str, Any]:
        if self._head is None:
            raise _violation("no message_start")
        return self._head


_FOLDS: Mapping[str, Callable[[Snapshot, ServerEvent], None]] = {
    "content_block_delta": Snapshot._block_delta,
    "content_block_start": Snapshot._block_start,
    "content_block_stop": Snapshot._block_stop,
    "message_delta": Snapshot._message_delta,
    "message_stop": Snapshot._message_stop,
}


def accumulate(snapshot: Snapshot, event: ServerEvent) -> Snapshot:
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
