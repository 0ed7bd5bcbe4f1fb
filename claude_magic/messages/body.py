"""A request as bytes: messages that do not change any more, written once, and checked headers.

A notebook's conversation is sent whole with every question, and of a thousand turns all but one
stand already. To write 10 MB of JSON anew takes 25 to 45 ms of CPU, and more where one character
is not ASCII; to join what is written takes 10.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, TypeVar, cast

from ..value_classes import frozen
from .blocks import Block, Message, content_blocks, replace_surrogates
from .errors import InputError

T = TypeVar("T")


class Sealed(dict[str, Any]):
    """A message, and what was found out about it. It must not be changed."""

    @cached_property
    def json(self) -> bytes:
        """The message as compact UTF-8 JSON."""
        return as_json(self)

    @cached_property
    def images(self) -> int:
        """How many images the message holds, those in tool results too."""
        return sum(b.get("type") == "image" for b in all_blocks(cast(Message, self)))

    @cached_property
    def calls_tools(self) -> bool:
        """Whether the message calls a tool of ours, or holds a result."""
        kinds = {"tool_use", "tool_result"}
        return any(b.get("type") in kinds for b in content_blocks(cast(Message, self)))

    def noted(self, name: str, find: Callable[[Sealed], T]) -> T:
        """What `find` gave for this message when it was first asked under `name`."""
        key = f"noted {name}"
        if key not in self.__dict__:
            self.__dict__[key] = find(self)
        found: T = self.__dict__[key]
        return found


def seal(message: Mapping[str, Any]) -> Sealed:
    """The message, sealed; one that is sealed already as it is."""
    return message if isinstance(message, Sealed) else Sealed(message)


def sealed(messages: Iterable[Mapping[str, Any]]) -> list[Sealed]:
    """The messages, each sealed."""
    return [seal(message) for message in messages]


def all_blocks(message: Message) -> Iterable[Block]:
    """The blocks of a message, and those within its tool results."""
    for block in content_blocks(message):
        yield block
        inner = block.get("content")
        if block.get("type") == "tool_result" and isinstance(inner, list):
            yield from inner


def as_json(value: Any) -> bytes:
    """Compact UTF-8 JSON; lone surrogates, which UTF-8 lacks, become U+FFFD.

    Raises TypeError, ValueError or RecursionError for what is not JSON.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return replace_surrogates(text).encode()


# The most at a time for a socket, which copies what it did not take; most images go in one piece.
_PIECE = 512 * 1024


@frozen
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
