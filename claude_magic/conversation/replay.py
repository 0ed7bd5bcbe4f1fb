"""Answers from the record: the same request is neither sent nor paid twice."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..messages.blocks import Block
from ..messages.errors import NotRecordedError
from ..messages.once import OwnLock
from . import why
from .history import History
from .ledger import model_of
from .page import current
from .plan import Plan
from .question import Question
from .recording import Recording
from .settings import Settings
from .turns import Turn

_CHANGED = (
    "From the record, though what goes along with the question has changed since: "
    "the reply may not fit. Ask again with replay=on."
)


@dataclass(frozen=True)
class Recorded:
    """A reply of the record: the one to request `index` of `turn`, with lines for the user."""

    turn: Turn
    index: int = 0
    notices: tuple[str, ...] = ()

    @property
    def last(self) -> bool:
        """Whether it is the last one of its turn."""
        return self.index == len(self.turn.steps)

    @property
    def whole(self) -> bool:
        """Whether all of it came."""
        return not self.last or self.turn.status == "complete"

    @property
    def reply(self) -> Sequence[Block]:
        """The content blocks as received."""
        return self.turn.reply if self.last else self.turn.steps[self.index].reply

    @property
    def message(self) -> Mapping[str, Any]:
        """What of the message is recorded."""
        held: Any = self.turn if self.last else self.turn.steps[self.index]
        return {
            "model": self.turn.model,
            "content": list(self.reply),
            "stop_reason": held.stop_reason,
        }


class Replays:
    """Looks recorded replies up: those of the conversation, then those of a portable recording."""

    def __init__(self, history: Callable[[], History]) -> None:
        self._history = history
        self._recording: Recording | None = None
        self._lock = OwnLock()

    def recording(self, settings: Settings) -> Recording | None:
        """The recording that is in use. Raises InputError for a file that is none."""
        path = Path(settings.record).expanduser() if settings.record else None
        with self._lock:
            if path is None:
                self._recording = None
            elif self._recording is None or self._recording.path != path:
                self._recording = Recording(path)
            return self._recording

    def find(self, plan: Plan, settings: Settings) -> Recorded | None:
        """The reply that answers `plan`; None to ask the server.

        Raises NotRecordedError where nothing but the record may answer, and it does not.
        """
        recording = self.recording(settings)
        only = settings.replay == "only"
        if not only and (settings.replay == "off" or plan.question.fresh):
            return None
        found = self._same_request(plan, plan.digest, self._history().of_digest(plan.digest))
        if found is None and recording is not None:
            found = self._same_request(plan, plan.digest, recording.of_digest(plan.digest))
        if found is not None or not only:
            return found
        return Recorded(self._same_question(plan, recording), notices=(_CHANGED,))

    def go_on(
        self, plan: Plan, digest: str, before: Recorded, settings: Settings
    ) -> Recorded | None:
        """The reply to the request with this digest, which follows on the one that had `before`.

        Raises NotRecordedError as `find` does.
        """
        recording = self.recording(settings)
        known = [*self._history().of_digest(digest), *(recording or ())]
        found = self._same_request(plan, digest, [*known, before.turn])
        if found is not None or settings.replay != "only":
            return found
        following = Recorded(before.turn, before.index + 1, (_CHANGED,))
        if before.last or not following.whole:
            raise NotRecordedError(
                "What the tools gave is not what they gave when this was recorded, and the record "
                "ends here; replay=only sends nothing. Ask again with replay=on."
            )
        return following

    def bound(self, plan: Plan, recorded: Turn, now: float) -> Turn:
        """The reply of `recorded` as the turn of `plan`: the same turn, or a copy in this place.

        A copy begins `now`, and took as long.
        """
        question, history = plan.question, self._history()
        if recorded.id in history and _place(recorded) == _place(question):
            return recorded
        known = recorded.id in history
        return replace(
            recorded,
            id=uuid.uuid4().hex if known else recorded.id,
            asked=tuple(plan.asked),
            cell=question.cell,
            ordinal=question.ordinal,
            saw=plan.saw,
            order=question.order,
            source=question.source,
            alone=question.alone,
            panel=question.panel,
            going_on=question.going_on,
            copy_of=recorded.copy_of or recorded.id,
            started=now,
            ended=now + recorded.ended - recorded.started,
        )

    def miss(self, plan: Plan) -> str | None:
        """Why the question is asked again, and what that leads to; None where it is a new one."""
        history, question = self._history(), plan.question
        if question.fresh or question.panel or question.alone:
            return None
        before = self._here(plan)
        if before is None or before.prompt != question.prompt:
            return None
        reasons = why.changes(plan, before, _by_id(history))
        if not reasons or reasons == [why.HISTORY]:
            return None  # part of a cascade that was told where it began
        below = [
            t
            for t in current(t for t in history.turns if t.id not in history.retired)
            if before.id in t.saw and t.status == "complete"
        ]
        return why.line(reasons, len(below), None if plan.server.offline else _cost(below))

    def _same_request(self, plan: Plan, digest: str, turns: Iterable[Turn]) -> Recorded | None:
        """Of the whole replies to this request the one of this place, else the newest.

        One that this run has shown already does not answer again: the same question asked twice
        in a cell has two replies.
        """
        question = plan.question
        found = [
            Recorded(turn, turn.digests.index(digest))
            for turn in turns
            if turn.id not in question.run and digest in turn.digests
        ]
        whole = [r for r in found if r.whole and (r.turn.status == "complete" or not _once(plan))]
        here = [r for r in whole if _place(r.turn) == _place(question)]
        # One that ended well before one that was stopped later on.
        best = sorted(here or whole, key=lambda r: r.turn.status == "complete")
        return best[-1] if best else None

    def _same_question(self, plan: Plan, recording: Recording | None) -> Turn:
        history = self._history()
        turns = [*(recording or ()), *history.turns]
        found = [
            t
            for t in turns
            if t.status == "complete" and t.id not in plan.question.run
            if why.same_options(plan, t)
        ]
        recorded = _nearest(plan.question, found)
        if recorded is not None:
            return recorded
        raise NotRecordedError(
            "Not in the record, and replay=only sends nothing. Record it with replay=on, "
            "or set %claude_config record=FILE to the recording that holds it."
        )

    def _here(self, plan: Plan) -> Turn | None:
        """The turn that stood in this question's place."""
        question = plan.question
        found = [
            t
            for t in self._history().of_cell(question.cell)
            if t.ordinal == question.ordinal
            and t.status == "complete"
            and not t.alone
            and t.id not in question.run
        ]
        return next(reversed(found), None)


def _once(plan: Plan) -> bool:
    """Whether calls are not run again: then a run that was stopped is not gone on with either."""
    return plan.question.tools is not None and plan.question.tools.once


def _place(asked: Question | Turn) -> tuple[str | None, int, bool, bool]:
    """Which question of which cell it is, and of what kind."""
    return asked.cell, asked.ordinal, asked.alone, asked.panel


def _nearest(question: Question, turns: Sequence[Turn]) -> Turn | None:
    """The newest of the turns in this question's place, else of all."""
    here = [turn for turn in turns if _place(turn) == _place(question)]
    return next(reversed(here or turns), None)


def _by_id(history: History) -> Mapping[str, Turn]:
    return {turn.id: turn for turn in history.turns}


def _cost(turns: Iterable[Turn]) -> float | None:
    """What the replies would cost once more, in USD; None where a price is not known."""
    costs = [turn.cost(model) if (model := model_of(turn)) else None for turn in turns]
    return None if None in costs else sum(cost or 0.0 for cost in costs)
