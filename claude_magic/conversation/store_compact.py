"""What a turn repeats of the turns before it, written once: the order of the cells, what it saw.

Written whole, both would grow with every turn: a thousand turns on a page of a thousand cells hold
a million ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeGuard

from .turns import Turn

Ids = tuple[str, ...]


class Compact:
    """Shortens turns for the records of one segment, and makes those that were read whole again.

    On disk `order` is `{"sha256": ...}`, which a record of kind `order` spells out, and `saw` is
    `{"after": id}`: all that this turn saw, and then itself. Either may be a list instead.
    """

    def __init__(self) -> None:
        self._written: set[str] = set()
        self._orders: dict[str, Ids] = {}
        self._saw: dict[str, Ids] = {}
        self._ids: dict[str, str] = {}

    def shortened(self, turn: Turn) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
        """The fields of `turn`, and the record of its order if that is still to be written."""
        values = {field.name: getattr(turn, field.name) for field in fields(turn)}
        self._saw[turn.id] = turn.saw
        before = turn.saw[-1] if turn.saw else ""
        if self._saw.get(before) == turn.saw[:-1] and before:
            values["saw"] = {"after": before}
        if not turn.order:
            return values, None
        sha = hashlib.sha256(json.dumps(turn.order).encode()).hexdigest()
        values["order"] = {"sha256": sha}
        if sha in self._written:
            return values, None
        self._written.add(sha)
        return values, {"sha256": sha, "cells": turn.order}

    def read_order(self, record: Mapping[str, Any]) -> bool:
        """Take a record of kind `order` over; False if it makes no sense."""
        sha, cells = record.get("sha256"), record.get("cells")
        if not (isinstance(sha, str) and _are_ids(cells)):
            return False
        self._orders[sha] = self._known(cells)
        return True

    def whole(self, start: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields of a turn as they were; to be asked in the order of the records.

        An order or a turn that is lost leaves the cells out, and of what was seen the last.
        """
        saw, order = start.get("saw"), start.get("order")
        if isinstance(saw, Mapping):
            before = str(saw.get("after"))
            saw = (*self._saw.get(before, ()), self._ids.setdefault(before, before))
        elif _are_ids(saw):
            saw = self._known(saw)
        if isinstance(order, Mapping):
            order = self._orders.get(str(order.get("sha256")), ())
        elif _are_ids(order):
            order = self._known(order)
        if isinstance(saw, tuple):
            self._saw[str(start.get("id"))] = saw
        return {**start, "saw": saw, "order": order}

    def _known(self, ids: list[str]) -> Ids:
        """The ids, each the same object wherever it stands."""
        return tuple([self._ids.setdefault(name, name) for name in ids])


def _are_ids(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
