"""Work in a thread, and waiting for it that can be interrupted."""

from __future__ import annotations

import threading

from claude_magic.messages.transport import cancel
from claude_magic.messages.transport.cancel import Cancel, InterruptibleWork
from tests.interrupting import places, returns


def test_what_the_work_gives_is_given() -> None:
    assert InterruptibleWork(lambda a, b: a + b, 1, 2).wait(60) == 3


def test_waiting_ends_when_the_time_is_over_and_when_it_is_woken() -> None:
    over = threading.Event()
    slow = InterruptibleWork(over.wait)
    assert slow.wait(0) is None
    woken = InterruptibleWork(over.wait)
    threading.Thread(target=woken.wake).start()
    assert woken.wait(60) is None
    woken.wake()
    over.set()


def test_wherever_an_interrupt_meets_the_waiting_the_work_can_end() -> None:
    """Python's own events stay locked where it meets them: a thread would be left for ever."""
    met = 0
    for interrupt in places(cancel, threading):
        over = threading.Event()
        under_way = InterruptibleWork(over.wait)
        try:
            with interrupt:
                under_way.wait(0.01)
        except KeyboardInterrupt:
            met += 1
        assert returns(under_way.wake), f"at place {met}"
        over.set()
    assert met > 1


def test_wherever_an_interrupt_meets_a_pause_the_request_can_be_cancelled() -> None:
    met = 0
    for interrupt in places(cancel, threading):
        asked = Cancel()
        try:
            with interrupt:
                asked.wait(0.01)
        except KeyboardInterrupt:
            met += 1
        assert returns(asked.set), f"at place {met}"
        assert asked.wait(60)
    assert met > 1
