"""Where a tool's function runs, async ones at the same time, and for how long it may."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from claude_magic.tools.calling import AsyncThread
from claude_magic.tools.tool import tool
from tests.tools.boxes_and_calls import box, call, ends, ran, said


async def later_fails() -> None:
    raise KeyError("gone")


def test_an_async_functions_exception_is_one_too(loop: AsyncThread) -> None:
    result, exits, again = ran(
        box(later_fails, ends, loop=loop),
        call("later_fails"),
        call("ends", 2),
        call("later_fails", 3),
    )
    assert said(result).endswith("KeyError: 'gone'")
    assert "in later_fails" in said(result)
    assert "concurrent" not in said(result)
    assert "asyncio" not in said(result)
    assert "ended with SystemExit" in said(exits)
    assert said(again) == said(result)


def test_async_calls_run_at_the_same_time_and_are_answered_in_their_order(
    loop: AsyncThread,
) -> None:
    met: list[int] = []
    both = asyncio.Event()

    async def meet(number: int) -> int:
        """Ends only when both have come."""
        met.append(number)
        if len(met) == 2:
            both.set()
        await both.wait()
        return number

    results = ran(box(meet, loop=loop), call("meet", 1, number=1), call("meet", 2, number=2))
    assert [said(r) for r in results] == ["1", "2"]


def test_async_calls_are_run_within_a_running_event_loop(loop: AsyncThread) -> None:
    async def later() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    async def within() -> list[Mapping[str, Any]]:
        return ran(box(later, loop=loop), call("later"))

    # In a thread: the browser tests have a loop that runs in this one.
    with ThreadPoolExecutor(1) as thread:
        (result,) = thread.submit(lambda: asyncio.run(within())).result()
    assert said(result) == "claude-magic-async"


def test_what_turns_out_to_be_awaitable_is_awaited(loop: AsyncThread) -> None:
    async def later() -> int:
        return 3

    def indirect() -> Any:
        return later()

    (result,) = ran(box(indirect, loop=loop), call("indirect"))
    assert said(result) == "3"


def test_a_function_runs_on_the_thread_that_asks() -> None:
    where: list[threading.Thread] = []

    def here() -> None:
        where.append(threading.current_thread())

    ran(box(here, timeout=30), call("here"))
    assert where == [threading.main_thread()]


def sleeps() -> None:
    try:
        while True:
            time.sleep(0.01)
    except Exception:  # noqa: S110 - what must not keep the alarm
        pass


async def waits() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("function", [sleeps, waits])
def test_a_function_that_runs_too_long_is_stopped_and_the_model_told(
    function: Callable[..., Any], loop: AsyncThread
) -> None:
    before, left = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)[0]
    (result,) = ran(box(function, timeout=0.2, loop=loop), call(function.__name__))
    assert said(result) == "The call was given up: it ran longer than 0.2 s and was stopped."
    assert result["is_error"] is True
    assert signal.getsignal(signal.SIGALRM) is before
    assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < left, "the test's own alarm goes on"


def test_on_another_thread_a_function_that_runs_too_long_is_left_behind() -> None:
    go_on = threading.Event()

    def hangs() -> None:
        go_on.wait()

    found: list[Mapping[str, Any]] = []
    asking = threading.Thread(
        target=lambda: found.extend(ran(box(hangs, timeout=0.2), call("hangs")))
    )
    asking.start()
    asking.join()
    go_on.set()
    assert "it ran longer than 0.2 s; it could not be stopped" in said(found[0])


def test_a_functions_own_timeout_counts_before_the_setting() -> None:
    @tool(timeout=0.1)
    def hangs() -> None:
        while True:
            time.sleep(0.01)

    (result,) = ran(box(hangs, timeout=60), call("hangs"))
    assert "longer than 0.1 s" in said(result)


def test_a_functions_own_timeout_error_is_its_own(loop: AsyncThread) -> None:
    async def gives_up() -> None:
        raise TimeoutError("the database")

    (result,) = ran(box(gives_up, timeout=30, loop=loop), call("gives_up"))
    assert said(result).endswith("TimeoutError: the database")


def test_a_loop_is_started_again_after_it_was_closed(loop: AsyncThread) -> None:
    async def later() -> int:
        return 1

    made = box(later, loop=loop)
    ran(made, call("later"))
    loop.close()
    assert said(ran(made, call("later"))[0]) == "1"
