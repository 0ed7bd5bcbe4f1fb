"""A computer that only writes down what it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image

from claude_magic.computer import Shot
from claude_magic.messages.errors import DesktopError, Interrupted


class FakeComputer:
    """Does `done`; `during` is called with what is being done, and may raise or stop it."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.alive = True
        self.done: list[tuple[object, ...]] = []
        self.waited = 0.0
        self.during: Callable[[str], None] = lambda name: None
        self._at = (0, 0)
        self._stopped = False

    def _note(self, *what: object) -> None:
        if self._stopped:
            raise Interrupted("Interrupted.")
        if not self.alive:
            raise DesktopError("The virtual desktop has ended: ask again, and a new one starts.")
        self.done.append(what)
        self.during(str(what[0]))

    def open(self, command: str) -> None:
        self._note("open", command)

    def screenshot(self) -> Shot:
        self._note("screenshot")
        return Shot(Image.new("RGB", self.size, "white"), self._at)

    def pointer(self) -> tuple[int, int]:
        return self._at

    def move(self, x: int, y: int) -> None:
        self._at = (x, y)
        self._note("move", x, y)

    def press(self, button: int) -> None:
        self._note("press", button)

    def release(self, button: int) -> None:
        self._note("release", button)

    def keys_down(self, symbols: Sequence[int]) -> None:
        self._note("keys down", *symbols)

    def keys_up(self, symbols: Sequence[int]) -> None:
        self._note("keys up", *symbols)

    def strike(self, symbols: Sequence[int]) -> None:
        self._note("strike", *symbols)

    def type(self, symbols: Sequence[int]) -> None:
        self._note("type", *symbols)

    def wait(self, seconds: float) -> None:
        if self._stopped:
            raise Interrupted("Interrupted.")
        self.waited += seconds
        self.during("wait")
        if self._stopped:
            raise Interrupted("Interrupted.")

    def stop(self) -> None:
        self._stopped = True

    def let_go(self) -> None:
        self._stopped = False
        self.done.append(("let go",))

    def close(self) -> None:
        self.alive = False
        self.done.append(("close",))
