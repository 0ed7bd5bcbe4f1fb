"""Where a question stands: the notebook's file, its cells in order, the cell that asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from functools import cache
from operator import is_not
from pathlib import Path
from typing import TYPE_CHECKING

from ...conversation.store.conversations import Whereabouts
from ...conversation.visible_turns import PageOrder, lowest
from ...messages.errors import InputError
from ...messages.once import Once
from ...value_classes import frozen
from .alignment import AlignedRuns, Trace
from .page_cells import EarlierCells, ToldCell
from .recorder import CellRun
from .saved_file import Saved, SavedNotebook, notebook_path, source_digest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ...conversation.history import History
    from ...conversation.spending import Origin
    from .front_end import FrontEnd
    from .recorder import Recorder

_MARK = re.compile(r"\s*#([\w-]+)[ \t]*(\n|$)")


class NamedCells:
    """Looks cells up among those of the page; `cells` gives them, from top to bottom, once asked.

    A count is taken once for the cell that has it: `before` holds the cells that counts meant when
    the question was first asked, and `counts` what was taken now.
    """

    def __init__(self, cells: Callable[[], Sequence[CellRun]], before: Mapping[str, str]) -> None:
        self._cells = Once(cells)
        self.counts: dict[str, str] = {}
        self.notices: dict[str, None] = {}
        self._before = before

    @property
    def cells(self) -> Sequence[CellRun]:
        """The cells of the page, from top to bottom."""
        return self._cells()

    @property
    def as_run(self) -> list[CellRun]:
        """The same, those first that this kernel did not record, then in the order run."""
        return sorted(self.cells, key=lambda cell: (cell.at > 0, cell.serial))

    def of_counts(self, low: int, high: int, option: str) -> list[CellRun]:
        """The cells with the execution counts `low` to `high`. Raises InputError if none has."""
        taken = {int(c): cell for c, cell in self._before.items() if c.isdecimal()}
        found: dict[int, CellRun] = {}
        # A count of this kernel before one that a cell has from an earlier one.
        for run in sorted(self.cells, key=lambda cell: cell.state not in ("elsewhere", "not run")):
            meant = [count for count, cell in taken.items() if cell == run.cell]
            if run.count is not None and run.count not in taken:
                meant.append(run.count)
            found |= {count: run for count in meant if low <= count <= high}
        for count in taken:
            if low <= count <= high and count not in found:
                raise InputError(
                    f"{option}: the cell that had the count {count} when this was first asked is "
                    "not on the page any more; give another."
                )
        if not found:
            raise InputError(f"{option}: no cell of this kernel has that execution count.")
        kept = {str(count): run.cell for count, run in found.items() if run.cell}
        self.counts |= kept
        if kept:
            self.notices[
                f"{option}: counts change; the cell that had it when this was first asked is meant"
            ] = None
        return [found[count] for count in sorted(found)]

    def tagged(self, tag: str, option: str) -> list[CellRun]:
        """The cells with a tag, or with `#tag` as their first line. Raises InputError if none."""
        found = [cell for cell in self.cells if tag in _tags_of(cell)]
        if not found:
            raise InputError(
                f"{option}: no cell that is known has the tag {tag}. Give it one in the "
                f"notebook's property inspector, or #{tag} as its first line, and run it."
            )
        return found


def _tags_of(cell: CellRun) -> frozenset[str]:
    mark = _MARK.match(cell.source) if cell.kind == "code" else None
    return cell.tags | frozenset([mark[1]] if mark else [])


def newest(runs: Sequence[CellRun], current: CellRun | None) -> list[CellRun]:
    """Of each cell the newest run."""
    return [
        run
        for i, run in enumerate(runs)
        if run is current or not any(run.same_cell(later) for later in runs[i + 1 :])
    ]


@frozen
class QuestionPlace:
    """The cell that asks: its id, which of its questions this is, the turns this run asked so far.

    With `panel` no cell asks: the question stands below `cell`. `counts` holds the cells that
    execution counts meant when this question was first asked.
    """

    cell: str | None
    ordinal: int = 0
    run: tuple[str, ...] = ()
    source: str = ""
    panel: bool = False
    counts: Mapping[str, str] = field(default_factory=dict)


@frozen
class PanelPlace:
    """A question of the panel: the cell that the user is at, and what is not to go along.

    `without` holds serials: of runs of cells, and of outputs. With `whole` it stands below all
    turns of the conversation, if these reach further down than the cell.
    """

    cell: str | None = None
    without: frozenset[int] = frozenset()
    whole: bool = False


class QuestionPlaces:
    """The page of one shell's notebook, as all that tell of it together have it.

    The front end's page stands as it is told. Where no front end tells, the saved file does, and
    which of its cells ran here is found by what is known of both.
    """

    def __init__(
        self, shell: InteractiveShell, recorder: Recorder, front_end: FrontEnd, origin: Origin
    ) -> None:
        self.page = PageOrder()
        self._shell = shell
        self._recorder = recorder
        self._front_end = front_end
        self._origin = origin
        self._file = SavedNotebook()
        self._aligned = AlignedRuns()
        self._earlier = EarlierCells(shell, recorder)
        self._made: dict[str, tuple[object, CellRun]] = {}
        self._told_of: tuple[object, ...] = ()
        self._told_then: Mapping[str, ToldCell] = {}
        self.moved: Callable[[CellRun], None] = lambda _: None
        """Told of a run with questions that is found to be of another cell than was thought."""

    @property
    def path(self) -> Path | None:
        """The notebook's file; None in a console."""
        return self._front_end.path or notebook_path(self._shell.user_ns)

    @property
    def saved(self) -> Saved:
        """What stood in the notebook's file when it was last saved."""
        path = self.path
        return self._file.read(path) if path else Saved()

    def read(self) -> None:
        """Take over the order of the cells as it is known now."""
        if self._front_end.told:
            self.page.tell(self._front_end.cells, live=True)
            return
        runs = self._recorder.runs
        before = [run.cell for run in runs]
        ids, gone = self._aligned.settle(self.saved, runs, self.page.order)
        if ids:
            self.page.tell(ids)
        self.page.deleted(gone)
        for run, cell in zip(runs, before, strict=True):
            if run.cell != cell and run.turns:
                self.moved(run)

    def started(self, run: CellRun) -> None:
        """A cell runs: from now on `run.cell` says which cell of the page it is."""
        self.page.deleted(run.deleted)
        if run.cell is None:
            return
        if not self._front_end.told:
            self._aligned.started(run)
            self.read()
        self.page.ran(run.cell)

    def whereabouts(self) -> Whereabouts:
        """What says which conversation is this notebook's."""
        path, saved = self.path, self.saved
        ran = [run for run in self._recorder.runs if run.cell]
        if path is None:
            cells = frozenset((*self.page.order, *(run.cell or "" for run in ran)))
            return Whereabouts(str(Path.cwd()), cells=cells, kind="folder")
        return Whereabouts(
            str(path.resolve()),
            self._front_end.conversation if self._front_end.told else saved.conversation,
            frozenset((*self.page.order, *saved.ids, *(run.cell or "" for run in ran))),
            frozenset(
                (*(cell.digest for cell in saved.cells), *(source_digest(r.source) for r in ran))
            ),
        )

    def asker(self, history: History, beside: PanelPlace | None = None) -> QuestionPlace:
        """Who asks now: the cell that runs, else whoever is at work beside the cells."""
        run = self._recorder.current
        if beside is not None:
            cell = self._anchor(history, beside.cell, whole=beside.whole)
            return QuestionPlace(cell, panel=True)
        if self._origin.elsewhere:
            return QuestionPlace(self._anchor(history), panel=True)
        if run is None:
            cell = self._anchor(history)
            return QuestionPlace(cell, panel=True) if cell else without_cell(history)
        if run.cell is None:
            return without_cell(history, source_digest(run.source))
        ordinal = len(run.turns)
        before = [t for t in history.of_cell(run.cell) if t.ordinal == ordinal]
        counts = {count: cell for turn in before for count, cell in turn.counts.items()}
        return QuestionPlace(
            run.cell, ordinal, tuple(run.turns), source_digest(run.source), counts=counts
        )

    def _anchor(
        self, history: History, cell: str | None = None, *, whole: bool = False
    ) -> str | None:
        """The cell below which a question stands that no cell asks: `cell` if it is on the page."""
        order = self.page.order
        if cell not in order:
            run = self._recorder.current
            cell = run.cell if run else self.page.active
        if cell is not None and not whole:
            return cell
        last = lowest(history.turns, history.retired, order)
        return max((c for c in (cell, last) if c in order), key=order.index, default=cell or last)

    @property
    def as_saved(self) -> bool:
        """Whether the page is known only as it was saved, without the cell that runs."""
        run = self._recorder.current
        known = self._front_end.told or not self._aligned.ids
        return not known and run is not None and run.cell not in self._aligned.ids

    def cells(self) -> list[CellRun]:
        """The page from top to bottom, each cell as it ran here, or as it is shown.

        Where no cell has an id they come in the order in which they ran.
        """
        runs: dict[str | None, CellRun] = {}
        for run in self._recorder.runs:
            runs.pop(run.cell, None)
            runs[run.cell] = run
        told = self._told()
        since = 0.0 if self._front_end.told else self.saved.at
        ran = {
            run.count: source_digest(run.source)
            for run in self._recorder.runs
            if run.count is not None and not 0 < since <= run.at
        }
        texts = cache(lambda: frozenset(cell.digest for cell in told.values()))
        named = [
            self._cell(cell, runs.get(cell), told.get(cell), ran, texts) for cell in self.page.order
        ]
        found = [cell for cell in named if cell is not None]
        without = newest([r for r in self._recorder.runs if r.cell is None], self._recorder.current)
        if told and not self.as_saved:  # a page that is known knows what ran
            return [*found, *without]
        known = [source_digest(cell.source) for cell in (*found, *without)]
        return [*self._earlier.cells(known), *found, *without]  # what nobody shows has at least run

    def traces(self, but: Collection[str | None] = ()) -> list[tuple[str, Trace]]:
        """The cells of the page, without those of `but`, as what recognises turns of theirs."""
        told = self._told()
        cells = {r.cell: r.source for r in self._recorder.runs} | {
            c: t.source for c, t in told.items()
        }
        return [
            (
                cell,
                Trace(
                    cell,
                    source_digest(cells[cell]),
                    turns=told[cell].turns if cell in told else frozenset(),
                ),
            )
            for cell in self.page.order
            if cell in cells and cell not in but
        ]

    def named(self, asker: QuestionPlace) -> NamedCells:
        """The cells of the page as `-c` and `-i` name them."""
        return NamedCells(self.cells, asker.counts)

    def _told(self) -> Mapping[str, ToldCell]:
        """The cells as the front end or else the file shows them, by id.

        They are the same objects for as long as nothing else is told: what each holds need not be
        compared.
        """
        front, saved = self._front_end, self.saved
        of = (front.cells, front.live, front.seen) if front.told else (self._aligned.ids, saved)
        if len(of) != len(self._told_of) or any(map(is_not, of, self._told_of)):
            shown = _live(front) if front.told else _saved(self._aligned.ids, saved)
            self._told_of, self._told_then = of, shown
        return self._told_then

    def _cell(
        self,
        cell: str,
        run: CellRun | None,
        told: ToldCell | None,
        ran: Mapping[int, str],
        texts: Callable[[], Collection[str]],
    ) -> CellRun | None:
        """The cell as it stands; None where nothing is known of it but that it is there."""
        if run is not None and (told is None or run is self._recorder.current):
            return run
        if told is None:
            return None
        if run is not None:
            shown = [output.serial for output in run.outputs]
            return self._once(cell, (told, run.serial, shown), lambda: told.ran_as(run))
        here = self._earlier.state(told, ran, texts)
        return self._once(cell, (told, here), lambda: told.shown(cell, self._recorder.serial, here))

    def _once(self, cell: str, of: object, make: Callable[[], CellRun]) -> CellRun:
        held = self._made.get(cell)
        if held is None or held[0] != of:
            held = of, make()
            self._made[cell] = held
        return held[1]


def _live(front: FrontEnd) -> Mapping[str, ToldCell]:
    found = {}
    for cell in front.cells:
        if live := front.live.get(cell):
            seen = front.seen.get(cell)
            found[cell] = ToldCell(
                live.kind,
                live.source,
                live.count,
                live.outputs,
                seen.outputs if seen else (),
                frozenset(live.tags),
                at=live.at,
                missing=live.missing,
            )
    return found


def _saved(ids: Sequence[str], saved: Saved) -> Mapping[str, ToldCell]:
    return {
        cell: ToldCell(
            s.kind, s.source, s.count, len(s.outputs), s.outputs, s.tags, s.turns, saved=saved.at
        )
        for cell, s in zip(ids, saved.cells, strict=True)
    }


def without_cell(history: History, source: str = "") -> QuestionPlace:
    """Where no cell has an id the whole kernel is one run, and its k-th question takes place k."""
    asked = tuple(history.asked)
    found = (history[turn_id] for turn_id in asked)
    ordinal = sum(turn.cell is None and not turn.panel for turn in found)
    return QuestionPlace(None, ordinal, asked, source)
