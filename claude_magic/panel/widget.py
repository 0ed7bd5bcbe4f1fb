"""The panel as a widget of ipywidgets, and what it does whichever library hosts it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipywidgets import DOMWidget
from traitlets import Unicode

from .._version import __version__
from .outbox import beside_the_cells

if TYPE_CHECKING:
    from .panels import Panels

NO_PANEL = "The chat panel needs JupyterLab or Notebook 7: ask with %%claude instead."
_VIEW = "application/vnd.jupyter.widget-view+json"


class Chat:
    """A thin front of the notebook's desk; to be mixed into a class of ipywidgets."""

    model_id: str
    on_msg: Any
    _desk: Panels | None = None  # until the widget is made

    def __init__(self, desk: Panels | None = None, **kwargs: Any) -> None:
        from .panels import current_panels

        self._desk = joined = desk or current_panels()
        # The comm is not to be part of the cell that makes it: see there.
        beside_the_cells(super().__init__)(**kwargs)
        self.greeted = threading.Event()
        """Set once the panel has come up in a front end."""
        self.on_msg(self._received)
        joined.join(self)

    def close(self) -> None:
        """Take the panel away wherever it is shown; the conversation stays."""
        if self._desk is None:
            return
        self._desk.leave(self)
        closing: Any = super()
        beside_the_cells(closing.close)()

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message to the front end."""
        sending: Any = super()
        sending.send(content, buffers)

    def _received(self, _: object, content: object, buffers: Sequence[Any]) -> None:
        self.greeted.set()
        if self._desk is not None:
            self._desk.received(content, buffers)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Where no widget can be shown, the text says what to do instead."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"text/plain": NO_PANEL, _VIEW: view}


MODULE = "claude-magic"


class ClaudeChat(Chat, DOMWidget):  # type: ignore[misc] # ipywidgets has no types
    """A chat panel of the running notebook, hosted by the JupyterLab extension.

    It has the conversation of `%%claude`: what is asked in a cell appears here, and the other way
    round. Any number of them can be shown. Raises InputError without IPython.
    """

    _model_name = Unicode("ClaudeChatModel").tag(sync=True)
    _model_module = Unicode(MODULE).tag(sync=True)
    _model_module_version = Unicode(__version__).tag(sync=True)
    _view_name = Unicode("ClaudeChatView").tag(sync=True)
    _view_module = Unicode(MODULE).tag(sync=True)
    _view_module_version = Unicode(__version__).tag(sync=True)


@cache
def anywhere_class() -> type[Chat]:
    """The panel where JupyterLab's extension is not: the same front end, brought by anywidget.

    Raises ImportError where anywidget, the extra `widgets`, is not installed.
    """
    import anywidget

    static = Path(__file__).parent / "static"

    class ClaudeChatAnywhere(Chat, anywidget.AnyWidget):  # type: ignore[misc] # as above
        """A chat panel in VS Code, Colab, marimo and wherever else anywidget runs."""

        _esm = static / "panel.js"
        _css = static / "panel.css"

    return ClaudeChatAnywhere
