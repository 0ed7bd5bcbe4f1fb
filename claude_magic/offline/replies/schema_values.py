"""Values that fit a JSON schema, the same ones every time."""

from __future__ import annotations

import json
import math
import re
import string
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ..referee.model_rules import resolve

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_BOUND = re.compile(
    rf"\b(at least|more than|at most|less than|exactly|a multiple of) ({_NUMBER})"
    r"(?: (character|item|key)s?\b)?",
    re.IGNORECASE,
)
_KEYWORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("at least", ""): ("minimum",),
    ("more than", ""): ("exclusiveMinimum",),
    ("at most", ""): ("maximum",),
    ("less than", ""): ("exclusiveMaximum",),
    ("a multiple of", ""): ("multipleOf",),
    ("at least", "character"): ("minLength",),
    ("at most", "character"): ("maxLength",),
    ("exactly", "character"): ("minLength", "maxLength"),
    # Keys are told of an object that is asked for as a list.
    **dict.fromkeys([("at least", "item"), ("at least", "key")], ("minItems",)),
    **dict.fromkeys([("at most", "item"), ("at most", "key")], ("maxItems",)),
    **dict.fromkeys([("exactly", "item"), ("exactly", "key")], ("minItems", "maxItems")),
}
_PATTERN = re.compile(r"matching the regular expression (.+?)(?=; |\)?$)")
_ORDER = re.compile(r"in this order: ")
_TYPE = re.compile(r"(\w+)(?: \(([^()]*)\))?")


def told(description: object) -> dict[str, Any]:
    """The keywords that stand for what a description says; none where it says nothing."""
    if not isinstance(description, str):
        return {}
    found: dict[str, Any] = {}
    for bound in _BOUND.finditer(description):
        words, noun = bound[1].lower(), (bound[3] or "").lower()
        number = json.loads(bound[2])
        found |= dict.fromkeys(_KEYWORDS.get((words, noun), ()), number)
    pattern = _PATTERN.search(description)
    if pattern and _is_pattern(pattern[1]):
        found["pattern"] = pattern[1]
    if "no two items alike" in description:
        found["uniqueItems"] = True
    order = _ORDER.search(description)
    if order:
        found["prefixItems"] = list(_in_order(description, order.end()))
    return found


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:  # one of another dialect
        return False
    return True


def _in_order(text: str, position: int) -> Iterator[Mapping[str, Any]]:
    """Items that are told one by one: "string, number (at least 1), {"const": 3}"."""
    while True:
        if text.startswith("{", position):
            try:
                item, position = json.JSONDecoder().raw_decode(text, position)
            except ValueError:
                return
        else:
            named = _TYPE.match(text, position)
            if named is None:
                return
            item = {"type": named[1]} | ({"description": named[2]} if named[2] else {})
            position = named.end()
        yield item
        if not text.startswith(", ", position):
            return
        position += 2


_CANDIDATES = string.ascii_letters + string.digits + "_-. @:/" + string.punctuation
_QUANTIFIER = re.compile(r"[*+?]\??|\{(\d+)(?:,\d*)?\}\??")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")


def example(pattern: str) -> str | None:
    """A short text that `pattern` finds, None where the pattern is not simple enough."""
    try:
        text, end = _alternatives(pattern, 0)
    except (IndexError, StopIteration, re.error):
        return None
    matches = end == len(pattern) and re.search(pattern, text)
    return text if matches else None


def _alternatives(pattern: str, at: int) -> tuple[str, int]:
    """The text for the first alternative, and where the group ends."""
    text, at = _sequence(pattern, at)
    while pattern[at : at + 1] == "|":
        _, at = _sequence(pattern, at + 1)
    return text, at


def _sequence(pattern: str, at: int) -> tuple[str, int]:
    text = ""
    while at < len(pattern) and pattern[at] not in "|)":
        piece, at = _atom(pattern, at)
        quantifier = _QUANTIFIER.match(pattern, at)
        if quantifier:
            at = quantifier.end()
            piece *= int(quantifier[1]) if quantifier[1] else int(quantifier[0][0] == "+")
        text += piece
    return text, at


def _atom(pattern: str, at: int) -> tuple[str, int]:
    first = pattern[at]
    if first in "^$":
        return "", at + 1
    if first == "(":
        inside = at + 3 if pattern.startswith("(?:", at) else at + 1
        text, end = _alternatives(pattern, inside)
        return text, end + 1
    if first == "\\":
        end = at + 2
    elif first == "[" and (found := _CLASS.match(pattern, at)):
        end = found.end()
    else:
        end = at + 1
    one = re.compile(pattern[at:end])
    return next(c for c in _CANDIDATES if one.fullmatch(c)), end


TEXT = "offline server"
_CODE = 'print("Hello from the offline server")'
_NULL = {"type": "null"}
_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "date": "2026-01-01",
    "duration": "PT1S",
    "email": "offline@example.org",
    "hostname": "offline.example.org",
    "uri": "https://example.org/offline",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def value_for(
    schema: Mapping[str, Any], texts: Iterable[str] = (), choices: Sequence[str] = ()
) -> Any:
    """A value that fits `schema`; free strings are taken from `texts` as long as there are any.

    The first of an enum (of one that is the question's own `choices` the last, as in a free
    answer), required properties before optional ones, two items in a list that differ where they
    can. Bounds that only a description tells are kept.
    """
    return _Filler(schema, deque(texts), list(choices)).fill(schema, "")


class _Filler:
    def __init__(self, root: Mapping[str, Any], texts: deque[str], choices: list[str]) -> None:
        self._root = root
        self._texts = texts
        self._choices = choices
        self._open: list[str] = []
        self._nth = 0
        """How many items stand before this one, in the lists around it."""

    def fill(self, schema: Any, name: str) -> Any:
        if not isinstance(schema, Mapping):
            return TEXT  # `true`: anything goes
        if "$ref" in schema:
            return self._follow(str(schema["$ref"]), name)
        schema = {**told(schema.get("description")), **schema}
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                chosen = self._in_turn([c for c in schema[key] if c != _NULL] or schema[key])
                return self.fill({**_without(schema, key), **chosen}, name)
        if schema.get("allOf"):
            return self.fill(_merged(schema), name)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            own = schema["enum"] == self._choices
            return schema["enum"][-1] if own else self._in_turn(schema["enum"])
        if isinstance(schema.get("default"), str | int | float):
            return schema["default"]
        return self._by_type(schema, name)

    def _follow(self, reference: str, name: str) -> Any:
        if reference in self._open:
            return None
        self._open.append(reference)
        value = self.fill(resolve(self._root, reference), name)
        self._open.pop()
        return value

    def _by_type(self, schema: Mapping[str, Any], name: str) -> Any:
        match kind_of(schema):
            case "object":
                return self._object(schema)
            case "array":
                return self._array(schema, name)
            case "integer":
                step = schema.get("multipleOf", 1)
                return int(_number(schema, step if float(step).is_integer() else 1, self._nth))
            case "number":
                return _number(schema, schema.get("multipleOf", 0), self._nth)
            case "boolean":
                return self._in_turn((True, False))
            case "null":
                return None
        return self._string(schema, name)

    def _object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        required = [name for name in schema.get("required") or () if name in properties]
        optional = [
            name
            for name, part in properties.items()
            # An optional part that leads back to where we are would never end.
            if name not in required and not self._leads_back(part)
        ]
        return {name: self.fill(properties[name], name) for name in (*required, *optional)}

    def _leads_back(self, part: Any) -> bool:
        if isinstance(part, Mapping):
            return part.get("$ref") in self._open or any(map(self._leads_back, part.values()))
        return isinstance(part, list) and any(map(self._leads_back, part))

    def _array(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        first = schema.get("prefixItems", ())
        items = schema.get("items", {})
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        wanted = min(max(len(first) or 2, least), most)
        if items is False or (self._leads_back(items) and not least):
            wanted = min(wanted, len(first))
        outside, found = self._nth, []
        for index in range(int(wanted)):
            self._nth = outside + index
            found.append(self.fill(first[index] if index < len(first) else items, name))
        self._nth = outside
        if schema.get("uniqueItems"):
            found = [item for n, item in enumerate(found) if item not in found[:n]]
        if all(isinstance(item, dict) and item.keys() == {"key", "value"} for item in found):
            found = list({str(item["key"]): item for item in reversed(found)}.values())[::-1]
        return found

    def _in_turn(self, choices: Sequence[Any]) -> Any:
        """The first of some choices; the next one in the next item of a list."""
        return choices[self._nth % len(choices)]

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        matching = example(schema["pattern"]) if "pattern" in schema else None
        if matching is not None:
            return matching
        if schema.get("format") in _FORMATS:
            return self._formatted(schema["format"])
        if name == "code":
            return _CODE
        nth = f" {self._nth + 1}" if self._nth else ""
        text = self._texts.popleft() if self._texts else TEXT + nth
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
        text = text.ljust(int(shortest), ".")
        return text if longest is None else text[: int(longest)]

    def _formatted(self, kind: str) -> str:
        if kind in ("date", "date-time"):
            day = date.fromisoformat(_FORMATS["date"]) + timedelta(days=self._nth)
            return _FORMATS[kind].replace(_FORMATS["date"], day.isoformat())
        return _FORMATS[kind]


def kind_of(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        kinds = next((kind for kind in kinds if kind != "null"), "null")
    if kinds is None:
        kinds = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kinds)


def _number(schema: Mapping[str, Any], step: float, nth: int) -> float:
    """1 if it fits, else the number nearest to it that does; a multiple of `step`.

    The `nth` after that, from 0, as long as it fits too.
    """
    gap = step or 0.5
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf) + gap)
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - gap)
    value = float(max(low, min(1, high)))
    if step:
        upwards = math.ceil(value / step) * step
        value = float(upwards if upwards <= high else math.floor(value / step) * step)
    later = value + nth * (step or 1)
    return later if later <= high else value


def _without(schema: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: part for name, part in schema.items() if name != key}


def _merged(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` with its `allOf` parts laid over it, properties and required names together."""
    merged = _without(schema, "allOf")
    for part in schema["allOf"]:
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", ()), *part.get("required", ())]
        merged.update(part)
        if properties:
            merged.update(properties=properties, required=required)
    return merged
