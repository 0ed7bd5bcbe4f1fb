"""Where a panel can be shown: by the JupyterLab extension, by anywidget, or nowhere."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

Host = Literal["lab", "anywidget"]


def hosts(shell: InteractiveShell, *, told: bool) -> tuple[Host, ...]:
    """What may show a panel in this kernel's front end, the likeliest first; () where nothing does.

    `told` says that the JupyterLab extension is there. Where that is not known, it may still be:
    a page is told only after the cell that loads the extension.
    """
    if told:
        return ("lab",)
    if not hasattr(shell, "kernel"):
        return ()
    elsewhere: tuple[Host, ...] = ("anywidget",) if _has_anywidget() else ()
    if "__vsc_ipynb_file__" in shell.user_ns or "google.colab" in sys.modules:
        return elsewhere
    return ("lab", *elsewhere) if os.environ.get("JPY_SESSION_NAME") else ()


def _has_anywidget() -> bool:
    try:
        return importlib.util.find_spec("anywidget") is not None
    except ValueError:  # it was taken out of sys.modules
        return False
