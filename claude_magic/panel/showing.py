"""A panel in the output of a cell."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..notebook.display.header_footer import notice
from ..notebook.page.recorder import OURS
from .chat import NO_PANEL, Chat
from .threads import beside_the_cells

if TYPE_CHECKING:
    from ..notebook.notebook import Notebook
    from .desk import Desk
    from .hosts import Host

# Seconds after which a panel that has not come up will not. Those in which a cell runs do not
# count: what the front end says may have to wait for its end.
_PATIENCE = 5.0
_STEP = 0.25


def show(desk: Desk, notebook: Notebook, ways: Sequence[Host], *, sure: bool) -> None:
    """Show a panel in the cell that runs, the first of these ways that works; else what to do.

    Unless one is `sure` to work, that turns out after the cell: where one does not, the next takes
    its place.
    """
    publisher = notebook.shell.display_pub
    shown = {"display_id": uuid.uuid4().hex}
    if not ways:
        publisher.publish(notice(NO_PANEL), {OURS: {}}, transient=shown)
        return
    first = _made(ways[0], desk)
    publisher.publish(first._repr_mimebundle_(), {OURS: {}}, transient=shown)
    if sure:
        return

    def put(bundle: dict[str, Any]) -> None:
        publisher.publish(bundle, {OURS: {}}, transient=shown, update=True)

    def look(panel: Chat, left: Sequence[Host]) -> None:
        while not _came_up(panel, notebook):
            if not left:
                put(notice(NO_PANEL))
                return
            put(notice("Opening the panel…"))  # JupyterLab has hidden the place of what failed
            failed, panel, left = panel, _made(left[0], desk), left[1:]
            put(panel._repr_mimebundle_())
            failed.close()

    threading.Thread(
        target=beside_the_cells(look),
        args=(first, ways[1:]),
        name="claude-magic-panel-look",
        daemon=True,
    ).start()


def _made(way: Host, desk: Desk) -> Chat:
    if way == "anywidget":
        from .anywhere import ClaudeChatAnywhere

        return ClaudeChatAnywhere(desk)
    from .widget import ClaudeChat

    return ClaudeChat(desk)


def _came_up(panel: Chat, notebook: Notebook) -> bool:
    """Whether it does, as soon as that is known."""
    waited = 0.0
    while waited < _PATIENCE:
        if panel.greeted.wait(_STEP):
            return True
        waited += _STEP if notebook.recorder.current is None else 0.0
    return False
