"""Where the turns stand: the conversation is the page, not the order of execution."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

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


def on_page(turns: Iterable[Turn], retired: Collection[str], order: Sequence[str]) -> list[Turn]:
    """All that counts, from top to bottom, of whatever status; what stands nowhere comes last."""
    places = places_of(order)
    turns = list(turns)
    standing = current((t for t in turns if t.id not in retired), gone_on_from(turns, retired))
    found = [(stands_at(t, places), t) for t in standing]
    return [
        t
        for _, t in sorted(
            found, key=lambda f: (len(places) if f[0] is None else f[0], *_rank(f[1]))
        )
    ]


def lowest(turns: Iterable[Turn], retired: Collection[str], order: Sequence[str]) -> str | None:
    """The lowest cell of the page that has a turn."""
    places = places_of(order)
    asked = {places[t.cell] for t in turns if t.id not in retired and t.cell in places}
    return order[max(asked)] if asked else None


def places_of(order: Sequence[str]) -> dict[str | None, int]:
    """The places of the cells, from 0."""
    return {cell: place for place, cell in enumerate(order)}


def stands_at(turn: Turn, places: Mapping[str | None, int]) -> int | None:
    """The place of the turn's cell; None if that is not on the page.

    A panel turn whose cell is gone stands below the nearest cell above it that is still there, and
    one that was asked before any cell was known above all of them.
    """
    if turn.cell in places:
        return places[turn.cell]
    if turn.panel and turn.cell is None:
        return -1
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
    places = places_of(order)
    here = places.get(cell, len(places))
    found = [
        (here if t.id in run else at, t)
        for t in standing
        if (at := stands_at(t, places)) is not None and (at < here or t.id in run)
    ]
    found.sort(key=lambda f: (f[0], *_rank(f[1]), f[1].started))
    return [turn for _, turn in found]


def left_out(
    cell: Iterable[Turn],
    before: Collection[Turn],
    run: Collection[Turn],
    *,
    well: bool,
    whole: bool,
) -> list[str]:
    """The ids of the turns of one cell that do not count after a `run` of it, which ended `well`
    or not; `before` counted until then, and is a `whole` run or not.

    One run stands: this one if it ended well, or if nothing whole stood and anything came of it.
    """
    if well or (not whole and any(turn.sent_later for turn in run)):
        kept = {turn.id for turn in run}
        return [turn.id for turn in cell if turn.id not in kept]
    kept = {turn.id for turn in before}
    return [turn.id for turn in run if turn.id not in kept] if whole else []
