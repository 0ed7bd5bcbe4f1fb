"""A request as bytes and headers, checked before anything is opened. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import InputError
from .sealed import as_json, sealed

# The most at a time for a socket, which copies what it did not take; most images go in one piece.
_PIECE = 512 * 1024


@dataclass(frozen=True)
class Outgoing:
    """What is sent to `path` of a server; `headers` are those that only this request has."""

    method: str
    path: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] | None = None

    def __iter__(self) -> Iterator[bytes]:
        """The content in pieces, none longer than a socket takes well."""
        for start in range(0, len(self.content), _PIECE):
            yield self.content[start : start + _PIECE]


def post(path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Outgoing:
    """A POST of `body` as compact JSON, keys in the order given.

    Raises InputError if `body` cannot be written as JSON.
    """
    return posted(path, encode(body), headers)


def posted(path: str, content: bytes, headers: Mapping[str, str]) -> Outgoing:
    """A POST of JSON."""
    fixed = {"content-type": "application/json", "content-length": str(len(content))}
    return Outgoing("POST", path, content, {**fixed, **headers})


def encode(body: Mapping[str, Any]) -> bytes:
    """`body` as compact UTF-8 JSON; lone surrogates, which UTF-8 lacks, become U+FFFD.

    Raises InputError if it cannot be written as JSON.
    """
    problem = ""
    try:
        return b"".join(_parts(body))
    except (TypeError, ValueError, RecursionError) as error:
        problem = str(error)
    raise InputError(f"The request cannot be written as JSON ({problem}); nothing was sent.")


def _parts(body: Mapping[str, Any]) -> Iterator[bytes]:
    before = b"{"
    for name, value in body.items():
        yield before + as_json(str(name)) + b":"
        if name == "messages" and isinstance(value, list):
            yield b"[" + b",".join([message.json for message in sealed(value)]) + b"]"
        else:
            yield as_json(value)
        before = b","
    yield b"}" if body else b"{}"


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` with names in lower case.

    Raises InputError, naming the header, for one that HTTP cannot carry.
    """
    for name, value in headers.items():
        plain = name.isascii() and value.isascii() and value.isprintable()
        if not plain or not name.replace("-", "").replace("_", "").isalnum():
            raise InputError(f"The header {name!r} has characters that HTTP forbids: correct it.")
    return {name.lower(): value for name, value in headers.items()}
