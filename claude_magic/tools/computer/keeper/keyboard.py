"""The keyboard of a desktop: which key gives a symbol, and keys lent to symbols that have none.

A program looks a key's symbol up when it comes to the key press, which may be long after it was
sent. So a key that was lent is given to another symbol only once the programs have caught up:
this is why text typed with one spare key for all foreign characters comes out wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

SHIFT = 0xFFE1
# Keys of this range (play, mail, volume) do nothing on a virtual desktop.
_MULTIMEDIA = range(0x1008FF00, 0x10090000)


@dataclass(frozen=True)
class Key:
    """A key by its X keycode, and whether Shift goes with it."""

    code: int
    shift: bool = False


class Keyboard:
    """The keys of `display` (of python-xlib). `caught_up` returns once the programs have."""

    def __init__(self, display: Any, caught_up: Callable[[], None]) -> None:
        self._display = display
        self._caught_up = caught_up
        first = display.display.info.min_keycode
        last = display.display.info.max_keycode
        rows = dict(enumerate(display.get_keyboard_mapping(first, last - first + 1), first))
        # Whole runs of neighbours first: one request then changes many keys.
        spare = [code for code, row in rows.items() if all(k == 0 or k in _MULTIMEDIA for k in row)]
        self._spare = [code for run in sorted(_runs(spare), key=len, reverse=True) for code in run]
        self._own: dict[int, Key] = {}
        for code, row in rows.items():
            if code not in self._spare:
                for symbol, shift in zip(row[:2], (False, True), strict=True):
                    self._own.setdefault(symbol, Key(code, shift))
        self._lent: dict[int, Key] = {}
        self._next = 0

    def keys(self, symbols: Sequence[int]) -> list[Key]:
        """The key of each symbol. Lends keys to symbols that have none, of which 100 at most."""
        foreign = list(dict.fromkeys(s for s in symbols if s not in self._own))
        missing = [symbol for symbol in foreign if symbol not in self._lent]
        if self._next + len(missing) > len(self._spare):
            self._caught_up()
            self._lent.clear()
            self._next, missing = 0, foreign
        if missing:
            self._lend(missing)
        return [self._own.get(symbol) or self._lent[symbol] for symbol in symbols]

    def _lend(self, symbols: Sequence[int]) -> None:
        codes = self._spare[self._next : self._next + len(symbols)]
        self._next += len(symbols)
        lent = dict(zip(codes, symbols, strict=True))
        for run in _runs(codes):
            # The same with Shift: otherwise the server would make a capital of it.
            self._display.change_keyboard_mapping(run[0], [[lent[code]] * 2 for code in run])
        self._lent.update({symbol: Key(code) for code, symbol in lent.items()})


def _runs(codes: Iterable[int]) -> list[list[int]]:
    """The numbers as runs of neighbours, in their order."""
    numbered = groupby(enumerate(codes), key=lambda item: item[1] - item[0])
    return [[code for _, code in run] for _, run in numbered]
