"""Bytes of a `text/event-stream` body to the JSON events in them. No I/O.

The rules are those of the WHATWG server-sent events format, as far as the Messages API uses it: the
event's name is the `type` within its JSON, and only where that has none the `event:` line's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, TypeAlias

from .errors import ProtocolError

Event: TypeAlias = Mapping[str, Any]
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

    def feed(self, chunk: bytes) -> Iterator[Event]:
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


def _event(payload: bytes, name: str) -> Event | None:
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
