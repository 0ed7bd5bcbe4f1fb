"""Where a panel can be shown: by the JupyterLab extension, by anywidget, or nowhere."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

Host = Literal["lab", "anywidget"]


def host(shell: InteractiveShell, *, told: bool) -> Host | None:
    """What shows a panel in this kernel's front end; None where nothing does.

    `told` says that the JupyterLab extension is there. Where that is not known, it may still be:
    a page is told only after the cell that loads the extension.
    """
    if told:
        return "lab"
    if not hasattr(shell, "kernel"):
        return None
    if "__vsc_ipynb_file__" in shell.user_ns or "google.colab" in sys.modules:
        return "anywidget" if importlib.util.find_spec("anywidget") else None
    return "lab" if os.environ.get("JPY_SESSION_NAME") else None
