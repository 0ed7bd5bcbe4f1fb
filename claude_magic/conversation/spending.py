"""What a kernel has spent, and what it may."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..messages.errors import BudgetError


class Spending:
    """USD that were spent; the expected price of what is under way is held back. Thread-safe."""

    def __init__(self) -> None:
        self.spent = 0.0
        self._pending = 0.0
        self._lock = threading.Lock()

    def add(self, price: float) -> None:
        """`price` in USD was paid."""
        with self._lock:
            self.spent += price

    @contextmanager
    def reserved(self, price: float, budget: float) -> Iterator[None]:
        """Hold `price` back from other threads' questions. Raises BudgetError."""
        with self._lock:
            spent = self.spent + self._pending
            if price and spent + price > budget:
                raise BudgetError(
                    f"Not sent: it would cost about ${price:.2f}, and ${spent:.2f} of the "
                    f"budget of ${budget:.2f} are spent. Raise it with "
                    f"%claude_config budget={int(2 * (spent + price)) + 1}"
                )
            self._pending += price
        try:
            yield
        finally:
            with self._lock:
                self._pending -= price
