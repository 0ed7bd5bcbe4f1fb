"""When a failed request is sent again, and after how long."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest

from claude_magic.messages.errors import ClaudeError, ConnectionFailed, api_error_class
from claude_magic.messages.transport.cancel import Cancel
from claude_magic.messages.transport.retry import (
    Failure,
    Retries,
    SystemClock,
    Waiter,
    may_retry,
    retry_after,
    should_retry,
)

WALL = 1_800_000_000.0


class Clock:
    """Stands still unless slept on; chance is what it is given."""

    def __init__(self, chance: float = 0.0) -> None:
        self.time = 100.0
        self.chance = chance

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return WALL

    def random(self) -> float:
        return self.chance

    def sleep(self, seconds: float, cancel: Waiter) -> None:
        self.time += seconds


def failure(status: int | None, wait: float | None = None, **details: Any) -> Failure:
    if status is None:
        return Failure(ConnectionFailed("no"), wait)
    return Failure(api_error_class(status)("no", status=status, details=details), wait)


def waits(clock: Clock, *failures: Failure) -> list[float | None]:
    """The wait after each failure, slept in between."""
    retries = Retries(clock)
    found: list[float | None] = []
    for one in failures:
        wait = retries.after(one)
        found.append(wait.seconds if wait else None)
        if wait is None:
            break
        clock.time += wait.seconds
    return found


@pytest.mark.parametrize("status", [None, 408, 409, 500, 502, 503, 504, 520])
def test_trouble_that_may_pass_is_retried_twice(status: int | None) -> None:
    assert waits(Clock(), *[failure(status)] * 5) == [0.5, 1.0, None]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 499])
def test_a_refusal_is_not_retried(status: int) -> None:
    assert waits(Clock(), failure(status)) == [None]


@pytest.mark.parametrize("status", [429, 529])
def test_a_server_without_room_is_tried_for_two_minutes(status: int) -> None:
    found = waits(Clock(), *[failure(status)] * 50)
    assert found[:6] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert found[-1] is None
    assert 112 < sum(wait for wait in found if wait) <= 120


def test_waiting_for_room_does_not_use_up_the_two_retries() -> None:
    found = waits(Clock(), failure(529), failure(500), failure(429), failure(None), failure(500))
    assert found[-1] is None
    assert len(found) == 5


def test_chance_shortens_a_wait_by_at_most_a_quarter() -> None:
    assert waits(Clock(chance=1.0), failure(500)) == [0.375]


def test_the_server_says_how_long_to_wait() -> None:
    assert waits(Clock(), failure(429, 30.0), failure(429, 30.0)) == [30.0, 30.0]


@pytest.mark.parametrize("status", [429, 500])
def test_a_wait_that_does_not_fit_into_two_minutes_fails_at_once(status: int) -> None:
    assert waits(Clock(), failure(status, 3600.0)) == [None]
    assert waits(Clock(), failure(429, 100.0), failure(429, 100.0)) == [100.0, None]


@pytest.mark.parametrize("code", ["enforced_spend_limit_reached", "contract_spend_limit_reached"])
def test_a_spend_limit_is_never_retried(code: str) -> None:
    spent = failure(429, 1.0, error_code=code)
    assert not may_retry(spent)
    assert not may_retry(Failure(spent.error, should_retry=True))
    assert may_retry(failure(429, 1.0, error_code="ramp_limit_exceeded"))


def test_what_the_server_says_about_retrying_overrides_the_status() -> None:
    error: ClaudeError = failure(400).error
    assert waits(Clock(), *[Failure(error, should_retry=True)] * 3) == [0.5, 1.0, None]
    assert waits(Clock(), Failure(failure(500).error, should_retry=False)) == [None]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"retry-after-ms": "1500"}, 1.5, id="milliseconds"),
        pytest.param({"retry-after-ms": "1500", "retry-after": "9"}, 1.5, id="milliseconds first"),
        pytest.param({"retry-after-ms": "x", "retry-after": "9"}, 9.0, id="bad milliseconds"),
        pytest.param({"retry-after": "2"}, 2.0, id="seconds"),
        pytest.param({"retry-after": "0.25"}, 0.25, id="a fraction"),
        pytest.param({"retry-after": "3600"}, 3600.0, id="an hour"),
        pytest.param({"retry-after": "0"}, None, id="zero"),
        pytest.param({"retry-after": "-5"}, None, id="negative"),
        pytest.param({"retry-after": "soon"}, None, id="garbage"),
        pytest.param({"retry-after": "nan"}, None, id="not a number"),
        pytest.param({"retry-after": "inf"}, None, id="infinite"),
        pytest.param({"retry-after": ""}, None, id="empty"),
        pytest.param({"retry-after": formatdate(WALL + 20, usegmt=True)}, 20.0, id="HTTP date"),
        pytest.param({"retry-after": formatdate(WALL + 20)}, 20.0, id="date without a zone"),
        pytest.param({"retry-after": formatdate(WALL - 20, usegmt=True)}, None, id="past date"),
        pytest.param({"retry-after": "Mon, 99 Foo 2026 00:00:00 GMT"}, None, id="no such date"),
        pytest.param({"retry-after": "1, 2"}, None, id="a list"),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, WALL) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("value", "said"), [("true", True), (" False", False), ("maybe", None), ("", None)]
)
def test_x_should_retry_is_true_false_or_nothing(value: str, said: bool | None) -> None:
    assert should_retry({"x-should-retry": value}) is said


def test_the_systems_clock_sleeps_no_longer_than_until_it_is_cancelled() -> None:
    cancel, clock = Cancel(), SystemClock()
    cancel.set()
    before = clock.now()
    clock.sleep(100, cancel)
    assert clock.now() - before < 100
    assert 0 <= clock.random() < 1
    assert clock.wall() > WALL - 10 * 365 * 86_400
