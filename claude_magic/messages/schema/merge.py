"""Two JSON schemas as one that says what both say.

A flat schema, here, has no `$ref`, `const` and `oneOf`, its `type` is a list, and its `allOf` holds
only what could not be said together: `[{"pattern": "^a"}]` beside another `pattern`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import InputError
from .parts import of_item, of_property

_MOST_CHOICES = 64

FlatSchema = dict[str, Any]


class NothingFitsError(Exception):
    """No value can be what a schema asks for."""


def merged(first: FlatSchema, second: FlatSchema) -> FlatSchema:
    """The flat schema of what fits both. Raises NothingFitsError where that is nothing."""
    both = {**second, **first}
    for key in first.keys() & second.keys():
        one, other = first[key], second[key]
        if key in _JOIN:
            both[key] = _JOIN[key](one, other)
        elif key not in _ANNOTATIONS and key not in _SHAPES and not same(one, other):
            both["allOf"] = [*both.get("allOf", ()), {key: other}]
    if not both.get("type", True) or not both.get("enum", True):
        raise NothingFitsError
    for build in (_object, _array):
        both |= build(first, second)
    return both


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; 1, 1.0 and true are not."""
    return canonical(one) == canonical(other)


def canonical(value: Any) -> str:
    """JSON text that equal values, and no others, have in common."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def all_of(parts: Iterable[Any]) -> Any:
    """One schema for all of `parts`, to be made flat later."""
    different = list({canonical(part): part for part in parts if part is not True}.values())
    if len(different) == 1:
        return different[0]
    return {"allOf": different} if different else True


def unique(values: Iterable[Any]) -> list[Any]:
    """The values without those that came before."""
    return list({canonical(value): value for value in values}.values())


def _object(first: FlatSchema, second: FlatSchema) -> FlatSchema:
    keys = ("properties", "patternProperties", "additionalProperties")
    if not any(key in part for key in keys for part in (first, second)):
        return {}
    found: FlatSchema = {}
    names = dict.fromkeys([*first.get("properties", {}), *second.get("properties", {})])
    if names:
        found["properties"] = {
            name: all_of([*of_property(first, name), *of_property(second, name)]) for name in names
        }
    patterns = [part.get("patternProperties", {}) for part in (first, second)]
    if any(patterns):
        found["patternProperties"] = {
            pattern: all_of(part[pattern] for part in patterns if pattern in part)
            for pattern in dict.fromkeys([*patterns[0], *patterns[1]])
        }
    others = [p["additionalProperties"] for p in (first, second) if "additionalProperties" in p]
    if others:
        found["additionalProperties"] = False if False in others else all_of(others)
    return found


def _array(first: FlatSchema, second: FlatSchema) -> FlatSchema:
    if not any(key in part for key in ("prefixItems", "items") for part in (first, second)):
        return {}
    found: FlatSchema = {}
    length = max(len(part.get("prefixItems", ())) for part in (first, second))
    if length:
        found["prefixItems"] = [
            all_of([*of_item(first, i), *of_item(second, i)]) for i in range(length)
        ]
    others = [part["items"] for part in (first, second) if "items" in part]
    if others:
        found["items"] = False if False in others else all_of(others)
    return found


def _types(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """The types in both; an integer is a number, too."""
    wide = [{*kinds, "integer"} if "number" in kinds else set(kinds) for kinds in (one, other)]
    return [kind for kind in unique([*one, *other]) if all(kind in kinds for kinds in wide)]


def _choices(one: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    if len(one) * len(other) > _MOST_CHOICES:
        raise InputError("This JSON schema has too many choices (anyOf) at once: ask for less.")
    return [all_of([a, b]) for a in one for b in other]


def _described(one: str, other: str) -> str:
    return one if other in one else f"{one}\n{other}"


_ANNOTATIONS = frozenset({"title", "default", "examples", "oneOf"})
_SHAPES = frozenset(
    {"properties", "patternProperties", "additionalProperties", "prefixItems", "items"}
)
_JOIN: Mapping[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": lambda one, other: [v for v in one if any(same(v, w) for w in other)],
    "anyOf": _choices,
    "allOf": lambda one, other: unique([*one, *other]),
    "required": lambda one, other: unique([*one, *other]),
    "description": _described,
    **dict.fromkeys(("minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties"), min),
    **dict.fromkeys(("minimum", "exclusiveMinimum"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum"), min),
    "uniqueItems": lambda one, other: one or other,
}
