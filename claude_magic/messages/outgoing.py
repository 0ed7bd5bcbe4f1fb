"""A request as bytes and headers, checked before anything is opened. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import InputError
from .sealed import Lump, Part, as_json
from .transcript import transcript

# The most at a time for a socket, which copies what it did not take; most images go in one piece.
_PIECE = 512 * 1024
# Parts below this are put together; others go as they are, which saves a copy of them.
_SHORT = 64 * 1024


@dataclass(frozen=True)
class Outgoing:
    """What is sent to `path` of a server; `headers` are those that only this request has.

    `content` is the JSON in parts: the megabytes of a conversation are not put together before
    they go into the socket.
    """

    method: str
    path: str
    content: Sequence[Part | Lump] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] | None = None

    def __iter__(self) -> Iterator[bytes]:
        """The content in pieces, none longer than a socket takes well."""
        short: list[bytes] = []
        size = 0
        for part in self.content:
            content = part.encode("ascii") if isinstance(part, str) else bytes(part)
            size += len(content)
            if len(content) < _SHORT:
                short.append(content)
                if size < _PIECE - _SHORT:
                    continue
                content = b""
            if short:
                yield b"".join(short)
            for start in range(0, len(content), _PIECE):
                yield content[start : start + _PIECE]
            short, size = [], 0
        if short:
            yield b"".join(short)


def post(path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Outgoing:
    """A POST of `body` as compact JSON, keys in the order given.

    Raises InputError if `body` cannot be written as JSON.
    """
    content = encode(body)
    length = str(sum(map(len, content)))
    fixed = {"content-type": "application/json", "content-length": length}
    return Outgoing("POST", path, content, {**fixed, **headers})


def encode(body: Mapping[str, Any]) -> list[Part | Lump]:
    """`body` as compact UTF-8 JSON in parts; lone surrogates, which UTF-8 lacks, become U+FFFD.

    Raises InputError if it cannot be written as JSON.
    """
    problem = ""
    try:
        return _parts(body)
    except (TypeError, ValueError, RecursionError) as error:
        problem = str(error)
    raise InputError(f"The request cannot be written as JSON ({problem}); nothing was sent.")


def _parts(body: Mapping[str, Any]) -> list[Part | Lump]:
    found: list[Part | Lump] = []
    before = b"{"
    for name, value in body.items():
        found.append(before + as_json(str(name)) + b":")
        if name == "messages" and isinstance(value, list):
            found += transcript(value).parts()
        else:
            found.append(as_json(value))
        before = b","
    return [*found, b"}" if found else b"{}"]


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` with names in lower case.

    Raises InputError, naming the header, for one that HTTP cannot carry.
    """
    for name, value in headers.items():
        plain = name.isascii() and value.isascii() and value.isprintable()
        if not plain or not name.replace("-", "").replace("_", "").isalnum():
            raise InputError(f"The header {name!r} has characters that HTTP forbids: correct it.")
    return {name.lower(): value for name, value in headers.items()}
