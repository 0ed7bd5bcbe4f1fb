"""Any JSON schema as one that the API takes for a reply, and nothing of it lost.

Source: the structured-outputs page. What the API does not take (bounds, lengths, formats that it
does not know, ...) is told in words, in the description; whoever reads the reply checks it against
the schema as it was. Objects are closed. One that may have any keys is asked for as a list of keys
and values, which `meant` reads as the object again.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from ..blocks import replace_surrogates
from ..errors import InputError
from .parts import (
    MOST_STEPS,
    PYTHON_TYPES,
    FlatSchema,
    NothingFitsError,
    canonical,
    check,
    conjuncts,
    in_words,
    is_of,
    joined,
    of_item,
    of_property,
    target,
    types_of,
    unique,
)

MOST_OPTIONAL = 24
MOST_UNIONS = 16
_MOST_CHOICES = 64
# Patterns of keywords.
_FORMATS = "date-time|time|date|duration|email|hostname|uri|ipv4|ipv6|uuid"
_ANNOTATIONS = "title|description|default|examples|oneOf"
_STRUCTURE = "properties|required|items|prefixItems|additionalProperties"
_NUMBER = "minimum|maximum|exclusiveMinimum|exclusiveMaximum|multipleOf|format"
# What each type has to say something of; the first that a keyword belongs to is meant by it.
_OF_KIND = {
    "object": "(?:p|(?:pattern|additional|unevaluated|min|max)P)roperties|propertyNames|required"
    "|dependentRequired|dependentSchemas|dependencies",
    "array": "(?:i|(?:prefix|additional|unevaluated|min|max|unique)I)tems|contains|minContains"
    "|maxContains",
    "string": "minLength|maxLength|pattern|format|content(?:Encoding|MediaType|Schema)",
    "number": _NUMBER,
    "integer": _NUMBER,
}
_SCALARS = ["string", "number", "boolean", "null"]
_FIRST = ("type", "title", "description", "enum", "const", "default", "format", "pattern")
_THEN = ("properties", "required", "additionalProperties", "minItems", "items", "anyOf", "$ref")
_ORDER = (*_FIRST, *_THEN, "$defs")
# What every dialect of regular expressions reads alike, and without looking around.
_SIMPLE = re.compile(
    r"(?:[^\\(){}\[\]*+?]|\\[dwsDWS.\-/^$|()\[\]{}*+?\\]|\((?:\?:|(?!\?))|\)|[*+?](?![*+?])"
    r"|\{\d{1,2}(?:,\d{0,2})?\}(?![*+?])|\[\^?(?:[^\\\[\]]|\\[dwsDWS.\-/^$\]\[\\])+\])*"
)


def supported(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema as the API takes it, keywords in a stable order, properties in their own.

    `schema` is JSON, and written as a schema. Raises InputError for what the API cannot take in
    any form: recursion, references to elsewhere, more than 24 optional properties or 16 unions.
    """
    try:
        root = plain_json(schema)
        check(root)
        found = _Rewriting(root).whole()
    except NothingFitsError:
        raise InputError("Nothing can fit this JSON schema: parts of it exclude others.") from None
    except RecursionError:
        raise InputError("This JSON schema is nested too deeply: flatten it.") from None
    except (AttributeError, LookupError, TypeError) as error:
        raise InputError(f"A part of this is no JSON schema: {error}.") from None
    _check_limits(found)
    return found


def plain_json(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` as JSON gives it back: plain dicts and lists, no NaN, no half of a character.

    Raises InputError where it is no JSON, or empty.
    """
    try:
        text = json.dumps(schema, allow_nan=False, ensure_ascii=False)
        found: dict[str, Any] = json.loads(replace_surrogates(text))
    except RecursionError:
        raise InputError("This JSON schema is nested too deeply: flatten it.") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"This is no JSON schema: {str(error).rstrip('.')}.") from None
    if not found:
        raise InputError("This JSON schema says nothing of what is wanted: give it a type.")
    return found


def in_object(schema: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A schema whose root is an object, which the API asks for, and the key that stands for it.

    The key is "" where the root is an object already. `schema` is one that `supported` made.
    """
    if schema.get("type") == "object":
        return schema, ""
    key = "items" if schema.get("type") == "array" else "value"
    inner = {name: value for name, value in schema.items() if name != "$defs"}
    outer = _closed({key: inner}, [key])
    return outer | ({"$defs": schema["$defs"]} if "$defs" in schema else {}), key


def _check_limits(schema: Mapping[str, Any]) -> None:
    found = list(_nodes(schema))
    optional = sum(
        len(part.get("properties", ())) - len(part.get("required", ())) for part in found
    )
    if optional > MOST_OPTIONAL:
        raise InputError(
            f"The JSON schema has {optional} optional properties, and the API takes "
            f"{MOST_OPTIONAL}: make some required, or ask in two questions."
        )
    unions = sum("anyOf" in part for part in found)
    if unions > MOST_UNIONS:
        raise InputError(
            f"The JSON schema has {unions} properties that may be of several types, and the API "
            f"takes {MOST_UNIONS}: give some one type (a text may be empty, a list too), or ask "
            "in two questions."
        )


class _Rewriting:
    """Rewrites the parts of the schema `root`; a node is a part as the API takes it."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._steps = 0
        self._names: dict[str, str] = {}
        self._definitions: dict[str, dict[str, Any]] = {}

    def whole(self) -> dict[str, Any]:
        """The root with the definitions that it needs. Raises NothingFitsError."""
        found = self._node([self._root, {}], "")
        names = self._used(found)
        if names:
            found["$defs"] = {name: self._definitions[name] for name in names}
        whole: dict[str, Any] = _ordered(found)
        return whole

    def _node(self, parts: Iterable[Any], path: str) -> dict[str, Any]:
        """A node for what fits all of `parts`. Raises NothingFitsError where nothing does."""
        parts = unique(part for part in parts if part is not True)
        if len(parts) == 1 and isinstance(parts[0], dict) and parts[0].keys() == {"$ref"}:
            return self._reference(parts[0]["$ref"], path)
        said = conjuncts(parts, self._root)
        self._steps += 1 + len(said)
        if self._steps > MOST_STEPS:
            raise InputError("This JSON schema is too large: ask for less at once.")
        kinds = types_of(said)
        if any("anyOf" in part for part in said):
            return self._any_of(said, path)
        if any("enum" in part for part in said):
            return self._enum(said, kinds, path)
        meant = [_meant(key) for part in said for key in part]
        kinds = kinds or [kind for kind in _OF_KIND if kind in meant] or _SCALARS
        if "number" in kinds:
            kinds = [kind for kind in kinds if kind != "integer"]
        nodes = self._each(
            partial(self._of_kind, kind, _only(said, _OF_KIND.get(kind, "")), path)
            for kind in kinds
        )
        return self._told(_choice(nodes), _without(said, f"type|{'|'.join(_OF_KIND.values())}"))

    def _each(self, makes: Iterable[Callable[[], dict[str, Any]]]) -> list[dict[str, Any]]:
        """The nodes that can be. Raises NothingFitsError where there are none."""
        nodes = []
        for make in makes:
            with suppress(NothingFitsError):  # the others are left
                nodes.append(make())
        if not nodes:
            raise NothingFitsError
        return nodes

    def _reference(self, reference: str, path: str) -> dict[str, Any]:
        if reference not in self._names:
            node = self._node([target(self._root, reference), {}], path)
            stem = re.sub(r"[^\w.-]", "_", reference.rpartition("/")[2], flags=re.ASCII) or "part"
            taken = set(self._names.values())
            stems = (stem if n == 1 else f"{stem}_{n}" for n in itertools.count(1))
            self._names[reference] = next(name for name in stems if name not in taken)
            self._definitions[self._names[reference]] = node
        return {"$ref": f"#/$defs/{self._names[reference]}"}

    def _any_of(self, said: list[FlatSchema], path: str) -> dict[str, Any]:
        lists = [part["anyOf"] for part in said if "anyOf" in part]
        if len(lists) > 1 and math.prod(map(len, lists)) > _MOST_CHOICES:
            raise InputError("This JSON schema has too many choices (anyOf) at once: ask for less.")
        base, around = _without(said, f"anyOf|{_ANNOTATIONS}"), _only(said, _ANNOTATIONS)
        taken: list[Sequence[Any]] = []

        def made(choice: Sequence[Any]) -> dict[str, Any]:
            node = self._node([*base, *choice], path)
            taken.append(choice)
            return node

        node = _choice(self._each(partial(made, choice) for choice in itertools.product(*lists)))
        if node.keys() == {"anyOf"}:
            return self._told(node, around)
        return self._node([{}, *_without(around, "oneOf"), *base, *taken[0]], path)

    def _enum(self, said: list[FlatSchema], kinds: list[str] | None, path: str) -> dict[str, Any]:
        named = unique(_together(said)[0]["enum"])
        values = [value for value in named if kinds is None or is_of(value, kinds)]
        plain = [value for value in values if not isinstance(value, list | dict)]
        makes: list[Callable[[], dict[str, Any]]] = [
            partial(self._node, [_exactly(value), *_only(said, _STRUCTURE)], path)
            for value in values
            if isinstance(value, list | dict)
        ]
        if plain:
            node = {"const": plain[0]} if len(plain) == 1 else {"enum": plain}
            makes.insert(0, lambda: node)
        return self._told(_choice(self._each(makes)), _without(said, f"enum|type|{_STRUCTURE}"))

    def _of_kind(self, kind: str, said: list[FlatSchema], path: str) -> dict[str, Any]:
        match kind:
            case "object":
                return self._object(said, path)
            case "array":
                return self._array(said, path)
            case "string":
                return self._string(said)
        if kind not in PYTHON_TYPES:
            raise InputError(f"{path or 'schema'}: {kind} is no type of JSON Schema.")
        return self._told({"type": kind}, said)

    def _string(self, said: list[FlatSchema]) -> dict[str, Any]:
        node: dict[str, Any] = {"type": "string"}
        rest, also = _together(said)
        if re.fullmatch(_FORMATS, rest.get("format", "")):
            node["format"] = rest.pop("format")
        elif "pattern" in rest and _is_simple(rest["pattern"]):
            node["pattern"] = rest.pop("pattern")
        return self._told(node, [rest], also=also)

    def _array(self, said: list[FlatSchema], path: str) -> dict[str, Any]:
        mine = _together(said)[0]
        least, most = mine.get("minItems", 0), mine.get("maxItems")
        length = max((len(part.get("prefixItems", ())) for part in said), default=0)
        others = _values(said, "items") or _values(said, "unevaluatedItems")
        first: list[dict[str, Any]] = []
        then: list[dict[str, Any]] = []
        try:
            for index in range(length if most is None else min(length, int(most))):
                first.append(self._node(of_item(said, index), f"{path}[]"))
            if most is None or most > length:
                then = [self._node(others, f"{path}[]")]
        except NothingFitsError:
            most = len(first)
        if most is not None and least > most:
            raise NothingFitsError
        # A list that is always empty has no items; the API asks for a type of them.
        items = _choice([*first, *then] or [{"type": "string"}])
        node = {"type": "array", "items": items}
        told = _without(said, "items|prefixItems|unevaluatedItems|minItems|maxItems")
        if "minItems" in mine:
            node["minItems"] = min(1, math.ceil(least))
        if least > 1 or least == most:
            told.append({"minItems": least})  # else the node says it
        told += [{"maxItems": most}] if most is not None else []
        words = [f"in this order: {', '.join(map(_brief, first))}"] if first else []
        return self._told(node, told, words)

    def _object(self, said: list[FlatSchema], path: str) -> dict[str, Any]:
        required = _together(said)[0].get("required", ())
        described = [name for part in said for name in part.get("properties", ())]
        others = _values(said, "additionalProperties") or _values(said, "unevaluatedProperties")
        names = dict.fromkeys([*described, *required])
        if not names and (False not in others or any(_values(said, "patternProperties"))):
            return self._pairs(said, path)
        properties = {}
        for name in names:
            whole = [_own_title(part, name) for part in of_property(said, name) or others]
            try:
                properties[name] = self._node(whole, joined(path, name))
            except NothingFitsError:
                if name in required:
                    raise
        return self._told(_closed(properties, [n for n in properties if n in required]), said)

    def _pairs(self, said: list[FlatSchema], path: str) -> dict[str, Any]:
        """An object of any keys, as a list: the API takes objects of known properties only."""
        keys: list[Any] = [{"type": "string"}, *_values(said, "propertyNames")]
        values: list[Any] = []
        told = _without(said, "propertyNames")
        for part in said:
            patterns = part.get("patternProperties", {})
            rest = part.get("additionalProperties", part.get("unevaluatedProperties", True))
            if rest is False:
                keys.append({"anyOf": [{"pattern": pattern} for pattern in patterns]})
            of_keys = [*patterns.values(), *([rest] if rest is not False else [])]
            values.append({"anyOf": of_keys})
            if patterns and len(of_keys) > 1:
                told.append({"values by key": patterns})
        some = _together(said)[0].get("minProperties")
        try:
            pair = {"key": self._node(keys, path), "value": self._node(values, f"{path}[]")}
        except NothingFitsError:
            if some:
                raise
            return self._told(_closed({}, []), told)
        node = {
            "type": "array",
            "items": _closed(pair, list(pair)),
            **({"minItems": 1} if some else {}),
        }
        return self._told(node, told, ["an object, as a list of its keys and their values"])

    def _told(
        self,
        node: dict[str, Any],
        said: Iterable[FlatSchema],
        words: Sequence[str] = (),
        also: Iterable[FlatSchema] = (),
    ) -> dict[str, Any]:
        """`node` with what is said beside it: in the node where that can be, else in words."""
        rest, more = _together(said)
        if "title" in rest:
            node["title"] = rest.pop("title")
        if "default" in rest and _fits_plainly(rest["default"], node):
            node["default"] = rest.pop("default")
        about = rest.pop("description", "")
        phrases = [in_words(part, self._shown) for part in (rest, *more, *also)]
        told = "; ".join(filter(None, [node.get("description"), *words, *phrases]))
        if about.strip() or told:
            node["description"] = f"{about} ({told})" if about.strip() and told else told or about
        return node

    def _shown(self, value: Any) -> Any:
        """`value` with what its references refer to in their place: it may stand on its own."""
        if isinstance(value, list):
            return [self._shown(item) for item in value]
        if not isinstance(value, dict):
            return value
        found = {key: self._shown(item) for key, item in value.items() if key != "$ref"}
        if not isinstance(value.get("$ref"), str):
            return found | {key: value[key] for key in ("$ref",) if key in value}
        return self._shown(target(self._root, value["$ref"])) | found

    def _used(self, node: Mapping[str, Any]) -> list[str]:
        """The names of the definitions that the node needs, in the order first met."""
        found: dict[str, None] = {}
        for part in _nodes(node):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found |= dict.fromkeys([name, *self._used(self._definitions[name])])
        return list(found)


def _together(said: Iterable[FlatSchema]) -> tuple[FlatSchema, list[FlatSchema]]:
    """What flat schemas say as one, but for their structure, and what else has to be told.

    Raises NothingFitsError where no value is left.
    """
    found: FlatSchema = {}
    also: list[FlatSchema] = []
    for part in said:
        for key, value in sorted(part.items()):
            if canonical(found.setdefault(key, value)) == canonical(value):
                continue
            if (both := _both(key, found[key], value)) is not None:
                found[key] = both
            else:
                also.append({key: value})
    if not found.get("enum", True):
        raise NothingFitsError
    return found, unique(also)


def _both(key: str, one: Any, other: Any) -> Any:
    """What says both of two values of a keyword; None where they stay apart."""
    if re.fullmatch("min(?:Length|Items|Properties)|minimum|exclusiveMinimum", key):
        return max(one, other)
    if re.fullmatch("max(?:Length|Items|Properties)|maximum|exclusiveMaximum", key):
        return min(one, other)
    match key:
        case "enum":
            return [value for value in one if canonical(value) in map(canonical, other)]
        case "required":
            return unique([*one, *other])
        case "description":
            return one if other in one else f"{one}\n{other}"
        case "uniqueItems":
            return one or other
    return one if re.fullmatch(_ANNOTATIONS, key) else None


def _meant(key: str) -> str:
    """The type that a keyword means where none is named."""
    return next((kind for kind, keys in _OF_KIND.items() if re.fullmatch(keys, key)), "")


def _only(said: Iterable[FlatSchema], keys: str) -> list[FlatSchema]:
    found = [{key: part[key] for key in part if re.fullmatch(keys, key)} for part in said]
    return [part for part in found if part]


def _without(said: Iterable[FlatSchema], keys: str) -> list[FlatSchema]:
    return _only(said, f"(?!(?:{keys})$).*")


def _values(said: Iterable[FlatSchema], key: str) -> list[Any]:
    return [part[key] for part in said if key in part]


def _closed(properties: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node and all nodes within it, definitions too."""
    yield node
    groups = [*node.get("properties", {}).values(), *node.get("$defs", {}).values()]
    for child in [*groups, *node.get("anyOf", ()), *([node["items"]] if "items" in node else ())]:
        yield from _nodes(child)


def _ordered(node: Any) -> Any:
    """The node with its keywords in one order, whatever order they came in."""
    found: dict[str, Any] = {}
    for key in (key for key in _ORDER if key in node):
        value = node[key]
        if key in ("properties", "$defs"):
            value = {name: _ordered(child) for name, child in value.items()}
        elif key in ("anyOf", "items"):
            value = [_ordered(one) for one in value] if key == "anyOf" else _ordered(value)
        found[key] = value
    return found


def _choice(nodes: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One node for what any of `nodes` takes; choices that are only choices become part of it."""
    flat = (
        one for node in nodes for one in (node["anyOf"] if node.keys() == {"anyOf"} else [node])
    )
    different = unique(flat)
    return different[0] if len(different) == 1 else {"anyOf": different}


def _fits_plainly(value: Any, node: Mapping[str, Any]) -> bool:
    """Whether a plain value is one of those that the node names, or of its type."""
    if isinstance(value, list | dict):
        return False
    if "anyOf" in node:
        return any(_fits_plainly(value, child) for child in node["anyOf"])
    if "type" in node:
        return is_of(value, [node["type"]])
    return value in node.get("enum", ()) or ("const" in node and value == node["const"])


def _exactly(value: Any) -> dict[str, Any]:
    """A schema that this list or object alone fits: the API takes none as a constant."""
    if isinstance(value, list):
        first = {"prefixItems": [{"const": item} for item in value]} if value else {}
        return {"type": "array", **first, "minItems": len(value), "maxItems": len(value)}
    return _closed({name: {"const": item} for name, item in value.items()}, list(value))


def _is_simple(pattern: str) -> bool:
    """Whether the API takes this regular expression: no look-around, no references back."""
    try:
        return bool(_SIMPLE.fullmatch(pattern) and re.compile(pattern))
    except re.error:
        return False


def _own_title(schema: Any, name: str) -> Any:
    """`schema` without a title that only says the property's name again."""
    if not isinstance(schema, dict) or "title" not in schema:
        return schema
    told, named = (re.sub(r"\W|_", "", str(text)).casefold() for text in (schema["title"], name))
    return {key: value for key, value in schema.items() if key != "title" or told != named}


def _brief(node: Mapping[str, Any]) -> str:
    """What a node asks for, as short as can be."""
    if set(node) <= {"type", "title", "description"}:
        words = node.get("description")
        return f"{node['type']} ({words})" if words else str(node["type"])
    return json.dumps(_ordered(node), ensure_ascii=False)
