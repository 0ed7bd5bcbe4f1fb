"""Which turns a question sees: the conversation is the page, not the order of execution.

A turn stands where its cell stands. A question sees the turns of the cells above its own, and of
its own cell those that the same run asked before it. Where no cell is known (a terminal, nbclient)
a question sees all that was asked before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from .turns import Turn


class Page:
    """The cells of one notebook from top to bottom, as far as they are known."""

    def __init__(self) -> None:
        self._order: list[str] = []
        self._told: tuple[str, ...] = ()
        self._last_run: str | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """The ids of the cells, the topmost first."""
        return tuple(self._order)

    def tell(self, order: Sequence[str]) -> None:
        """Take over an order that somebody knows, such as the saved notebook.

        A cell that it does not hold but that ran in this kernel keeps its place below the cell
        above it: it is newer than what was saved.
        """
        if tuple(order) == self._told:
            return
        gone = set(self._told) - set(order)
        before = [cell for cell in self._order if cell not in gone]
        self._told = tuple(order)
        self._order = list(order)
        above: str | None = None
        for cell in before:
            if cell not in self._order:
                self._put_below(cell, above)
            above = cell

    def ran(self, cell: str) -> None:
        """A cell runs; one that is not known stands below the cell that ran before it."""
        if cell not in self._order:
            self._put_below(cell, self._last_run)
        self._last_run = cell

    def _put_below(self, cell: str, above: str | None) -> None:
        at = self._order.index(above) + 1 if above in self._order else len(self._order)
        self._order.insert(at, cell)


def seen_by(
    cell: str | None,
    run: Collection[str],
    turns: Sequence[Turn],
    retired: Collection[str],
    order: Sequence[str],
) -> list[Turn]:
    """The turns that a question in `cell` sees, in their order on the page.

    `run` holds the ids of the turns that this very run of the cell has asked so far; `order` the
    cells from top to bottom.
    """
    standing = [t for t in turns if t.sent_later and t.id not in retired]
    if cell is None:
        return standing
    places = {known: place for place, known in enumerate(order)}
    here = places.get(cell, len(places))
    above = [
        t
        for t in standing
        if t.id in run or (t.cell in places and places[t.cell] < here and t.cell != cell)
    ]
    newest = current(above)
    return sorted(newest, key=lambda t: (places.get(t.cell or "", here), t.ordinal))


def current(turns: Iterable[Turn]) -> list[Turn]:
    """Of each question of each cell the turn that counts: the last complete one, else the last.

    A run again that was interrupted leaves the complete version in its place for the others.
    """
    chosen: dict[tuple[str | None, int], Turn] = {}
    for turn in turns:
        place = (turn.cell, turn.ordinal)
        held = chosen.get(place)
        if held is None or turn.status == "complete" or held.status != "complete":
            chosen[place] = turn
    return list(chosen.values())


def superseded(turns: Iterable[Turn], cell: str, run: Collection[str]) -> list[str]:
    """The ids of the turns that a run of `cell` replaces, once that run has ended well.

    Older versions of what it asked, and what it did not ask any more; `run` holds the ids of the
    turns that it asked.
    """
    return [t.id for t in turns if t.cell == cell and t.id not in run]
