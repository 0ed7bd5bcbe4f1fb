"""A value of a reply as the schema means it that was asked for, before it was rewritten.

What the API cannot take was asked for in another form (see `supported`), and models write a word
of an enum with other letter case; both are put right here. Whether the value then fits, others
check.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from .parts import (
    FlatSchema,
    NothingFitsError,
    canonical,
    conjuncts,
    is_of,
    joined,
    of_item,
    of_property,
    types_of,
)

_PAIR = {"key", "value"}


def as_meant(value: Any, schema: Mapping[str, Any]) -> Any:
    """`value`, JSON, in the form that `schema` asks for: lists of keys and values are objects
    again, and words of an enum have its letter case.

    `schema` is one that `supported` takes. Raises ValueError for a key that comes twice.
    """
    return _Reading(schema).read(value, [schema], "")


class _Reading:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def read(self, value: Any, parts: Iterable[Any], path: str) -> Any:
        """`value` in the form that all of `parts` ask for."""
        try:
            said = conjuncts(parts, self._root)
            kinds = types_of(said)
        except NothingFitsError:
            return value
        choices = [part["anyOf"] for part in said if "anyOf" in part]
        own = [{key: part[key] for key in part if key != "anyOf"} for part in said]
        for choice in itertools.product(*choices) if choices else ():
            found = self.read(value, [*own, *choice], path)
            if self._may_be(found, [*own, *choice]):
                return found
        if isinstance(value, str):
            return _word(value, own)
        if isinstance(value, list):
            if _is_open(own, kinds) and all(
                isinstance(p, dict) and p.keys() == _PAIR for p in value
            ):
                return self.read(_as_object(value, path), own, path)
            items = enumerate(value)
            return [self.read(item, of_item(own, i), f"{path}[{i}]") for i, item in items]
        if isinstance(value, dict):
            return {
                name: self.read(item, of_property(own, name), joined(path, name))
                for name, item in value.items()
            }
        return value

    def _may_be(self, value: Any, parts: Iterable[Any]) -> bool:
        """Whether the value looks like what `parts` ask for: types, names, constants."""
        try:
            said = conjuncts(parts, self._root)
            kinds = types_of(said)
        except NothingFitsError:
            return False
        named = [[canonical(one) for one in part["enum"]] for part in said if "enum" in part]
        if not (kinds is None or is_of(value, kinds)):
            return False
        if not all(canonical(value) in one for one in named):
            return False
        for choices in (part["anyOf"] for part in said if "anyOf" in part):
            if not any(self._may_be(value, [one]) for one in choices):
                return False
        if isinstance(value, list):
            return all(self._may_be(item, of_item(said, i)) for i, item in enumerate(value))
        if isinstance(value, dict):
            required = {name for part in said for name in part.get("required", ())}
            return required <= value.keys() and all(
                self._may_be(item, of_property(said, name)) for name, item in value.items()
            )
        return True


def _word(value: str, said: Iterable[FlatSchema]) -> str:
    """The word of the enum that `value` is but for its letter case."""
    named = [word for part in said for word in part.get("enum", ()) if isinstance(word, str)]
    if value in named:
        return value
    alike = [word for word in named if word.casefold() == value.strip().casefold()]
    return alike[0] if len(alike) == 1 else value


def _is_open(said: list[FlatSchema], kinds: list[str] | None) -> bool:
    """Whether an object of any keys is asked for, and no list."""
    if any(part.get("properties") for part in said):
        return False
    if kinds is None:
        return any("additionalProperties" in part for part in said)
    return "object" in kinds and "array" not in kinds


def _as_object(pairs: list[dict[str, Any]], path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        key = pair["key"]
        name = key if isinstance(key, str) else canonical(key)
        if name in found:
            raise ValueError(f"{path or 'the reply'}: the key {canonical(name)} comes twice.")
        found[name] = pair["value"]
    return found
