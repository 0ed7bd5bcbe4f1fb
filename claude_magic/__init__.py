"""Ask Claude about your notebook, figures included.

`%load_ext claude_magic` gives the magics; `claude_magic.ask` is the same path from Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .api import ask

__all__ = ["__version__", "ask", "load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Called by `%load_ext claude_magic`."""
    from .notebook.magics import load

    load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Called by `%unload_ext claude_magic`."""
    from .notebook.magics import unload

    unload(ipython)


def __getattr__(name: str) -> Any:
    if name == "ask":
        from .api import ask

        return ask
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
