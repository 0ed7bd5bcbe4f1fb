"""Ask Claude about your notebook, figures included.

`%load_ext claude_magic` gives the magics; `claude_magic.ask` is the same path from Python,
`claude_magic.ClaudeChat` a panel to chat in, and `claude_magic.Conversation` the path of a script.
`@claude_magic.tool` says what of a function its signature and docstring do not, where Claude may
call it. `claude_magic.caption` makes a table of many images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

# Here, not where it is used: children that were forked before the first question share the budget.
from .conversation import spending as _spending  # noqa: F401

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .api import Conversation, ask, caption
    from .conversation.reply_value import Reply
    from .panel import ClaudeChat
    from .tools.tool import tool

__all__ = [
    "ClaudeChat",
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
    """Called by `%load_ext claude_magic`. What is loaded already, for the panel, stays."""
    if "ClaudeMagics" in ipython.magics_manager.registry:
        return
    from .notebook.magics import load
    from .panel.chat_magic import load as load_panel

    load_panel(load(ipython))


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Called by `%unload_ext claude_magic`."""
    from .notebook.magics import unload
    from .panel.chat_magic import unload as unload_panel

    unload_panel(ipython)
    unload(ipython)


def __getattr__(name: str) -> Any:
    if name in ("ask", "Conversation"):
        from . import api

        return getattr(api, name)
    if name == "caption":
        from .api import caption

        return caption
    if name == "Reply":
        from .conversation.reply_value import Reply

        return Reply
    if name == "tool":
        from .tools.tool import tool

        return tool
    if name == "ClaudeChat":
        from .panel.widget import ClaudeChat

        return ClaudeChat
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
