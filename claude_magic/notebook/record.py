"""What cells ran and what they displayed, as plain values."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Kept of one cell's printed text, at its head and at its tail, in characters: more than any
# question carries, little enough that a cell that prints 100 MB costs no memory.
_KEEP = 64_000


class StreamText:
    """Text that a cell printed: its head and its tail once it is long."""

    def __init__(self) -> None:
        self.length = 0
        self._head: list[str] = []
        self._head_length = 0
        self._tail: deque[str] = deque()
        self._tail_length = 0

    def write(self, text: str) -> None:
        """Append `text`, dropping from the middle what is over the limit."""
        self.length += len(text)
        room = _KEEP - self._head_length
        if room > 0:
            self._head.append(text[:room])
            self._head_length += min(room, len(text))
            text = text[room:]
        if text:
            text = text[-_KEEP:]
            self._tail.append(text)
            self._tail_length += len(text)
            try:
                while self._tail_length - len(self._tail[0]) >= _KEEP:
                    self._tail_length -= len(self._tail.popleft())
            except IndexError:  # another thread prints too; no lock, which a fork could copy shut
                self._tail_length = 0

    def __str__(self) -> str:
        tail = "".join(self._tail)[-_KEEP:]
        dropped = self.length - self._head_length - len(tail)
        gap = f"\n[… {dropped:,} characters left out …]\n" if dropped > 0 else ""
        return "".join(self._head) + gap + tail


def nothing() -> object:
    """None: no object is known."""
    return None


@dataclass
class Output:
    """One thing a cell showed. `serial` orders outputs and cell starts of this kernel.

    Either `text` (printed) or `bundle` (displayed, or the value of the last expression). `drawn`
    gives the figure object that was displayed, None where it is not known or gone.
    """

    serial: int
    bundle: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    text: StreamText | None = None
    error: str = ""
    drawn: Callable[[], object] = nothing


@dataclass
class CellRun:
    """One run of one cell. `cell` is its id where the front end sends one, `count` its `In[n]`.

    `turns` are the ids of the turns that it asked, `asked_at` the serial of the last of them;
    `tags` the cell's tags, and `deleted` the cells that the front end says are gone. `well` says
    that it has ended, and without an error.
    """

    serial: int
    cell: str | None
    source: str
    outputs: list[Output] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    asked_at: int = 0
    count: int | None = None
    tags: frozenset[str] = frozenset()
    deleted: tuple[str, ...] = ()
    well: bool = False

    def same_cell(self, other: CellRun) -> bool:
        """Whether both runs are of one cell: by id, else by source."""
        if self.cell is not None or other.cell is not None:
            return self.cell == other.cell
        return self.source == other.source
