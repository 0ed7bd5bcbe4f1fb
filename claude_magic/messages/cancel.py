"""Stopping a request from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .latch import Latch


class Cancel:
    """A flag that also wakes whoever waits on the network; once set it stays set."""

    def __init__(self) -> None:
        self._is_set = False
        self._lock = threading.RLock()
        self._wakers: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Stops the request, whatever it is doing. From any thread; again does nothing new."""
        self._is_set = True
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
        return self._is_set

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
