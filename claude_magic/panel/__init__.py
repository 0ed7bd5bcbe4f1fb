"""The chat panel, kernel side: a widget over the session of the notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .widget import ClaudeChat

__all__ = ["ClaudeChat"]


def __getattr__(name: str) -> Any:
    """The widget's class, from a module that imports ipywidgets."""
    if name != "ClaudeChat":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .widget import ClaudeChat

    return ClaudeChat
