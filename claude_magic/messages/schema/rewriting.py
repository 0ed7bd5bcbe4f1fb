"""The rewriting itself: each part of a JSON schema as a node that the API takes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import InputError
from .flat import expanded, flat
from .keywords import FORMATS, KIND_OF, OF_KIND
from .merge import FlatSchema, NothingFitsError, all_of, unique
from .nodes import (
    brief,
    choice,
    exactly,
    fits_plainly,
    is_of,
    is_simple,
    numbered,
    ordered,
    own_title,
    used,
)
from .parts import joined, of_property, target
from .words import in_words

_MOST_STEPS = 20_000
_SCALARS = ("string", "number", "boolean", "null")
_ANNOTATIONS = ("title", "description", "default", "examples", "oneOf")
_STRUCTURE = ("properties", "required", "items", "prefixItems", "additionalProperties")
_NO_KEYS: Mapping[str, Any] = {
    "type": "object",
    "properties": {},
    "required": [],
    "additionalProperties": False,
}


class Rewriting:
    """Rewrites the schema `root`, one that `parts.copied` has found good."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._steps = 0
        self._names: dict[str, str] = {}
        self._definitions: dict[str, dict[str, Any]] = {}

    def whole(self) -> dict[str, Any]:
        """The root with the definitions that it needs. Raises NothingFitsError."""
        found = self._node({"allOf": [self._root]}, "")
        names = used(found, self._definitions)
        if names:
            found["$defs"] = {name: self._definitions[name] for name in names}
        return ordered(found)

    def _node(self, part: Any, path: str) -> dict[str, Any]:
        """`part` rewritten. Raises NothingFitsError where no value can be that."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise InputError("This JSON schema is too large: ask for less at once.")
        if isinstance(part, dict) and part.keys() == {"$ref"}:
            return self._reference(part["$ref"], path)
        found = flat(part, self._root)
        if "anyOf" in found:
            return self._any_of(found, path)
        if "enum" in found:
            return self._enum(found, path)
        meant = {KIND_OF[key] for key in found if key in KIND_OF}
        kinds = found.get("type") or [kind for kind in OF_KIND if kind in meant]
        if "number" in kinds:
            kinds = [kind for kind in kinds if kind != "integer"]
        return self._of_kinds(kinds or _SCALARS, found, path)

    def _reference(self, reference: str, path: str) -> dict[str, Any]:
        name = self._names.get(reference)
        if name is None:
            node = self._node({"allOf": [target(self._root, reference)]}, path)
            stem = re.sub(r"[^\w.-]", "_", reference.rpartition("/")[2], flags=re.ASCII) or "part"
            taken = set(self._names.values())
            name = next(n for n in numbered(stem) if n not in taken)
            self._names[reference] = name
            self._definitions[name] = node
        return {"$ref": f"#/$defs/{name}"}

    def _any_of(self, found: FlatSchema, path: str) -> dict[str, Any]:
        base = _without(found, ("anyOf", *_ANNOTATIONS))
        around = {key: found[key] for key in _ANNOTATIONS if key in found}
        nodes: list[dict[str, Any]] = []
        taken: list[Any] = []
        for one in found["anyOf"]:
            whole = all_of([base, one]) if base else one
            try:
                nodes.append(self._node(whole, path))
            except NothingFitsError:
                continue  # the other choices are left
            taken.append(whole)
        if not nodes:
            raise NothingFitsError
        node = choice(nodes)
        if node.keys() == {"anyOf"}:
            return self._told(node, around)
        return self._node({"allOf": [_without(around, ("oneOf",)), taken[0]]}, path)

    def _of_kinds(self, kinds: Sequence[str], found: FlatSchema, path: str) -> dict[str, Any]:
        """`found` as a schema of its type, or one choice for each of its types."""
        nodes: list[dict[str, Any]] = []
        for kind in kinds:
            mine = {key: found[key] for key in OF_KIND.get(kind, ()) if key in found}
            try:
                nodes.append(self._of_kind(kind, mine, path))
            except NothingFitsError:
                pass  # the other types are left
        if not nodes:
            raise NothingFitsError
        return self._told(choice(nodes), _without(found, KIND_OF))

    def _of_kind(self, kind: str, mine: FlatSchema, path: str) -> dict[str, Any]:
        match kind:
            case "object":
                return self._object(mine, path)
            case "array":
                return self._array(mine, path)
            case "string":
                return self._string(mine)
        return self._told({"type": kind}, mine)

    def _string(self, mine: FlatSchema) -> dict[str, Any]:
        node: dict[str, Any] = {"type": "string"}
        if mine.get("format") in FORMATS:
            node["format"] = mine.pop("format")
        elif "pattern" in mine and is_simple(mine["pattern"]):
            node["pattern"] = mine.pop("pattern")
        return self._told(node, mine)

    def _array(self, mine: FlatSchema, path: str) -> dict[str, Any]:
        others = mine.pop("unevaluatedItems", True)
        mine.setdefault("items", others)
        first: list[dict[str, Any]] = []
        most = mine.get("maxItems")
        for part in mine.get("prefixItems", ())[: None if most is None else int(most)]:
            try:
                first.append(self._node(part, f"{path}[]"))
            except NothingFitsError:
                most = len(first)
                break
        items, most = self._items(mine["items"], first, most, path)
        least = mine.get("minItems", 0)
        if most is not None:
            mine["maxItems"] = most
            if least > most:
                raise NothingFitsError
        node: dict[str, Any] = {"type": "array", "items": items}
        if "minItems" in mine:
            node["minItems"] = min(1, math.ceil(least))
            if least <= 1 != most:
                del mine["minItems"]  # the node says it
        return self._told(node, mine, _in_order(first))

    def _items(
        self, others: Any, first: Sequence[dict[str, Any]], most: float | None, path: str
    ) -> tuple[dict[str, Any], float | None]:
        """What an item may be, and how many items there are at most."""
        choices = list(first)
        if most is None or most > len(first):
            try:
                choices.append(self._node(others, f"{path}[]"))
            except NothingFitsError:
                most = len(first)
        # A list that is always empty has no items; the API asks for a type of them.
        return choice(choices or [{"type": "string"}]), most

    def _object(self, mine: FlatSchema, path: str) -> dict[str, Any]:
        if "unevaluatedProperties" in mine:
            mine.setdefault("additionalProperties", mine.pop("unevaluatedProperties"))
        required = mine.get("required", ())
        names = dict.fromkeys([*mine.get("properties", {}), *required])
        if not names and (
            mine.get("additionalProperties") is not False or mine.get("patternProperties")
        ):
            return self._pairs(mine, path)
        properties = {}
        for name in names:
            whole = all_of([own_title(part, name) for part in of_property(mine, name)])
            try:
                properties[name] = self._node(whole, joined(path, name))
            except NothingFitsError:
                if name in required:
                    raise
        there = [name for name in properties if name in required]
        return self._told({**_NO_KEYS, "properties": properties, "required": there}, mine)

    def _pairs(self, mine: FlatSchema, path: str) -> dict[str, Any]:
        """An object of any keys, as a list: the API takes objects of known properties only."""
        patterns = mine.get("patternProperties", {})
        others = mine.get("additionalProperties", True)
        values = [*patterns.values(), *([others] if others is not False else [])]
        names: list[Any] = [{"type": "string"}, mine.pop("propertyNames", True)]
        if others is False:
            names.append({"anyOf": [{"pattern": pattern} for pattern in patterns]})
        if patterns and len(values) > 1:
            mine["values by key"] = patterns
        try:
            key = self._node(all_of(names), path)
            value = self._node({"anyOf": values}, f"{path}[]")
        except NothingFitsError:
            if mine.get("minProperties"):
                raise
            return self._told({**_NO_KEYS}, mine)
        pair = {**_NO_KEYS, "properties": {"key": key, "value": value}}
        node: dict[str, Any] = {"type": "array", "items": pair | {"required": ["key", "value"]}}
        if mine.get("minProperties"):
            node["minItems"] = 1
        return self._told(node, mine, ["an object, as a list of its keys and their values"])

    def _enum(self, found: FlatSchema, path: str) -> dict[str, Any]:
        kinds = found.get("type")
        values = [v for v in unique(found["enum"]) if kinds is None or is_of(v, kinds)]
        plain = [value for value in values if not isinstance(value, list | dict)]
        nodes = [{"const": plain[0]} if len(plain) == 1 else {"enum": plain}] if plain else []
        structure = {key: found[key] for key in _STRUCTURE if key in found}
        for value in values:
            if isinstance(value, list | dict):
                try:
                    nodes.append(self._node(all_of([exactly(value), structure]), path))
                except NothingFitsError:
                    pass  # the other values are left
        if not nodes:
            raise NothingFitsError
        return self._told(choice(nodes), _without(found, ("enum", *_STRUCTURE)))

    def _told(
        self, node: dict[str, Any], rest: FlatSchema, words: Sequence[str] = ()
    ) -> dict[str, Any]:
        """`node` with what `rest` says: in the node where that can be, else in its description."""
        rest = dict(rest)
        if "title" in rest:
            node["title"] = rest.pop("title")
        if "default" in rest and fits_plainly(rest["default"], node):
            node["default"] = rest.pop("default")
        about = rest.pop("description", "")
        also = [in_words(part, self._shown) for part in rest.pop("allOf", ())]
        told = [node.get("description"), *words, in_words(rest, self._shown), *also]
        said = "; ".join(filter(None, told))
        if about.strip() or said:
            node["description"] = f"{about} ({said})" if about.strip() and said else said or about
        return node

    def _shown(self, part: Any) -> Any:
        return expanded(part, self._root)


def _in_order(first: Sequence[dict[str, Any]]) -> list[str]:
    """The words for items that have each a place of their own."""
    return [f"in this order: {', '.join(map(brief, first))}"] if first else []


def _without(found: FlatSchema, keys: Iterable[str]) -> FlatSchema:
    left_out = set(keys)
    return {key: value for key, value in found.items() if key not in left_out}
