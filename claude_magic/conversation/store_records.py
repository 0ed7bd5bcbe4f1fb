"""The records of a conversation as lines: stamped, written as JSON, read back. No files here.

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
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any, TypeAlias

from .store_images import take_out

SCHEMA = 1
KINDS = frozenset(
    {"turn_start", "turn_progress", "turn_step", "turn_end", "retire", "restore", "order"}
)
FIELDS = frozenset({"schema", "lamport", "segment", "seq", "kind", "time"})
END_FIELDS = ("reply", "usage", "status", "stop_reason", "ended", "model", "digest", "healed")

# Characters: what is shorter may be a type, a model, an id, and is likely to come again.
_WORD = 40

Record: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[int, str, int]

_RECORD_TYPES: Mapping[str, Any] = {
    "lamport": int,
    "segment": str,
    "seq": int,
    "kind": str,
    "time": int | float,
}


@dataclass(frozen=True)
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


@dataclass
class Found:
    """What lines held: the records by their key, and what was no record of this schema."""

    records: dict[Key, Record] = field(default_factory=dict)
    garbage: int = 0
    newer: int = 0
    _progress: dict[str, Key] = field(default_factory=dict)

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

    def _supersede(self, key: Key, turn: Any) -> None:
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
