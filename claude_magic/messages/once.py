"""What threads share and forks copy: locks that a child does not inherit held, values made once."""

from __future__ import annotations

import os
from _thread import RLock
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")


class OwnLock(RLock):  # type: ignore[misc]  # final for mypy alone
    """A lock of this process, which one thread may take several times.

    A fork copies locks as they stand, and the thread that holds one is not in the child: there it
    would stay locked for ever. So a child begins with locks that nobody holds.

    Not a class around a lock: an interrupt within an `__enter__` that is written in Python, once
    the lock is taken, would leave it locked.
    """

    def __init__(self) -> None:
        _LOCKS.add(self)

    def renew(self) -> None:
        """Have nobody hold it."""
        self._at_fork_reinit()  # type: ignore[attr-defined]  # what `threading` does with its own


# A callback of `register_at_fork` cannot be taken back, so there is one for all locks.
_LOCKS: WeakSet[OwnLock] = WeakSet()


def _renew() -> None:
    for lock in tuple(_LOCKS):
        lock.renew()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_renew)


class Once(Generic[T]):
    """A value that `make` makes when it is first asked for: one thread does, others wait for it.

    Not `functools.cached_property`: from Python 3.12 on two threads that come first together each
    have their own, and what one of them keeps in it is lost.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = OwnLock()
        self._made: list[T] = []

    def __call__(self) -> T:
        if not self._made:
            with self._lock:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]

    @property
    def made(self) -> bool:
        """Whether it was asked for."""
        return bool(self._made)
