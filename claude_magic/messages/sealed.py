"""A message that does not change any more: what is found out about it is found out once.

A notebook's conversation is sent whole with every question, and of a thousand turns all but one
stand already. To write 10 MB of JSON anew takes 25 to 45 ms of CPU, and more where one character
is not ASCII; to join what is written takes 10.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar, cast

from .blocks import Block, Message, content_blocks, replace_surrogates

T = TypeVar("T")


class Sealed(dict[str, Any]):
    """A message, and what was found out about it. It must not be changed."""

    @cached_property
    def json(self) -> bytes:
        """The message as compact UTF-8 JSON."""
        return as_json(self)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the message as JSON with sorted keys."""
        canonical = json.dumps(self, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()

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


def digest_of(messages: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 of the messages' own digests."""
    return hashlib.sha256("".join(m.digest for m in sealed(messages)).encode("ascii")).hexdigest()


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
