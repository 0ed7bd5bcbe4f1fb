"""The turns of a conversation: those of this kernel, and those that the store brought back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from ..messages.blocks import Block
from .steps import Step
from .store import Store
from .turns import Turn


class History:
    """Turns in the order asked, which of them are retired, and the store behind them.

    `begin` gives the store at the first thing that is to be kept; None keeps it in memory. Safe to
    use from several threads.
    """

    def __init__(
        self,
        turns: Iterable[Turn] = (),
        retired: Iterable[str] = (),
        *,
        begin: Callable[[], Store | None] = lambda: None,
        store: Store | None = None,
    ) -> None:
        self.turns: list[Turn] = list(turns)
        self.retired: set[str] = set(retired)
        self.asked: set[str] = set()
        """The ids of the turns that were asked, or shown again, by this kernel."""
        self.latest: list[str] = []
        """The same in the order in which they were asked or shown, the last one last."""
        self.aside: set[str] = set()
        """Of the retired ones those whose run did not end well: one can still go on from them."""
        self.stopped: set[str] = set()
        """The cells no run of which has ended well: what counts of them is the last that came."""
        self.rejected: dict[str, set[str]] = {}
        """By server, the keys of the blocks that it could not take; see `healing`."""
        self._at = {turn.id: place for place, turn in enumerate(self.turns)}
        self._digests: dict[str, list[str]] = {}
        for turn in self.turns:
            self._find_by_digests(turn)
        self._begin = begin
        self._store = store
        self._begun = False
        self._lock = threading.RLock()

    def __getitem__(self, turn_id: str) -> Turn:
        return self.turns[self._at[turn_id]]

    def __contains__(self, turn_id: object) -> bool:
        return turn_id in self._at

    def of_digest(self, digest: str) -> list[Turn]:
        """The turns one of whose requests had this digest, in the order asked."""
        with self._lock:
            return [self[turn_id] for turn_id in self._digests.get(digest, ())]

    def standing(self, cell: str) -> frozenset[str]:
        """The ids of the turns of `cell` that count now."""
        with self._lock:
            own = [t.id for t in self.turns if t.cell == cell and not t.panel]
            return frozenset(own) - self.retired

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
            self.asked.add(turn.id)
            self.latest.append(turn.id)
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
            new = [turn_id for turn_id in turn_ids if turn_id not in self.retired]
            self.retired |= set(new)
        store = self._writable() if new else None
        if store:
            store.retire(new)

    def set_aside(self, turn_ids: Collection[str]) -> None:
        """Retire the turns of a run that did not end well; one can still go on from them."""
        with self._lock:
            new = sorted(set(turn_ids) - self.aside)
            self.aside |= set(new)
        self.retire(turn_ids)
        store = self._writable() if new else None
        if store:
            store.note("aside", {"aside": new})

    def ran(self, cell: str, *, well: bool) -> None:
        """A run of `cell` has ended whose turns count now."""
        with self._lock:
            known = (cell in self.stopped) != well
            (self.stopped.discard if well else self.stopped.add)(cell)
        store = None if known else self._writable()
        if store:
            store.note("ran", {"cell": cell, "well": well})

    def restore(self, turn: Turn) -> None:
        """A turn counts again; the other versions of what it answers are retired."""
        with self._lock:
            rivals = set() if turn.panel or turn.cell is None else self._versions(turn)
            known = turn.id not in self.retired and rivals <= self.retired
            self.retired |= rivals
            self.retired.discard(turn.id)
        store = None if known else self._writable()
        if store:
            store.restore(turn.id)

    def shown(self, turn: Turn) -> None:
        """This kernel has shown the turn again."""
        with self._lock:
            self.asked.add(turn.id)
            self.latest.append(turn.id)

    def reject(self, server: str, keys: Collection[str]) -> None:
        """A server could not take these blocks: they are not sent to it again."""
        with self._lock:
            known = self.rejected.setdefault(server, set())
            new = sorted(set(keys) - known)
            known |= set(new)
        store = self._writable() if new else None
        if store:
            store.note("rejected", {"server": server, "blocks": new})

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

    def resume(self) -> int:
        """Take the last conversation that had no cells into this kernel's; how many turns."""
        with self._lock:
            last = max(
                (
                    t
                    for t in self.turns
                    if t.cell is None and t.id not in self.retired and not t.alone
                ),
                key=lambda turn: turn.started,
                default=None,
            )
            found = {t for t in (*last.saw, last.id) if t in self} if last else set()
            new = found - self.asked
            self.asked |= found
            return len(new)

    def purge(self) -> None:
        """Forget all turns, here and on disk."""
        with self._lock:
            self.turns.clear()
            self._at.clear()
            self._digests.clear()
            self.retired.clear()
            self.asked.clear()
            self.latest.clear()
            self._begun = False
        if self._store:
            self._store.purge()

    def take_warnings(self) -> tuple[str, ...]:
        """Lines of the store for the user, each once."""
        return tuple(self._store.take_warnings()) if self._store else ()

    def _versions(self, turn: Turn) -> set[str]:
        place = (turn.cell, turn.ordinal)
        return {
            t.id
            for t in self.turns
            if (t.cell, t.ordinal) == place and t.id != turn.id and not t.panel
        }

    def _put(self, turn: Turn) -> None:
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
            return self._store
