"""Running a tool's function: in the thread that asks, in a thread beside it, in an event loop."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Waiting
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ..messages.errors import Interrupted

if TYPE_CHECKING:
    from ..messages.transport.cancel import Cancel

T = TypeVar("T")

# Seconds between two looks at whether the question was stopped: a person does not notice.
_LOOK = 0.05


class ToolTimeout(Exception):  # noqa: N818 - it is what the model reads
    """A function ran longer than it may; the text is for the model."""


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling `function` gives something to be awaited."""
    called = getattr(function, "__call__", None)  # noqa: B004 - of an object, its method
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def stop_if(cancel: Cancel | None) -> None:
    """Nothing. Raises Interrupted once the question was stopped from another thread."""
    if cancel is not None and cancel.is_set:
        raise Interrupted("you stopped it.")


def run_sync(work: Callable[[], T], seconds: float, cancel: Cancel | None) -> T:
    """What `work` returns, within `seconds` (0: as long as it takes).

    On the main thread it runs there: plotting needs that, and Python's interrupt reaches it; its
    time is kept by an alarm signal, which Windows does not have. Elsewhere it runs in a thread of
    its own where it has to be left behind: no thread can be stopped from outside.

    Raises what `work` raises, ToolTimeout, and Interrupted once `cancel` is set.
    """
    if threading.current_thread() is threading.main_thread():
        with _alarm(seconds):
            return work()
    if not seconds and cancel is None:
        return work()
    future: Future[T] = Future()
    threading.Thread(
        target=_fulfil, args=(future, work), name="claude-magic-tool", daemon=True
    ).start()
    return wait_for(future, seconds, cancel)


def wait_for(future: Future[T], seconds: float, cancel: Cancel | None) -> T:
    """What `future` holds in the end. Raises ToolTimeout and Interrupted, and leaves it then."""
    deadline = time.monotonic() + seconds if seconds else float("inf")
    while True:
        stop_if(cancel)
        left = deadline - time.monotonic()
        if left <= 0:
            raise ToolTimeout(f"{_longer(seconds)}; it could not be stopped and runs on")
        try:
            return future.result(min(left, _LOOK))
        except Waiting:
            if future.done():  # the function's own error is of this kind
                return future.result()


class AsyncThread:
    """An event loop in a thread of its own: a kernel's own loop is at work on the cell that asks.

    Started when it is first used. In a forked child another one is started.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    def start(self, function: Callable[[], Any], seconds: float) -> Future[Any]:
        """Have what `function` returns awaited in the loop; the future is cancelled with it."""
        return asyncio.run_coroutine_threadsafe(_awaited(function, seconds), self._running())

    def close(self) -> None:
        """End the loop, if one was started."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None and self._process == os.getpid():
            loop.call_soon_threadsafe(loop.stop)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._loop, self._process = asyncio.new_event_loop(), os.getpid()
                threading.Thread(
                    target=_run, args=(self._loop,), name="claude-magic-async", daemon=True
                ).start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(_cancel(asyncio.all_tasks(loop)))
        loop.close()


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _awaited(function: Callable[[], Any], seconds: float) -> Any:
    try:
        async with asyncio.timeout(seconds or None) as limit:
            return await function()
    except TimeoutError:
        if limit.expired():
            raise ToolTimeout(f"{_longer(seconds)} and was stopped") from None
        raise
    except (SystemExit, KeyboardInterrupt) as error:  # would end the loop
        raise RuntimeError(f"the function ended with {type(error).__name__}") from error


def _fulfil(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # handed on to the thread that waits, whatever it is
        future.set_exception(error)


class _Alarm(BaseException):
    """Raised within the function: no `except Exception` of its own must keep it."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Stops what runs within on the main thread after `seconds`, and raises ToolTimeout."""
    if not seconds or not hasattr(signal, "setitimer"):
        yield
        return
    others = signal.getitimer(signal.ITIMER_REAL)
    if 0 < others[0] <= seconds:  # the notebook's own alarm comes first
        yield
        return

    def ring(*_: object) -> None:
        if armed:
            raise _Alarm

    armed = True
    began = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _Alarm:
        raise ToolTimeout(f"{_longer(seconds)} and was stopped") from None
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if others[0]:
            left = others[0] - (time.monotonic() - began)
            signal.setitimer(signal.ITIMER_REAL, max(left, _LOOK), others[1])


def _longer(seconds: float) -> str:
    return f"it ran longer than {seconds:g} s"
