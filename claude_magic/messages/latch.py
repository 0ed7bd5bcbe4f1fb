"""A gate for one who waits, that an interrupt of the kernel cannot leave stuck."""

from __future__ import annotations

import threading


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
