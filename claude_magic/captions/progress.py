"""How far a job is: a bar with rate, tokens, cost and errors."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from ..messages.usage import Usage
from .asking import Answer


@dataclass
class Tally:
    """What a job has done. Threads share it."""

    done: int = 0
    asked: int = 0
    errors: int = 0
    used: Usage = field(default_factory=Usage)
    cost: float = 0.0
    first_error: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __str__(self) -> str:
        said = [f"{self.done:,} rows, {self.asked:,} asked about", f"${self.cost:,.2f}"]
        if self.errors:
            said.append(f"{self.errors:,} failed, the first: {self.first_error}")
        return ", ".join(said)

    def answered(self, answer: Answer) -> None:
        """Count an answer, and what it used."""
        with self._lock:
            self.asked += 1
            self.used += answer.usage
            self.cost += answer.cost or 0.0
            if answer.error:
                self.errors += 1
                self.first_error = self.first_error or answer.error

    def failed(self, error: str) -> None:
        """Count a row that could not be asked about."""
        with self._lock:
            self.errors += 1
            self.first_error = self.first_error or error

    def row(self, count: int = 1) -> None:
        """Count rows that are over, however they ended."""
        with self._lock:
            self.done += count


class Bar:
    """A tqdm bar on a tally, shown in notebooks and terminals; nothing where `shown` is False."""

    def __init__(self, tally: Tally, total: int | None, *, shown: bool, free: bool) -> None:
        self._tally = tally
        self._cost = "would cost " if free else ""
        self._bar: Any = None
        if shown:
            from tqdm.auto import tqdm

            self._bar = tqdm(total=total, unit="image", smoothing=0.1)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self.tick()
            self._bar.close()

    def tick(self, doing: str = "") -> None:
        """Show what the tally has come to; `doing` stands before it."""
        if self._bar is None:
            return
        tally = self._tally
        said = [doing] if doing else []
        said += [
            f"{tally.used.input:,} in",
            f"{tally.used.output:,} out",
            f"{self._cost}${tally.cost:,.2f}",
        ]
        if tally.errors:
            said.append(f"{tally.errors:,} errors")
        self._bar.set_postfix_str(", ".join(said), refresh=False)
        self._bar.update(tally.done - self._bar.n)
