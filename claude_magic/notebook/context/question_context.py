"""Which cells of the notebook a question carries, by where it stands and by what `-c` says."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...messages.errors import InputError
from ...value_classes import frozen
from ..page.question_place import NamedCells, PanelPlace, QuestionPlace, QuestionPlaces
from ..page.recorder import CellRun, Kind
from .cell_blocks import (
    MOST_TOKENS,
    UNKNOWN_TOKENS,
    CarriedCell,
    Context,
    Render,
    gather,
    is_figure,
)

if TYPE_CHECKING:
    from ...conversation.session import Session
    from ...conversation.turns import Turn
    from ..config import Settable
    from ..options import QuestionOptions
    from ..page.question_place import NamedCells
    from ..page.recorder import Recorder

# Loading us is no part of the analysis.
_LOADS = re.compile(r"%(re)?load_ext\s+claude_magic")


@frozen
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
    """The cells that `choice` (the value of `-c`) means; `auto` goes by the question's `place`.

    Raises InputError for a choice that is not known or finds no cell.
    """
    if choice == "none":
        return []
    if choice == "auto":
        pieces = _above(cells.cells, current, place)
    else:
        pieces = [_newer(cell, -1) for cell in _chosen(cells, current, choice, place)]
    return [
        replace(p, source="") if _only_asks(p.source, p.kind) else p
        for p in pieces
        if p.outputs or not _only_asks(p.source, p.kind)
    ]


def _above(
    cells: Sequence[CellRun], current: CellRun | None, place: ContextPlace
) -> list[CarriedCell]:
    """What stands between the question before this one and this one."""
    if place.panel:
        return _above_panel(cells, place)
    if current is None or current.cell is None:
        return [_newer(cell, place.since) for cell in cells]
    own = _newer(current, current.asked_at)
    if current.asked_at:  # this run has asked before: the rest went along then
        return [own]
    there = set(between(place, current.cell))
    found = [cell for cell in cells if cell.cell in there]
    # The cell that asked before gives what it showed after its question.
    before = [_newer(c, c.asked_at if c.cell in place.asked else 0) for c in found]
    return [*before, own]


def _above_panel(cells: Sequence[CellRun], place: ContextPlace) -> list[CarriedCell]:
    """The same for a question of the panel: down to the cell that it stands below."""
    places = {cell: number for number, cell in enumerate(place.order)}
    here = places.get(place.here or "")
    if here is None:
        since = max((place.since, *(mark for _, mark in place.marks)))
        return [_newer(cell, since) for cell in cells]
    first = max((n for cell in place.asked if (n := places.get(cell, 0)) <= here), default=0)
    found = []
    for cell in cells:
        at = places.get(cell.cell or "", -1)
        if first <= at <= here:
            marks = [mark for other, mark in place.marks if places.get(other or "", -1) >= at]
            asked = cell.asked_at if cell.cell in place.asked else 0
            found.append(_newer(cell, max((asked, *marks))))
    return found


def between(place: ContextPlace, cell: str | None) -> Sequence[str]:
    """The cells from the one that asked before, itself included, to `cell`, which is not."""
    if cell is None:
        return ()
    above = place.order[: place.order.index(cell)] if cell in place.order else place.order
    asked = [number for number, other in enumerate(above) if other in place.asked]
    return above[max(asked, default=0) :]


def _newer(cell: CellRun, serial: int) -> CarriedCell:
    """What a cell ran and showed after the moment with that serial."""
    source = cell.source if cell.serial > serial else ""
    outputs = [output for output in cell.outputs if output.serial > serial]
    return CarriedCell(cell.serial, source, outputs, cell.kind, cell.state, cell.count)


def _in_order(
    cells: Sequence[CellRun], current: CellRun | None, place: ContextPlace
) -> Sequence[CellRun]:
    """Those of `cells` that stand above; all where no cell has an id."""
    if current is None or current.cell is None:
        return cells
    places = {cell: number for number, cell in enumerate(place.order)}
    here = places.get(current.cell, len(places))
    return [cell for cell in cells if places.get(cell.cell or "", here) < here]


def _chosen(
    cells: NamedCells, current: CellRun | None, choice: str, place: ContextPlace
) -> Sequence[CellRun]:
    before = [c for c in cells.cells if c is not current and not _only_asks(c.source, c.kind)]
    if choice == "above":
        return _in_order(before, current, place)
    last = re.fullmatch(r"last(?::([1-9]\d*))?", choice)
    if last:
        ran = [cell for cell in before if cell.kind == "code" and cell.state != "not run"]
        return sorted(ran, key=lambda c: (c.at > 0, c.serial))[-int(last[1] or 1) :]
    if choice.startswith("#"):
        return cells.tagged(choice[1:], f"-c {choice}")
    counts = re.fullmatch(r"(\d+)(?:-(\d+))?", choice)
    if counts is None:
        raise InputError(
            f"-c {choice}: give auto, none, above, last, last:2, #tag, or execution counts such "
            "as 3-5."
        )
    return cells.of_counts(int(counts[1]), int(counts[2] or counts[1]), f"-c {choice}")


def _only_asks(source: str, kind: Kind = "code") -> bool:
    """Whether a cell holds a question and nothing else: the question itself stands elsewhere."""
    if kind != "code":
        return not source.strip()
    if source.lstrip().startswith("%%claude"):
        return True
    lines = (s for line in source.splitlines() if (s := line.strip()) and not s.startswith("#"))
    return all(line.startswith("%claude") or _LOADS.fullmatch(line) for line in lines)


def kept(pieces: Iterable[CarriedCell], without: Collection[int]) -> list[CarriedCell]:
    """The pieces without those of these serials.

    A piece's own serial stands for its source and its text; each figure has its own.
    """
    if not without:
        return [piece for piece in pieces if piece.source or piece.outputs]
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


_AS_SAVED = (
    "the page is known as it was last saved, without this cell: save it to have all go along"
)


class CarriedContext:
    """Chooses what of the cells a question brings along; knows what earlier ones brought."""

    def __init__(
        self, recorder: Recorder, settable: Settable, standing: QuestionPlaces, session: Session
    ) -> None:
        self._recorder = recorder
        self._settable = settable
        self._standing = standing
        self._session = session
        self._since = 0
        self._marks: dict[str, int] = {}

    def pieces(
        self,
        options: QuestionOptions,
        cells: NamedCells,
        asker: QuestionPlace,
        beside: PanelPlace | None,
    ) -> list[CarriedCell]:
        """What of the cells goes along. Raises InputError for a choice that finds no cell."""
        place = self._place(asker)
        found = {
            piece.serial: piece  # the same cell named twice goes along once
            for choice in self._choices(options)
            for piece in choose(cells, self._recorder.current, choice, place)
        }
        return kept(found.values(), beside.without if beside else ())

    def context(
        self,
        pieces: Sequence[CarriedCell],
        options: QuestionOptions,
        *,
        prompt: str,
        render: Render,
        namespace: Mapping[str, object],
        figures: bool,
    ) -> Context:
        """The pieces as the model gets them, and the variables of `namespace` that they name.

        Without `figures` those of the cells stay out.
        """
        choices = self._choices(options)
        if choices == ("none",):
            return Context()
        tokens = self._room(options)
        context = gather(pieces, prompt, namespace, render, figures=figures, tokens=tokens)
        if not self._standing.as_saved:
            return context
        return replace(context, notices=(*context.notices, _AS_SAVED))

    def _room(self, options: QuestionOptions) -> int:
        """How many tokens of the page go along: a quarter of what the model takes, at the most."""
        name = options.get("model") or self._settable.value("model")
        model = self._session.catalogue.lookup(name)
        known = model.context if model is not None else 0
        return min(MOST_TOKENS, known // 4) if known else UNKNOWN_TOKENS

    def asked(self, turn: Turn, mark: int = 0) -> None:
        """Later questions begin after this one, if its turn is one that they see.

        `mark` is the serial of the moment at which a question of the panel was asked.
        """
        if turn.panel and mark:
            self._marks[turn.id] = mark
        run = None if turn.panel else self._recorder.current
        if run is not None:
            run.turns.append(turn.id)
        if turn.sent_later and not turn.panel:
            self._since = self._recorder.mark()
            if run is not None:
                run.asked_at = self._since

    def _choices(self, options: QuestionOptions) -> tuple[str, ...]:
        return tuple(options.get("context", ())) or (self._settable.value("context"),)

    def _place(self, asker: QuestionPlace) -> ContextPlace:
        order = self._standing.page.order
        seen = self._session.seen(asker.cell, asker.run, order, panel=asker.panel)
        asked = frozenset(t.cell for t in seen if t.cell and not t.panel)
        if not asker.panel:
            return ContextPlace(self._since, order, asked)
        marks = tuple((t.cell, self._marks[t.id]) for t in seen if t.id in self._marks)
        return ContextPlace(self._since, order, asked, panel=True, here=asker.cell, marks=marks)
