"""Comms whose id a front end knows beforehand.

Programs that run notebooks (nbclient, papermill) warn of each comm that the kernel opens and for
which they have nothing. So it is there without a word: a page that comes finds it by asking. It is
announced once a cell with an id runs: only front ends with a page send one.
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


def once_a_cell_has_an_id(
    shell: InteractiveShell, announce: Callable[[], None]
) -> Callable[[], None]:
    """Call `announce` in the cell that runs, else before the first one, that came with an id.

    Returns what ends the waiting.
    """

    def stop() -> None:
        if look in shell.events.callbacks["pre_run_cell"]:
            shell.events.unregister("pre_run_cell", look)

    def look(_: object = None) -> None:
        parent = getattr(shell, "get_parent", None)
        said = (parent() if parent else {}).get("metadata")
        if isinstance(said, dict) and said.get("cellId"):
            stop()
            announce()

    shell.events.register("pre_run_cell", look)
    look()
    return stop
