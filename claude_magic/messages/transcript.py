"""The messages of a request, with what is known of them kept as messages are added.

A conversation is sent whole with every question, and of a thousand turns all but one stand already:
what they hold, cost and hash to is not found out again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from .sealed import Lump, Part, Sealed, seal

# In bytes. Longer pieces go out by themselves; shorter ones are held together up to so many: to
# look at each of some thousand pieces takes as long as to copy them.
_SHORT = 64 * 1024
_LUMP = 256 * 1024


class Transcript(list[Any]):
    """Sealed messages. It must not be changed; `extended` gives a longer one."""

    def __init__(self, messages: Iterable[Mapping[str, Any]] = ()) -> None:
        super().__init__()
        self.images = 0
        """How many images the messages hold."""
        self.calls_tools = False
        """Whether a tool of ours is called in them."""
        self._parts: list[Part | Lump] = []
        self._hash = hashlib.sha256()
        self._tokens: dict[str, int] = {}
        self._counts: dict[str, Callable[[Sealed], int]] = {}
        self._add(messages)

    def extended(self, messages: Iterable[Mapping[str, Any]]) -> Self:
        """These messages and some more."""
        longer = type(self)()
        list.extend(longer, self)
        longer.images, longer.calls_tools = self.images, self.calls_tools
        longer._parts = [p.copy() if isinstance(p, Lump) else p for p in self._parts[-1:]]
        longer._parts[:0] = self._parts[:-1]
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

    def parts(self) -> list[Part | Lump]:
        """A JSON array of the messages, in parts."""
        return [b"[", *self._parts, b"]"]

    def _add(self, messages: Iterable[Mapping[str, Any]]) -> None:
        for message in messages:
            sealed = seal(message)
            self.append(sealed)
            self.images += sealed.images
            self.calls_tools = self.calls_tools or sealed.calls_tools
            for part in sealed.parts:
                self._add_part(part if self._parts else part[1:])  # no comma before the first
            self._hash.update(sealed.digest.encode("ascii"))
            for name, count in self._counts.items():
                self._tokens[name] += count(sealed)

    def _add_part(self, part: Part) -> None:
        if isinstance(part, str) or len(part) >= _SHORT:
            self._parts.append(part)
            return
        last = self._parts[-1] if self._parts else None
        if not isinstance(last, Lump) or len(last) >= _LUMP:
            last = Lump()
            self._parts.append(last)
        last.add(part)


def transcript(messages: Iterable[Mapping[str, Any]]) -> Transcript:
    """The messages as a transcript; one that is one already as it is."""
    return messages if isinstance(messages, Transcript) else Transcript(messages)
