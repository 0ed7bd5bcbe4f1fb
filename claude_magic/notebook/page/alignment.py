"""Which cell is which: what is known of cells, found among those that stand on the page now.

A front end's ids are hints. VS Code gives other ids than those in the file, and gives them anew
when its window reloads; jupytext's files hold none; a split leaves the id with the last piece. So
the evidence counts, in this order: a turn of ours in an output · an id with the same text · a text
that is there once on both sides · a text with its execution count · VS Code's handle as a place ·
unbroken order. An id alone says that a cell was edited, as long as ids agree with the texts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ...conversation.turns import new_id
from ...value_classes import frozen
from .saved_file import Saved, source_digest

if TYPE_CHECKING:
    from .recorder import CellRun

_HANDLE = re.compile(r"vscode-notebook-cell:.*#([A-Z])([0-6]*)s", re.DOTALL)
_SEVENS = "W"
"""The letter of a handle of one digit; the next ones stand for two digits, three, and so on."""


@frozen
class Trace:
    """What is known of a cell at one time: its id then, the digest of its text, its `In[n]`.

    `turns` are the ids of the turns that it asked, or whose replies stand in its outputs.
    """

    id: str | None
    text: str
    count: int | None = None
    turns: frozenset[str] = frozenset()


def align(known: Sequence[Trace], page: Sequence[Trace]) -> dict[int, int]:
    """For each place in `known` whose cell stands on the page, its place there.

    No two have the same. What is edited and has no id to rely on has none.
    """
    return _Alignment(known, page).found


class _Alignment:
    """Pairs, the surest evidence first; what is paired is not looked at again."""

    def __init__(self, known: Sequence[Trace], page: Sequence[Trace]) -> None:
        self.found: dict[int, int] = {}
        self._known, self._page = known, page
        self._taken: set[int] = set()
        self._by_turn()
        self._by_key(lambda trace: trace.id and (trace.id, trace.text))
        self._by_key(lambda trace: trace.text, unique=True)
        self._by_key(lambda trace: trace.count and (trace.text, trace.count))
        self._by_handle()
        self._by_order()
        self._by_id_alone()

    def _pair(self, one: int, other: int) -> None:
        self.found[one] = other
        self._taken.add(other)

    def _open(self, of: Sequence[Trace], taken: Iterable[int]) -> list[tuple[int, Trace]]:
        return [(n, trace) for n, trace in enumerate(of) if n not in taken]

    def _by_turn(self) -> None:
        holders = {turn: n for n, trace in enumerate(self._page) for turn in trace.turns}
        for n, trace in enumerate(self._known):
            places = {holders[turn] for turn in trace.turns if turn in holders} - self._taken
            if len(places) == 1:
                self._pair(n, places.pop())

    def _by_key(self, key: Callable[[Trace], Hashable], *, unique: bool = False) -> None:
        """Pair what has the same key, the topmost first; `unique`: only if it is there once."""
        here: dict[Hashable, list[int]] = defaultdict(list)
        there: dict[Hashable, list[int]] = defaultdict(list)
        for n, trace in self._open(self._known, self.found):
            here[key(trace)].append(n)
        for n, trace in self._open(self._page, self._taken):
            there[key(trace)].append(n)
        for value, ones in here.items():
            others = there.get(value, [])
            if value and (not unique or len(ones) == len(others) == 1):
                for one, other in zip(ones, others, strict=False):
                    self._pair(one, other)

    def _by_handle(self) -> None:
        for n, trace in self._open(self._known, self.found):
            place = handle(trace.id or "")
            if place is not None and place in self._between_neighbours(n):
                self._pair(n, place)

    def _by_order(self) -> None:
        """Pair equal texts that stand between the same neighbours."""
        for n, _ in self._open(self._known, self.found):
            if (place := next(self._between_neighbours(n), None)) is not None:
                self._pair(n, place)

    def _between_neighbours(self, n: int) -> Iterator[int]:
        """The places of cells with the text of the n-th that keep the order of what was found."""
        before = (place for other, place in self.found.items() if other < n)
        after = (place for other, place in self.found.items() if other > n)
        low, high = max(before, default=-1), min(after, default=len(self._page))
        for place in range(low + 1, high):
            if place not in self._taken and self._page[place].text == self._known[n].text:
                yield place

    def _by_id_alone(self) -> None:
        ids = {trace.id: n for n, trace in enumerate(self._page) if trace.id is not None}
        named = {n: ids[trace.id] for n, trace in enumerate(self._known) if trace.id in ids}
        agree = sum(self.found.get(n) == place for n, place in named.items())
        contradict = sum(self.found.get(n, place) != place for n, place in named.items())
        if not trusted(agree, contradict):
            return
        for n, place in named.items():
            if n not in self.found and place not in self._taken:
                self._pair(n, place)


def trusted(agree: int, contradict: int) -> bool:
    """Whether ids can be relied on that so often agreed with the texts, and contradicted them."""
    return 4 * contradict <= agree


def handle(cell: str) -> int | None:
    """The number that VS Code gave a cell; as its window opens, its place. None for other ids."""
    found = _HANDLE.match(cell)
    if found is None:
        return None
    digits, length = found[2], ord(found[1]) - ord(_SEVENS) + 1
    return int(digits, 7) if len(digits) == length > 0 else None


class Generations:
    """The ids that one kernel was told, each good until they contradict the texts too often.

    An edit is no contradiction: only a text that stood under another id is.
    """

    def __init__(self) -> None:
        self.number = 0
        self._texts: dict[str, list[str]] = {}
        """By id, the texts that stood under it, the newest last."""
        self._agree = self._contradict = 0

    def told(self, cell: str, text: str) -> int:
        """The generation to which this id with this text belongs."""
        own = self._texts.get(cell, [])
        if text in own[-1:]:
            self._agree += 1
        elif text not in own and self._stood_elsewhere(text) and not self._is_new(cell):
            self._contradict += 1
        if not trusted(self._agree, self._contradict):
            self.number += 1
            self._texts = {}
            self._agree = self._contradict = 0
        self._texts.setdefault(cell, []).append(text)
        return self.number

    def _stood_elsewhere(self, text: str) -> bool:
        return any(text in texts for texts in self._texts.values())

    def _is_new(self, cell: str) -> bool:
        """Whether VS Code gave this number after all others: a copy of a cell, then."""
        number = handle(cell)
        known = (handle(other) for other in self._texts)
        return number is not None and all(other is None or other < number for other in known)


class AlignedRuns:
    """Which cells of the saved file this kernel ran, and by what id each of them is spoken of.

    A cell of the file has its own id; where the file holds none, or the same twice, one of ours,
    for as long as the cell is found again.
    """

    def __init__(self) -> None:
        self.ids: tuple[str, ...] = ()
        """Of the cells of the file, from top to bottom."""
        self._saved = Saved()
        self._page: list[Trace] = []
        self._generations = Generations()

    def started(self, run: CellRun) -> None:
        """A cell runs, of which the front end told an id."""
        run.hint = run.cell or ""
        run.generation = self._generations.told(run.hint, source_digest(run.source))

    def settle(
        self, saved: Saved, runs: Sequence[CellRun], order: Sequence[str]
    ) -> tuple[tuple[str, ...], list[str]]:
        """Have each of `runs` say which cell of the file it is, in its `cell`.

        `order` is the page as it was known before. Returns the ids of the file's cells, and those
        by which cells were known that are not there any more.
        """
        if saved is not self._saved:
            self._take(saved)
        named = [run for run in runs if run.hint]
        if not self.ids or not named:
            return self.ids, []
        places = {cell: n for n, cell in enumerate(order)}
        candidates = sorted(self._candidates(named), key=lambda r: places.get(r.cell or "", -1))
        pairs = align([_trace(run) for run in candidates], self._page)
        of_id: dict[tuple[int, str], str] = {}
        of_text: dict[str, str] = {}
        for n, place in sorted(pairs.items(), key=lambda pair: candidates[pair[0]].serial):
            run = candidates[n]
            of_id[run.generation, run.hint] = self.ids[place]
            of_text.setdefault(self._page[place].text, self.ids[place])
        exact = {id(candidates[n]): self.ids[place] for n, place in pairs.items()}
        gone = []
        for run in named:
            before = run.cell
            run.cell = (
                exact.get(id(run))
                or of_id.get((run.generation, run.hint))
                or of_text.get(source_digest(run.source))
                or run.hint
            )
            if run.cell == run.hint and run.hint not in self.ids and run.at < saved.at:
                gone.append(run.hint)
            elif before and before != run.cell and before not in self.ids:
                gone.append(before)
        return self.ids, gone

    def _candidates(self, runs: Sequence[CellRun]) -> list[CellRun]:
        """The runs that can still stand on the page: of each id and text the newest, and of each
        text no more than the page has cells of it.
        """
        room = Counter(trace.text for trace in self._page)
        newest: dict[tuple[int, str, str], CellRun] = {}
        for run in sorted(runs, key=lambda r: -r.serial):
            newest.setdefault((run.generation, run.hint, source_digest(run.source)), run)
        found, held = [], set[tuple[str, str]]()
        for (_, hint, text), run in newest.items():
            if text in room and (room[text] <= 0 or (hint, text) in held):
                continue
            if text in room:
                room[text] -= 1
            held.add((hint, text))
            found.append(run)
        return found

    def _take(self, saved: Saved) -> None:
        """The file was written: its cells keep the ids by which they were known."""
        page = [Trace(cell.id, cell.digest, cell.count, cell.turns) for cell in saved.cells]
        if saved.ids:
            self.ids = saved.ids
        else:
            before = [
                Trace(cell, t.text, t.count, t.turns)
                for cell, t in zip(self.ids, self._page, strict=True)
            ]
            there = {place: before[n].id for n, place in align(before, page).items()}
            self.ids = tuple(there.get(n) or new_id() for n in range(len(page)))
        self._saved, self._page = saved, page


def _trace(run: CellRun) -> Trace:
    return Trace(run.hint, source_digest(run.source), run.count, frozenset(run.turns))
