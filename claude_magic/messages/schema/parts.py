"""The parts of a JSON schema: whether each is written as it must be, and where a `$ref` leads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from ..blocks import replace_surrogates
from ..errors import InputError

TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")

_GROUPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = (
    "additionalProperties",
    "propertyNames",
    "unevaluatedProperties",
    "items",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "not",
    "if",
    "then",
    "else",
)
_COUNTS = (
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minContains",
    "maxContains",
)
_NUMBERS = ("minimum", "maximum", "multipleOf")
_BOUNDS = ("exclusiveMinimum", "exclusiveMaximum")
_TEXTS = ("$ref", "pattern", "format", "title", "description")
_DYNAMIC = ("$dynamicRef", "$recursiveRef")
_MOST_STEPS = 20_000
"""Schemas are followed this far; one of a few lines may stand for millions of parts."""


def copied(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` as JSON gives it back: plain dicts and lists, no NaN, no half of a character.

    Raises InputError where it is no JSON, or not written as a schema, or holds itself.
    """
    try:
        text = json.dumps(schema, allow_nan=False, ensure_ascii=False)
        found = json.loads(replace_surrogates(text))
    except RecursionError:
        raise InputError("This JSON schema is nested too deeply: flatten it.") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"This is no JSON schema: {str(error).rstrip('.')}.") from None
    if not isinstance(found, dict) or not found:
        raise InputError("This JSON schema says nothing of what is wanted: give it a type.")
    try:
        _Walk(found).check(found, "")
    except RecursionError:
        raise InputError("This JSON schema is nested too deeply: flatten it.") from None
    return found


def target(root: Mapping[str, Any], reference: str) -> Any:
    """What an internal `$ref` points to. Raises InputError if it leads elsewhere or nowhere."""
    if reference != "#" and not reference.startswith("#/"):
        raise InputError(
            f"$ref {_short(reference)}: only references inside the schema (#/$defs/...) are "
            "possible; copy what it refers to into $defs."
        )
    found: Any = root
    for step in reference[2:].split("/") if reference != "#" else ():
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise InputError(f"$ref {_short(reference)}: the schema has no such part.")
    return found


def subschemas(part: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """The schemas that `part` applies, each with the path of what it applies to."""
    for name, child in part.get("properties", {}).items():
        yield joined(path, name), child
    for group in ("patternProperties", "dependentSchemas"):
        for name, child in part.get(group, {}).items():
            yield joined(path, f"({name})"), child
    for key in _LISTS:
        inner = f"{path}[]" if key == "prefixItems" else path
        yield from ((inner, child) for child in part.get(key, ()))
    for key in _SINGLE:
        child = part.get(key)
        if isinstance(child, list):  # `items` until 2019
            yield from ((f"{path}[]", one) for one in child)
        elif child is not None:
            yield (f"{path}[]" if "tems" in key else path), child


def joined(path: str, name: str) -> str:
    """The path of the property `name` of what stands at `path`."""
    return f"{path}.{name}" if path else name


def of_property(part: Mapping[str, Any], name: str) -> list[Any]:
    """The schemas that `part` has for its property `name`."""
    found = [part["properties"][name]] if name in part.get("properties", {}) else []
    for pattern, child in part.get("patternProperties", {}).items():
        if _matches(pattern, name):
            found.append(child)
    if not found and "additionalProperties" in part:
        found.append(part["additionalProperties"])
    return found


def of_item(part: Mapping[str, Any], index: int) -> list[Any]:
    """The schemas that `part` has for the item at `index`, from 0."""
    first = part.get("prefixItems", ())
    if index < len(first):
        return [first[index]]
    return [part["items"]] if "items" in part else []


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # one of another dialect
        return False


class _Walk:
    """Goes through all that a schema applies, and along its references."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._open = ["#"]
        self._done: set[str] = set()
        self._steps = 0

    def check(self, part: Any, path: str) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise InputError("This JSON schema is too large: ask for less at once.")
        _check_part(part, path or "schema")
        if isinstance(part, bool):
            return
        if "$ref" in part:
            self._follow(part["$ref"], path)
        for where, child in subschemas(part, path):
            self.check(child, where)

    def _follow(self, reference: str, path: str) -> None:
        if reference in self._done:
            return
        if reference in self._open:
            raise InputError(
                f"{path or 'schema'}: the schema holds itself ({_short(reference)}), which the API "
                "does not take: nest as many levels as you need, or ask for a flat list."
            )
        self._open.append(reference)
        self.check(target(self._root, reference), path)
        self._open.pop()
        self._done.add(reference)


def _check_part(part: Any, path: str) -> None:
    """Raises InputError for a keyword whose value cannot be."""
    if isinstance(part, bool):
        return
    if not isinstance(part, dict):
        raise _wrong(path, "", part, "a schema is a dict")
    for key in _DYNAMIC:
        if key in part:
            raise InputError(f"{path}: {key} is not possible; use $ref and $defs.")
    kinds = part.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind not in TYPES:
            raise _wrong(path, "type", kinds, f"use {', '.join(TYPES)}")
    for key, value in part.items():
        expected = _EXPECTED.get(key)
        if expected is not None and not expected[1](value):
            raise _wrong(path, key, value, f"it has to be {expected[0]}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_EXPECTED: dict[str, tuple[str, Any]] = {
    **dict.fromkeys(_GROUPS, ("a dict", lambda value: isinstance(value, dict))),
    **dict.fromkeys(_LISTS, ("a list", lambda value: isinstance(value, list) and value != [])),
    **dict.fromkeys(_NUMBERS, ("a number", _is_number)),
    **dict.fromkeys(_BOUNDS, ("a number", lambda value: isinstance(value, int | float))),
    **dict.fromkeys(
        _COUNTS, ("a number from 0 on", lambda value: _is_number(value) and value >= 0)
    ),
    **dict.fromkeys(_TEXTS, ("a text", lambda value: isinstance(value, str))),
    "enum": ("a list of values", lambda value: isinstance(value, list) and value != []),
    "required": ("a list of names", _is_names),
    "type": ("a type", lambda value: value != []),
}


def _wrong(path: str, key: str, value: Any, hint: str) -> InputError:
    where = f"{path}, {key}" if key else path
    return InputError(f"{where}: {_short(json.dumps(value))} is no JSON schema; {hint}.")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
