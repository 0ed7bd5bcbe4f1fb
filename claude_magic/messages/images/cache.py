"""A bounded memory of prepared images, so that each is encoded once and not once per request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar, cast

from ..once import OwnLock

T = TypeVar("T")

CacheKey = tuple[str, str, int]
"""What was made, the SHA-256 of what it was made from, and the long edge in pixels."""


class ImageCache:
    """Holds up to `max_bytes` of results, the longest unused leave first. Safe across threads.

    Owned by whoever asks for images (a Session); the default holds a long notebook's figures.
    """

    def __init__(self, max_bytes: int = 64_000_000) -> None:
        self._max_bytes = max_bytes
        self._held: OrderedDict[CacheKey, tuple[object, int]] = OrderedDict()
        self._bytes = 0
        self._lock = OwnLock()

    def get_or_make(self, key: CacheKey, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """The result held for `key`, else that of `make()`, whose `size` in bytes counts.

        Two threads that ask at once may both make it: the result is the same. What `make` raises
        is not held.
        """
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return cast(T, self._held[key][0])
        value = make()
        self._put(key, value, size(value))
        return value

    def _put(self, key: CacheKey, value: object, size: int) -> None:
        with self._lock:
            self._bytes -= self._held.pop(key, (None, 0))[1]
            self._held[key] = (value, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, (_, gone) = self._held.popitem(last=False)
                self._bytes -= gone
