"""What a process has spent and may spend, shared by its threads and forked children."""

from __future__ import annotations

import mmap
import os
import struct
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field

from ..messages.once import OwnLock
from ..value_classes import frozen

try:
    import fcntl
except ImportError:  # Windows, which does not fork
    _MEMORY = False
else:
    _MEMORY = hasattr(os, "memfd_create")

_AMOUNTS = struct.Struct("dd")


class Spending:
    """USD that were spent; the expected price of what is under way is held back.

    Safe to use from several threads and, after a fork, from several processes: they have one
    purse. What a process that was killed had under way stays held back, for it may have been paid.
    """

    def __init__(self) -> None:
        # Anonymous and shared: what a child of this process writes is seen here.
        self._amounts = mmap.mmap(-1, _AMOUNTS.size)
        self._lock = OwnLock()
        self._between: int | None = None
        if _MEMORY:
            self._between = os.memfd_create("claude-magic")
            weakref.finalize(self, os.close, self._between)

    @property
    def spent(self) -> float:
        """USD that were paid."""
        with self._held():
            return self._read()[0]

    def add(self, price: float) -> None:
        """`price` in USD was paid."""
        with self._held():
            self._change(price, 0.0)

    @contextmanager
    def reserved(self, price: float, budget: float) -> Iterator[None]:
        """Hold `price` back from the questions of others. Raises BudgetError."""
        with self._held():
            spent = sum(self._read())
            if price and spent + price > budget:
                from ..messages.errors import BudgetError  # this module is loaded with the package

                raise BudgetError(
                    f"Not sent: it would cost about ${price:.2f}, and ${spent:.2f} of the "
                    f"budget of ${budget:.2f} are spent. Raise it with "
                    f"%claude_config budget={int(2 * (spent + price)) + 1}"
                )
            self._change(0.0, price)
        try:
            yield
        finally:
            with self._held():
                self._change(0.0, -price)

    def _change(self, spent: float, pending: float) -> None:
        before = self._read()
        _AMOUNTS.pack_into(self._amounts, 0, before[0] + spent, before[1] + pending)

    def _read(self) -> tuple[float, float]:
        spent, pending = _AMOUNTS.unpack_from(self._amounts)
        return spent, pending

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Neither another thread nor another process changes the amounts meanwhile.

        The lock between processes is one of the system's: it goes with a process that is killed.
        """
        with self._lock:
            if self._between is None:
                yield
                return
            fcntl.lockf(self._between, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._between, fcntl.LOCK_UN)


OF_THIS_PROCESS = Spending()
"""The purse of questions that have none of their own: a script's, each by itself."""


@frozen
class Origin:
    """Made before anything is asked. `process` is the id of the process that it was made in.

    `conversation` is the id of the conversation that begins here, if one does: children that were
    forked before that begin the same one. `spending` is what all spend from.
    """

    process: int = field(default_factory=os.getpid)
    conversation: str = field(default_factory=lambda: os.urandom(16).hex())
    spending: Spending = field(default_factory=Spending)

    @property
    def elsewhere(self) -> bool:
        """Whether this is another thread than the one that runs the code, or a forked child.

        What is asked there is none of the questions that one by one take the places of a cell or a
        script: several may be asked at once, and none takes the place of another.
        """
        if os.getpid() != self.process:
            return True
        return threading.current_thread() is not threading.main_thread()
