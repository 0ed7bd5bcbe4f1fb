"""Which cells a question brings along: by where it stands on the page, or as `-c` says."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...messages.errors import InputError
from ..page.question_place import NamedCells
from ..page.recorder import CellRun, Output

if TYPE_CHECKING:
    from ..page.question_place import NamedCells

# Loading us is no part of the analysis.
_LOADS = re.compile(r"%(re)?load_ext\s+claude_magic")


@dataclass(frozen=True)
class CarriedCell:
    """A run by its serial, or what a cell showed after it had asked (`source` is then empty)."""

    serial: int
    source: str
    outputs: Sequence[Output]


@dataclass(frozen=True)
class ContextPlace:
    """Where a question stands.

    `order` holds the cells of the page from top to bottom, `asked` those whose turns the question
    sees; where no cell has an id, `since` is the serial of the last question.

    A question of the panel stands below the cell `here`. `marks` are the panel questions that it
    sees: what stood down to that cell, and was recorded before that serial, went along with them.
    """

    since: int = 0
    order: tuple[str, ...] = ()
    asked: frozenset[str] = frozenset()
    panel: bool = False
    here: str | None = None
    marks: tuple[tuple[str | None, int], ...] = ()


def choose(
    cells: NamedCells, current: CellRun | None, choice: str, place: ContextPlace
) -> list[CarriedCell]:
    """The runs that `choice` (the value of `-c`) means; `auto` goes by the question's `place`.

    Raises InputError for a choice that is not known or finds no cell.
    """
    if choice == "none":
        return []
    if choice == "auto":
        pieces = _above(cells.runs, current, place)
    else:
        pieces = [
            CarriedCell(run.serial, run.source, run.outputs)
            for run in _chosen(cells, current, choice, place)
        ]
    return [
        replace(p, source="") if _only_asks(p.source) else p
        for p in pieces
        if p.outputs or not _only_asks(p.source)
    ]


def _above(
    latest: Sequence[CellRun], current: CellRun | None, place: ContextPlace
) -> list[CarriedCell]:
    """What stands between the question before this one and this one."""
    if place.panel:
        return _above_panel(latest, place)
    if current is None or current.cell is None:
        return [_newer(run, place.since) for run in latest]
    own = _newer(current, current.asked_at)
    if current.asked_at:  # this run has asked before: the rest went along then
        return [own]
    places = {cell: number for number, cell in enumerate(between(place, current.cell))}
    found = sorted((places[run.cell], run.serial, run) for run in latest if run.cell in places)
    # The cell that asked before gives what it showed after its question.
    before = [_newer(r, r.asked_at if r.cell in place.asked else 0) for _, _, r in found]
    return [*before, own]


def _above_panel(latest: Sequence[CellRun], place: ContextPlace) -> list[CarriedCell]:
    """The same for a question of the panel: down to the cell that it stands below."""
    places = {cell: number for number, cell in enumerate(place.order)}
    here = places.get(place.here or "")
    if here is None:
        since = max((place.since, *(mark for _, mark in place.marks)))
        return [_newer(run, since) for run in latest]
    first = max((n for cell in place.asked if (n := places.get(cell, 0)) <= here), default=0)
    found = []
    for run in latest:
        at = places.get(run.cell or "", -1)
        if first <= at <= here:
            marks = [mark for cell, mark in place.marks if places.get(cell or "", -1) >= at]
            since = max((run.asked_at if run.cell in place.asked else 0, *marks))
            found.append((at, run.serial, _newer(run, since)))
    return [piece for _, _, piece in sorted(found, key=lambda f: f[:2])]


def between(place: ContextPlace, cell: str | None) -> Sequence[str]:
    """The cells from the one that asked before, itself included, to `cell`, which is not."""
    if cell is None:
        return ()
    above = place.order[: place.order.index(cell)] if cell in place.order else place.order
    asked = [number for number, other in enumerate(above) if other in place.asked]
    return above[max(asked, default=0) :]


def _newer(run: CellRun, serial: int) -> CarriedCell:
    source = run.source if run.serial > serial else ""
    return CarriedCell(run.serial, source, [o for o in run.outputs if o.serial > serial])


def _in_order(
    runs: Sequence[CellRun], current: CellRun | None, place: ContextPlace
) -> Sequence[CellRun]:
    """Those of `runs` that stand above, from top to bottom; all where no cell has an id."""
    if current is None or current.cell is None:
        return runs
    places = {cell: number for number, cell in enumerate(place.order)}
    here = places.get(current.cell, len(places))
    above = [(p, r.serial, r) for r in runs if (p := places.get(r.cell or "", here)) < here]
    return [run for _, _, run in sorted(above, key=lambda found: found[:2])]


def _chosen(
    cells: NamedCells, current: CellRun | None, choice: str, place: ContextPlace
) -> Sequence[CellRun]:
    before = [r for r in cells.runs if r is not current and not _only_asks(r.source)]
    if choice == "above":
        return _in_order(before, current, place)
    last = re.fullmatch(r"last(?::([1-9]\d*))?", choice)
    if last:
        return before[-int(last[1] or 1) :]
    if choice.startswith("#"):
        return cells.tagged(choice[1:], f"-c {choice}")
    counts = re.fullmatch(r"(\d+)(?:-(\d+))?", choice)
    if counts is None:
        raise InputError(
            f"-c {choice}: give auto, none, above, last, last:2, #tag, or execution counts such "
            "as 3-5."
        )
    return cells.of_counts(int(counts[1]), int(counts[2] or counts[1]), f"-c {choice}")


def _only_asks(source: str) -> bool:
    """Whether a cell holds a question and nothing else: the question itself stands elsewhere."""
    if source.lstrip().startswith("%%claude"):
        return True
    lines = [s for line in source.splitlines() if (s := line.strip()) and not s.startswith("#")]
    return all(line.startswith("%claude") or _LOADS.fullmatch(line) for line in lines)


def is_figure(output: Output) -> bool:
    """Whether an output holds a picture as it is, one that need not be drawn first."""
    return any(kind.startswith("image/") for kind in output.bundle or ())


def kept(pieces: Iterable[CarriedCell], without: Collection[int]) -> list[CarriedCell]:
    """The pieces without those of these serials.

    A piece's own serial stands for its source and its text; each figure has its own.
    """
    found = []
    for piece in pieces:
        left_out = piece.serial in without
        outputs = [
            output
            for output in piece.outputs
            if (output.serial not in without if is_figure(output) else not left_out)
        ]
        found.append(replace(piece, source="" if left_out else piece.source, outputs=outputs))
    return [piece for piece in found if piece.source or piece.outputs]
