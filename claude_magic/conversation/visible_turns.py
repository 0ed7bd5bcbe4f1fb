"""Where the turns stand on the page, which of them count, and which a question sees.

A turn stands where its cell stands. A question sees the turns of the cells above its own, and of
its own cell those that the same run asked before it. Where no cell is known (a terminal, nbclient)
a question sees all that was asked before it.

A panel turn was not asked by a cell: it stands below the cell that was active, after what that cell
asked and in the order started. Cells below see it once it is complete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from .turns import Turn, told


class PageOrder:
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


class VisibleTurns:
    """The turns of a conversation by cell, and what counts of each.

    What counts of a cell is found again only when a turn of it came or went: a question does not
    go through all turns that stand already. Not safe to use from several threads.
    """

    def __init__(self, turns: Iterable[Turn] = (), retired: Iterable[str] = ()) -> None:
        self.retired: set[str] = set(retired)
        """Ids of turns that are kept, and never sent."""
        self._turns: dict[str, Turn] = {}
        self._cells: dict[str, dict[str, Turn]] = {}
        self._panel: dict[str, Turn] = {}
        self._going_on: dict[str, Turn] = {}
        self._under_way: set[str] = set()
        self._goals: frozenset[str] = frozenset()
        self._counts: dict[str, Sequence[Turn]] = {}
        self._changed: set[str] = set()
        self._last: tuple[tuple[str, ...], list[Turn]] = (), []
        for turn in turns:
            self.put(turn)

    def put(self, turn: Turn) -> None:
        """Take over a turn, or another version of one that is known."""
        before = self._turns.get(turn.id)
        if before is not None and before.cell is not None and not before.panel:
            self._cells[before.cell].pop(turn.id, None)
            self._changed.add(before.cell)
        self._turns[turn.id] = turn
        if turn.panel:
            self._panel[turn.id] = turn
        elif turn.cell is not None:
            self._cells.setdefault(turn.cell, {})[turn.id] = turn
            self._changed.add(turn.cell)
        if turn.going_on:
            self._going_on[turn.id] = turn

    def retire(self, turn_ids: Iterable[str], *, back: bool = False) -> None:
        """These turns do not count from now on, or with `back` they do again."""
        ids = set(turn_ids)
        self.retired = self.retired - ids if back else self.retired | ids
        self._look_again(ids)

    def begin(self, turn_ids: Iterable[str]) -> None:
        """The run that asked these turns has not ended.

        Until then the others see them only where nothing else of their cell counts.
        """
        ids = set(turn_ids)
        self._under_way |= ids
        self._look_again(ids)

    def ended(self, turn_ids: Iterable[str]) -> set[str]:
        """Those of these turns whose run was under way; from now on it is not."""
        ids = self._under_way.intersection(turn_ids)
        self._under_way -= ids
        self._look_again(ids)
        return ids

    def of_cell(self, cell: str | None) -> list[Turn]:
        """All turns that this cell asked, in the order asked."""
        if cell is None:
            return [turn for turn in self._turns.values() if turn.cell is None and not turn.panel]
        return list(self._cells.get(cell, {}).values())

    def before(self, cell: str) -> list[Turn]:
        """The turns of `cell` that are not retired, without those of a run that is under way."""
        out = self.retired | self._under_way
        return [turn for turn in self.of_cell(cell) if turn.id not in out]

    def seen(
        self,
        cell: str | None,
        run: Collection[str] = (),
        order: Sequence[str] = (),
        *,
        panel: bool = False,
    ) -> list[Turn]:
        """The turns that a question in `cell` sees, in their order on the page.

        `run` holds the ids of the turns that this very run of the cell has asked so far, or where
        no cell is known of this kernel; `order` the cells from top to bottom. A `panel` question
        stands below `cell`, and sees what that asked.
        """
        self._refresh()
        found = self._found(cell, run, order, panel=panel)
        # A broken one goes along with what goes on from it, and that may stand below.
        return told(found) if self._goals else found

    def _found(
        self, cell: str | None, run: Collection[str], order: Sequence[str], *, panel: bool
    ) -> list[Turn]:
        if cell is None:
            return [turn for turn in self._turns.values() if turn.id in run and self._goes(turn)]
        here = order.index(cell) if cell in order else len(order)
        above = order[: here + 1 if panel else here]
        if self._panel:
            found = list(self._with_panel(above, order, all_of_it=panel))
        else:
            found = self._of_cells(above)
        own = [turn for name in run if (turn := self._turns.get(name)) and self._goes(turn)]
        return [*found, *sorted(own, key=lambda turn: turn.ordinal)]

    def how_many(self, cell: str | None, run: Collection[str], *, panel: bool = False) -> int:
        """How many turns count beside those that a question in `cell` replaces."""
        if cell is None:
            return len(self.seen(cell, run))
        self._refresh()
        own = 0 if panel else len(self._counts.get(cell, ()))
        own -= sum(self._goes(turn) for name in run if (turn := self._turns.get(name)))
        return sum(map(len, self._counts.values())) + len(self._on_panel()) - own

    def _of_cells(self, cells: Sequence[str]) -> list[Turn]:
        """What counts of these cells; of most of them it was found for the question before."""
        cells = tuple(cells)
        known, found = self._last
        if cells[: len(known)] != known:
            known, found = (), []
        more = cells[len(known) :]
        found = [*found, *chain.from_iterable(filter(None, map(self._counts.get, more)))]
        self._last = cells, found
        return found

    def _goes(self, turn: Turn) -> bool:
        """Whether a turn goes along with the questions that see it."""
        return turn.id not in self.retired and (turn.sent_later or turn.id in self._goals)

    def _on_panel(self) -> list[Turn]:
        return sorted(filter(self._goes, self._panel.values()), key=lambda turn: turn.started)

    def _with_panel(
        self, above: Sequence[str], order: Sequence[str], *, all_of_it: bool
    ) -> Iterator[Turn]:
        """What counts of the cells `above`, each followed by the panel turns that stand below it.

        A panel reply that was interrupted is seen by the panel alone.
        """
        places = places_of(order)
        at: dict[int | None, list[Turn]] = {}
        for turn in self._on_panel():
            if all_of_it or turn.status == "complete":
                at.setdefault(stands_at(turn, places), []).append(turn)
        yield from at.get(-1, ())
        for place, cell in enumerate(above):
            yield from self._counts.get(cell, ())
            yield from at.get(place, ())

    def _look_again(self, turn_ids: Iterable[str]) -> None:
        found = (self._turns.get(turn_id) for turn_id in turn_ids)
        self._changed |= {turn.cell for turn in found if turn and turn.cell and not turn.panel}

    def _refresh(self) -> None:
        """Find again what counts of the cells that have changed."""
        goals = gone_on_from(self._going_on.values(), self.retired)
        self._look_again(goals ^ self._goals)
        self._goals = goals
        if not self._changed.isdisjoint(self._last[0]):
            self._last = (), []
        for cell in self._changed:
            own = [turn for turn in self._cells.get(cell, {}).values() if self._goes(turn)]
            ended = [turn for turn in own if turn.id not in self._under_way]
            found = current(ended or own, goals)
            if found:
                self._counts[cell] = sorted(found, key=lambda turn: turn.ordinal)
            else:
                self._counts.pop(cell, None)
        self._changed.clear()
