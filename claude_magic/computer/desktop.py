"""A virtual desktop on this machine: Xvfb, kept by a process of its own (see keeper/)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import Any

from ..messages.errors import DesktopError, Interrupted
from .interface import Shot
from .keeper_process import KeeperLink, KeeperReply, check_installed, gone

# Seconds for the desktop to start, for an answer, and to release what is pressed.
_START, _ANSWER, _LET_GO = 45.0, 15.0, 0.8
_WINDOW = 15.0
_LOOK_AGAIN = 0.05


class VirtualDesktop:
    """A `Computer` that is not the user's own. It ends with this process, however that ends.

    Threads may share it if they take turns; a forked process may not use it.
    """

    def __init__(self, width: int, height: int) -> None:
        """Starts it.

        Raises InputError where something is not installed, DesktopError where it does not start.
        """
        check_installed()
        self._size = (width, height)
        self._owner = os.getpid()
        self._stopped = threading.Event()
        self._closed = False
        self._link = KeeperLink(width, height)
        try:
            fault = self._link.answer(0, _START, self._check).told.get("fault")
        except BaseException:
            self.close()
            raise
        if fault:
            self.close()
            raise DesktopError(f"The virtual desktop did not start ({fault}): try again.")

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def keeper(self) -> int:
        """The id of the process that everything on the desktop descends from."""
        return self._link.pid

    @property
    def alive(self) -> bool:
        return not self._closed and self._owner == os.getpid() and self._link.alive

    def open(self, command: str) -> None:
        """Opens a program by a shell command, in the folder in which this process works.

        Returns when a new window is there, or after 15 s.
        Raises DesktopError if the program fails without one.
        """
        before = self._ask("look").told["windows"]
        self._ask("open", command=command, folder=_folder())
        until = time.monotonic() + _WINDOW
        while time.monotonic() < until:
            seen = self._ask("look").told
            if seen["windows"] > before:
                return
            if seen["ended"] and seen["ended"][0]:
                status, words = seen["ended"]
                raise DesktopError(
                    f"The program {command!r} ended with status {status} ({words}): "
                    "mend the command and open it again."
                )
            self.wait(_LOOK_AGAIN)

    def screenshot(self) -> Shot:
        from .screen_pictures import screen_image

        reply = self._ask("picture")
        image = screen_image(reply.told, reply.tail)
        x, y = reply.told["pointer"]
        return Shot(image, (x, y))

    def pointer(self) -> tuple[int, int]:
        x, y = self._ask("pointer").told["pointer"]
        return x, y

    def move(self, x: int, y: int) -> None:
        self._ask("move", x=x, y=y)

    def press(self, button: int) -> None:
        self._ask("button", number=button, down=True)

    def release(self, button: int) -> None:
        self._ask("button", number=button, down=False)

    def keys_down(self, symbols: Sequence[int]) -> None:
        self._ask("keys", symbols=list(symbols), down=True)

    def keys_up(self, symbols: Sequence[int]) -> None:
        self._ask("keys", symbols=list(symbols), down=False)

    def strike(self, symbols: Sequence[int]) -> None:
        self._ask("strike", symbols=list(symbols))

    def type(self, symbols: Sequence[int]) -> None:
        self._ask("type", symbols=list(symbols))

    def wait(self, seconds: float) -> None:
        self._stopped.wait(seconds)
        self._check()

    def stop(self) -> None:
        self._stopped.set()
        self._link.wake()

    def let_go(self) -> None:
        self._stopped.clear()
        if not self.alive:
            return
        try:
            self._ask("let go", seconds=_LET_GO)
        except DesktopError:
            # Something holds the X server. Ended, it holds no key; nobody need wait for that.
            self._closed = True
            self._link.hurry()

    def close(self) -> None:
        if self._owner == os.getpid():
            self._closed = True
            self._link.end()

    def _ask(self, do: str, *, seconds: float = _ANSWER, **more: Any) -> KeeperReply:
        self._check()
        if not self.alive:
            raise gone()
        reply = self._link.answer(self._link.ask(do, more), seconds, self._check)
        if "fault" in reply.told:
            raise DesktopError(f"{reply.told['fault']}: take a screenshot and try again.")
        return reply

    def _check(self) -> None:
        """Raises Interrupted after `stop`, DesktopError in a process forked from the owner."""
        if self._stopped.is_set():
            raise Interrupted("Interrupted.")
        if self._owner != os.getpid():
            raise DesktopError("The virtual desktop belongs to another process: open one here.")


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as it is, for another process
    except FileNotFoundError:
        return ""  # removed under the kernel: the program is not started, and that is said
