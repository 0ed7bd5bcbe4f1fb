"""Comms whose id a front end knows beforehand.

Programs that run notebooks (nbclient, papermill) warn of each comm that the kernel opens and for
which they have nothing. So it is there without a word: a page that comes finds it by asking. It is
announced once a front end asks for something that somebody sits at: it names its cell, or takes
what is typed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comm.base_comm import BaseComm
    from IPython.core.interactiveshell import InteractiveShell


def unannounced(shell: InteractiveShell, name: str) -> BaseComm | None:
    """A comm with this target name and id; None without a kernel. Its `open` announces it."""
    manager: Any = getattr(getattr(shell, "kernel", None), "comm_manager", None)
    if manager is None:
        return None
    if left := manager.comms.get(name):  # of somebody who did not close it
        left.close()
    made: BaseComm = _maker(manager)(target_name=name, comm_id=name, primary=False)
    manager.register_comm(made)
    return made


def is_here(shell: InteractiveShell, comm: BaseComm) -> bool:
    """Whether the kernel has this comm: nobody closed it, or put another in its place."""
    kernel: Any = getattr(shell, "kernel", None)
    return kernel.comm_manager.comms.get(comm.comm_id) is comm


def nothing() -> None:
    """Where there is nothing to end."""


def _maker(manager: object) -> Callable[..., Any]:
    try:
        import comm
    except ImportError:  # it came with ipykernel 6.18
        pass
    else:
        if comm.get_comm_manager() is manager:
            return comm.create_comm
    from ipykernel.comm import Comm

    maker: Callable[..., Any] = Comm
    return maker


def once_somebody_is_there(
    shell: InteractiveShell, announce: Callable[[], None]
) -> Callable[[], None]:
    """Call `announce` now, if what runs was asked for by such a front end; else before what is.

    Returns what ends the waiting.
    """

    def stop() -> None:
        if look in shell.events.callbacks["pre_run_cell"]:
            shell.events.unregister("pre_run_cell", look)

    def look(_: object = None) -> None:
        parent = getattr(shell, "get_parent", None)
        asked = parent() if parent else {}
        named = asked.get("metadata", {}).get("cellId")
        if named or asked.get("content", {}).get("allow_stdin"):
            stop()
            announce()

    shell.events.register("pre_run_cell", look)
    look()
    return stop
