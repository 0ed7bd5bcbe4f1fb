"""New values written into JSON text as the rest of it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .json_text import Edit, Node

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

    def member(self, parent: Node, key: str, value: Any, depth: int) -> Edit:
        """The edit that adds a member to an object, at the place that its name has among the keys.

        `parent` stands `depth` objects and lists below the outermost value. `value` is a string,
        or dicts of them.
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
