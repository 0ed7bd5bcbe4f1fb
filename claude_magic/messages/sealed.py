"""A message that does not change any more: encoded once, and not once a request.

A notebook's conversation is sent whole with every question. What of it stands already is written
as JSON once; a request joins the parts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, cast

from .blocks import Block, Message, content_blocks, replace_surrogates

Part = bytes | str
"""A piece of JSON; `str` for base64 data, which stays the object that the block holds."""


class Lump:
    """Short pieces of JSON that go out as one; `len` is that of all together, in bytes."""

    __slots__ = ("_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, part: bytes) -> None:
        """Add a piece at the end."""
        self._parts.append(part)
        self._size += len(part)

    def copy(self) -> Lump:
        """Another one of the same pieces."""
        other = Lump()
        other._parts, other._size = self._parts.copy(), self._size
        return other

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self._parts)


class Sealed(dict[str, Any]):
    """A message, and what was found out about it. It must not be changed."""

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The message as JSON, in pieces: base64 data is held once, in the block.

        A comma comes first, as in an array: to have it apart would double the number of pieces.
        """
        return tuple(_parts(self))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the message as JSON with sorted keys."""
        return _digest(self)

    @cached_property
    def images(self) -> int:
        """How many images the message holds, those in tool results too."""
        return sum(b.get("type") == "image" for b in all_blocks(cast(Message, self)))

    @cached_property
    def calls_tools(self) -> bool:
        """Whether the message calls a tool of ours, or holds a result."""
        kinds = {"tool_use", "tool_result"}
        return any(b.get("type") in kinds for b in content_blocks(cast(Message, self)))

    @cached_property
    def _noted(self) -> dict[str, Any]:
        return {}

    def noted(self, name: str, find: Callable[[], Any]) -> Any:
        """What `find` gave when this was first asked under `name`."""
        if name not in self._noted:
            self._noted[name] = find()
        return self._noted[name]


def seal(message: Mapping[str, Any]) -> Sealed:
    """The message, sealed; one that is sealed already as it is."""
    return message if isinstance(message, Sealed) else Sealed(message)


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
    return replace_surrogates(text).encode()


def _digest(message: Mapping[str, Any]) -> str:
    canonical = json.dumps(message, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()


def _parts(message: Mapping[str, Any]) -> Iterable[Part]:
    """The JSON of a message with a comma before it, cut around the base64 data of its blocks."""
    content = message.get("content")
    if not isinstance(content, list) or not any(_data(b) for b in content):
        yield b"," + as_json(message)
        return
    rest = {key: value for key, value in message.items() if key != "content"}
    head = b"," + as_json(rest)[:-1]
    separator = (b"," if rest else b"") + b'"content":['
    for block in content:
        data = _data(block)
        if not data:
            yield head + separator + as_json(block)
        else:
            source = {k: v for k, v in block["source"].items() if k != "data"}
            others = {k: v for k, v in block.items() if k != "source"}
            opened = as_json(others)[:-1] + (b"," if others else b"") + b'"source":'
            yield head + separator + opened + as_json(source)[:-1] + b',"data":"'
            yield data
            yield b'"}}'
        head, separator = b"", b","
    yield b"]}"


def _data(block: Any) -> str | None:
    """The base64 data of a block, if it can stand in JSON as it is."""
    source = block.get("source") if isinstance(block, Mapping) else None
    if not isinstance(source, Mapping) or source.get("type") != "base64":
        return None
    data = source.get("data")
    if not isinstance(data, str) or not data.isascii() or not data.isprintable():
        return None
    return None if '"' in data or "\\" in data else data
