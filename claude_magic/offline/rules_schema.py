"""The part of JSON Schema that structured outputs and strict tools take.

Source: the structured-outputs page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .refusal import bad

_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_KEYWORDS = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "allOf",
    "$ref",
    "$defs",
    "definitions",
    "default",
    "format",
    "minItems",
    "pattern",
    # Annotations, which change nothing.
    "title",
    "description",
    "examples",
    "$schema",
    "$comment",
}
_FORMATS = (
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
)
_ADVANCED_PATTERN = re.compile(r"\(\?[=!<]|\\[1-9bB]")
MAX_OPTIONAL = 24
MAX_UNIONS = 16


def check_schema(schema: Mapping[str, Any], path: str) -> None:
    """Raises Refusal where `schema` uses what is not supported; `path` is where it stands."""
    for where, part in _parts(schema, path):
        _check_part(part, where)
    _check_references(schema, schema, path, ())
    parts = [part for _, part in _parts(schema, path)]
    optional = sum(
        len(set(part.get("properties", {})) - set(part.get("required", ()))) for part in parts
    )
    if optional > MAX_OPTIONAL:
        raise bad(f"{path}: Schema is too complex: more than {MAX_OPTIONAL} optional parameters")
    unions = sum("anyOf" in part or isinstance(part.get("type"), list) for part in parts)
    if unions > MAX_UNIONS:
        raise bad(f"{path}: Schema is too complex: more than {MAX_UNIONS} union-typed parameters")


def resolve(schema: Mapping[str, Any], reference: str) -> Any:
    """What an internal `$ref` points to, None if it points nowhere."""
    if not reference.startswith("#"):
        return None
    found: Any = schema
    for step in filter(None, reference[1:].split("/")):
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _children(part: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key in ("properties", "$defs", "definitions"):
        group = part.get(key, {})
        if not isinstance(group, Mapping):
            raise bad(f"{path}.{key}: Input should be a valid dictionary")
        yield from ((f"{path}.{key}.{name}", child) for name, child in group.items())
    for key in ("anyOf", "allOf"):
        group = part.get(key, [])
        if not isinstance(group, list):
            raise bad(f"{path}.{key}: Input should be a valid list")
        yield from ((f"{path}.{key}.{index}", child) for index, child in enumerate(group))
    if "items" in part:
        yield f"{path}.items", part["items"]


def _parts(part: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(part, Mapping):
        raise bad(f"{path}: Input should be a valid dictionary")
    yield path, part
    for where, child in _children(part, path):
        yield from _parts(child, where)


def _check_part(part: Mapping[str, Any], path: str) -> None:
    for keyword in part:
        if keyword not in _KEYWORDS:
            raise bad(f"{path}: For this type, property '{keyword}' is not supported")
    kinds = part.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(kinds, list) or any(kind not in _TYPES for kind in kinds):
        raise bad(f"{path}.type: not a JSON Schema type: {part['type']!r}")
    if ("object" in kinds or "properties" in part) and part.get(
        "additionalProperties"
    ) is not False:
        raise bad(f"{path}: For 'object' type, 'additionalProperties' must be set to false")
    unknown = set(part.get("required", ())) - set(part.get("properties", {}))
    if unknown:
        raise bad(f"{path}.required: not among the properties: {', '.join(sorted(unknown))}")
    if part.get("minItems", 0) not in (0, 1):
        raise bad(f"{path}.minItems: only 0 and 1 are supported")
    if part.get("format", "date") not in _FORMATS:
        raise bad(f"{path}.format: '{part['format']}' is not supported")
    if any("$ref" in branch for branch in part.get("allOf", ())):
        raise bad(f"{path}.allOf: '$ref' is not supported in allOf")
    values = [*part.get("enum", ()), *([part["const"]] if "const" in part else [])]
    if any(isinstance(value, list | Mapping) for value in values):
        raise bad(f"{path}: only primitive values are supported in enum and const")
    _check_pattern(part.get("pattern", ""), path)


def _check_pattern(pattern: Any, path: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, TypeError) as fault:
        raise bad(f"{path}.pattern: not a regular expression") from fault
    if _ADVANCED_PATTERN.search(pattern):
        raise bad(f"{path}.pattern: look-around, back-references and \\b are not supported")


def _check_references(
    root: Mapping[str, Any], part: Mapping[str, Any], path: str, open_references: tuple[str, ...]
) -> None:
    if "$ref" in part:
        reference = str(part["$ref"])
        target = resolve(root, reference)
        if target is None:
            raise bad(f"{path}.$ref: only references inside the schema are supported: {reference}")
        if reference in open_references:
            raise bad(f"{path}.$ref: recursive schemas are not supported: {reference}")
        _check_references(root, target, path, (*open_references, reference))
    for where, child in _children(part, path):
        # A definition is followed where it is used.
        if not where.startswith((f"{path}.$defs.", f"{path}.definitions.")):
            _check_references(root, child, where, open_references)
