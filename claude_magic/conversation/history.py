"""The turns of a conversation: those of this kernel, and those that the store brought back.

A question asked in place of another retires it, with all that was asked after it in the panel. The
turns are kept: each knows the first version of the question that it answers, and what it saw.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import replace

from ..messages.blocks import Block
from ..messages.once import OwnLock
from .ledger import stale_turns
from .other_turns import OtherTurns
from .store.store import Store
from .turns import Step, Turn, new_id
from .visible_turns import VisibleTurns, left_out, on_page


class History:
    """Turns in the order asked, which of them are retired, and the store behind them.

    `begin` gives the store at the first thing that is to be kept; None keeps it in memory. `others`
    are turns of other conversations: found here as its own are, but not among `turns` until one is
    shown again, and then kept with the next thing that is. Safe to use from several threads.
    """

    def __init__(
        self,
        turns: Iterable[Turn] = (),
        retired: Iterable[str] = (),
        *,
        begin: Callable[[], Store | None] = lambda: None,
        store: Store | None = None,
        others: OtherTurns | None = None,
    ) -> None:
        self.turns: list[Turn] = list(turns)
        self.others = others or OtherTurns()
        self._taken: set[str] = set()
        self._unkept: list[Turn] = []
        self.asked: set[str] = set()
        """The ids of the turns that were asked, or shown again, by this kernel."""
        self.latest: list[str] = []
        """The same in the order in which they were asked or shown, the last one last."""
        self.replayed: set[str] = set()
        """The ids of the turns that this kernel has shown from the record."""
        self.aside: set[str] = set()
        """Of the retired ones those whose run did not end well: one can still go on from them."""
        self.stopped: set[str] = set()
        """The cells no run of which has ended well: what counts of them is the last that came."""
        self.rejected: dict[str, set[str]] = {}
        """By server, the keys of the blocks that it could not take; see `healing`."""
        self._copies: dict[str, Mapping[str, Block]] = {}
        self._counting = VisibleTurns(self.turns, retired)
        # Retired on disk: what a run shows again counts at once, and is restored once that ends.
        self._recorded = set(retired)
        self.observers: list[Callable[[], None]] = []
        """Called after the turns, or what counts of them, have changed; in whatever thread."""
        self._at = {turn.id: place for place, turn in enumerate(self.turns)}
        self._digests: dict[str, list[str]] = {}
        for turn in self.turns:
            self._find_by_digests(turn)
        self._begin = begin
        self._store = store
        self._begun = False
        self._lock = OwnLock()

    def __getitem__(self, turn_id: str) -> Turn:
        at = self._at.get(turn_id)
        return self.others[turn_id] if at is None else self.turns[at]

    def __contains__(self, turn_id: object) -> bool:
        return turn_id in self._at or turn_id in self.others

    def of_digest(self, digest: str) -> list[Turn]:
        """The turns one of whose requests had this digest, in the order asked."""
        with self._lock:
            own = [self[turn_id] for turn_id in self._digests.get(digest, ())]
            return [*(t for t in self._not_taken() if digest in t.digests), *own]

    @property
    def retired(self) -> Set[str]:
        """The ids of the turns that were superseded or taken out: kept, and never sent."""
        return self._counting.retired

    def of_cell(self, cell: str | None) -> list[Turn]:
        """All turns that this cell asked, older versions too, in the order asked."""
        with self._lock:
            own = self._counting.of_cell(cell)
            if cell is not None:
                return own
            return [*(t for t in self._not_taken() if t.cell is None and not t.panel), *own]

    def seen(
        self,
        cell: str | None,
        run: Collection[str],
        order: Sequence[str],
        *,
        panel: bool = False,
        going_on: str = "",
    ) -> list[Turn]:
        """The turns that a question in `cell` sees; see `Counting.seen`.

        Where no cell is known, those of this kernel. `going_on` is the id of a turn that the
        question goes on from: it sees that one, and no other version of it.
        """
        with self._lock:
            run = self.asked if cell is None else run
            found = self._counting.seen(cell, run, order, panel=panel)
            if going_on and all(turn.id != going_on for turn in found):
                goal = self[going_on]
                place = goal.cell, goal.ordinal
                found = [t for t in found if (t.cell, t.ordinal) != place] + [goal]
            return found

    def sees(self, turn: Turn, order: Sequence[str]) -> list[Turn]:
        """What a turn would see if it were asked now, on a page of these cells."""
        if turn.panel:
            found = self.seen(turn.cell, (), order, panel=True)
            return [t for t in found if t.id != turn.id and t.ended <= turn.started]
        own = self.of_cell(turn.cell)
        run = [t.id for t in own if t.ordinal < turn.ordinal and t.id not in self.retired]
        found = self.seen(turn.cell, run, order)
        if turn.cell is None:
            return [t for t in found if t.started < turn.started]
        return found

    def on_page(self, order: Sequence[str]) -> list[Turn]:
        """All that counts, from top to bottom; where no cell is known, that of this kernel."""
        turns = list(self.turns)
        standing = on_page(turns, self.retired, order)
        if any(turn.cell for turn in turns):
            return standing
        return [turn for turn in standing if turn.id in self.asked]

    def stale(self, order: Sequence[str]) -> set[str]:
        """The ids of the turns on a page of these cells that would be asked otherwise today."""
        shown = {turn.id for turn in self.on_page(order)}
        return stale_turns(list(self.turns), lambda turn: self.sees(turn, order)) & shown

    def stale_after(self, place: Turn, run: Collection[str], order: Sequence[str]) -> list[Turn]:
        """The turns that `stale` will name because another one comes in the place of `place`.

        `run` holds the ids of what the run of its cell that asks it anew has asked before.
        """
        anew = replace(place, id=new_id(), question=new_id())
        own = [turn for turn in self.of_cell(place.cell) if not turn.panel]
        before = {turn.id for turn in own if turn.ordinal == place.ordinal}
        gone = before if place.cell is None else {turn.id for turn in own if turn.id not in run}
        then = History([*self.turns, anew], self.retired | gone)
        then.asked = {*self.asked, anew.id}
        stale = then.stale(order)
        return [
            turn
            for turn in then.turns
            if turn.id in stale
            if not before.isdisjoint(turn.saw)
            or anew.id in {seen.id for seen in then.sees(turn, order)}
        ]

    def how_many(self, cell: str | None, run: Collection[str], *, panel: bool = False) -> int:
        """How many turns count beside those that a question in `cell` replaces."""
        with self._lock:
            run = self.asked if cell is None else run
            return self._counting.how_many(cell, run, panel=panel)

    def start(self, turn: Turn) -> None:
        """Have it on disk that `turn` is about to be asked; it joins when it ends."""
        store = self._writable()
        if store:
            store.start(turn)

    def step(self, turn_id: str, step: Step) -> None:
        """Keep a reply of a turn that runs and is not its last."""
        store = self._writable()
        if store:
            store.step(turn_id, step)

    def progress(self, turn_id: str, reply: Sequence[Block]) -> None:
        """Keep what has come so far of a turn that runs."""
        store = self._writable()
        if store:
            store.progress(turn_id, reply)

    def end(self, turn: Turn) -> None:
        """Take over a turn that has ended, or the same one once more."""
        with self._lock:
            self._put(turn)
            if turn.cell is not None and not turn.panel:
                self._counting.begin([turn.id])
            self.asked.add(turn.id)
            self.latest.append(turn.id)
        self._changed()
        store = self._writable()
        if store:
            store.end(turn)

    def drop(self, turn: Turn) -> None:
        """A turn that was started, and then not sent or not answered: it counts nowhere."""
        store = self._writable()
        if store:
            store.end(turn)
            store.retire([turn.id])

    def retire(self, turn_ids: Collection[str]) -> None:
        """These turns are superseded: kept, and never sent."""
        with self._lock:
            new = [turn_id for turn_id in turn_ids if turn_id not in self._recorded]
            self._counting.retire(turn_ids)
            self._recorded |= set(new)
        if new:
            self._changed()
        store = self._writable() if new else None
        if store:
            store.retire(new)

    def ran(self, cell: str, run: Collection[str], *, well: bool) -> None:
        """A run of `cell` has ended that asked the turns `run`, or showed them again.

        If `well`, what it did not ask again is not part of the page now. Else one run stands, as a
        whole: the last whole one, or if there is none the last of which anything came. A question
        of one run with the reply of another was never asked. Other versions are kept, and not sent.
        """
        with self._lock:
            before = self._counting.before(cell)
            asked = [self[turn_id] for turn_id in run if turn_id in self]  # or purged
            if not (asked or well):
                return
            whole = well or self._is_whole(cell, before)
            out = left_out(self.of_cell(cell), before, asked, well=well, whole=whole)
            aside = [] if well else [turn_id for turn_id in out if turn_id not in self.retired]
            back = [t.id for t in asked if t.id in self._recorded and t.id not in out]
            self.aside -= {t.id for t in asked if t.id not in out}
            new = self._counting.ended(run)
            changed = new or back or whole == (cell in self.stopped)
            self.aside.update(aside)
            (self.stopped.discard if whole else self.stopped.add)(cell)
        self.retire(out)
        for turn_id in back:
            self.restore(self[turn_id])
        store = self._writable() if aside or changed else None
        if store and aside:
            store.note("aside", {"aside": aside})
        if store and changed:
            store.note("ran", {"cell": cell, "whole": whole, "turns": list(run)})

    def settle(self, ended: Collection[str]) -> None:
        """Have of each cell whose kernel was killed while it ran count what `ran` would leave.

        `ended` holds the ids of the turns whose run has ended. Nothing is written.
        """
        known = set(ended)
        self.aside &= self.retired  # what was brought back since is not
        for run in self._killed(known):
            cell, ids = str(run[0].cell), {turn.id for turn in run}
            others = [t for t in self.of_cell(cell) if t.id in known | ids]
            before = [t for t in others if t.id in known and t.id not in self.retired]
            whole = self._is_whole(cell, before)
            out = left_out(others, before, run, well=False, whole=whole)
            self.aside.update(turn_id for turn_id in out if turn_id not in self.retired)
            self._counting.retire(ids.difference(out), back=True)
            self._counting.retire(out)
            if not whole:
                self.stopped.add(cell)
            known |= ids

    def restore(self, turn: Turn) -> None:
        """A turn counts again; the other versions of what it answers are retired."""
        with self._lock:
            rivals = set() if turn.panel or turn.cell is None else self._versions(turn)
            known = turn.id not in self._recorded and rivals <= self._recorded
            self._counting.retire(rivals)
            self._counting.retire([turn.id], back=True)
            self._recorded |= rivals
            self._recorded.discard(turn.id)
            self.aside.discard(turn.id)
        if not known:
            self._changed()
        store = None if known else self._writable()
        if store:
            store.restore(turn.id)

    def shown(self, turn: Turn) -> None:
        """This kernel has shown the turn again.

        One that was retired counts again: for the others once the run that shows it has ended.
        """
        with self._lock:
            taken = self._take([turn.id])
            self.asked.add(turn.id)
            self.latest.append(turn.id)
            retired = turn.id in self.retired
            if retired and turn.cell is not None and not turn.panel:
                self._counting.retire([turn.id], back=True)
                self._counting.begin([turn.id])
                return
        if taken:
            self._changed()
        if retired:
            self.restore(turn)

    def reject(self, server: str, keys: Collection[str]) -> None:
        """A server could not take these blocks: they are not sent to it again."""
        with self._lock:
            known = self.rejected.setdefault(server, set())
            new = sorted(set(keys) - known)
            known |= set(new)
        store = self._writable() if new else None
        if store:
            store.note("rejected", {"server": server, "blocks": new})

    def take_copies(self, server: str, copies: Mapping[str, Block]) -> None:
        """These go to a server in place of the blocks of these keys, for which it has a limit.

        They are not kept on disk: what was asked holds the images as they are.
        """
        with self._lock:
            self._copies[server] = {**self._copies.get(server, {}), **copies}

    def copies_for(self, server: str) -> Mapping[str, Block]:
        """What goes to this server in place of blocks, by their keys."""
        return self._copies.get(server, {})

    def rejected_by(self, server: str) -> frozenset[str]:
        """The keys of the blocks that this server could not take."""
        return frozenset(self.rejected.get(server, ()))

    def match(self, cell: str, source: str, page: Collection[str]) -> None:
        """Give `cell`, which has no turns, those of a cell with the same text that is gone.

        `source` is the digest of its text, `page` the cells that are known to stand on the page.
        A front end's ids may be good for one kernel only, and a split leaves its id below.
        """
        with self._lock:
            if not source or any(turn.cell == cell for turn in self.turns):
                return
            gone = next(
                (
                    turn.cell
                    for turn in self.turns
                    if turn.source == source
                    and turn.cell not in page
                    and turn.cell is not None
                    and turn.id not in self.asked
                ),
                None,
            )
            if gone is not None:
                for turn in self.turns:
                    if turn.cell == gone:
                        self._put(replace(turn, cell=cell))
        if gone is not None:
            self._changed()

    def move(self, places: Mapping[str, str]) -> None:
        """Have the turns of the cells that `places` names stand in others, whose ids it gives.

        It is found out anew in each kernel, and not written.
        """
        with self._lock:
            moved = [turn for turn in self.turns if turn.cell in places]
            for turn in moved:
                order = tuple(places.get(cell, cell) for cell in turn.order)
                self._put(replace(turn, cell=places[str(turn.cell)], order=order))
        if moved:
            self._changed()

    def stand(self, turn_ids: Collection[str], cell: str) -> None:
        """Have these turns stand in `cell`, which asked them by another id; it is not written."""
        with self._lock:
            moved = [self[i] for i in turn_ids if i in self and self[i].cell != cell]
            for turn in moved:
                self._put(replace(turn, cell=cell))
        if moved:
            self._changed()

    def resume(self) -> int:
        """Take the last conversation that had no cells into this kernel's; how many turns."""
        with self._lock:
            last = max(
                (
                    t
                    for t in (*self._not_taken(), *self.turns)
                    if t.cell is None and not t.alone and not self._is_retired(t.id)
                ),
                key=lambda turn: turn.started,
                default=None,
            )
            found = self._of_one_kernel(last) if last else set()
            new = found - self.asked
            self._take(t.id for t in sorted(map(self.__getitem__, found), key=_started))
            self.asked |= found
        if new:
            self._changed()
        return len(new)

    def _of_one_kernel(self, last: Turn) -> set[str]:
        """The turns without cells up to `last`: those it saw, and those asked at the same time."""
        around = self.turns if last.id in self._at else self.others.beside(last.id)
        found: set[str] = set()
        more = {last.id}
        while more:
            found |= more
            turns = [self[turn_id] for turn_id in more]
            saw = {turn_id for turn in turns for turn_id in turn.saw if turn_id in self}
            since, until = min(t.started for t in turns), max(t.ended for t in turns)
            beside = {
                t.id
                for t in around
                if t.cell is None and t.panel and t.started < until and t.ended > since
                if not self._is_retired(t.id) and not t.alone
            }
            more = (saw | beside) - found
        return found

    def purge(self) -> int:
        """Forget all turns, here and on disk; the conversations too that any was taken from.

        Returns how many of these there were.
        """
        with self._lock:
            others = self.others.purge(self._taken)
            self._taken.clear()
            self._unkept.clear()
            self.turns.clear()
            self._at.clear()
            self._digests.clear()
            self._counting = VisibleTurns()
            self._recorded.clear()
            self.asked.clear()
            self.latest.clear()
            self.replayed.clear()
            self._begun = False
        self._changed()
        if self._store:
            self._store.purge()
        return others

    def take_warnings(self) -> tuple[str, ...]:
        """Lines of the store for the user, each once."""
        return tuple(self._store.take_warnings()) if self._store else ()

    def _changed(self) -> None:
        for observer in tuple(self.observers):
            observer()

    def _not_taken(self) -> Iterable[Turn]:
        return (turn for turn in self.others if turn.id not in self._at)

    def _is_retired(self, turn_id: str) -> bool:
        return turn_id in self.retired if turn_id in self._at else self.others.retired(turn_id)

    def _take(self, turn_ids: Iterable[str]) -> bool:
        """Have these turns of other conversations be of this one; whether any was not yet."""
        new = [self.others[turn_id] for turn_id in turn_ids if turn_id not in self._at]
        for turn in new:
            self._put(turn)
            self._taken.add(turn.id)
            self._unkept.append(turn)
        return bool(new)

    def _versions(self, turn: Turn) -> set[str]:
        others = self._counting.of_cell(turn.cell)
        return {t.id for t in others if t.ordinal == turn.ordinal and t.id != turn.id}

    def _is_whole(self, cell: str, before: Collection[Turn]) -> bool:
        """Whether the turns `before` are those of a run of `cell` that ended well."""
        complete = all(turn.status == "complete" for turn in before)
        return bool(before) and complete and cell not in self.stopped

    def _killed(self, ended: Collection[str]) -> list[list[Turn]]:
        """The runs that never ended, the oldest first.

        A turn saw those that its run had asked before, and of its own cell no others.
        """
        runs: dict[str, list[Turn]] = {}
        for turn in self.turns:
            if turn.cell is None or turn.panel or turn.id in ended or turn.id in self.retired:
                continue
            runs[turn.id] = run = [turn]
            if len(self.of_cell(turn.cell)) > 1:
                saw = [self[turn_id] for turn_id in turn.saw if turn_id in self]
                run[:0] = [t for t in saw if t.cell == turn.cell and not t.panel]
                for earlier in run[:-1]:  # of one run the last turn knows the most
                    runs.pop(earlier.id, None)
        return list(runs.values())

    def _put(self, turn: Turn) -> None:
        self._counting.put(turn)
        place = self._at.get(turn.id)
        if place is not None:
            self.turns[place] = turn
            return
        self._at[turn.id] = len(self.turns)
        self.turns.append(turn)
        self._find_by_digests(turn)

    def _find_by_digests(self, turn: Turn) -> None:
        for digest in turn.digests:
            self._digests.setdefault(digest, []).append(turn.id)

    def _writable(self) -> Store | None:
        with self._lock:
            if not self._begun:
                self._begun = True
                self._store = self._begin() or self._store
            while self._store and self._unkept:
                self._store.end(self._unkept.pop(0))
            return self._store


def _started(turn: Turn) -> float:
    return turn.started


def followers(turns: Sequence[Turn], retired: Collection[str], turn_id: str) -> list[str]:
    """The ids of the panel turns that count and that saw this one, in the order asked."""
    return [t.id for t in turns if t.panel and t.id not in retired and turn_id in t.saw]


def versions(turns: Sequence[Turn], turn: Turn) -> list[Turn]:
    """The panel turns that answer the question of `turn`, itself among them, in the order asked."""
    return [t for t in turns if t.panel and _origin(t) == _origin(turn)]


def path(turns: Sequence[Turn], turn: Turn) -> list[str]:
    """The ids of `turn` and of what was asked after it in the panel, as the newest of it saw it."""
    after = [t for t in turns if t.panel and turn.id in t.saw]
    if not after:
        return [turn.id]
    newest = max(after, key=lambda t: t.started)
    between = {t.id for t in after}.intersection(newest.saw)
    return [turn.id, *(t.id for t in after if t.id in between), newest.id]


def switch(history: History, turn: Turn) -> None:
    """Have this version of a question count, with what was asked after it, and no other one."""
    turns = list(history.turns)
    kept = path(turns, turn)
    others = [t.id for t in versions(turns, turn) if t.id != turn.id]
    gone = {*others, *(t.id for t in turns if t.panel and not set(others).isdisjoint(t.saw))}
    history.retire([t.id for t in turns if t.id in gone and t.id not in kept])
    for turn_id in kept:
        history.restore(history[turn_id])


def _origin(turn: Turn) -> str:
    return turn.version_of or turn.id
