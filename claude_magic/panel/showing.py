"""A panel in the output of a cell."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

from ..notebook.frame import notice
from ..notebook.recorder import OURS
from .chat import NO_PANEL, Chat
from .widget import ClaudeChat

if TYPE_CHECKING:
    from ..notebook.notebook import Notebook
    from .desk import Desk
    from .hosts import Host

# Seconds after which a panel that has not come up will not.
_PATIENCE = 15


def show(desk: Desk, notebook: Notebook, where: Host | None) -> None:
    """Show a panel in the cell that runs; where none can be shown, a line that says what to do."""
    publisher = notebook.shell.display_pub
    if where is None:
        publisher.publish(notice(NO_PANEL), {OURS: {}})
        return
    if where == "anywidget":
        from .anywhere import ClaudeChatAnywhere

        panel: Chat = ClaudeChatAnywhere(desk)
    else:
        panel = ClaudeChat(desk)
    shown = {"display_id": uuid.uuid4().hex}
    publisher.publish(panel._repr_mimebundle_(), {OURS: {}}, transient=shown)

    def look() -> None:
        if not panel.greeted:
            publisher.publish(notice(NO_PANEL), {OURS: {}}, transient=shown, update=True)

    timer = threading.Timer(_PATIENCE, look)
    timer.daemon = True
    timer.start()
