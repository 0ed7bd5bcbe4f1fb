"""How many requests are under way: as the server's headers and refusals say."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest

from claude_magic.captions.image_question import JobBudget
from claude_magic.captions.limits import GivingWay, Limit, Threads
from claude_magic.messages.errors import InputError, Interrupted
from claude_magic.messages.transport.cancel import Cancel
from tests.messages.transport.quick_clock import QuickClock


def headers(kind: str, limit: int, remaining: int, reset: str = "") -> Mapping[str, str]:
    names = {"limit": str(limit), "remaining": str(remaining), "reset": reset}
    return {f"anthropic-ratelimit-{kind}-{name}": value for name, value in names.items()}


def in_seconds(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()


class TestTheLimit:
    def test_is_what_was_asked_for_while_the_server_says_nothing(self) -> None:
        limit = Limit(8)
        for _ in range(50):
            limit.answered(200, {})
        assert limit.allowed == 8

    def test_falls_to_the_requests_that_are_left(self) -> None:
        limit = Limit(8)
        limit.answered(200, headers("requests", 1000, 3, in_seconds(20)))
        assert limit.allowed == 3

    def test_falls_with_the_tokens_that_are_left(self) -> None:
        limit = Limit(8)
        limit.answered(200, headers("input-tokens", 1_000_000, 100_000, in_seconds(20)))
        assert limit.allowed == 3

    def test_is_never_below_one(self) -> None:
        limit = Limit(8)
        limit.answered(429, headers("requests", 1000, 0, in_seconds(20)))
        assert limit.allowed == 1

    def test_comes_back_when_the_bucket_is_full_again(self) -> None:
        clock = QuickClock()
        limit = Limit(8, clock)
        limit.answered(200, headers("requests", 1000, 2, in_seconds(10)))
        assert limit.allowed == 2
        clock.slept = 11
        assert limit.allowed == 8

    @pytest.mark.parametrize("reset", ["", "soon", "2026-11-26T10:00:00", "2020-01-01T00:00:00Z"])
    def test_holds_for_a_moment_where_no_time_can_be_read(self, reset: str) -> None:
        clock = QuickClock()
        limit = Limit(8, clock)
        limit.answered(200, headers("requests", 1000, 2, reset))
        assert limit.allowed == 2
        clock.slept = 2
        assert limit.allowed == 8

    def test_is_not_touched_by_headers_with_plenty_left_or_without_sense(self) -> None:
        limit = Limit(8)
        limit.answered(200, headers("requests", 1000, 900))
        limit.answered(200, headers("requests", 0, 0))
        limit.answered(200, {"anthropic-ratelimit-requests-limit": "many"})
        assert limit.allowed == 8

    def test_stays_where_every_tenth_answer_is_a_refusal(self) -> None:
        limit = Limit(16)
        for number in range(400):
            limit.answered(429 if number % 10 == 9 else 200, {})
        assert (limit.allowed, limit.refused) == (16, 40)

    def test_is_halved_where_most_are_refused_and_grows_again(self) -> None:
        limit = Limit(16)
        for _ in range(32):
            limit.answered(529, {})
        assert limit.allowed <= 8
        for _ in range(400):
            limit.answered(200, {})
        assert limit.allowed == 16

    def test_lets_no_more_in_than_there_is_room_for(self) -> None:
        limit, cancel = Limit(3), Cancel()
        inside: list[int] = []
        most: list[int] = []

        def work(number: int, cancel: Cancel) -> None:
            with limit.slot(cancel):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

        Threads(work, 12).run(range(300), lambda: None)
        assert max(most) <= 3
        with limit.slot(cancel):
            assert limit.allowed == 3

    def test_a_cancelled_one_does_not_wait_for_a_slot(self) -> None:
        limit, cancel = Limit(1), Cancel()
        limit.take(cancel)
        cancel.set()
        limit.take(cancel)  # at once

    def test_who_waits_for_the_server_gives_the_slot_to_another(self) -> None:
        limit, cancel, taken = Limit(1), Cancel(), threading.Event()

        class Waiting(QuickClock):
            def sleep(self, seconds: float, _: object) -> None:
                with limit.slot(Cancel()):
                    taken.set()

        limit.take(cancel)
        GivingWay(limit, Waiting()).sleep(5, cancel)
        assert taken.is_set()


class TestTheThreads:
    def test_every_thing_is_worked_on_once(self) -> None:
        seen: list[int] = []
        ticks: list[int] = []
        Threads(lambda n, _: seen.append(n), 8).run(range(500), lambda: ticks.append(1))
        assert sorted(seen) == list(range(500)) and len(ticks) == 500

    def test_things_are_taken_when_a_thread_is_free(self) -> None:
        taken: list[int] = []
        done: list[int] = []
        ahead: list[int] = []

        def things() -> Iterator[int]:
            for number in range(200):
                taken.append(number)
                ahead.append(len(taken) - len(done))
                yield number

        Threads(lambda n, _: done.append(n), 4).run(things(), lambda: None)
        assert max(ahead) <= 5

    def test_an_error_ends_all_and_is_raised(self) -> None:
        seen: list[int] = []

        def work(number: int, cancel: Cancel) -> None:
            seen.append(number)
            if number == 3:
                raise InputError("No more.")

        with pytest.raises(InputError, match="No more"):
            Threads(work, 2).run(range(100_000), lambda: None)
        assert len(seen) < 50_000
        assert not [t for t in threading.enumerate() if t.name == "claude-magic-row"]

    def test_an_error_of_the_things_is_raised_too(self) -> None:
        def things() -> Iterator[int]:
            yield 1
            raise OSError("the disk")

        with pytest.raises(OSError, match="the disk"):
            Threads(lambda *_: None, 2).run(things(), lambda: None)

    def test_an_interrupt_stops_what_is_under_way(self) -> None:
        stopped = threading.Event()

        def work(_: int, cancel: Cancel) -> None:
            cancel.wait(30)
            stopped.set()
            raise Interrupted("Interrupted.")

        def things() -> Iterator[int]:
            yield 1
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Threads(work, 2).run(things(), lambda: None)
        assert stopped.is_set()


class TestThePurse:
    def test_holds_back_what_is_under_way(self) -> None:
        purse = JobBudget(1.0)
        assert purse.hold(0.6) and not purse.hold(0.6)
        purse.settle(0.6, 0.1)
        assert purse.hold(0.6) and purse.spent == 0.1

    def test_without_a_budget_has_no_end(self) -> None:
        assert JobBudget().hold(1e9)

    def test_lets_what_is_free_pass(self) -> None:
        assert JobBudget(0.0).hold(0.0)

    def test_tells_of_every_payment(self) -> None:
        told: list[float] = []
        purse = JobBudget(1.0, told.append)
        purse.hold(0.5)
        purse.settle(0.5, 0.25)
        purse.settle(0.0, 0.0)
        assert told == [0.25]
