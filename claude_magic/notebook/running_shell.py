"""The shell that runs in this process: its magics, and the request that it is at work on."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

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


def request_of(shell: InteractiveShell) -> Mapping[str, Any]:
    """The message that the kernel is at work on; empty in a terminal."""
    parent = getattr(shell, "get_parent", None)
    return parent() if parent else {}


def said_with_request(shell: InteractiveShell) -> Mapping[str, Any]:
    """The metadata of the request that runs: the cell's own, and what the front end adds."""
    metadata = request_of(shell).get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def can_be_typed_into(shell: InteractiveShell) -> bool:
    """Whether the front end that sent what runs takes what is typed."""
    return request_of(shell).get("content", {}).get("allow_stdin") is True


def from_console(shell: InteractiveShell) -> bool:
    """Whether `jupyter console` or its like sent what runs: it shows an output as it first came.

    No word of the protocol says so. It is a program in Python, by the form of its messages' ids,
    that can be typed into, and has no cells.
    """
    header = request_of(shell).get("header", {})
    in_python = str(header.get("msg_id")).startswith(f"{header.get('session')}_")
    cell = said_with_request(shell).get("cellId")
    return in_python and can_be_typed_into(shell) and cell is None
