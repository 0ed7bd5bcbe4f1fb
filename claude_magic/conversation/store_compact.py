"""What a turn repeats of the turns before it, written once: the order of the cells, what it saw.

Written whole, both would grow with every turn: a thousand turns on a page of a thousand cells hold
a million ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from sys import intern
from typing import Any, TypeAlias, TypeGuard

from .turns import Turn

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
