"""Small questions about the nodes of a JSON schema that the API takes."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .merge import unique

# What every dialect of regular expressions reads alike, and without looking around.
_SIMPLE = re.compile(
    r"(?:[^\\(){}\[\]*+?]|\\[dwsDWS.\-/^$|()\[\]{}*+?\\]|\((?:\?:|(?!\?))|\)|[*+?](?![*+?])"
    r"|\{\d{1,2}(?:,\d{0,2})?\}(?![*+?])|\[\^?(?:[^\\\[\]]|\\[dwsDWS.\-/^$\]\[\\])+\])*"
)
_ORDER = (
    "type",
    "title",
    "description",
    "enum",
    "const",
    "default",
    "format",
    "pattern",
    "properties",
    "required",
    "additionalProperties",
    "minItems",
    "items",
    "anyOf",
    "$ref",
    "$defs",
)
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def ordered(node: Mapping[str, Any]) -> dict[str, Any]:
    """The node with its keywords in one order, whatever order they came in."""
    found: dict[str, Any] = {}
    for key in _ORDER:
        if key not in node:
            continue
        value = node[key]
        if key in ("properties", "$defs"):
            found[key] = {name: ordered(child) for name, child in value.items()}
        elif key == "anyOf":
            found[key] = [ordered(child) for child in value]
        else:
            found[key] = ordered(value) if key == "items" else value
    return found


def parts(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node and all nodes within it, definitions too."""
    yield node
    for key in ("properties", "$defs"):
        for child in node.get(key, {}).values():
            yield from parts(child)
    for child in (*node.get("anyOf", ()), *([node["items"]] if "items" in node else ())):
        yield from parts(child)


def used(node: Mapping[str, Any], definitions: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names of the definitions that the node needs, in the order first met."""
    found: dict[str, None] = {}
    for part in parts(node):
        name = str(part.get("$ref", "")).rpartition("/")[2]
        if name and name not in found:
            found |= dict.fromkeys([name, *used(definitions[name], definitions)])
    return list(found)


def choice(nodes: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One node for what any of `nodes` takes; choices that are only choices become part of it."""
    flat = [
        one for node in nodes for one in (node["anyOf"] if node.keys() == {"anyOf"} else [node])
    ]
    different = unique(flat)
    return different[0] if len(different) == 1 else {"anyOf": different}


def is_of(value: Any, kinds: Sequence[str]) -> bool:
    """Whether a JSON value is of one of these types."""
    if isinstance(value, bool):
        return "boolean" in kinds
    if "integer" in kinds and (isinstance(value, int) or _is_whole(value)):
        return True
    return any(
        isinstance(value, _PYTHON_TYPES.get(kind, ())) for kind in kinds if kind != "boolean"
    )


def fits_plainly(value: Any, node: Mapping[str, Any]) -> bool:
    """Whether a plain value is one of those that the node names, or of its type."""
    if isinstance(value, list | dict):
        return False
    if "anyOf" in node:
        return any(fits_plainly(value, child) for child in node["anyOf"])
    if "type" in node:
        return is_of(value, [node["type"]])
    return value in node.get("enum", ()) or ("const" in node and value == node["const"])


def exactly(value: Any) -> dict[str, Any]:
    """A schema that this value alone fits: the API takes no list or object as a constant."""
    if isinstance(value, list):
        count = len(value)
        first: dict[str, Any] = (
            {"prefixItems": [{"const": item} for item in value]} if value else {}
        )
        return {"type": "array", **first, "minItems": count, "maxItems": count}
    if isinstance(value, dict):
        return {
            "type": "object",
            "properties": {name: {"const": item} for name, item in value.items()},
            "required": list(value),
            "additionalProperties": False,
        }
    return {"const": value}


def is_simple(pattern: str) -> bool:
    """Whether the API takes this regular expression: no look-around, no references back."""
    if _SIMPLE.fullmatch(pattern) is None:
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def own_title(schema: Any, name: str) -> Any:
    """`schema` without a title that only says the property's name again."""
    if not isinstance(schema, dict) or "title" not in schema:
        return schema
    told = re.sub(r"\W|_", "", str(schema["title"])).casefold()
    if told != re.sub(r"\W|_", "", name).casefold():
        return schema
    return {key: value for key, value in schema.items() if key != "title"}


def numbered(stem: str) -> Iterator[str]:
    """`stem`, then `stem_2` and so on."""
    return (stem if n == 1 else f"{stem}_{n}" for n in itertools.count(1))


def brief(node: Mapping[str, Any]) -> str:
    """What a node asks for, as short as can be."""
    if set(node) <= {"type", "title", "description"}:
        words = node.get("description")
        return f"{node['type']} ({words})" if words else str(node["type"])
    return json.dumps(ordered(node), ensure_ascii=False)


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()
