"""What a panel's widget does, whichever front end library hosts it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .threads import beside_the_cells

if TYPE_CHECKING:
    from .desk import Desk

NO_PANEL = "The chat panel needs JupyterLab or Notebook 7: ask with %%claude instead."
_VIEW = "application/vnd.jupyter.widget-view+json"


class Chat:
    """A thin front of the notebook's desk; to be mixed into a class of ipywidgets."""

    model_id: str
    on_msg: Any

    def __init__(self, desk: Desk | None = None, **kwargs: Any) -> None:
        if desk is None:
            from .magics import current_desk

            desk = current_desk()
        self._desk = desk
        # The comm is not to be part of the cell that makes it: see there.
        beside_the_cells(super().__init__)(**kwargs)
        self.greeted = threading.Event()
        """Set once the panel has come up in a front end."""
        self.on_msg(self._received)
        desk.join(self)

    def close(self) -> None:
        """Take the panel away wherever it is shown; the conversation stays."""
        self._desk.leave(self)
        closing: Any = super()
        beside_the_cells(closing.close)()

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message to the front end."""
        sending: Any = super()
        sending.send(content, buffers)

    def _received(self, _: object, content: object, buffers: Sequence[Any]) -> None:
        self.greeted.set()
        self._desk.received(content, buffers)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Where no widget can be shown, the text says what to do instead."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"text/plain": NO_PANEL, _VIEW: view}
