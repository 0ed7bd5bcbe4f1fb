"""A clock for tests on which a wait is over at once."""

from __future__ import annotations

import time

from claude_magic.messages.transport.retry import Waiter


class QuickClock:
    """Real time plus what was slept; `slept` is the seconds that waits would have taken."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> float:
        return time.monotonic() + self.slept

    def wall(self) -> float:
        return time.time()

    def random(self) -> float:
        return 0.0

    def sleep(self, seconds: float, cancel: Waiter) -> None:
        self.slept += seconds


class StillClock(QuickClock):
    """Stands still unless slept on: what a wait comes to is the same on a busy machine."""

    def now(self) -> float:
        return self.slept
