"""Messages on their way to the panels: in batches, at most twenty a second.

Jupyter's server drops what comes faster than a thousand messages a second, and a browser that is
told of each word has no time to show it.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

if TYPE_CHECKING:
    from contextvars import ContextVar

    from .protocol import KernelMessage

P = ParamSpec("P")
T = TypeVar("T")


def beside_the_cells(work: Callable[P, T]) -> Callable[P, T]:
    """`work` so that what it sends belongs to no cell, and the answers come past a running one.

    A thread's messages name, by default, the cell that runs at the time as their cause. ipykernel
    has the front end's next message to the same comm wait in the queue of that cell, wherever it
    was to go: a panel's Stop would wait for the cell to end. With no cause at all each message
    goes where the front end sends it.
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        import contextvars

        context = contextvars.copy_context()
        parent = _parent_variable()
        if parent is not None:
            context.run(parent.set, {})
        return context.run(work, *args, **kwargs)

    return run


def _parent_variable() -> ContextVar[Any] | None:
    """Where ipykernel, from 7 on, holds what caused the messages of a thread."""
    from contextvars import ContextVar

    ipykernel: Any = sys.modules.get("ipykernel.kernelbase")
    if ipykernel is None or not ipykernel.Kernel.initialized():
        return None
    variable = getattr(ipykernel.Kernel.instance(), "_shell_parent", None)
    return variable if isinstance(variable, ContextVar) else None


INTERVAL = 0.05
"""Seconds between two batches, at least, unless told otherwise."""

Send: TypeAlias = "Callable[[Sequence[KernelMessage], Sequence[bytes]], None]"


class Outbox:
    """Collects messages and sends them, in their order, from a thread of its own.

    `gather` is called before each batch and gives what has come up since the last one. Safe to use
    from several threads; nothing here waits for the network.
    """

    def __init__(
        self,
        send: Send,
        gather: Callable[[], Sequence[KernelMessage]],
        *,
        interval: float = INTERVAL,
    ) -> None:
        self._send = send
        self._interval = interval
        self._gather = gather
        self._messages: list[KernelMessage] = []
        self._buffers: list[bytes] = []
        self._more = threading.Condition()
        self._due = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, *messages: KernelMessage) -> None:
        """Send these with the next batch."""
        with self._more:
            self._messages += messages
            self._wake()

    def put_bytes(self, message: Callable[[int], KernelMessage], data: bytes) -> None:
        """Send a message that is told the number of the buffer which holds its bytes."""
        with self._more:
            self._messages.append(message(len(self._buffers)))
            self._buffers.append(data)
            self._wake()

    def stir(self) -> None:
        """There is something to gather."""
        with self._more:
            self._wake()

    def close(self) -> None:
        """Send what is left, and end the thread."""
        with self._more:
            self._closed = True
            self._more.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(1)

    def _wake(self) -> None:
        self._due = True
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(
                target=beside_the_cells(self._run), name="claude-magic-panel-outbox", daemon=True
            )
            self._thread.start()
        self._more.notify()

    def _run(self) -> None:
        sent = -math.inf  # the first batch does not wait
        while True:
            with self._more:
                while not (self._due or self._closed):
                    self._more.wait()
                wait = sent + self._interval - time.monotonic()
                if wait > 0 and not self._closed:
                    self._more.wait(wait)
                    continue
                closed, self._due = self._closed, False
            gathered = self._gather()
            with self._more:
                messages = [*gathered, *self._messages]
                buffers, self._messages, self._buffers = self._buffers, [], []
            if messages:
                self._send(messages, buffers)
                sent = time.monotonic()
            if closed:
                return
