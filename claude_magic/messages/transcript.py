"""The messages of a request, with what is known of them kept as messages are added.

A conversation is sent whole with every question, and of a thousand turns all but one stand already:
what they hold, cost and hash to is not found out again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from .sealed import Part, Sealed, seal


class Transcript(list[Any]):
    """Sealed messages. It must not be changed; `extended` gives a longer one."""

    def __init__(self, messages: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__()
        self.images = 0
        """How many images the messages hold."""
        self.calls_tools = False
        """Whether a tool of ours is called in them."""
        self._parts: list[Part] = []
        self._hash = hashlib.sha256()
        self._tokens: dict[str, int] = {}
        self._counts: dict[str, Callable[[Sealed], int]] = {}
        self._add(messages)

    def extended(self, messages: Iterable[Mapping[str, Any]]) -> Self:
        """These messages and some more."""
        longer = type(self)()
        list.extend(longer, self)
        longer.images, longer.calls_tools = self.images, self.calls_tools
        longer._parts = self._parts.copy()
        longer._hash = self._hash.copy()
        longer._tokens, longer._counts = self._tokens.copy(), self._counts.copy()
        longer._add(messages)
        return longer

    @property
    def digest(self) -> str:
        """SHA-256 of the messages' own digests."""
        return self._hash.hexdigest()

    def tokens(self, name: str, count: Callable[[Sealed], int]) -> int:
        """The sum of `count` over the messages; the sum is kept under `name`."""
        if name not in self._tokens:
            self._counts[name] = count
            self._tokens[name] = sum(count(message) for message in self)
        return self._tokens[name]

    def parts(self) -> list[Part]:
        """A JSON array of the messages, in parts."""
        if not self._parts:
            return [b"[]"]
        first, *others = self._parts
        return [b"[", first[1:], *others, b"]"]

    def _add(self, messages: Iterable[Mapping[str, Any]]) -> None:
        for message in messages:
            sealed = seal(message)
            self.append(sealed)
            self.images += sealed.images
            self.calls_tools = self.calls_tools or sealed.calls_tools
            self._parts += sealed.parts
            self._hash.update(sealed.digest.encode("ascii"))
            for name, count in self._counts.items():
                self._tokens[name] += count(sealed)


def transcript(messages: Iterable[Mapping[str, Any]]) -> Transcript:
    """The messages as a transcript; one that is one already as it is."""
    return messages if isinstance(messages, Transcript) else Transcript(messages)
