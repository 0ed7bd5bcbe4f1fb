"""Ids of cells or turns of which most stand in another list as well, held once.

Each turn knows what it saw and the cells of the page: spelled out, a thousand turns hold a million.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, overload

# A list is spelled out by going through those that it is like, so many at most.
_LONGEST = 50


class Ids(Sequence[str]):
    """The first `head` ids of `like`, then `new`, then its last `tail`; equal to such a tuple."""

    __slots__ = ("_head", "_like", "_new", "_tail", "depth")

    def __init__(self, like: Sequence[str], head: int, new: tuple[str, ...], tail: int) -> None:
        self._like, self._head, self._new, self._tail = like, head, new, tail
        self.depth: int = 1 + getattr(like, "depth", 0)

    def spelled(self) -> tuple[str, ...]:
        """All ids."""
        return tuple(chain.from_iterable(self._pieces(0, len(self))))

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[str, ...]]:
        """The ids from `start` to `stop`, in pieces."""
        like, new, tail = self._like, self._head, self._head + len(self._new)
        if start < new:
            yield from _pieces(like, start, min(stop, new))
        if start < tail and stop > new:
            yield self._new[max(0, start - new) : stop - new]
        if stop > tail:
            moved = len(like) - self._tail - tail
            yield from _pieces(like, max(start, tail) + moved, stop + moved)

    def __len__(self) -> int:
        return self._head + len(self._new) + self._tail

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return self.spelled()[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.spelled())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ids | tuple) and self.spelled() == tuple(other)

    def __hash__(self) -> int:
        return hash(self.spelled())

    def __repr__(self) -> str:
        return repr(self.spelled())

    def __deepcopy__(self, memo: dict[int, Any]) -> Ids:
        return self


def _pieces(ids: Sequence[str], start: int, stop: int) -> Iterator[tuple[str, ...]]:
    return ids._pieces(start, stop) if isinstance(ids, Ids) else iter([tuple(ids[start:stop])])


def spliced(like: Sequence[str], head: int, new: tuple[str, ...], tail: int) -> Sequence[str]:
    """The ids as a list that holds what is new; spelled out where it is like too many."""
    made = Ids(like, head, new, tail)
    return made if made.depth <= _LONGEST else made.spelled()


def change(before: Sequence[str], now: Sequence[str]) -> tuple[int, tuple[str, ...], int]:
    """What makes `now` of `before`: how many ids stay at the head, those between, how many stay
    at the tail.

    A page gets a cell, or loses some, and is else the same.
    """
    before, now = tuple(before), tuple(now)
    most = min(len(before), len(now))
    head = _same(before, now, most)
    tail = _same(before[::-1], now[::-1], most - head)
    return head, now[head : len(now) - tail], tail


def _same(one: tuple[str, ...], other: tuple[str, ...], most: int) -> int:
    """How many ids are the same from the start, `most` at most."""
    if one[:most] == other[:most]:
        return most
    same, differ = 0, most
    while differ - same > 1:  # halves are compared, not each id
        middle = (same + differ) // 2
        if one[same:middle] == other[same:middle]:
            same = middle
        else:
            differ = middle
    return same


class Shared:
    """Lists that come one after the other, each held as what it adds to the one before it."""

    def __init__(self) -> None:
        self._last: Sequence[str] = ()
        self._spelled: tuple[str, ...] = ()

    def of(self, ids: tuple[str, ...]) -> Sequence[str]:
        """A list equal to `ids` that holds only what is new."""
        if ids != self._spelled:
            self._last = spliced(self._last, *change(self._spelled, ids))
            self._spelled = ids
        return self._last
