"""The comm by which the JupyterLab extension asks for the panel that it docks, and for alt text.

The kernel opens it, with an id that is known beforehand, as `notebook/front_end.py` does with its
own. It takes requests while a cell runs: the extension sends them through a subshell.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from .threads import beside_the_cells

if TYPE_CHECKING:
    from comm.base_comm import BaseComm
    from IPython.core.interactiveshell import InteractiveShell

COMM = "claude_magic:panel"
"""The comm's target name and its id."""


class Dock:
    """Gives the front end the model of the docked panel; `make` makes that widget's model id.

    `caption` gives the answer to a request for alt text, None to what is no such request.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        make: Callable[[], str],
        caption: Callable[[Mapping[str, Any]], dict[str, Any] | None],
    ) -> None:
        self._shell = shell
        self._make = make
        self._caption = caption
        self._comm: BaseComm | None = None
        self._process = 0
        self._lock = threading.Lock()

    def attach(self) -> None:
        """Open the comm, where there is a kernel. Raises nothing."""
        beside_the_cells(self._open)()

    def detach(self) -> None:
        """Close the comm. Raises nothing."""
        comm, self._comm = self._comm, None
        if comm is None or self._process != os.getpid():
            return
        comm.on_msg(None)
        try:
            beside_the_cells(comm.close)()
        except Exception:  # noqa: S110 - the kernel's sockets are closed already
            pass

    def show(self) -> None:
        """Have the front end dock the panel, and bring it to the front."""
        self._tell(show=True)

    def _open(self) -> None:
        manager = getattr(getattr(self._shell, "kernel", None), "comm_manager", None)
        if self._comm is not None or manager is None:
            return
        try:
            import comm

            if left := manager.comms.get(COMM):  # of a Dock that nobody detached
                left.close()
            opened = comm.create_comm(target_name=COMM, comm_id=COMM)
        except Exception:  # of whatever kind: loading does not depend on a front end
            return
        opened.on_msg(self._received)
        self._comm, self._process = opened, os.getpid()

    def _received(self, message: Mapping[str, Any]) -> None:
        """A request for the model, or for alt text.

        Answered in a thread: ipywidgets may have to be imported, and a reply takes its time.
        """
        said = message.get("content", {}).get("data")
        if not isinstance(said, dict):
            return
        if said.get("type") == "open":
            self._tell(show=False)
        elif said.get("type") == "caption":
            _beside(partial(self._describe, said))

    def _tell(self, *, show: bool) -> None:
        _beside(partial(self._answer, show=show))

    def _describe(self, said: Mapping[str, Any]) -> None:
        answer = self._caption(said)
        comm = self._comm
        if answer is not None and comm is not None:
            comm.send(answer)

    def _answer(self, *, show: bool) -> None:
        with self._lock:
            comm = self._comm
            if comm is not None:
                comm.send({"type": "panel", "model": self._make(), "show": show})


def _beside(work: Callable[[], None]) -> None:
    """Do this in a thread of its own."""
    threading.Thread(
        target=beside_the_cells(work), name="claude-magic-panel-dock", daemon=True
    ).start()
