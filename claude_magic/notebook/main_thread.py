"""Work for the kernel's main thread, asked for by another one: done when no cell runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..messages.errors import InputError, Interrupted

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..tools.tool import Task

T = TypeVar("T")

# Seconds between two looks: whether a cell still runs, whether the question was stopped.
_LOOK = 0.05


class MainThread:
    """The thread that runs cells; `busy` says whether it runs one."""

    def __init__(self, shell: InteractiveShell, busy: Callable[[], bool]) -> None:
        self._shell = shell
        self._busy = busy

    def run(self, work: Callable[[], T], task: Task) -> T:
        """What `work` returns, run on the main thread: at once there, else when it is free.

        Until then the task says that it waits. Stopped while it waits, it is not run at all;
        stopped while it runs, it is interrupted as a cell is. Raises what `work` raises,
        Interrupted, and InputError where there is no kernel whose thread could be waited for.
        """
        if threading.current_thread() is threading.main_thread():
            return work()
        kernel: Any = getattr(self._shell, "kernel", None)
        if kernel is None:
            raise InputError("This runs in a cell only: ask from a cell, not from a thread.")
        job = _Job(work, self._busy, kernel.io_loop)
        job.look_soon()
        while True:
            try:
                return job.future.result(_LOOK)
            except StillRunning:
                if job.future.done():  # an error of this kind is the work's own
                    return job.future.result()
            if task.cancel is not None and task.cancel.is_set:
                job.stop()
                raise Interrupted("you stopped it.")
            job.tell_once(task.say)


class _Job(Generic[T]):
    """One piece of work on its way to the main thread."""

    def __init__(self, work: Callable[[], T], busy: Callable[[], bool], loop: Any) -> None:
        self.future: Future[T] = Future()
        self._work = work
        self._busy = busy
        self._loop = loop
        self._told = self._stopped = self._running = False
        # Held where an interrupt is sent: it must not come after the work, and hit a cell.
        self._lock = threading.Lock()

    def look_soon(self) -> None:
        """Have the main thread look, as soon as its loop is at it."""
        self._loop.add_callback(self._look)

    def tell_once(self, say: Callable[[str], None]) -> None:
        """Say that the work waits, if it does and this was not said."""
        if not self._told and not self._running:
            self._told = True
            say("waits until no cell runs")

    def stop(self) -> None:
        """Take the work back, or interrupt it where it has begun."""
        with self._lock:
            self._stopped = True
            if not self.future.cancel() and self._running:
                _interrupt_main_thread()

    def _look(self) -> None:
        """On the main thread: do the work if no cell runs, else look again a little later."""
        if self.future.cancelled():
            return
        if self._busy():  # a cell that awaits something lets the loop run
            self._loop.call_later(_LOOK, self._look)
            return
        with self._lock:
            if not self.future.set_running_or_notify_cancel():
                return
            self._running = True
        self._do()

    def _do(self) -> None:
        """Do the work. No interrupt may pass: it would end the kernel's loop."""
        error: BaseException | None = None
        try:
            with _interruptible():
                found = self._begin()
        except BaseException as raised:  # handed on to the thread that waits, whatever it is
            error = raised
        with self._lock:
            self._running = False
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(found)

    def _begin(self) -> T:
        if self._stopped:  # before interrupts counted
            raise KeyboardInterrupt
        return self._work()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Has an interrupt raise KeyboardInterrupt: a kernel ignores it where no cell runs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt_main_thread() -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()
