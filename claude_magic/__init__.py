"""Ask Claude about your notebook, figures included.

`%load_ext claude_magic` gives the magics; `claude_magic.ask` is the same path from Python, and
`claude_magic.Conversation` that of a script. `@claude_magic.tool` says what of a function its
signature and docstring do not, where Claude may call it. `claude_magic.caption` makes a table of
many images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .api import Conversation, ask
    from .captioning import caption
    from .conversation.reply import Reply
    from .tools.tool import tool

__all__ = [
    "Conversation",
    "Reply",
    "__version__",
    "ask",
    "caption",
    "load_ipython_extension",
    "tool",
    "unload_ipython_extension",
]


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Called by `%load_ext claude_magic`."""
    from .notebook.magics import load

    load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Called by `%unload_ext claude_magic`."""
    from .notebook.magics import unload

    unload(ipython)


def __getattr__(name: str) -> Any:
    if name in ("ask", "Conversation"):
        from . import api

        return getattr(api, name)
    if name == "caption":
        from .captioning import caption

        return caption
    if name == "Reply":
        from .conversation.reply import Reply

        return Reply
    if name == "tool":
        from .tools.tool import tool

        return tool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
