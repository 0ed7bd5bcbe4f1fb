"""Computer use: a virtual desktop on this machine, and the calls of a model carried out on it.

Names load on first use: importing the package loads neither Pillow nor an X library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .carrying_out import DesktopStep
    from .computer_tool import ComputerTool, Workplace
    from .interface import Computer, Shot, parse_size

__all__ = ["Computer", "ComputerTool", "DesktopStep", "Shot", "Workplace", "parse_size"]

_HOME = {
    "Computer": "interface",
    "ComputerTool": "computer_tool",
    "Shot": "interface",
    "DesktopStep": "carrying_out",
    "Workplace": "computer_tool",
    "parse_size": "interface",
}


def __getattr__(name: str) -> Any:
    """The public name, from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)
