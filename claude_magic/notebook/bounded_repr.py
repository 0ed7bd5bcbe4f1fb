"""The repr of a value, of any size, in bounded time and the same for the same content."""

from __future__ import annotations

from itertools import islice
from typing import Any

from ..messages.plain_text import mask_addresses

_MOST_ITEMS = 4_000
"""Items written of a value in all, nested ones counted."""

_MOST_CHARACTERS = 20_000
"""Characters written of one string."""

_DEEPEST = 20


def bounded_repr(value: object) -> str:
    """`repr(value)` with what is too much left out of its middle, and said where it stood.

    Only built-in containers are cut before they are written. Sets are sorted, since their order
    changes from kernel to kernel; object addresses are masked. A repr that raises is named.
    """
    return mask_addresses(_Writer().write(value, 0))


def safe_repr(value: object) -> str:
    """`repr(value)`, or a remark in angle brackets if that raises."""
    try:
        return repr(value)
    except Exception as error:  # a foreign __repr__ may raise anything; the reader is told
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"


class _Writer:
    def __init__(self) -> None:
        self._left = _MOST_ITEMS
        self._open: set[int] = set()

    def write(self, value: object, depth: int) -> str:
        kind = type(value)
        if isinstance(value, (str, bytes, bytearray)) and len(value) > _MOST_CHARACTERS:
            rest = len(value) - _MOST_CHARACTERS
            return f"{value[:_MOST_CHARACTERS]!r} … {rest:,} more"
        if kind not in (list, tuple, set, frozenset, dict):
            return safe_repr(value)
        if id(value) in self._open or depth == _DEEPEST:
            return "[...]" if kind is list else "(...)" if kind is tuple else "{...}"
        self._open.add(id(value))
        try:
            return self._container(value, depth + 1)
        finally:
            self._open.discard(id(value))

    def _container(self, value: Any, depth: int) -> str:
        if isinstance(value, dict):
            keys = self._some(value)
            items = [f"{self.write(k, depth)}: {self.write(value[k], depth)}" for k in keys]
            return "{" + self._joined(items, len(value)) + "}"
        if isinstance(value, (set, frozenset)):
            return self._set(value, depth)
        items = [self.write(item, depth) for item in self._some(value)]
        text = self._joined(items, len(value))
        if isinstance(value, list):
            return f"[{text}]"
        return f"({text},)" if len(value) == 1 else f"({text})"

    def _set(self, value: set[object] | frozenset[object], depth: int) -> str:
        if not value:
            return f"{type(value).__name__}()"
        # Sorted before it is cut: which items come first is not the same in the next kernel.
        written = sorted(mask_addresses(self.write(item, depth)) for item in value)
        text = "{" + self._joined(written[:_MOST_ITEMS], len(value)) + "}"
        return text if isinstance(value, set) else f"frozenset({text})"

    def _some(self, value: Any) -> list[Any]:
        """The items that are still to be written: all, or as many as there is room for."""
        size = len(value)
        count = min(size, self._left)
        self._left -= count
        if count == size or isinstance(value, dict):
            return list(islice(value, count))
        tail = count // 3
        return [*value[: count - tail], *value[size - tail :]]

    @staticmethod
    def _joined(items: list[str], size: int) -> str:
        if len(items) < size:
            middle = len(items) - len(items) // 3
            items[middle:middle] = [f"… {size - len(items):,} more …"]
        return ", ".join(items)
