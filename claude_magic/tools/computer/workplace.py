"""The one computer of a session: started when it is first needed, kept for later questions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...messages.cancel import Cancel
from ...messages.errors import DesktopError, InputError, Interrupted
from .desktop import VirtualDesktop
from .protocol import Computer

DEFAULT_SIZE = (1280, 800)
"""Of the sizes that suit the models, the largest that none of them scales."""

_LOCK_ROUND = 0.1


class Workplace:
    """A computer of this size, with the program open that `app` names by a shell command.

    `app` may change: the new program is opened beside the old one. `start` makes the computer.
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] = DEFAULT_SIZE,
        app: str = "",
        start: Callable[[int, int], Computer] = VirtualDesktop,
    ) -> None:
        self.size = size
        self.app = app
        self._start = start
        self._computer: Computer | None = None
        self._opened = ""
        # Whether something may be pressed that the question before has left so.
        self._touched = False
        self._lock = threading.Lock()

    @contextmanager
    def computer(self, cancel: Cancel, app: str = "") -> Iterator[Computer]:
        """The computer, for one at a time, with `app` open, or else its own program.

        Whatever ends what is done meanwhile, `cancel` too, leaves no key or button pressed.
        Raises InputError where something is not installed; DesktopError; Interrupted.
        """
        while not self._lock.acquire(timeout=_LOCK_ROUND):
            if cancel.is_set:
                raise Interrupted("Interrupted.")
        try:
            computer = self._started()
            cancel.add(computer.stop)
            try:
                self._open(computer, app or self.app)
                self._touched = True
                yield computer
            except BaseException:
                cancel.remove(computer.stop)
                self._let_go(computer)
                raise
            cancel.remove(computer.stop)
        finally:
            self._lock.release()

    def let_go(self) -> None:
        """Releases what is pressed: a question may end with a button down."""
        if self._computer is not None and self._touched:
            self._let_go(self._computer)

    def close(self) -> None:
        """Ends the computer; the next use starts another."""
        computer, self._computer, self._opened = self._computer, None, ""
        self._touched = False
        if computer is not None:
            computer.close()

    def _started(self) -> Computer:
        computer = self._computer
        if computer is None or not computer.alive:
            self.close()
            computer = self._computer = self._start(*self.size)
        return computer

    def _open(self, computer: Computer, app: str) -> None:
        if not app or self._opened == app:
            return
        # Noted before it is there: one that an interrupt left opening comes up all the same.
        self._opened = app
        try:
            computer.open(app)
        except DesktopError:
            self._opened = ""
            raise

    def _let_go(self, computer: Computer) -> None:
        computer.let_go()
        self._touched = False


def parse_size(value: str) -> tuple[int, int]:
    """Width and height from "1280x800". Raises InputError for what is no size for a desktop."""
    width, _, height = value.lower().partition("x")
    if width.isdecimal() and height.isdecimal():
        size = (int(width), int(height))
        if 320 <= size[0] <= 3840 and 240 <= size[1] <= 2160:
            return size
    raise InputError(f"{value!r} is no size for a desktop: give one such as 1280x800.")
