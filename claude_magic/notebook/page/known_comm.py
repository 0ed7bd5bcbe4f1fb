"""Comms whose id a front end knows beforehand.

Programs that run notebooks (nbclient, papermill) warn of each comm that the kernel opens and for
which they have nothing. So it is there without a word: a page that comes finds it by asking. It is
announced once a front end asks for something that somebody sits at: it names its cell, or takes
what is typed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..running_shell import can_be_typed_into, said_with_request

if TYPE_CHECKING:
    from comm.base_comm import BaseComm
    from IPython.core.interactiveshell import InteractiveShell

Work = Callable[..., Any]


def _as_it_is(work: Work) -> Work:
    return work


class KnownComm:
    """A comm of a shell's kernel; its name is its id too. Nothing where there is no kernel.

    `received` is given its messages, `lost` is called when the front end closes it. What opens and
    closes it is called as `calling` makes it.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        name: str,
        received: Callable[[Mapping[str, Any]], None],
        *,
        lost: Callable[[], None] | None = None,
        calling: Callable[[Work], Work] = _as_it_is,
    ) -> None:
        self._shell = shell
        self._name = name
        self._received = received
        self._lost = lost
        self._calling = calling
        self._comm: BaseComm | None = None
        self._process = 0
        self._waits = False

    def attach(self) -> None:
        """Have the comm, where there is a kernel."""
        manager = self._manager
        if manager is None or self._comm is not None:
            return
        if left := manager.comms.get(self._name):  # of somebody who did not close it
            left.close()
        made = _maker(manager)(target_name=self._name, comm_id=self._name, primary=False)
        manager.register_comm(made)
        made.on_msg(self._received)
        made.on_close(self._closed)
        self._comm, self._process = made, os.getpid()
        self._wait_for_somebody()

    def announce(self) -> None:
        """Open the comm to whatever front end is there."""
        comm = self._comm
        # Somebody may have closed it, or put another in its place.
        if comm is not None and self.is_here and self._manager.comms.get(self._name) is comm:
            self._calling(comm.open)()

    def detach(self) -> None:
        """Close the comm. Raises nothing."""
        comm, is_here, self._comm = self._comm, self.is_here, None
        self._stop_waiting()
        if comm is None or not is_here:
            return
        comm.on_msg(None)
        comm.on_close(None)
        try:
            self._calling(comm.close)()
        except Exception:  # noqa: S110 - the kernel's sockets are closed already
            pass

    @property
    def is_open(self) -> bool:
        """Whether there is a comm."""
        return self._comm is not None

    @property
    def is_here(self) -> bool:
        """Whether it can be sent by: in a forked child the kernel's sockets are the parent's."""
        return self.is_open and self._process == os.getpid()

    def send(self, data: Mapping[str, Any]) -> None:
        """Send a message, if there is a comm. Raises nothing."""
        if self._comm is None or not self.is_here:
            return
        try:
            self._comm.send(dict(data))
        except Exception:  # noqa: S110 - a front end that is gone misses nothing
            pass

    @property
    def _manager(self) -> Any:
        return getattr(getattr(self._shell, "kernel", None), "comm_manager", None)

    def _closed(self, _: Mapping[str, Any]) -> None:
        self._comm = None
        if self._lost is not None:
            self._lost()

    def _wait_for_somebody(self) -> None:
        """Announce it now, if what runs was asked for by such a front end; else before what is."""
        self._waits = True
        self._shell.events.register("pre_run_cell", self._look)
        self._look()

    def _stop_waiting(self) -> None:
        if self._waits:
            self._waits = False
            self._shell.events.unregister("pre_run_cell", self._look)

    def _look(self, _: object = None) -> None:
        if said_with_request(self._shell).get("cellId") or can_be_typed_into(self._shell):
            self._stop_waiting()
            self.announce()


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
