"""Which turns a question sees: the conversation is the page, not the order of execution.

A turn stands where its cell stands. A question sees the turns of the cells above its own, and of
its own cell those that the same run asked before it. Where no cell is known (a terminal, nbclient)
a question sees all that was asked before it.

A panel turn was not asked by a cell: it stands below the cell that was active, after what that cell
asked and in the order started. Cells below see it once it is complete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter, lt

from .turns import Turn


class Page:
    """The cells of one notebook from top to bottom, as far as they are known."""

    def __init__(self) -> None:
        self._order: list[str] = []
        self._told: tuple[str, ...] = ()
        self._last_run: str | None = None
        self._deleted: set[str] = set()

    @property
    def order(self) -> tuple[str, ...]:
        """The ids of the cells, the topmost first."""
        return tuple(self._order)

    def tell(self, order: Sequence[str], *, live: bool = False) -> None:
        """Take over an order that somebody knows, such as the saved notebook.

        `live` says that it is the page as it stands now: a cell that it does not hold is gone.

        A cell that it does not hold but that ran in this kernel keeps its place below the cell
        above it: it is newer than what was saved.
        """
        if live:
            self._deleted -= set(order)
            self._order = list(order)
            self._told = tuple(order)
            return
        if tuple(order) == self._told:
            return
        gone = set(self._told) - set(order)
        before = [cell for cell in self._order if cell not in gone]
        self._told = tuple(order)
        self._order = [cell for cell in order if cell not in self._deleted]
        above: str | None = None
        for cell in before:
            if cell not in self._order:
                self._put_below(cell, above)
            above = cell

    def ran(self, cell: str) -> None:
        """A cell runs; one that is not known stands below the cell that ran before it."""
        self._deleted.discard(cell)
        if cell in self._told and cell not in self._order:  # it was deleted, and is back
            before = self._told[: self._told.index(cell)]
            above = next((other for other in reversed(before) if other in self._order), None)
            self._order.insert(self._order.index(above) + 1 if above else 0, cell)
        elif cell not in self._order:
            self._put_below(cell, self._last_run)
        self._last_run = cell

    def deleted(self, cells: Collection[str]) -> None:
        """The front end says that these cells are gone; one that runs again is back."""
        self._deleted |= set(cells)
        self._order = [cell for cell in self._order if cell not in self._deleted]

    @property
    def active(self) -> str | None:
        """The cell that ran last: the one that a user is at."""
        return self._last_run if self._last_run in self._order else None

    def _put_below(self, cell: str, above: str | None) -> None:
        at = self._order.index(above) + 1 if above in self._order else len(self._order)
        self._order.insert(at, cell)


def seen_by(
    cell: str | None,
    run: Collection[str],
    turns: Sequence[Turn],
    retired: Collection[str],
    order: Sequence[str],
    *,
    panel: bool = False,
) -> list[Turn]:
    """The turns that a question in `cell` sees, in their order on the page.

    `run` holds the ids of the turns that this very run of the cell has asked so far; `order` the
    cells from top to bottom. A `panel` question stands below `cell`, and sees what that asked.
    """
    goals = gone_on_from(turns, retired)
    standing = [t for t in turns if (t.sent_later or t.id in goals) and t.id not in retired]
    if cell is None:
        return standing
    places = _places(order)
    here = places.get(cell, len(places))
    last = here if panel else here - 1
    above, ranks = [], []
    for turn in standing:
        if not turn.panel:
            at = places.get(turn.cell)
        elif panel or turn.status == "complete":
            at = _place(turn, places)
        else:  # a panel reply that was interrupted is seen by the panel alone
            continue
        if turn.id in run:
            at = here
        elif at is None or at > last:
            continue
        above.append(turn)
        ranks.append((at, *_rank(turn)) if turn.panel else (at, False, turn.ordinal))
    if not run and all(map(lt, ranks, ranks[1:])):
        return above  # in order already, and no two at one place: as a page is that only grew
    newest = {turn.id for turn in current(above, goals)}
    found = sorted(zip(ranks, above, strict=True), key=itemgetter(0))
    return [turn for _, turn in found if turn.id in newest]


def on_page(turns: Iterable[Turn], retired: Collection[str], order: Sequence[str]) -> list[Turn]:
    """All that counts, from top to bottom, of whatever status; what stands nowhere comes last."""
    places = _places(order)
    turns = list(turns)
    standing = current((t for t in turns if t.id not in retired), gone_on_from(turns, retired))
    found = [(_place(t, places), t) for t in standing]
    return [
        t
        for _, t in sorted(
            found, key=lambda f: (len(places) if f[0] is None else f[0], *_rank(f[1]))
        )
    ]


def lowest(turns: Iterable[Turn], retired: Collection[str], order: Sequence[str]) -> str | None:
    """The lowest cell of the page that has a turn."""
    places = _places(order)
    asked = {places[t.cell] for t in turns if t.id not in retired and t.cell in places}
    return order[max(asked)] if asked else None


def _places(order: Sequence[str]) -> dict[str | None, int]:
    return {cell: place for place, cell in enumerate(order)}


def _place(turn: Turn, places: Mapping[str | None, int]) -> int | None:
    """The place of the turn's cell; None if that is not on the page.

    A panel turn whose cell is gone stands below the nearest cell above it that is still there.
    """
    if turn.cell in places:
        return places[turn.cell]
    if not turn.panel or turn.cell not in turn.order:
        return None
    above = turn.order[: turn.order.index(turn.cell)]
    return next((places[cell] for cell in reversed(above) if cell in places), -1)


def _rank(turn: Turn) -> tuple[bool, float]:
    """The order of turns at one place: those of the cell, then those of the panel."""
    return turn.panel, turn.started if turn.panel else turn.ordinal


def gone_on_from(turns: Iterable[Turn], retired: Collection[str]) -> frozenset[str]:
    """The ids of the turns, broken ones too, with whose reply another one goes on."""
    return frozenset(
        t.going_on for t in turns if t.going_on and t.sent_later and t.id not in retired
    )


def current(turns: Iterable[Turn], goals: Collection[str] = ()) -> list[Turn]:
    """Of each question of each cell the turn that counts: the last complete one, else the last
    that goes along with later questions, else the last.

    A run again that was interrupted leaves the complete version in its place for the others. One
    of `goals` counts as complete: another turn goes on from it.
    """
    turns = list(turns)
    places = _questions(turns)
    if len(set(places)) == len(turns):
        return turns
    chosen: dict[tuple[str | None, int | str], Turn] = {}
    for place, turn in zip(places, turns, strict=True):
        held = chosen.get(place)
        if held is None or _standing(turn, goals) >= _standing(held, goals):
            chosen[place] = turn
    return list(chosen.values())


def how_many(turns: Iterable[Turn]) -> int:
    """How many turns `current` gives."""
    return len(set(_questions(turns)))


def _questions(turns: Iterable[Turn]) -> list[tuple[str | None, int | str]]:
    """For each turn which question of which cell it answers; its id where it stands for itself."""
    return [(t.cell, t.id if t.panel or t.alone else t.ordinal) for t in turns]


def _standing(turn: Turn, goals: Collection[str]) -> int:
    return 2 if turn.status == "complete" or turn.id in goals else int(turn.sent_later)


def above(
    cell: str | None,
    run: Collection[str],
    turns: Iterable[Turn],
    retired: Collection[str],
    order: Sequence[str],
) -> list[Turn]:
    """All turns above a question in `cell`, of whatever status, the nearest last."""
    standing = [t for t in turns if t.id not in retired and not t.alone]
    if cell is None:
        return sorted(standing, key=lambda t: t.started)
    places = _places(order)
    here = places.get(cell, len(places))
    found = [
        (here if t.id in run else at, t)
        for t in standing
        if (at := _place(t, places)) is not None and (at < here or t.id in run)
    ]
    found.sort(key=lambda f: (f[0], *_rank(f[1]), f[1].started))
    return [turn for _, turn in found]


def superseded(turns: Iterable[Turn], cell: str, run: Collection[str]) -> list[str]:
    """The ids of the turns that a run of `cell` replaces, once that run has ended well.

    Older versions of what it asked, and what it did not ask any more; `run` holds the ids of the
    turns that it asked. A panel turn is never replaced.
    """
    return [t.id for t in turns if t.cell == cell and t.id not in run and not t.panel]
