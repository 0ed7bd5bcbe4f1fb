"""What goes along with a notebook's questions: what stands there since the one before, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..messages import plain_text
from .beside import kept
from .context import Context, Render, gather
from .pieces import Piece, Place, between, choose
from .standing import Asker, Beside, Standing

if TYPE_CHECKING:
    from ..conversation.session import Session
    from ..conversation.turns import Turn
    from .config import Settable
    from .named_cells import NamedCells
    from .options import QuestionOptions
    from .recorder import Recorder


class Carrying:
    """Chooses what of the cells a question brings along; knows what earlier ones brought."""

    def __init__(
        self, recorder: Recorder, settable: Settable, standing: Standing, session: Session
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
        asker: Asker,
        beside: Beside | None,
    ) -> list[Piece]:
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
        pieces: Sequence[Piece],
        options: QuestionOptions,
        cells: NamedCells,
        asker: Asker,
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
        context = gather(pieces, prompt, namespace, render, figures=figures)
        if not figures or "auto" not in choices:
            return context
        missing = self._standing.not_run(cells.runs, between(self._place(asker), asker.cell))
        if missing:
            said = f"{plain_text.count(missing, 'figure')} above not run yet: not sent"
            context = replace(context, notices=(*context.notices, said))
        return context

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

    def _place(self, asker: Asker) -> Place:
        order = self._standing.page.order
        seen = self._session.seen(asker.cell, asker.run, order, panel=asker.panel)
        asked = frozenset(t.cell for t in seen if t.cell and not t.panel)
        if not asker.panel:
            return Place(self._since, order, asked)
        marks = tuple((t.cell, self._marks[t.id]) for t in seen if t.id in self._marks)
        return Place(self._since, order, asked, panel=True, here=asker.cell, marks=marks)
