"""When a failed request is sent again, and after how long. No I/O: time comes from a `Clock`.

Two retries, 0.5 s doubling to 8 s, as Anthropic's own packages do; a server that says how long to
wait is obeyed. While it only has no room (429, 529) the tries go on for two minutes, so that a
notebook that runs overnight gets through.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from ...value_classes import frozen
from ..errors import ClaudeError

RETRIES = 2
FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0
TOTAL_WAIT = 120.0
"""Seconds from the first try within which the last one must begin."""

_NO_ROOM = (429, 529)
_RETRIED = (408, 409, *_NO_ROOM)
# Nothing but a higher limit, or next month, helps against these.
_SPEND_LIMITS = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached"})


class Waiter(Protocol):
    """What can cut a wait short, such as a `Cancel`."""

    def wait(self, seconds: float) -> bool: ...


class Clock(Protocol):
    """Time and chance, so that a test can have its own."""

    def now(self) -> float:
        """Seconds from some fixed point; never goes back."""

    def wall(self) -> float:
        """Seconds since 1970, to compare with dates that a server sends."""

    def random(self) -> float:
        """A number from 0 up to 1."""

    def sleep(self, seconds: float, cancel: Waiter) -> None:
        """Returns after `seconds`, or as soon as `cancel` is set."""


class SystemClock:
    """The machine's own time."""

    now = staticmethod(time.monotonic)
    wall = staticmethod(time.time)
    random = staticmethod(random.random)  # spreads retries, guards nothing

    def sleep(self, seconds: float, cancel: Waiter) -> None:
        cancel.wait(seconds)


@frozen
class Wait:
    """Why and how long (seconds) until try number `attempt` + 1 is made."""

    seconds: float
    reason: str
    attempt: int


@frozen
class Failure:
    """A try that failed before anything of the reply was shown.

    `retry_after` in seconds and `should_retry` are what the server said, None if nothing;
    `should_retry` is also False where no time is left for another try.
    """

    error: ClaudeError
    retry_after: float | None = None
    should_retry: bool | None = None


class Retries:
    """Counts the tries of one request, which begins now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.now()
        self._attempt = 0
        self._left = RETRIES

    def after(self, failure: Failure) -> Wait | None:
        """What to wait for before the next try; None if there is none: the error stands."""
        self._attempt += 1
        if not may_retry(failure):
            return None
        if failure.error.status not in _NO_ROOM:
            if self._left == 0:
                return None
            self._left -= 1
        seconds = failure.retry_after
        if seconds is None:
            longest = min(FIRST_WAIT * 2.0 ** min(self._attempt - 1, 10), LONGEST_WAIT)
            seconds = longest * (1 - 0.25 * self._clock.random())
        if self._clock.now() - self._began + seconds > TOTAL_WAIT:
            return None
        return Wait(seconds, _reason(failure.error), self._attempt)


def may_retry(failure: Failure) -> bool:
    """Whether the failure is of a kind that may pass by itself, or the server says so."""
    error = failure.error
    if is_spend_limit(error.details):
        return False
    if failure.should_retry is not None:
        return failure.should_retry
    return error.status is None or error.status in _RETRIED or error.status >= 500


def is_spend_limit(details: Mapping[str, Any]) -> bool:
    """Whether the `details` of an error say that the money is used up, not the pace."""
    return str(details.get("error_code")) in _SPEND_LIMITS


def retry_after(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds to wait from `retry-after-ms`, else `retry-after` (seconds or an HTTP date).

    None for a missing, unreadable or past one. `wall` is the time now, in seconds since 1970.
    """
    milliseconds = _positive(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _positive(value)
    if seconds is not None:
        return seconds
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    wait = date.timestamp() - wall
    return wait if wait > 0 else None


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """What the server's `x-should-retry` says; None if it says nothing."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def _positive(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _reason(error: ClaudeError) -> str:
    reasons = {429: "rate limit reached", 529: "the server is overloaded"}
    if error.status is None:
        return "no answer from the server"
    return reasons.get(error.status, f"the server has trouble ({error.status})")
