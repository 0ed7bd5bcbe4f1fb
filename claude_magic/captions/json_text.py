"""JSON as text with the place of each value, so that one value can change and nothing else does.

A notebook written again as a whole loses what its author's tools put there: indentation, the order
of keys, escapes, line ends. Here edits are cuts in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..messages.errors import InputError

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands: `text[start:end]`.

    `value` is a dict of Nodes, a list of Nodes, or the plain value; `members` are those of an
    object as they stand in the text, of which a key may come twice: the last one counts.
    """

    start: int
    end: int
    value: Any
    members: tuple[Member, ...] = ()

    def get(self, *path: str | int) -> Node | None:
        """The node at the end of `path`; None where it leads nowhere."""
        node: Node = self
        for step in path:
            inner = node.value
            if isinstance(inner, list) and isinstance(step, int):
                found = inner[step] if 0 <= step < len(inner) else None
            else:
                found = inner.get(step) if isinstance(inner, dict) else None
            if found is None:
                return None
            node = found
        return node

    def plain(self) -> Any:
        """The value as json.loads gives it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


@dataclass(frozen=True, slots=True)
class Member:
    """One key of an object, quotes included, and its value."""

    key: str
    start: int
    end: int
    node: Node


@dataclass(frozen=True, slots=True)
class Edit:
    """`text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


def parse(text: str) -> Node:
    """The value that `text` is, with places.

    Raises InputError where it is no JSON.
    """
    problem = ""
    try:
        begin = _skip(text, 1 if text.startswith("\ufeff") else 0)
        node = _value(text, begin)
        end = _skip(text, node.end)
        if end == len(text):
            return node
        problem = f"something follows the end, at character {end}"
    except RecursionError:
        problem = "it is nested too deeply"
    except (ValueError, IndexError) as error:
        problem = str(error)
    raise InputError(f"This is no JSON ({problem}): restore the file, or save it again.")


def applied(text: str, edits: Iterable[Edit]) -> str:
    """`text` with all edits made. They must not overlap."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < at:
            raise ValueError(f"two edits overlap at character {edit.start}")
        parts += [text[at : edit.start], edit.new]
        at = edit.end
    return "".join([*parts, text[at:]])


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int) -> Node:
    if text[at] == "{":
        return _object(text, at)
    if text[at] == "[":
        return _array(text, at)
    value, end = _DECODER.raw_decode(text, at)
    return Node(at, end, value)


def _object(text: str, start: int) -> Node:
    members: list[Member] = []
    at = _skip(text, start + 1)
    while text[at] != "}":
        if text[at] != '"':
            raise ValueError(f"a key is missing, at character {at}")
        key, end = _DECODER.raw_decode(text, at)
        colon = _skip(text, end)
        if text[colon] != ":":
            raise ValueError(f"a colon is missing, at character {colon}")
        members.append(Member(key, at, end, _value(text, _skip(text, colon + 1))))
        at = _next(text, members[-1].node.end, "}")
    return Node(start, at + 1, {m.key: m.node for m in members}, tuple(members))


def _array(text: str, start: int) -> Node:
    items: list[Node] = []
    at = _skip(text, start + 1)
    while text[at] != "]":
        items.append(_value(text, at))
        at = _next(text, items[-1].end, "]")
    return Node(start, at + 1, items)


def _next(text: str, end: int, close: str) -> int:
    """The place of the next member or item after one that ends at `end`, or of `close`."""
    at = _skip(text, end)
    if text[at] == close:
        return at
    if text[at] != ",":
        raise ValueError(f"a comma is missing, at character {at}")
    at = _skip(text, at + 1)
    if text[at] == close:
        raise ValueError(f"a comma before the end, at character {at}")
    return at
