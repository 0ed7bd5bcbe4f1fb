"""The figures that a caption is asked about, each with what the kernel still knows of it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..captions.figures import bundle_data, figure_data
from ..messages.errors import ImageError, InputError
from ..messages.plain_text import trim_middle
from .choices import is_file, value_of
from .context import names
from .named_cells import NamedCells
from .outputs import Prepare, Rendered
from .record import CellRun, Output
from .table_text import table_text

_LAST = re.compile(r"last(?::([1-9]\d*))?")
_HINT = "Give a variable, a path, an address or last."
_MOST_TABLES = 3
_TABLE_CHARACTERS = 2_000


@dataclass(frozen=True)
class Figure:
    """One figure. `image` is what `prepare` takes, None where it cannot be drawn on this machine.

    `data` is what it was drawn from, `code` the cell that displayed it, `output` that output and
    `cell` the cell's id, as far as they are known.
    """

    image: object
    data: str = ""
    code: str = ""
    output: Output | None = field(default=None, compare=False)
    cell: str | None = None


class Figures:
    """Finds figures among `runs`, all runs of the kernel; `cells` are the newest of each cell."""

    def __init__(
        self,
        runs: Sequence[CellRun],
        cells: NamedCells,
        namespace: Mapping[str, object],
        *,
        evaluate: Callable[[str], object],
        render: Callable[[Output], Rendered],
        prepare: Prepare,
    ) -> None:
        self._runs = runs
        self._cells = cells
        self._namespace = namespace
        self._evaluate = evaluate
        self._render = render
        self._prepare = prepare

    def named(self, choices: Sequence[str]) -> list[Figure]:
        """The figures that `-i` names, in that order; the last one displayed where none is.

        Raises InputError for a choice that gives none.
        """
        wanted = [choice for choice in choices if choice not in ("auto", "none")] or ["last"]
        return [figure for choice in wanted for figure in self._of(choice)]

    def at(self, cell: str, image: str) -> Figure | None:
        """The figure that a cell displays, whose picture is the text `image` in its bundle."""
        wanted = image_text(image)
        for run, output in self._displayed(reversed(self._runs)):
            held = (output.bundle or {}).values()
            if run.cell == cell and any(image_text(value) == wanted for value in held):
                return self._figure(run, output)
        return None

    def shown(self, output: Output, source: str) -> Figure:
        """What an output shows that this kernel did not record, of a cell with that text.

        Raises ImageError where that is no figure that can be sent.
        """
        figure = self._figure(CellRun(0, None, source), output)
        if figure is None:
            raise ImageError("This output holds no figure that can be sent: run its cell again.")
        return figure

    def _of(self, choice: str) -> list[Figure]:
        last = _LAST.fullmatch(choice)
        if last:
            return self._newest(int(last[1] or 1), choice)
        if choice.isdecimal():
            return self._shown_by(self._cells.of_counts(int(choice), int(choice), f"-i {choice}"))
        if choice.startswith("#"):
            return self._shown_by(self._cells.tagged(choice[1:], f"-i {choice}"))
        if re.match(r"(?i)https?://|data:", choice):
            return [Figure(choice)]
        if is_file(choice):
            return [Figure(Path(choice).expanduser())]
        value = value_of("-i", choice, self._evaluate, _HINT)
        found = value if isinstance(value, list | tuple) else [value]
        return [self._object(item, choice) for item in found]

    def _newest(self, number: int, choice: str) -> list[Figure]:
        found: list[Figure] = []
        for run, output in self._displayed(reversed(self._runs)):
            figure = self._figure(run, output)
            if figure is not None:
                found.insert(0, figure)
            if len(found) == number:
                return found
        raise InputError(
            f"-i {choice}: {len(found) or 'no'} figures were displayed in this kernel so far; "
            "run the cell that draws, or name a variable."
        )

    def _shown_by(self, runs: Sequence[CellRun]) -> list[Figure]:
        outputs = reversed([*self._displayed(reversed(runs))])
        found = [f for run, output in outputs if (f := self._figure(run, output)) is not None]
        if not found:
            raise InputError("That cell displayed no figure; run it, or name another with -i.")
        return found

    def _object(self, value: object, choice: str) -> Figure:
        """A figure that the notebook holds; where it was displayed, its cell's code goes along."""
        data, image = figure_data(value), value
        try:
            self._prepare(value)
        except ImageError as error:
            if not data:
                raise ImageError(f"-i {choice}: {error}") from None
            image = None
        for run, output in self._displayed(reversed(self._runs)):
            if output.drawn() is value:
                return Figure(image, data, run.source, output, run.cell)
        return Figure(image, data)

    def _figure(self, run: CellRun, output: Output) -> Figure | None:
        """What an output shows; None where that is no figure."""
        blocks = self._render(output).blocks
        image = next((block for block in blocks if block.get("type") == "image"), None)
        data = self._data(output)
        specified = bundle_data(output.bundle or {})
        if image is None and not specified:
            return None
        return Figure(image, data or specified or self._tables(run), run.source, output, run.cell)

    def _data(self, output: Output) -> str:
        """The data of the object that was displayed.

        Of one that was displayed again later only there: it may have changed in between.
        """
        drawn = output.drawn()
        if drawn is None:
            return ""
        newer = (o for r in self._runs for o in r.outputs if o.serial > output.serial)
        return "" if any(o.drawn() is drawn for o in newer) else figure_data(drawn)

    def _tables(self, run: CellRun) -> str:
        """The tables that the cell names, as they are now: what was plotted is likely of them."""
        found = []
        for name in dict.fromkeys(names(run.source)):
            shown = table_text(self._namespace.get(name), name)
            if shown is not None:
                found.append(trim_middle(shown, _TABLE_CHARACTERS))
        return "\n\n".join(found[:_MOST_TABLES])

    def _displayed(self, runs: Iterable[CellRun]) -> Iterator[tuple[CellRun, Output]]:
        """What the runs displayed, as they come, each run's newest first."""
        for run in runs:
            for output in reversed(run.outputs):
                if output.bundle is not None:
                    yield run, output


def image_text(value: object) -> str:
    """An image of a mimebundle as a front end has it, line breaks left out; "" for anything else.

    Some libraries display bytes, which the kernel sends as base64.
    """
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return "".join(value.split()) if isinstance(value, str) else ""
