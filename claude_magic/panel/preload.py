"""Imports what a docked panel needs until it is open and a plain question in it is answered."""

from __future__ import annotations

from importlib import import_module

# By us within functions, or by others as they are first used.
_LATER = (
    "claude_magic.panel.widget",
    "claude_magic.panel.desk",
    "claude_magic.notebook.notebook",
    "claude_magic.messages.transport.client",
    "claude_magic.messages.images.prepare",
    "PIL.Image",
    "anyio",
    "certifi",
    "h11",
    "httpcore",
    "nh3",
)


def preload() -> None:
    """Import them all, in whatever order they need each other."""
    for name in _LATER:
        import_module(name)
