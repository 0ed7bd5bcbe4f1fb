"""JSON as text with the place of each value, so that one value can change and nothing else does.

A notebook written again as a whole loses what its author's tools put there: indentation, the order
of keys, escapes, line ends. Here edits are cuts in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...messages.errors import InputError

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
    raise InputError(f"this is no JSON ({problem}): restore the file, or save it again.")


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


# One character as it may be written: an escaped surrogate pair is one.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u.{4}|\\.|.", re.S
)
_WIDE_ESCAPE = re.compile(r"\\u(?!00[0-7])[0-9a-fA-F]{4}")


class Writer:
    """Writes new values as the rest of `text` is written: its indentation, its escapes."""

    def __init__(self, text: str, root: Node) -> None:
        self._text = text
        self._root = root
        first = root.members[0] if root.members else None
        # What stands before the first key of the outermost object: a line break and one step.
        self._step = text[root.start + 1 : first.start] if first else ""
        self._colon = text[first.end : first.node.start] if first else ": "
        bare = text.isascii()
        self._ascii = bare and _WIDE_ESCAPE.search(text) is not None

    def string(self, value: str) -> str:
        """`value` as a JSON string, quotes included."""
        # A lone surrogate cannot stand in a file; as an escape it can.
        return json.dumps(value, ensure_ascii=self._ascii or not _encodes(value))

    def inside_string(self, value: str) -> str:
        """`value` as a piece of a JSON string."""
        return self.string(value)[1:-1]

    def strings(self, values: Sequence[str], depth: int) -> str:
        """A JSON list of strings that stands at this depth."""
        lead, close = self._line(depth + 1), self._line(depth)
        between = "," if lead else f",{self._gap}"
        return f"[{between.join(f'{lead}{self.string(value)}' for value in values)}{close}]"

    def member(self, parent: Node, key: str, value: Any, depth: int) -> Edit:
        """The edit that adds a member to an object, at the place that its name has among the keys.

        `parent` stands `depth` objects and lists below the outermost value. `value` is a string,
        a list of strings, or dicts of them.
        """
        return self.members(parent, {key: value}, depth)

    def members(self, parent: Node, added: Mapping[str, Any], depth: int) -> Edit:
        """The edit that adds several members, together, where the first of them belongs."""
        made = [
            f"{self.string(key)}{self._colon}{self._written(value, depth + 1)}"
            for key, value in sorted(added.items())
        ]
        if not parent.members:
            inner = self._line(depth + 1)
            joined = f",{inner or self._gap}".join(made)
            return Edit(parent.start + 1, parent.end - 1, f"{inner}{joined}{self._line(depth)}")
        first = parent.members[0].start
        lead = self._text[parent.start + 1 : first] or self._gap
        joined = f",{lead}".join(made)
        before = [member for member in parent.members if member.key < min(added)]
        if not before:
            return Edit(first, first, f"{joined},{lead}")
        end = before[-1].node.end
        return Edit(end, end, f",{lead}{joined}")

    @property
    def _gap(self) -> str:
        """What stands after a comma where all is in one line."""
        return " " if self._colon.endswith(" ") else ""

    def _line(self, depth: int) -> str:
        """The start of a new line at this depth; nothing where all is in one line."""
        if "\n" not in self._step:
            return ""
        end = self._step.rfind("\n") + 1
        return self._step[:end] + self._step[end:] * depth

    def _written(self, value: Any, depth: int) -> str:
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, list):
            return self.strings(value, depth)
        lead, close = self._line(depth + 1), self._line(depth)
        members = [
            f"{lead}{self.string(k)}{self._colon}{self._written(v, depth + 1)}"
            for k, v in value.items()
        ]
        between = "," if lead else f",{self._gap}"
        return f"{{{between.join(members)}{close}}}"


def raw_places(text: str, string: Node, places: Iterable[int]) -> dict[int, int]:
    """Where characters of a string's value stand in `text`, escapes counted as they are written.

    The place just past the last character is the closing quote.
    """
    found: dict[int, int] = {}
    at, index = string.start + 1, 0
    steps = _escapes(text, at)
    for place in sorted(set(places)):
        while index < place:
            at, index = next(steps), index + 1
        found[place] = at
    return found


def _escapes(text: str, at: int) -> Iterator[int]:
    """The place after each character of a string that begins at `at`."""
    while True:
        match = _ESCAPE.match(text, at)
        if match is None:
            return
        at = match.end()
        yield at


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
