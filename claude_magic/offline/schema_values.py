"""Values that fit a JSON schema, the same ones every time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .pattern_text import example
from .rules_schema import resolve

TEXT = "offline server"
_CODE = 'print("Hello from the offline server")'
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
    answer), one item in a list, required properties before optional ones.
    """
    return _Filler(schema, deque(texts), list(choices)).fill(schema, "")


class _Filler:
    def __init__(self, root: Mapping[str, Any], texts: deque[str], choices: list[str]) -> None:
        self._root = root
        self._texts = texts
        self._choices = choices
        self._open: list[str] = []

    def fill(self, schema: Any, name: str) -> Any:
        if not isinstance(schema, Mapping):
            return TEXT  # `true`: anything goes
        if "$ref" in schema:
            return self._follow(str(schema["$ref"]), name)
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return self.fill({**_without(schema, key), **schema[key][0]}, name)
        if schema.get("allOf"):
            return self.fill(_merged(schema), name)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][-1 if schema["enum"] == self._choices else 0]
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
                return int(_number(schema, step=schema.get("multipleOf", 1)))
            case "number":
                return _number(schema, step=schema.get("multipleOf", 0))
            case "boolean":
                return True
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
        fixed = [self.fill(part, name) for part in schema.get("prefixItems", ())]
        items = schema.get("items", {})
        if items is False or (self._leads_back(items) and not schema.get("minItems")):
            return fixed
        wanted = min(max(1, schema.get("minItems", 1)), schema.get("maxItems", math.inf))
        return fixed + [self.fill(items, name) for _ in range(int(wanted) - len(fixed))]

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        if "pattern" in schema:
            return example(schema["pattern"]) or TEXT
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        if name == "code":
            return _CODE
        text = self._texts.popleft() if self._texts else TEXT
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
        return text.ljust(shortest, ".")[:longest]


def kind_of(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        kinds = next((kind for kind in kinds if kind != "null"), "null")
    if kinds is None:
        kinds = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kinds)


def _number(schema: Mapping[str, Any], step: float) -> float:
    """1 if it fits, else the number nearest to it that does; a multiple of `step`."""
    gap = step or 0.5
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf) + gap)
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - gap)
    value = float(max(low, min(1, high)))
    if not step:
        return value
    upwards = math.ceil(value / step) * step
    return float(upwards if upwards <= high else math.floor(value / step) * step)


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
