"""An interrupt stops the calls of a reply: what is finished stands, and no call lacks a result."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from claude_magic.conversation.asking.question import Called, CallEvent, Calling
from claude_magic.messages.errors import Interrupted
from claude_magic.messages.transport.cancel import Cancel
from claude_magic.tools.approval import Decision
from claude_magic.tools.calling import AsyncThread
from tests.tools.boxes_and_calls import Answering, box, call, ends, half, noted, said, unheard


def test_an_interrupt_while_asking_ends_the_question_and_runs_nothing() -> None:
    approver = Answering(Decision(True), KeyboardInterrupt())
    made = box(half, approver=approver, rule="ask")
    events: list[CallEvent] = []
    results = made.run([call("half", n, x=n) for n in (1, 2, 3)], events.append, None)
    assert said(next(results)) == "0.5"
    assert said(next(results)) == "The user stopped this call before it ran."
    with pytest.raises(KeyboardInterrupt):
        next(results)
    assert noted(events) == [
        "calling toolu_1",
        "called toolu_1",
        "calling toolu_2",
        "called toolu_2",
    ]


@pytest.mark.parametrize("function", [half, ends])
def test_an_interrupt_as_a_call_is_announced_is_told_like_any_other(
    function: Callable[..., Any],
) -> None:
    events: list[CallEvent] = []

    def stops(event: CallEvent) -> None:
        events.append(event)
        if isinstance(event, Calling):
            raise KeyboardInterrupt

    results = box(function).run([call(function.__name__)], stops, None)
    assert said(next(results)) == "The user stopped this call before it ran."
    with pytest.raises(KeyboardInterrupt):
        next(results)
    assert noted(events) == ["calling toolu_1", "called toolu_1"]


def test_an_interrupt_while_a_function_runs_leaves_what_is_finished_standing() -> None:
    def stopped() -> None:
        signal.raise_signal(signal.SIGINT)

    results = box(half, stopped).run(
        [call("half", 1, x=1), call("stopped", 2), call("half", 3, x=1)], unheard, None
    )
    assert said(next(results)) == "0.5"
    assert said(next(results)).startswith("The user stopped this call;")
    with pytest.raises(KeyboardInterrupt):
        next(results)


def test_an_interrupt_while_async_functions_run_keeps_the_finished_and_cancels_the_rest(
    loop: AsyncThread,
) -> None:
    cancelled = threading.Event()

    async def quick() -> str:
        return "quick"

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def interrupts() -> None:
        while not quick_done.is_set():
            await asyncio.sleep(0.001)
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()

    quick_done = threading.Event()

    def tell(event: CallEvent) -> None:
        if isinstance(event, Called):
            quick_done.set()

    calls = [call("quick", 1), call("slow", 2), call("interrupts", 3), call("quick", 4)]
    results = box(quick, slow, interrupts, loop=loop).run(calls, tell, None)
    found = []
    with pytest.raises(KeyboardInterrupt):
        for result in results:
            found.append(said(result))
    assert found[0] == found[3] == "quick"
    assert found[1].startswith("The user stopped this call")
    assert found[2].startswith("The user stopped this call")
    assert cancelled.wait(60)


CANCELLED = {"a function": False, "an async function": True}


@pytest.mark.parametrize("case", CANCELLED)
def test_a_question_of_another_thread_is_stopped_by_its_cancel_while_runs(
    case: str, loop: AsyncThread
) -> None:
    running, go_on = threading.Event(), threading.Event()

    def blocks() -> None:
        running.set()
        go_on.wait()

    async def blocks_async() -> None:
        running.set()
        await asyncio.Event().wait()

    cancel, ended = Cancel(), []
    function = blocks_async if CANCELLED[case] else blocks
    made = box(function, loop=loop)

    def ask() -> None:
        results = made.run([call(function.__name__), call(function.__name__, 2)], unheard, cancel)
        try:
            for result in results:
                ended.append(said(result))
        except Interrupted:
            ended.append("interrupted")

    asking = threading.Thread(target=ask)
    asking.start()
    assert running.wait(60)
    cancel.set()
    asking.join(60)
    go_on.set()
    assert ended[-1] == "interrupted"
    assert ended[0].startswith("The user stopped this call")
