"""Where a question stands: the notebook's file, its cells in order, the cell that asks."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...conversation.store.conversations import Whereabouts
from ...conversation.turns import text_digest
from ...conversation.visible_turns import PageOrder, lowest
from ...messages.errors import InputError
from ...value_classes import frozen
from .recorder import CellRun, Output, StreamText

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ...conversation.history import History
    from ...conversation.spending import Origin
    from .front_end import FrontEnd, SeenCell
    from .recorder import Recorder

_FIGURES = frozenset({"image/png", "image/jpeg", "image/svg+xml"})
_OURS = "claude_magic"


@frozen
class SavedCell:
    """A cell of the file: its id, the digest of its text, its tags, how many figures it shows."""

    id: str
    source: str
    tags: frozenset[str] = frozenset()
    figures: int = 0


@frozen
class Saved:
    """A notebook's file: its cells from top to bottom, and the conversation in its metadata."""

    cells: tuple[SavedCell, ...] = ()
    conversation: str | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """The ids of the cells."""
        return tuple(cell.id for cell in self.cells)


def notebook_path(namespace: Mapping[str, object]) -> Path | None:
    """The file of the running notebook, as far as the front end tells; None in a console.

    Jupyter sets JPY_SESSION_NAME when the kernel starts (stale after a rename), VS Code a name in
    the notebook's `namespace`.
    """
    for name in (namespace.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(name, str) and name.endswith(".ipynb"):
            path = Path(name)
            if path.is_absolute() and path.is_file():
                return path
    return None


class SavedNotebook:
    """A notebook's file, read again when it has changed."""

    def __init__(self) -> None:
        self._stamp: tuple[str, int, int] | None = None
        self._saved = Saved()

    def read(self, path: Path) -> Saved:
        """What stands in the file; without cells where it is no notebook or has no cell ids."""
        try:
            stat = path.stat()
            stamp = (str(path), stat.st_mtime_ns, stat.st_size)
            if stamp != self._stamp:
                self._saved = parse(path.read_bytes())
                self._stamp = stamp
        except OSError:  # moved or deleted: what is known stays
            pass
        return self._saved


def source_digest(source: str) -> str:
    """The digest of a cell's text: what recognises a cell whose id has changed."""
    return text_digest(source.strip())


def parse(content: bytes) -> Saved:
    """What a notebook's file holds. It may be anything: what does not fit is left out."""
    try:
        notebook = json.loads(content)
        cells = tuple(_cell(cell) for cell in notebook["cells"])
        ours = notebook.get("metadata", {}).get(_OURS, {})
        conversation = ours.get("conversation") if isinstance(ours, dict) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Saved()
    return Saved(cells, conversation if isinstance(conversation, str) else None)


def _cell(cell: Mapping[str, Any]) -> SavedCell:
    tags = cell.get("metadata", {}).get("tags", ())
    return SavedCell(
        str(cell["id"]),
        source_digest(_joined(cell.get("source", ""))),
        frozenset(tag for tag in tags if isinstance(tag, str)),
        sum(_is_figure(output) for output in cell.get("outputs", ())),
    )


def _joined(source: str | Sequence[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _is_figure(output: Mapping[str, Any]) -> bool:
    return _OURS not in output.get("metadata", {}) and not _FIGURES.isdisjoint(
        output.get("data", {})
    )


_MARK = re.compile(r"\s*#([\w-]+)[ \t]*(\n|$)")


class NamedCells:
    """Looks cells up among `runs`, the newest run of each.

    A count is taken once for the cell that has it: `before` holds the cells that counts meant when
    the question was first asked, and `counts` what was taken now. `tags` are those of the saved
    file, by cell.
    """

    def __init__(
        self,
        runs: Sequence[CellRun],
        before: Mapping[str, str],
        tags: Mapping[str, frozenset[str]],
    ) -> None:
        self.runs = runs
        self.counts: dict[str, str] = {}
        self.notices: dict[str, None] = {}
        self._before = before
        self._tags = tags

    def of_counts(self, low: int, high: int, option: str) -> list[CellRun]:
        """The cells with the execution counts `low` to `high`. Raises InputError if none has."""
        taken = {int(c): cell for c, cell in self._before.items() if c.isdecimal()}
        found: dict[int, CellRun] = {}
        for run in self.runs:
            meant = [count for count, cell in taken.items() if cell == run.cell]
            if run.count is not None and run.count not in taken:
                meant.append(run.count)
            found |= {count: run for count in meant if low <= count <= high}
        for count in taken:
            if low <= count <= high and count not in found:
                raise InputError(
                    f"{option}: the cell that had the count {count} when this was first asked has "
                    "not run in this kernel; run it, or give another."
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
        found = [run for run in self.runs if tag in self._tags_of(run)]
        if not found:
            raise InputError(
                f"{option}: no cell that ran in this kernel has the tag {tag}. Give it one in the "
                f"notebook's property inspector, or #{tag} as its first line, and run it."
            )
        return found

    def _tags_of(self, run: CellRun) -> frozenset[str]:
        mark = _MARK.match(run.source)
        named = frozenset([mark[1]] if mark else [])
        return run.tags | named | self._tags.get(run.cell or "", frozenset())


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

    `without` holds serials: of runs of cells, and of outputs.
    """

    cell: str | None = None
    without: frozenset[int] = frozenset()


class QuestionPlaces:
    """The page of one shell's notebook, as the front end or else the saved file tells it."""

    def __init__(
        self, shell: InteractiveShell, recorder: Recorder, front_end: FrontEnd, origin: Origin
    ) -> None:
        self.page = PageOrder()
        self._shell = shell
        self._recorder = recorder
        self._front_end = front_end
        self._file = SavedNotebook()
        self._seen: dict[str, tuple[SeenCell, CellRun]] = {}
        self._origin = origin

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
        order = self.saved.order
        if order:
            self.page.tell(order)

    def started(self, run: CellRun) -> None:
        """A cell runs."""
        self.page.deleted(run.deleted)
        if run.cell is not None:
            self.page.ran(run.cell)

    def whereabouts(self) -> Whereabouts:
        """What says which conversation is this notebook's."""
        path, saved = self.path, self.saved
        if path is None:
            return Whereabouts(str(Path.cwd()), notebook=False)
        ran = [run for run in self._recorder.runs if run.cell]
        return Whereabouts(
            str(path.resolve()),
            self._front_end.conversation if self._front_end.told else saved.conversation,
            frozenset((*self.page.order, *saved.order, *(run.cell or "" for run in ran))),
            frozenset(
                (*(cell.source for cell in saved.cells), *(source_digest(r.source) for r in ran))
            ),
        )

    def asker(self, history: History, beside: PanelPlace | None = None) -> QuestionPlace:
        """Who asks now: the cell that runs, else whoever is at work beside the cells."""
        run = self._recorder.current
        if beside is not None:
            return QuestionPlace(self._anchor(history, beside.cell), panel=True)
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

    def _anchor(self, history: History, cell: str | None = None) -> str | None:
        """The cell below which a question stands that no cell asks: `cell` if it is on the page."""
        if cell in self.page.order:
            return cell
        run = self._recorder.current
        active = run.cell if run else self.page.active
        return active or lowest(history.turns, history.retired, self.page.order)

    def runs(self) -> list[CellRun]:
        """The runs of this kernel, after the cells that only the front end has seen."""
        ran = {run.cell for run in self._recorder.runs}
        unseen = [self._as_run(cell) for cell in self._front_end.seen.values()]
        return [*(run for run in unseen if run.cell not in ran), *self._recorder.runs]

    def named(self, runs: Sequence[CellRun], asker: QuestionPlace) -> NamedCells:
        """The cells of `runs` as `-c` and `-i` name them."""
        tags = {cell.id: cell.tags for cell in self.saved.cells if cell.tags}
        return NamedCells(newest(runs, self._recorder.current), asker.counts, tags)

    def not_run(self, runs: Sequence[CellRun], between: Sequence[str]) -> int:
        """How many figures the saved file holds of cells in `between` that are not in `runs`."""
        known = {run.cell for run in runs}
        places = set(between) - known
        return sum(cell.figures for cell in self.saved.cells if cell.id in places)

    def _as_run(self, cell: SeenCell) -> CellRun:
        held = self._seen.get(cell.id)
        if held is None or held[0] != cell:
            held = cell, _run_of(cell, self._recorder)
            self._seen[cell.id] = held
        return held[1]


def without_cell(history: History, source: str = "") -> QuestionPlace:
    """Where no cell has an id the whole kernel is one run, and its k-th question takes place k."""
    asked = tuple(history.asked)
    found = (history[turn_id] for turn_id in asked)
    ordinal = sum(turn.cell is None and not turn.panel for turn in found)
    return QuestionPlace(None, ordinal, asked, source)


def _run_of(cell: SeenCell, recorder: Recorder) -> CellRun:
    """A cell that ran in an earlier kernel, with the outputs that the front end shows."""
    run = CellRun(recorder.serial(), cell.id, cell.source)
    run.outputs = [
        output for told in cell.outputs if (output := _output(told, recorder.serial())) is not None
    ]
    return run


def _output(told: Mapping[str, Any], serial: int) -> Output | None:
    """One output as nbformat has it, told by the front end: whatever does not fit is left out."""
    kind = told.get("output_type")
    if kind == "stream":
        printed = StreamText()
        printed.write(_text(told.get("text")))
        return Output(serial, text=printed)
    if kind == "error":
        lines = told.get("traceback")
        return Output(serial, error="\n".join(map(_text, lines if isinstance(lines, list) else [])))
    data, metadata = told.get("data"), told.get("metadata")
    if not isinstance(data, Mapping):
        return None
    bundle = {mime: _text(v) if isinstance(v, list) else v for mime, v in data.items()}
    return Output(serial, bundle=bundle, metadata=metadata if isinstance(metadata, dict) else {})


def _text(value: object) -> str:
    """Multi-line text as nbformat has it: one string or a list of them."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
