"""The panel where JupyterLab's extension is not: the same front end, brought along by anywidget.

Importing this imports anywidget, the extra `widgets`.
"""

from __future__ import annotations

from pathlib import Path

import anywidget

from .widget import Chat

_STATIC = Path(__file__).parent / "static"


class ClaudeChatAnywhere(Chat, anywidget.AnyWidget):  # type: ignore[misc] # as in widget.py
    """A chat panel in VS Code, Colab, marimo and wherever else anywidget runs."""

    _esm = _STATIC / "panel.js"
    _css = _STATIC / "panel.css"
