"""Work that blocks and cannot be interrupted, done in a thread so that waiting for it can be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from .latch import Latch

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Sending(Generic[_T]):
    """A call of `work`, which must not raise, under way.

    Looking up a name and connecting stop for no signal and no shutdown. Who no longer wants the
    result walks away.
    """

    def __init__(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> None:
        self._awake = Latch()
        self._results: list[_T] = []

        def run() -> None:
            self._results.append(work(*args, **kwargs))
            self._awake.open()

        # A daemon, so that a connection that never comes about does not hold up the exit.
        threading.Thread(target=run, name="claude-magic-send", daemon=True).start()

    def wait(self, seconds: float) -> _T | None:
        """The result; None if there is none after `seconds`, or when woken before it came."""
        self._awake.wait(seconds)
        return self._results[0] if self._results else None

    def wake(self) -> None:
        """Has `wait`, which is called once, return. From any thread."""
        self._awake.open()
