"""The cells of a page as somebody shows them: the front end, the file, IPython's own history.

What of it ran here is found by text and execution count, so that loading the extension late loses
nothing that any of these still has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...value_classes import frozen
from .recorder import OURS, CellRun, Kind, Output, State, StreamText
from .saved_file import joined, source_digest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .recorder import Recorder


@frozen
class ToldCell:
    """A cell as the front end or the file shows it.

    `shows` is how many outputs it has, None while it runs; `outputs` are those that are told, as
    in the file. `turns`
    are the ids of our turns in them. `at` is the serial of the moment at which the front end told
    it, and `saved` when the file was written, in seconds since 1970.
    """

    kind: Kind
    source: str
    count: int | None = None
    shows: int | None = 0
    outputs: Sequence[Mapping[str, Any]] = ()
    tags: frozenset[str] = frozenset()
    turns: frozenset[str] = frozenset()
    at: int = 0
    saved: float = 0.0
    missing: int = 0
    """How many characters of its text follow `source`, which is too long to be told whole."""

    @cached_property
    def digest(self) -> str:
        """The digest of its text."""
        return source_digest(self.source)

    def ran_as(self, run: CellRun) -> CellRun:
        """The cell that this kernel ran, as it stands now.

        Its text is what is told, unless that is older than the run; and what was cleared is gone.
        """
        shown = run.outputs
        outputs = shown
        if self.shows == 0 and any(output.serial < self.at for output in shown):
            outputs = [output for output in shown if output.serial > self.at]
        edited = not self._says(run.source) and not 0 < self.saved <= run.at
        if not edited and outputs is shown and self.tags <= run.tags:
            return run
        return CellRun(
            run.serial,
            run.cell,
            self.source if edited else run.source,
            outputs,
            run.turns,
            run.asked_at,
            run.count,
            run.tags | self.tags,
            well=run.well,
            at=run.at,
            state="edited" if edited else run.state,
        )

    def _says(self, source: str) -> bool:
        """Whether that is its text."""
        if self.missing:
            return source.startswith(self.source)
        return source.strip() == self.source.strip()

    def shown(self, cell: str, serial: Callable[[], int], here: State | None) -> CellRun:
        """The cell, which was not recorded; `here` says how it stands if it ran in this kernel."""
        ran = self.count is not None or self.shows != 0
        state: State = here or ("elsewhere" if ran else "not run")
        run = CellRun(
            serial(),
            cell,
            self.source,
            count=self.count,
            tags=self.tags,
            kind=self.kind,
            state=state if self.kind == "code" else "ran",
        )
        found = (output(told, serial()) for told in self.outputs)
        run.outputs = [shown for shown in found if shown is not None]
        return run

    @property
    def hides(self) -> bool:
        """Whether it shows something, or may by now, that is not told."""
        return not self.outputs and self.shows != 0


def output(told: Mapping[str, Any], serial: int) -> Output | None:
    """One output as nbformat has it: whatever does not fit is left out, and what is ours."""
    kind = told.get("output_type")
    if kind == "stream":
        printed = StreamText()
        printed.write(joined(told.get("text")))
        return Output(serial, text=printed)
    if kind in ("error", "pyerr"):
        lines = told.get("traceback")
        return Output(
            serial, error="\n".join(map(joined, lines if isinstance(lines, list) else []))
        )
    data, metadata = told.get("data"), told.get("metadata")
    if not isinstance(data, Mapping):
        data = _old_bundle(told)
    if not data or (isinstance(metadata, Mapping) and OURS in metadata):
        return None
    bundle = {mime: joined(v) if isinstance(v, list) else v for mime, v in data.items()}
    return Output(serial, bundle=bundle, metadata=metadata if isinstance(metadata, dict) else {})


_OLD_NAMES = {
    "text": "text/plain",
    "html": "text/html",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "latex": "text/latex",
    "json": "application/json",
}


def _old_bundle(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """The mimebundle of an output in the form of nbformat 3."""
    return {mime: told[name] for name, mime in _OLD_NAMES.items() if name in told}


class EarlierCells:
    """What ran in this kernel before the extension was loaded, as IPython's history has it."""

    def __init__(self, shell: InteractiveShell, recorder: Recorder) -> None:
        self._shell = shell
        self._serial = recorder.serial()  # all that ran before is older than what comes
        self._recorder = recorder
        history: Any = getattr(shell, "history_manager", None)
        sources = list(getattr(history, "input_hist_raw", ()))[: recorder.loaded]
        self._sources = {n: str(s) for n, s in enumerate(sources) if n and s.strip()}
        self._digests: dict[int, str] = {n: source_digest(s) for n, s in self._sources.items()}
        self._texts = frozenset(self._digests.values())
        self._at = recorder.loaded_at
        self._made: dict[int, CellRun] = {}

    def state(
        self, told: ToldCell, ran: Mapping[int, str], page: Callable[[], Collection[str]]
    ) -> State | None:
        """How a cell stands that ran in this kernel, unrecorded; None if it did not run here.

        `ran` are the digests of the texts that were recorded by their counts, `page` gives those of
        all texts of the page. A text that ran with this count, and stands nowhere any more, was
        its, if the page was told after it ran.
        """
        if told.count is None:
            return "ran" if told.shows and told.digest in self._texts else None
        before = self._digests.get(told.count)
        if before is not None and before == told.digest:
            return "ran"
        if before is None or 0 < told.saved <= self._at:
            before = ran.get(told.count)
        if before is None or before == told.digest:
            return None
        return "edited" if before not in page() else None

    def cells(self, known: Collection[str]) -> Iterator[CellRun]:
        """The cells that ran, in that order; without those of these texts, as often as they are."""
        there = Counter(known)
        newest = {digest: n for n, digest in self._digests.items()}
        # As long as nothing else ran, the cell that loads us may be the one that asks.
        asks = self._recorder.loads and not self._recorder.runs
        asking = self._recorder.loaded - 1 if asks else None
        for n, digest in self._digests.items():
            if newest[digest] == n and n != asking and not there[digest]:
                yield self._cell(n)

    def _cell(self, count: int) -> CellRun:
        if count not in self._made:
            run = CellRun(self._serial, None, self._sources[count], count=count, well=True)
            run.outputs = self._outputs(count)
            self._made[count] = run
        return self._made[count]

    def outputs(self, told: ToldCell) -> list[Output]:
        """What a cell showed that ran here, as far as IPython knows."""
        counts = [n for n, known in self._digests.items() if known == told.digest]
        return self._cell(counts[-1]).outputs if counts else []

    def _outputs(self, count: int) -> list[Output]:
        """What the cell printed and displayed, else what its last expression is now."""
        history: Any = self._shell.history_manager
        kept = getattr(history, "outputs", {}).get(count)  # from IPython 9
        if kept:
            return [self._output(shown.bundle) for shown in kept]
        value = self._shell.user_ns.get("Out", {}).get(count)
        if value is None:
            return []
        formatter: Any = self._shell.display_formatter
        try:
            return [Output(self._serial, bundle=formatter.format(value)[0])]
        except Exception:  # of whatever kind: the user's own object
            return []

    def _output(self, bundle: Mapping[str, Any]) -> Output:
        if "stream" not in bundle:
            return Output(self._serial, bundle=bundle)
        printed = StreamText()
        printed.write(joined(bundle["stream"]))
        return Output(self._serial, text=printed)
