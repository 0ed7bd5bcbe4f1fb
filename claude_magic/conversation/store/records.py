"""The records of a conversation as lines: stamped, what repeats written once, read back.

A record is a JSON object on a line of its own: `schema`, `lamport`, `segment`, `seq`, `kind`,
`time` (seconds since the epoch), and what its kind adds:

    turn_start     turn: the turn as it is asked
    turn_progress  turn: its id; reply: the blocks that had come
    turn_step      turn: its id; step: a reply that was not the last, and what went back; at: its
                   place among them, from 0
    turn_end       turn: its id; and the fields of `END_FIELDS`
    retire         turns: ids
    restore        turn: an id
    order          sha256, cells: the order that turns name by the digest

Any other kind is a note. Records are in order by (lamport, segment, seq), whoever wrote them.

Written whole, both would grow with every turn: a thousand turns on a page of a thousand cells hold
a million ids.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, fields
from sys import intern
from typing import Any, TypeAlias, TypeGuard

from ...value_classes import frozen, mutable
from ..turns import Turn
from .folder import take_out

SCHEMA = 1
KINDS = frozenset(
    {"turn_start", "turn_progress", "turn_step", "turn_end", "retire", "restore", "order"}
)
FIELDS = frozenset({"schema", "lamport", "segment", "seq", "kind", "time"})
END_FIELDS = ("reply", "usage", "status", "stop_reason", "ended", "model", "digest", "healed")

# Characters: what is shorter may be a type, a model, an id, and is likely to come again.
_WORD = 40

Record: TypeAlias = Mapping[str, Any]
RecordKey: TypeAlias = tuple[int, str, int]

_RECORD_TYPES: Mapping[str, Any] = {
    "lamport": int,
    "segment": str,
    "seq": int,
    "kind": str,
    "time": int | float,
}


@frozen
class Line:
    """A record as it is written, newline included, and the images it refers to.

    `images` is base64 text by SHA-256; with `sync` the line is to be on disk at once.
    """

    content: bytes
    images: Mapping[str, str]
    sync: bool


class Segment:
    """What one process adds to a conversation: it stamps records, and writes nothing."""

    def __init__(self) -> None:
        self.name = secrets.token_hex(8)
        self._seq = 0

    def line(
        self, kind: str, values: Mapping[str, Any], *, lamport: int, time: float, sync: bool
    ) -> Line:
        """The next record. ASCII only: a lone surrogate comes back as it was.

        Raises TypeError, ValueError or RecursionError for values that are not JSON.
        """
        self._seq += 1
        images: dict[str, str] = {}
        record = {
            "schema": SCHEMA,
            "lamport": lamport,
            "segment": self.name,
            "seq": self._seq,
            "kind": kind,
            "time": time,
            **{name: take_out(value, images) for name, value in values.items()},
        }
        content = json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
        return Line(content, images, sync)


@mutable
class ReadRecords:
    """What lines held: the records by their key, and what was no record of this schema."""

    records: dict[RecordKey, Record] = field(default_factory=dict)
    garbage: int = 0
    newer: int = 0
    _progress: dict[str, RecordKey] = field(default_factory=dict)

    def read(self, lines: Iterable[bytes]) -> int:
        """Take over the records of one segment; the bytes of its torn last line, or 0."""
        for line in lines:
            try:
                record = json.loads(line.decode("utf-8"), object_hook=_shared)
            except (ValueError, RecursionError):
                if not line.endswith(b"\n"):
                    return len(line)
                self.garbage += 1
            else:
                self._take(record)
        return 0

    def ordered(self) -> Iterator[Record]:
        """The records in their order; none is held here any more once it was given."""
        for key in sorted(self.records):
            yield self.records.pop(key)

    def _take(self, record: Any) -> None:
        schema = record.get("schema") if isinstance(record, dict) else None
        if type(schema) is int and schema > SCHEMA:
            self.newer += 1
        elif schema == SCHEMA and has_types(record, _RECORD_TYPES):
            # The same record twice is one: a write that was tried again, a copied segment.
            key = record["lamport"], record["segment"], record["seq"]
            self.records[key] = record
            if record["kind"] == "turn_progress":
                self._supersede(key, record.get("turn"))
        else:
            self.garbage += 1

    def _supersede(self, key: RecordKey, turn: Any) -> None:
        """Hold of a turn's progress the newest only: each record repeats the one before it."""
        if isinstance(turn, str):
            older, newer = sorted((key, self._progress.get(turn, key)))
            if older != newer:
                del self.records[older]
            self._progress[turn] = newer


def _shared(value: dict[str, Any]) -> dict[str, Any]:
    """An object whose names and words are the same strings in all records, not one each.

    They would take more memory than what was said.
    """
    return {
        intern(name): intern(part) if isinstance(part, str) and len(part) < _WORD else part
        for name, part in value.items()
    }


def has_types(values: Mapping[str, Any], types: Mapping[str, Any]) -> bool:
    return all(name in values and isinstance(values[name], kind) for name, kind in types.items())


Ids: TypeAlias = tuple[str, ...]

# An order that cannot be read takes those with it that say only how they differ from it. So many
# follow on one that is spelled out, at most.
_CHANGES = 50


class Compact:
    """Shortens turns for the records of one segment, and makes those that were read whole again.

    On disk `order` is `{"sha256": ...}`, which a record of kind `order` spells out, and `saw` is
    `{"after": id}`: all that this turn saw, and then itself. Either may be a list instead. Where
    cells came or went since the order before it, a record of kind `order` holds only these: the
    first `head` ids of the order `like`, then `cells`, then its last `tail` ids.
    """

    def __init__(self) -> None:
        self._written: set[str] = set()
        self._last: tuple[str, Ids] = ("", ())
        self._changes = 0
        self._orders: dict[str, Ids] = {}
        self._saw: dict[str, Ids] = {}

    def shortened(self, turn: Turn) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
        """The fields of `turn`, and the record of its order if that is still to be written."""
        saw, order = tuple(turn.saw), tuple(turn.order)
        # Its steps have records of their own: they come while it runs.
        values = {f.name: getattr(turn, f.name) for f in fields(turn) if f.name != "steps"}
        values |= {"saw": saw, "order": order}
        self._saw[turn.id] = saw
        before = saw[-1] if saw else ""
        if self._saw.get(before) == saw[:-1] and before:
            values["saw"] = {"after": before}
        if not order:
            return values, None
        before, cells = self._last
        if order == cells:
            sha = before
        else:
            sha = hashlib.sha256("\0".join(order).encode("utf-8", "surrogatepass")).hexdigest()
            self._last = sha, order
        values["order"] = {"sha256": sha}
        if sha in self._written:
            return values, None
        self._written.add(sha)
        if not cells or self._changes == _CHANGES:
            self._changes = 0
            return values, {"sha256": sha, "cells": order}
        self._changes += 1
        head, new, tail = change(cells, order)
        return values, {"sha256": sha, "like": before, "head": head, "cells": new, "tail": tail}

    def read_order(self, record: Mapping[str, Any]) -> bool:
        """Take a record of kind `order` over; False if it makes no sense.

        One that is like an order that was lost is lost too.
        """
        sha, cells = record.get("sha256"), record.get("cells")
        if not (isinstance(sha, str) and _are_ids(cells)):
            return False
        order: Any = _known(cells)
        if "like" in record:
            like = self._orders.get(str(record["like"]))
            head, tail = record.get("head"), record.get("tail")
            if like is None:
                return True
            if not (isinstance(head, int) and isinstance(tail, int)):
                return False
            if min(head, tail) < 0 or head + tail > len(like):
                return False
            order = (*like[:head], *order, *like[len(like) - tail :])
        self._orders[sha] = order
        return True

    def whole(self, start: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields of a turn as they were; to be asked in the order of the records.

        An order or a turn that is lost leaves the cells out, and of what was seen the last.
        """
        saw, order = start.get("saw"), start.get("order")
        if isinstance(saw, Mapping):
            before = str(saw.get("after"))
            known = self._saw.get(before, ())
            saw = (*known, intern(before))
        elif _are_ids(saw):
            saw = _known(saw)
        if isinstance(order, Mapping):
            order = self._orders.get(str(order.get("sha256")), ())
        elif _are_ids(order):
            order = _known(order)
        if isinstance(saw, tuple):
            self._saw[str(start.get("id"))] = saw
        return {**start, "saw": saw, "order": order}


def change(before: Ids, now: Ids) -> tuple[int, Ids, int]:
    """What makes `now` of `before`: how many ids stay at the head, those between, how many stay
    at the tail.

    A page gets a cell, or loses some, and is else the same.
    """
    head = _same(before, now)
    tail = _same(before[head:][::-1], now[head:][::-1])
    return head, now[head : len(now) - tail], tail


def _same(one: Ids, other: Ids) -> int:
    """How many ids are the same from the start."""
    most = min(len(one), len(other))
    return next((at for at in range(most) if one[at] != other[at]), most)


def _known(ids: list[str]) -> tuple[str, ...]:
    """The ids, each the same object wherever it stands."""
    return tuple([intern(name) for name in ids])


def _are_ids(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
