"""Which turns of a conversation count, and which of them a question sees.

A turn stands where its cell stands. A question sees the turns of the cells above its own, and of
its own cell those that the same run asked before it. Where no cell is known (a terminal, nbclient)
a question sees all that was asked before it.

A panel turn was not asked by a cell: it stands below the cell that was active, after what that cell
asked and in the order started. Cells below see it once it is complete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

from .page import current, gone_on_from, places_of, stands_at
from .turns import Turn, told


class Counting:
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
