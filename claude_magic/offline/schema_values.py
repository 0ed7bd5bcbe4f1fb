"""Values that fit a JSON schema, the same ones every time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from .pattern_text import example
from .rules_schema import resolve
from .schema_told import told

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
