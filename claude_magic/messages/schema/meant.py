"""A value of a reply as the schema means it that was asked for, before it was rewritten.

What the API cannot take was asked for in another form (see `supported`), and models write a word
of an enum with other letter case; both are put right here. Whether the value then fits, others
check.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .merge import canonical
from .nodes import is_of
from .parts import joined, of_item, of_property, target

_PAIR = {"key", "value"}


def as_meant(value: Any, schema: Mapping[str, Any]) -> Any:
    """`value`, JSON, in the form that `schema` asks for: lists of keys and values are objects
    again, and words of an enum have its letter case.

    `schema` is one that `supported` takes. Raises ValueError for a key that comes twice.
    """
    return _Reading(schema).read(value, schema, "")


class _Reading:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def read(self, value: Any, part: Any, path: str) -> Any:
        if not isinstance(part, Mapping):
            return value
        if "$ref" in part:
            value = self.read(value, target(self._root, part["$ref"]), path)
        for one in part.get("allOf", ()):
            value = self.read(value, one, path)
        for key in ("anyOf", "oneOf"):
            value = self._choice(value, part.get(key, ()), path)
        if isinstance(value, str):
            return _word(value, part)
        if isinstance(value, list):
            return self._list(value, part, path)
        return self._object(value, part, path) if isinstance(value, dict) else value

    def _choice(self, value: Any, choices: Any, path: str) -> Any:
        """The value as the first of the choices means it that it may be."""
        for choice in choices:
            found = self.read(value, choice, path)
            if self._may_be(found, choice):
                return found
        return value

    def _list(self, value: list[Any], part: Mapping[str, Any], path: str) -> Any:
        if _is_open(part) and all(isinstance(p, dict) and p.keys() == _PAIR for p in value):
            return self._object(_as_object(value, path), part, path)
        return [
            self._all(item, of_item(part, index), f"{path}[{index}]")
            for index, item in enumerate(value)
        ]

    def _object(self, value: dict[str, Any], part: Mapping[str, Any], path: str) -> dict[str, Any]:
        return {
            name: self._all(item, of_property(part, name), joined(path, name))
            for name, item in value.items()
        }

    def _all(self, value: Any, parts: list[Any], path: str) -> Any:
        for part in parts:
            value = self.read(value, part, path)
        return value

    def _may_be(self, value: Any, part: Any) -> bool:
        """Whether the value looks like what `part` asks for: types, names, constants."""
        if not isinstance(part, Mapping):
            return part is not False
        if "$ref" in part and not self._may_be(value, target(self._root, part["$ref"])):
            return False
        kinds = part.get("type", [])
        if kinds and not is_of(value, [kinds] if isinstance(kinds, str) else kinds):
            return False
        if not _is_named(value, part) or not all(
            self._may_be(value, one) for one in part.get("allOf", ())
        ):
            return False
        for key in ("anyOf", "oneOf"):
            if key in part and not any(self._may_be(value, one) for one in part[key]):
                return False
        return self._may_hold(value, part)

    def _may_hold(self, value: Any, part: Mapping[str, Any]) -> bool:
        """Whether what the value holds looks like what `part` asks for."""
        held: list[tuple[Any, list[Any]]] = []
        if isinstance(value, list):
            held = [(item, of_item(part, index)) for index, item in enumerate(value)]
        if isinstance(value, dict):
            if not all(name in value for name in part.get("required", ())):
                return False
            held = [(item, of_property(part, name)) for name, item in value.items()]
        return all(self._may_be(item, one) for item, parts in held for one in parts)


def _is_named(value: Any, part: Mapping[str, Any]) -> bool:
    """Whether the value is one of those that `part` names, if it names any."""
    named = _named(part)
    return not named or canonical(value) in map(canonical, named)


def _named(part: Mapping[str, Any]) -> list[Any]:
    return [*part.get("enum", ()), *([part["const"]] if "const" in part else ())]


def _word(value: str, part: Mapping[str, Any]) -> str:
    """The word of the enum that `value` is but for its letter case."""
    named = [word for word in _named(part) if isinstance(word, str)]
    if value in named:
        return value
    alike = [word for word in named if word.casefold() == value.strip().casefold()]
    return alike[0] if len(alike) == 1 else value


def _is_open(part: Mapping[str, Any]) -> bool:
    """Whether `part` asks for an object of any keys, and for no list."""
    kinds = part.get("type", "object" if "additionalProperties" in part else "array")
    return "object" in kinds and "array" not in kinds and not part.get("properties")


def _as_object(pairs: list[dict[str, Any]], path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        key = pair["key"]
        name = key if isinstance(key, str) else canonical(key)
        if name in found:
            raise ValueError(f"{path or 'the reply'}: the key {canonical(name)} comes twice.")
        found[name] = pair["value"]
    return found
