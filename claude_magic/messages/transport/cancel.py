"""Stopping a request from another thread, and waits that an interrupt ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar


class Latch:
    """Shut until it is opened. One thread waits, once; any may open it, any number of times.

    Not `threading.Event`: that is written in Python, and an interrupt in the middle of its `wait`
    or `set` leaves the lock within it locked. Whoever sets it then waits for ever.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def open(self) -> None:
        """Let through whoever waits, now or later. From any thread."""
        try:
            self._lock.release()
        except RuntimeError:
            pass  # it is open already

    def wait(self, seconds: float) -> None:
        """Return once it is open, or after so many seconds."""
        self._lock.acquire(timeout=min(max(seconds, 0), threading.TIMEOUT_MAX))


class Cancel:
    """A flag that also wakes whoever waits on the network; once set it stays set."""

    def __init__(self) -> None:
        self.is_set = False
        """Whether it was set; to be set by `set`, which wakes those who wait."""
        self._lock = threading.RLock()
        self._wakers: list[Callable[[], None]] = []

    def set(self) -> None:
        """Stops the request, whatever it is doing. From any thread; again does nothing new."""
        self.is_set = True
        with self._lock:
            for wake in self._wakers:
                wake()

    def wait(self, seconds: float) -> bool:
        """Whether it was set, after at most `seconds`."""
        woken = Latch()
        self.add(woken.open)
        try:
            woken.wait(seconds)
        finally:
            self.remove(woken.open)
        return self.is_set

    def add(self, wake: Callable[[], None]) -> None:
        """Has `wake` called when this is set; at once if it is. `wake` must not block."""
        with self._lock:
            self._wakers.append(wake)
            if self.is_set:
                wake()

    def remove(self, wake: Callable[[], None]) -> None:
        """Forgets `wake`; when this returns it is not being called, and will not be."""
        with self._lock:
            if wake in self._wakers:
                self._wakers.remove(wake)


_P = ParamSpec("_P")
_T = TypeVar("_T")


class InterruptibleWork(Generic[_T]):
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
