"""Many things at once: threads that take one after the other, and stop together."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from ..messages.cancel import Cancel
from ..messages.errors import Interrupted

T = TypeVar("T")

_MOST = 128


class Threads(Generic[T]):
    """Runs `work` on things in `count` threads.

    Things are taken from their iterable one at a time, when a thread is free: never are more of
    them in memory than there are threads. `work` keeps what it finds out itself, at once; it is
    given a Cancel that is set when all is to stop.
    """

    def __init__(self, work: Callable[[T, Cancel], None], count: int) -> None:
        self._work = work
        self._count = min(count, _MOST)
        self._cancel = Cancel()
        self._lock = threading.Lock()
        self._told: queue.SimpleQueue[BaseException | bool] = queue.SimpleQueue()

    def run(self, things: Iterable[T], tick: Callable[[], None]) -> None:
        """Returns when all is done; `tick` is called in this thread, after each thing.

        The first exception of `work` or of `things` ends all, and is raised; so does an interrupt.
        """
        source = iter(things)
        threads = [
            threading.Thread(target=self._run, args=(source,), name="claude-magic-row", daemon=True)
            for _ in range(self._count)
        ]
        for thread in threads:
            thread.start()
        left = len(threads)
        try:
            while left:
                told = self._told.get()
                if told is True:
                    tick()
                elif told is False:
                    left -= 1
                else:
                    raise told
        finally:
            self._cancel.set()
            for thread in threads:
                thread.join()

    def _run(self, source: Iterator[T]) -> None:
        try:
            while True:
                with self._lock:
                    if self._cancel.is_set:
                        break
                    thing = next(source)
                self._work(thing, self._cancel)
                self._told.put(True)
        except (StopIteration, Interrupted):
            pass  # nothing is left, or all was stopped
        except BaseException as error:  # of any kind: the thread that called run raises it
            self._told.put(error)
        self._told.put(False)
