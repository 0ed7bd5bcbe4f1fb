"""What the records of a conversation come to: its turns, and which of them still count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from types import NoneType
from typing import Any, get_args

from ...messages.usage import Usage
from ...value_classes import frozen, mutable
from ..turns import FORM, Status, StepKind, Turn
from .records import END_FIELDS, Compact, Record, has_types

_TURN_TYPES: Mapping[str, Any] = {
    "id": str,
    "asked": list,
    "reply": list,
    "model": str,
    "server": str,
    "parameters": dict,
    "usage": dict,
    "stop_reason": str | NoneType,
    "cell": str | NoneType,
    "ordinal": int,
    "saw": tuple,
    "order": tuple,
    "started": int | float,
    "ended": int | float,
    "digest": str,
}
# These may be missing: older versions did not know them.
_LATER_TYPES: Mapping[str, Any] = {
    "prompt": str,
    "requested": str,
    "source": str,
    "counts": dict,
    "healed": list,
    "alone": bool,
    "panel": bool,
    "copy_of": str,
    "going_on": str,
    "version_of": str,
    "shown": dict,
    "steps": list,
    "page": list,
    "values": dict,
    "context": int,
    "question": str,
    "form": int,
}
# What a later form may hold otherwise.
_OF_FORM = frozenset({"page", "values", "context"})
_STEP_TYPES: Mapping[str, Any] = {
    "kind": str,
    "reply": list,
    "answer": list,
    "digest": str,
    "stop_reason": str | NoneType,
    "usage": dict,
}


@frozen
class Loaded:
    """What is known of a conversation.

    `turns` in the order started, those of this store that still run not among them; `retired` the
    ids that are never sent; `notes` the other records, whole, in their order, and for each torn
    last line one of kind `torn`; `read_only` whether this store writes nothing; `restored` the ids
    of the turns that were said to count again.
    """

    turns: tuple[Turn, ...]
    retired: frozenset[str]
    notes: tuple[Mapping[str, Any], ...]
    read_only: bool
    restored: frozenset[str] = frozenset()


@mutable
class CountedTurns:
    """What is recorded of one turn: `time` is that of the newest word on it."""

    start: Mapping[str, Any]
    time: float
    reply: Any = None
    end: Record | None = None
    steps: list[Any] = field(default_factory=list)


class RecordFold:
    """What records come to, taken over one by one in their order.

    `turns` are in the order started; `aside` counts the records that make no sense, such as the
    end of a turn whose start is lost.
    """

    def __init__(self, compact: Compact) -> None:
        self.turns: dict[str, CountedTurns] = {}
        self.retired: set[str] = set()
        self.restored: set[str] = set()
        self.notes: list[Record] = []
        self.aside = 0
        self._take: Mapping[str, Callable[[Record], bool]] = {
            "turn_start": self._start,
            "turn_progress": self._progress,
            "turn_step": self._step,
            "turn_end": self._end,
            "retire": self._retire,
            "restore": self._restore,
            "order": compact.read_order,
        }

    def add(self, record: Record) -> None:
        """Take one record over."""
        take = self._take.get(record["kind"])
        if take is None:
            self.notes.append(record)
        elif not take(record):
            self.aside += 1

    def _start(self, record: Record) -> bool:
        turn = record.get("turn")
        if not (isinstance(turn, dict) and isinstance(turn.get("id"), str)):
            return False
        self.turns.setdefault(turn["id"], CountedTurns(turn, record["time"]))
        return True

    def _progress(self, record: Record) -> bool:
        standing = self._standing(record)
        if standing:
            standing.reply, standing.time = record.get("reply"), record["time"]
        return standing is not None

    def _step(self, record: Record) -> bool:
        standing = self._standing(record)
        if standing:
            at = record.get("at")
            at = at if isinstance(at, int) and at >= 0 else len(standing.steps)
            # A turn whose end was interrupted is written once more: the same step is one.
            standing.steps[at : at + 1] = [record.get("step")]
            standing.reply, standing.time = None, record["time"]  # the next one has yet to come
        return standing is not None

    def _end(self, record: Record) -> bool:
        standing = self._standing(record)
        if standing:
            standing.end = record
        return standing is not None

    def _retire(self, record: Record) -> bool:
        turns = record.get("turns")
        if not (isinstance(turns, list) and all(isinstance(turn, str) for turn in turns)):
            return False
        self.retired |= set(turns)
        return True

    def _restore(self, record: Record) -> bool:
        standing = self._standing(record)
        if standing is None:
            return False
        place = _place(standing)
        if place[0] is not None:  # turns without a cell stand each for itself
            self.retired |= {turn for turn, other in self.turns.items() if _place(other) == place}
        self.retired.discard(record["turn"])
        self.restored.add(record["turn"])
        return True

    def _standing(self, record: Record) -> CountedTurns | None:
        turn = record.get("turn")
        return self.turns.get(turn) if isinstance(turn, str) else None


def _place(standing: CountedTurns) -> tuple[Any, Any]:
    if standing.start.get("panel"):
        return None, None
    return standing.start.get("cell"), standing.start.get("ordinal")


def turn_of(standing: CountedTurns, put_back: Callable[[Any], Any]) -> Turn | None:
    """The turn, or None where its records do not make one.

    One that has not ended is broken, with what had come. Fields that this version does not know
    are left out; so is a status, which then counts as broken.
    """
    values = {f.name: standing.start[f.name] for f in fields(Turn) if f.name in standing.start}
    if standing.end is not None:
        values |= {name: standing.end[name] for name in END_FIELDS if name in standing.end}
        status = values.get("status")
        values["status"] = status if status in get_args(Status) else "broken"
    else:
        values |= {"status": "broken", "stop_reason": None, "ended": standing.time}
        if standing.reply is not None:
            values["reply"] = standing.reply
    values["steps"] = standing.steps
    try:
        return checked_turn(put_back(values))
    except RecursionError:  # nested deeper than anything that a reply holds
        return None


def checked_turn(record: Mapping[str, Any]) -> Turn | None:
    """The turn that `Turn.to_json` wrote, or None where a field is missing or of another type.

    Fields that this version does not know are left out.
    """
    values = {f.name: record[f.name] for f in fields(Turn) if f.name in record}
    form = values.get("form", 1)
    if isinstance(form, int) and form > FORM:  # what it says of the page is for others to read
        values = {k: v for k, v in values.items() if k not in _OF_FORM}
    later = {name: kind for name, kind in _LATER_TYPES.items() if name in values}
    if not has_types(values, {**_TURN_TYPES, **later}):
        return None
    if not all(isinstance(block, dict) for block in [*values["asked"], *values["reply"]]):
        return None
    digests = [*values.get("page", ()), *values.get("values", {}).values()]
    if not all(isinstance(digest, str) for digest in digests):
        return None
    if values.get("status", "complete") not in get_args(Status):
        return None
    steps = [_checked_step(step) for step in values.get("steps", ())]
    if None in steps:
        return None
    return Turn.from_json({**values, "usage": _counts(values["usage"]), "steps": steps})


def _checked_step(record: Any) -> Mapping[str, Any] | None:
    """What makes a step of what was written, or None."""
    if not (isinstance(record, dict) and has_types(record, _STEP_TYPES)):
        return None
    blocks = [*record["reply"], *record["answer"]]
    if record["kind"] not in get_args(StepKind) or not all(isinstance(b, dict) for b in blocks):
        return None
    values = {name: record[name] for name in _STEP_TYPES}
    return {**values, "usage": _counts(record["usage"])}


def _counts(usage: Mapping[str, Any]) -> Mapping[str, int]:
    counts = {f.name: usage.get(f.name) for f in fields(Usage)}
    return {name: n for name, n in counts.items() if isinstance(n, int)}
