"""Ids of cells or turns of which most stand in another list as well, held once.

Each turn knows what it saw and the cells of the page: spelled out, a thousand turns hold a million.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

# A list is made by going through those that it is like, so many at most.
_LONGEST = 50


class Ids(Sequence[str]):
    """The first `head` ids of `like`, then `new`, then its last `tail`; equal to such a tuple."""

    __slots__ = ("_head", "_like", "_new", "_tail", "chain")

    def __init__(self, like: Sequence[str], head: int, new: tuple[str, ...], tail: int) -> None:
        self._like, self._head, self._new, self._tail = like, head, new, tail
        self.chain: int = 1 + getattr(like, "chain", 0)

    def spelled(self) -> tuple[str, ...]:
        """All ids."""
        like = self._like.spelled() if isinstance(self._like, Ids) else self._like
        return (*like[: self._head], *self._new, *like[len(like) - self._tail :])

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


def spliced(like: Sequence[str], head: int, new: tuple[str, ...], tail: int) -> Sequence[str]:
    """The ids as a list that holds what is new; spelled out where the chain would grow long."""
    made = Ids(like, head, new, tail)
    return made if made.chain <= _LONGEST else made.spelled()
