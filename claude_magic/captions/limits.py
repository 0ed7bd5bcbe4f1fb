"""Many things at once: as many as the server's headers leave room for, and stopped together.

The API counts requests and tokens in buckets that fill up all the time, and says with each answer
what is left (`anthropic-ratelimit-*`). A server that says nothing is judged by how many requests it
refuses for want of room: single refusals are waited out where they happen, many halve the limit.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Generic, TypeVar

from ..messages.errors import Interrupted
from ..messages.transport.cancel import Cancel
from ..messages.transport.retry import Clock, SystemClock, Waiter

_NO_ROOM = (429, 529)
_NAME = "anthropic-ratelimit-{}-{}"
_KINDS = ("requests", "input-tokens", "output-tokens", "tokens")
# Of the newest answers, this share of refusals halves the limit; below the other one it grows.
_TOO_MANY = 0.3
_FEW = 0.15
_LEAST_JUDGED = 16
# A bucket that is said to fill up later than this is not waited for without a look in between.
_LONGEST_HOLD = 30.0


class Limit:
    """Slots for requests, at most `most` at once. Threads share it."""

    def __init__(self, most: int, clock: Clock | None = None) -> None:
        self.most = most
        self._clock = clock or SystemClock()
        self._lock = threading.Condition()
        self._allowed = float(most)
        self._taken = 0
        self._newest: deque[bool] = deque(maxlen=max(_LEAST_JUDGED, 2 * most))
        # What the headers leave room for, and until when (seconds of the clock) that holds.
        self._room = most
        self._room_until = 0.0
        self.refused = 0
        """How many answers said that there is no room."""
        self.tell: Callable[[int, Mapping[str, str]], None] | None = None
        """Is told of answers that say something of the room: others may ask the same server."""

    @property
    def allowed(self) -> int:
        """How many requests may be under way now."""
        with self._lock:
            return self._now_allowed()

    @contextmanager
    def slot(self, cancel: Waiter) -> Iterator[None]:
        """Holds a slot, once there is one or `cancel` is set."""
        self.take(cancel)
        try:
            yield
        finally:
            self.give_back()

    def take(self, cancel: Waiter) -> None:
        """Returns with a slot, or once `cancel` is set."""
        with self._lock:
            while self._taken >= self._now_allowed() and not cancel.wait(0):
                self._lock.wait(0.1)
            self._taken += 1

    def give_back(self) -> None:
        """The slot is free for another request."""
        with self._lock:
            self._taken -= 1
            self._lock.notify()

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer, and tell of it. Raises nothing."""
        self.learn(status, headers)
        names = [_NAME.format(kind, "limit") for kind in _KINDS]
        speaks = status in _NO_ROOM or any(name in headers for name in names)
        if self.tell is not None and speaks:
            self.tell(status, headers)

    def learn(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer, to whomever it was given."""
        with self._lock:
            no_room = status in _NO_ROOM
            self.refused += no_room
            self._newest.append(no_room)
            self._judge()
            self._read(headers)
            self._lock.notify_all()

    def _now_allowed(self) -> int:
        held = self._clock.now() < self._room_until
        return max(1, min(int(self._allowed), self._room if held else self.most))

    def _judge(self) -> None:
        if len(self._newest) < _LEAST_JUDGED:
            return
        share = sum(self._newest) / len(self._newest)
        if share > _TOO_MANY:
            self._allowed = max(1.0, self._allowed / 2)
            self._newest.clear()
        elif share < _FEW and self._allowed < self.most:
            self._allowed = min(self.most, self._allowed + 1 / max(1.0, self._allowed))

    def _read(self, headers: Mapping[str, str]) -> None:
        """Hold back to what is left of the scarcest bucket, until it is full again."""
        scarcest: tuple[float, float] | None = None
        for kind in _KINDS:
            limit, remaining = (
                _number(headers.get(_NAME.format(kind, what))) for what in ("limit", "remaining")
            )
            if limit is None or remaining is None or limit <= 0:
                continue
            until = self._reset(headers.get(_NAME.format(kind, "reset")))
            # Of requests what is left is a count; of tokens, that share of the slots.
            room = remaining if kind == "requests" else self.most * 4 * remaining / limit
            if room < self.most and (scarcest is None or room < scarcest[0]):
                scarcest = (room, until)
        if scarcest is not None:
            self._room = int(scarcest[0])
            self._room_until = self._clock.now() + min(scarcest[1], _LONGEST_HOLD)

    def _reset(self, value: str | None) -> float:
        """Seconds until the time that a header names (RFC 3339); 1 where it names none."""
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            return 1.0
        return max(0.1, moment.timestamp() - self._clock.wall()) if moment.tzinfo else 1.0


class GivingWay:
    """A clock whose waits give the slot to others: who waits for the server asks nothing of it."""

    def __init__(self, limit: Limit, clock: Clock | None = None) -> None:
        self._limit = limit
        self._clock = clock or SystemClock()

    def now(self) -> float:
        return self._clock.now()

    def wall(self) -> float:
        return self._clock.wall()

    def random(self) -> float:
        return self._clock.random()

    def sleep(self, seconds: float, cancel: Waiter) -> None:
        self._limit.give_back()
        try:
            self._clock.sleep(seconds, cancel)
        finally:
            self._limit.take(cancel)


def _number(value: str | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


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
        self._told: queue.SimpleQueue[BaseException | bool | Callable[[], None]]
        self._told = queue.SimpleQueue()

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
                elif isinstance(told, BaseException):
                    raise told
                else:
                    told()
        finally:
            self._cancel.set()
            for thread in threads:
                thread.join()

    def in_front(self, ask: Callable[[str], bool], words: str) -> bool:
        """What `ask` says to `words`, called in the thread that called `run`, where users answer.

        False once all is stopped.
        """
        answer: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._told.put(lambda: answer.put(ask(words)))
        while not self._cancel.is_set:
            try:
                return answer.get(timeout=0.1)
            except queue.Empty:
                continue
        return False

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
