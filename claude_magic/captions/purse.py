"""The money that a job may spend, kept by several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Purse:
    """USD spent, and held back for what is under way; `budget` None has no end.

    `spend` is told of every payment, so that a kernel counts it too.
    """

    def __init__(
        self, budget: float | None = None, spend: Callable[[float], None] | None = None
    ) -> None:
        self.budget = budget
        self.spent = 0.0
        self._held = 0.0
        self._spend = spend
        self._lock = threading.Lock()

    def hold(self, price: float) -> bool:
        """Whether `price` is held back for one request; False where it would pass the budget."""
        with self._lock:
            over = self.budget is not None and self.spent + self._held + price > self.budget
            if price and over:
                return False
            self._held += price
            return True

    def owe(self, price: float) -> None:
        """Hold back `price` for what is under way already, whatever the budget."""
        with self._lock:
            self._held += price

    def settle(self, price: float, paid: float) -> None:
        """What was held back is free again; `paid` of it was spent."""
        with self._lock:
            self._held -= price
            self.spent += paid
        if paid and self._spend is not None:
            self._spend(paid)
