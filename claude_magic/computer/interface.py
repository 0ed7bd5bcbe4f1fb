"""What a computer must be able to do so that Claude can use it, and how large its screen may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ..messages.errors import InputError
from ..value_classes import frozen

if TYPE_CHECKING:
    from PIL import Image

LEFT, MIDDLE, RIGHT = 1, 2, 3
WHEEL = {"up": 4, "down": 5, "left": 6, "right": 7}
"""The buttons that a turn of the wheel presses, as X numbers them."""


@frozen
class Shot:
    """A screen as it looks: an RGB image with the pointer on it, and where the pointer is."""

    image: Image.Image
    pointer: tuple[int, int]


class Computer(Protocol):
    """A screen, a pointer and a keyboard. Places are pixels of the screen from its top left corner.

    Each call is short but `wait`. All raise Interrupted once `stop` was called, until `let_go`;
    and DesktopError where the computer is gone.
    """

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    @property
    def alive(self) -> bool:
        """Whether it can be used."""

    def open(self, command: str) -> None:
        """Opens a program by a shell command. Raises DesktopError if it ends at once."""

    def screenshot(self) -> Shot:
        """How it looks now."""

    def pointer(self) -> tuple[int, int]:
        """Where the pointer is."""

    def move(self, x: int, y: int) -> None:
        """Moves the pointer there."""

    def press(self, button: int) -> None:
        """Presses a button, and leaves it pressed."""

    def release(self, button: int) -> None:
        """Releases a button."""

    def keys_down(self, symbols: Sequence[int]) -> None:
        """Presses the keys of these X keysyms in their order, and leaves them pressed."""

    def keys_up(self, symbols: Sequence[int]) -> None:
        """Releases the keys of these X keysyms in reverse."""

    def strike(self, symbols: Sequence[int]) -> None:
        """Presses these keys in their order and releases them in reverse, too fast to repeat."""

    def type(self, symbols: Sequence[int]) -> None:
        """Presses and releases the key of each of these X keysyms; not more than 50 at once."""

    def wait(self, seconds: float) -> None:
        """Returns after `seconds`."""

    def stop(self) -> None:
        """Makes the call under way, and all that follow, raise Interrupted. From any thread."""

    def let_go(self) -> None:
        """Releases every key and button, and allows calls again after `stop`."""

    def close(self) -> None:
        """Ends the computer, and removes all that belongs to it."""


def parse_size(value: str) -> tuple[int, int]:
    """Width and height from "1280x800". Raises InputError for what is no size for a desktop."""
    width, _, height = value.lower().partition("x")
    if width.isdecimal() and height.isdecimal():
        size = (int(width), int(height))
        if 320 <= size[0] <= 3840 and 240 <= size[1] <= 2160:
            return size
    raise InputError(f"{value!r} is no size for a desktop: give one such as 1280x800.")
