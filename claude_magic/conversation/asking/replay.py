"""Answers from the record: the same request is neither sent nor paid twice; portable recordings.

One JSON object a line, one line a turn. It holds what was asked in the user's words and the digest
of the request, not what went along: so it stays small, and tells nothing that the notebook does
not show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...files import append_line, replacing
from ...messages.blocks import Block
from ...messages.errors import InputError, NotRecordedError
from ...messages.once import OwnLock
from ...value_classes import frozen
from ..history import History
from ..ledger import model_of
from ..settings import Settings
from ..turns import FORM, Turn, new_id
from .older_form import carried_then, contradicts, still_there
from .plan import Plan, parameters, parameters_for
from .question import Question

HISTORY = "an earlier turn"


def changes(plan: Plan, before: Turn, history: Mapping[str, Turn]) -> list[str]:
    """What is not as it was when `before` was asked, in words; `history` has the turns by id."""
    found = []
    if before.server != plan.server.label:
        found.append("the server")
    if before.requested and before.requested != plan.model.id:
        found.append("the model")
    asked = parameters(plan.request)
    names = sorted(
        name
        for name in {*asked, *before.parameters}
        if asked.get(name) != before.parameters.get(name)
    )
    found += [f"the option {name}" for name in names]
    if before.prompt != plan.question.prompt:
        found.append("the question")
    else:
        found += _content(before, plan)
    if not _same_history(plan.saw, before.saw, history):
        found.append(HISTORY)
    return found


def same_options(plan: Plan, before: Turn) -> bool:
    """Whether `before` asked the same words with the same options, whatever went along.

    What nobody chose is not an option: a default that is another one elsewhere.
    """
    if before.prompt != plan.question.prompt:
        return False
    asked, there = dict(before.parameters), (before.server, before.requested)
    return asked in (parameters(plan.request), parameters_for(plan, *there))


def _content(before: Turn, plan: Plan) -> list[str]:
    """Which kinds of things that go along differ."""
    question = plan.question
    then = _things(before.asked[before.context :], before.page)
    now = _things(plan.asked[len(question.context) :], question.page)
    if before.form < FORM:
        then, now = _things(before.asked), _things(plan.asked)
    found = [words for kind, words in _KINDS.items() if then.get(kind) != now.get(kind)]
    if _KINDS["text"] not in found and contradicts(before.values, question.values):
        found.append(_KINDS["text"])
    return found


_KINDS = {
    "image": "a figure or image that goes along",
    "document": "a file that goes along",
    "text": "a cell, an output or a value that goes along",
}


def _things(blocks: Iterable[Block], page: Iterable[str] = ()) -> Mapping[str, list[object]]:
    """What the user gave and what stood on the page, by the kind of block that it goes as."""
    found: dict[str, list[object]] = {}
    for block in blocks:
        found.setdefault(str(block.get("type")), []).append(block)
    for digest in page:
        kind = "image" if digest.startswith("picture-") else "text"
        found.setdefault(kind, []).append(digest)
    return found


def _same_history(one: Sequence[str], other: Sequence[str], history: Mapping[str, Turn]) -> bool:
    """Whether those turns said the same; the same words asked again count as the same."""
    return len(one) == len(other) and all(
        a == b or (a in history and b in history and history[a].alike(history[b]))
        for a, b in zip(one, other, strict=True)
    )


def line(reasons: Sequence[str], below: int, price: float | None) -> str:
    """The line for the user: why it is asked again, and what else will be."""
    said = f"Asked again: {_listed(reasons)} changed since it was answered."
    if below:
        cost = "" if price is None else f", {_dollars(price)}"
        questions = "question below sees" if below == 1 else "questions below see"
        said += f" {below} {questions} this one and will be asked again when run{cost}."
    return said


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _dollars(amount: float) -> str:
    return f"about ${amount:.2f}" if amount >= 0.005 else "less than $0.01"


_VERSION = 1
_LEFT_OUT = ("asked", "saw", "order", "source", "context")


class Recording:
    """The turns of one file, read once and then kept up with what is added."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turns = list(_read(path))
        self._lock = OwnLock()

    def __iter__(self) -> Iterator[Turn]:
        return iter(list(self._turns))

    def of_digest(self, digest: str) -> list[Turn]:
        """The turns one of whose requests had this digest, in the order recorded."""
        return [turn for turn in self if digest in turn.digests]

    def add(self, turn: Turn) -> None:
        """Append a turn, unless this very one is there. Raises InputError where it cannot."""
        with self._lock:
            if any(turn.id == known.id for known in self._turns):
                return
            problem = ""
            try:
                with self.path.open("a+b") as file:
                    append_line(file.fileno(), _line(turn).encode("ascii"))
            except OSError as error:
                problem = error.strerror or str(error)
            if problem:
                raise InputError(
                    f"The recording {self.path} cannot be written ({problem}): "
                    "choose another file with %claude_config record=FILE"
                )
            self._turns.append(turn)


def write(path: Path, turns: Iterable[Turn]) -> int:
    """Write a recording of the complete ones of `turns` in place of the file; how many.

    Raises InputError where it cannot be written.
    """
    kept = [turn for turn in turns if turn.status == "complete"]
    try:
        with replacing(path) as beside:
            beside.write_text("".join(map(_line, kept)), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}).") from None
    return len(kept)


def is_recording(path: Path) -> bool:
    """Whether the file is a recording."""
    try:
        return next(iter(_read(path)), None) is not None
    except InputError:
        return False


def _line(turn: Turn) -> str:
    values = {k: v for k, v in turn.to_json().items() if k not in _LEFT_OUT}
    # Nor what tools gave: they run again. What they gave is in the digest of the next request.
    values["steps"] = [{**step, "answer": []} for step in values["steps"]]
    return json.dumps({"recording": _VERSION, **values}, ensure_ascii=True) + "\n"


def _read(path: Path) -> Iterator[Turn]:
    try:
        text = path.read_text("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The recording {path} cannot be read: {error}") from None
    for number, line in enumerate(text.split("\n"), 1):
        turn = _turn(line)
        if turn is None and _is_torn(line):
            continue
        if turn is None:
            raise InputError(
                f"{path}, line {number}: not a line of a recording; give a file made with "
                "%claude_export --record FILE"
            )
        yield turn


def _is_torn(line: str) -> bool:
    """Whether a line is how one of ours begins, cut off by a crash: nothing of it, at the least."""
    begun = f'{{"recording": {_VERSION}, "id"'
    if not line.startswith(begun):
        return begun.startswith(line)
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return True
    return False


def _turn(line: str) -> Turn | None:
    from ..store.fold import checked_turn

    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, Mapping) or values.get("recording") != _VERSION:
        return None
    missing: dict[str, Any] = {"asked": [], "saw": (), "order": ()}
    return checked_turn({**missing, **values})


_CHANGED = (
    "From the record, though what goes along with the question has changed since: "
    "the reply may not fit. Ask again with replay=on."
)


@frozen
class RecordedReply:
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

    def find(self, plan: Plan, settings: Settings) -> RecordedReply | None:
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
        if found is None and (older := self._older_form(plan, recording)):
            found = RecordedReply(older)
        if found is not None or not only:
            return found
        return RecordedReply(self._same_question(plan, recording), notices=(_CHANGED,))

    def go_on(
        self,
        plan: Plan,
        digest: str,
        before: RecordedReply,
        settings: Settings,
        answer: Sequence[Block] = (),
    ) -> RecordedReply | None:
        """The reply to the request with this digest, which follows on the one that had `before`.

        `answer` is what went back now. Of a turn of an older form it is compared with what went
        back then, where that is known: its digests are made otherwise.

        Raises NotRecordedError as `find` does.
        """
        recording = self.recording(settings)
        known = [*self._history().of_digest(digest), *(recording or ())]
        found = self._same_request(plan, digest, [*known, before.turn])
        following = RecordedReply(before.turn, before.index + 1, (_CHANGED,))
        if found is None and before.turn.form < FORM and not before.last and following.whole:
            then = before.turn.steps[before.index].answer
            if not then or _results(then) == _results(answer):
                return replace(following, notices=())
        if found is not None or settings.replay != "only":
            return found
        if before.last or not following.whole:
            raise NotRecordedError(
                "What the tools gave is not what they gave when this was recorded, and the record "
                "ends here; replay=only sends nothing. Ask again with replay=on."
            )
        return following

    def bound(self, plan: Plan, recorded: Turn, now: float) -> Turn:
        """The reply of `recorded` as the turn of `plan`: the same turn, or a copy in this place.

        A copy begins `now`, and took as long. It is a turn of the present form, which answers to
        what it is asked by now; later questions see it as they saw the one of the older form.
        """
        question, history = plan.question, self._history()
        older = recorded.form < FORM
        if recorded.id in history and _place(recorded) == _place(question):
            return recorded
        known = recorded.id in history
        return replace(
            recorded,
            id=new_id() if known else recorded.id,
            asked=tuple(plan.asked),
            cell=question.cell,
            ordinal=question.ordinal,
            saw=plan.saw,
            order=question.order,
            source=question.source,
            alone=question.alone,
            panel=question.panel,
            going_on=question.going_on,
            page=question.page,
            values={**recorded.values, **question.values},
            context=len(question.context),
            question=recorded.asks if older else plan.asks,
            digest=plan.digest if older else recorded.digest,
            form=FORM,
            copy_of=recorded.copy_of or recorded.id,
            started=now,
            ended=now + recorded.ended - recorded.started,
        )

    def miss(self, plan: Plan) -> str | None:
        """Why the question is asked again, and what that leads to; None where it is a new one."""
        history, question = self._history(), plan.question
        if question.fresh or question.panel or question.alone:
            return None
        before = _here(history, question)
        if before is None or before.prompt != question.prompt:
            return None
        reasons = changes(plan, before, _by_id(history))
        if not reasons or reasons == [HISTORY]:
            return None  # part of a cascade that was told where it began
        below = history.stale_after(before, question.run, question.order)
        return line(reasons, len(below), None if plan.server.offline else _cost(below))

    def _same_request(self, plan: Plan, digest: str, turns: Iterable[Turn]) -> RecordedReply | None:
        """Of the whole replies to this request the one of this place, else the newest.

        One that this run has shown already does not answer again: the same question asked twice
        in a cell has two replies.
        """
        question = plan.question
        found = [
            RecordedReply(turn, turn.digests.index(digest))
            for turn in turns
            if turn.id not in question.run and digest in turn.digests
            if not contradicts(turn.values, question.values)
        ]
        whole = [r for r in found if r.whole and (r.turn.status == "complete" or not _once(plan))]
        here = [r for r in whole if _place(r.turn) == _place(question)]
        # One that ended well before one that was stopped later on.
        best = sorted(here or whole, key=lambda r: r.turn.status == "complete")
        return best[-1] if best else None

    def _older_form(self, plan: Plan, recording: Recording | None) -> Turn | None:
        """The newest turn of an older form in this place that answers this question still."""
        history, question = self._history(), plan.question
        recorded = {turn.id: turn for turn in recording or ()}
        found = [
            *(t for t in recorded.values() if _saw_recorded(plan, recorded, history)),
            *(t for t in history.of_cell(question.cell) if self._fits_still(plan, t)),
        ]
        return next(
            (
                turn
                for turn in reversed(found)
                if turn.form < FORM and turn.status == "complete" and turn.id not in question.run
                if _place(turn) == _place(question) and same_options(plan, turn)
                if (turn.server, turn.requested) == (plan.server.label, plan.model.id)
            ),
            None,
        )

    def _fits_still(self, plan: Plan, turn: Turn) -> bool:
        """Whether what a turn of the conversation saw and carried is there now."""
        then, question, known = carried_then(turn.asked), plan.question, _by_id(self._history())
        return (
            list(then.given) == plan.asked[len(question.context) :]
            and not contradicts(then.values, question.values)
            and _same_history(turn.saw, plan.saw, known)
            and still_there(then, question.standing())
        )

    def _same_question(self, plan: Plan, recording: Recording | None) -> Turn:
        history = self._history()
        turns = [*(recording or ()), *history.others, *history.turns]
        found = [
            t
            for t in turns
            if t.status == "complete" and t.id not in plan.question.run
            if same_options(plan, t)
        ]
        recorded = _nearest(plan.question, found)
        if recorded is not None:
            return recorded
        raise NotRecordedError(
            "Not in the record, and replay=only sends nothing. Record it with replay=on, "
            "or set %claude_config record=FILE to the recording that holds it."
        )


def _saw_recorded(plan: Plan, recorded: Mapping[str, Turn], history: History) -> bool:
    """Whether what the question sees was answered from the recording, in its older form, too.

    A recording of that form does not say what a turn saw, nor what it carried. What the user wrote
    may be missing there; if it is not, it has to be the same.
    """
    for turn in (history[turn_id] for turn_id in plan.saw):
        if turn.written:
            there = [t for t in recorded.values() if t.written and _place(t) == _place(turn)]
            known = not there or there[-1].alike(turn)
        else:
            before = recorded.get(turn.copy_of or turn.id)
            known = before is not None and before.form < FORM
        if not known:
            return False
    return True


def _results(answer: Iterable[Block]) -> list[Block]:
    return [block for block in answer if block.get("type") == "tool_result"]


def _here(history: History, question: Question) -> Turn | None:
    """The turn that stood in this question's place."""
    found = [
        t
        for t in history.of_cell(question.cell)
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
    return {turn.id: turn for turn in (*history.others, *history.turns)}


def _cost(turns: Iterable[Turn]) -> float | None:
    """What the replies would cost once more, in USD; None where a price is not known."""
    costs = [turn.cost(model) if (model := model_of(turn)) else None for turn in turns]
    return None if None in costs else sum(cost or 0.0 for cost in costs)
