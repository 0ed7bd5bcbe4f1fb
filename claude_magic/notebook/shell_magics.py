"""The magics of the running shell, for what is called from Python instead of by a magic."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

_EXTENSION = "claude_magic"


def running_shell() -> Any:
    """IPython's shell in this process; None in a script. Does not import IPython."""
    ipython: Any = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def magics_of(shell: Any, name: str) -> Any:
    """The magics of the class `name` that `shell` has. Where it has none, the extension is loaded.

    By the extension's name, as IPython does it: what loads it stands above this module. Not by
    IPython's manager: to a cell that loads the extension later it is as if it was not.

    Raises InputError for a value of the Jupyter configuration that does not fit.
    """
    registry = shell.magics_manager.registry
    if name not in registry:
        import_module(_EXTENSION).load_ipython_extension(shell)
    return registry[name]
