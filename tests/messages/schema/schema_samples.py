"""JSON schemas of all kinds, and values that fit one which the API takes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b", "weight", "Kind", "é", "a b", "$ref"])
WORDS = st.text(st.characters(codec="utf-8"), max_size=5)
PLAIN = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | WORDS
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
NUMBERS = st.integers(-9, 9) | st.floats(-9, 9)
COUNTS = st.integers(0, 3)
PATTERNS = st.sampled_from(["^a+$", "[a-z]{2}", "(?=a)b", r"\bx", r"(a)\1", "^(?:a|b)$", r"\p{L}"])
TYPES = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])
FORMATS = st.sampled_from(["date", "date-time", "uuid", "phone", "int32"])
TEXTS = st.sampled_from(["About this.", "At most 3 of it.", ""])

SAID: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=3),
    "title": TEXTS,
    "description": TEXTS,
    "default": VALUES,
    "examples": st.lists(VALUES, max_size=2),
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "const": VALUES,
    "minimum": NUMBERS,
    "exclusiveMinimum": NUMBERS,
    "maximum": NUMBERS,
    "exclusiveMaximum": NUMBERS,
    "multipleOf": st.integers(1, 5),
    "minLength": COUNTS,
    "maxLength": COUNTS,
    "pattern": PATTERNS,
    "format": FORMATS,
    "minItems": COUNTS,
    "maxItems": COUNTS,
    "uniqueItems": st.booleans(),
    "minProperties": COUNTS,
    "maxProperties": COUNTS,
    "required": st.lists(NAMES, max_size=2, unique=True),
    "$comment": TEXTS,
    "readOnly": st.booleans(),
    "x-unit": st.just("mm"),
}


def _holding(inner: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    groups = st.dictionaries(NAMES, inner, max_size=3)
    lists = st.lists(inner, min_size=1, max_size=3)
    return {
        "properties": groups,
        "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
        "additionalProperties": inner,
        "unevaluatedProperties": inner,
        "propertyNames": inner,
        "items": inner,
        "prefixItems": lists,
        "unevaluatedItems": inner,
        "contains": inner,
        "anyOf": lists,
        "oneOf": lists,
        "allOf": lists,
        "not": inner,
        "if": inner,
        "then": inner,
        "dependentSchemas": groups,
    }


def _some(said: dict[str, st.SearchStrategy[Any]], most: int) -> st.SearchStrategy[dict[str, Any]]:
    keys = st.lists(st.sampled_from(sorted(said)), unique=True, max_size=most)
    return keys.flatmap(lambda found: st.fixed_dictionaries({key: said[key] for key in found}))


def _schemas(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            _some({**SAID, **_holding(inner)}, 4),
            st.fixed_dictionaries(
                {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)}
            ),
        ),
        max_leaves=8,
    )


REFERENCES = st.sampled_from(["#/$defs/one", "#/$defs/two", "#/$defs/three%20parts"])
LEAVES = st.one_of(
    st.booleans(),
    _some(SAID, 3),
    TYPES.map(lambda kind: {"type": kind}),
    REFERENCES.map(lambda reference: {"$ref": reference}),
    st.tuples(REFERENCES, _some(SAID, 2)).map(lambda both: {"$ref": both[0], **both[1]}),
)
ANYTHING = st.fixed_dictionaries(
    {"$defs": st.fixed_dictionaries(dict.fromkeys(("one", "two", "three parts"), _schemas(LEAVES)))}
).flatmap(
    lambda defs: _schemas(LEAVES).map(lambda s: {**(s if isinstance(s, dict) else {}), **defs})
)
"""Whatever is written as a schema: it may hold itself, exclude everything, say nothing."""


NAMED = st.recursive(PLAIN, lambda inner: st.dictionaries(NAMES, inner, max_size=2), max_leaves=3)


def _structures(references: list[str]) -> st.SearchStrategy[Any]:
    leaves = st.one_of(
        TYPES.map(lambda kind: {"type": kind}),
        st.lists(TYPES, min_size=1, max_size=2, unique=True).map(lambda kinds: {"type": kinds}),
        st.lists(NAMED, min_size=1, max_size=3).map(lambda values: {"enum": values}),
        NAMED.map(lambda value: {"const": value}),
        st.just({}),
        *[st.just({"$ref": reference}) for reference in references],
    )

    def holding(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        properties = st.dictionaries(NAMES, inner, max_size=3)
        objects = st.tuples(properties, st.lists(NAMES, max_size=2, unique=True), inner, COUNTS)
        return st.one_of(
            objects.map(
                lambda drawn: {
                    "type": "object",
                    "properties": drawn[0],
                    "required": drawn[1],
                    **({"additionalProperties": drawn[2]} if drawn[3] == 1 else {}),
                    **({"additionalProperties": False} if drawn[3] == 2 else {}),
                }
            ),
            inner.map(lambda values: {"type": "object", "additionalProperties": values}),
            inner.map(lambda items: {"type": "array", "items": items}),
            st.lists(inner, min_size=1, max_size=3).map(lambda choices: {"anyOf": choices}),
            st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"allOf": parts}),
            st.tuples(inner, st.lists(inner, min_size=1, max_size=2)).map(
                lambda both: {**both[0], "allOf": both[1]}
            ),
        )

    return st.recursive(leaves, holding, max_leaves=6)


STRUCTURES = _structures([]).flatmap(
    lambda one: _structures(["#/$defs/one"]).map(lambda s: {**s, "$defs": {"one": one}})
)
"""Schemas that say nothing which has to be told in words."""


def fitting(schema: dict[str, Any], node: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    """Values that fit a schema as the API takes it, whatever its descriptions say."""
    part = schema if node is None else node
    if "$ref" in part:
        return fitting(schema, schema["$defs"][part["$ref"].rpartition("/")[2]])
    if "anyOf" in part:
        return st.one_of(*(fitting(schema, one) for one in part["anyOf"]))
    if "enum" in part:
        return st.sampled_from(part["enum"])
    if "const" in part:
        return st.just(part["const"])
    match part["type"]:
        case "object":
            made = {name: fitting(schema, one) for name, one in part["properties"].items()}
            needed = {name: made[name] for name in part["required"]}
            rest = {name: made[name] for name in made if name not in needed}
            return st.fixed_dictionaries(needed, optional=rest)
        case "array":
            if "exactly 0 items" in part.get("description", ""):
                return st.just([])
            items = fitting(schema, part["items"])
            pairs = "keys and their values" in part.get("description", "")
            unlike = {"unique_by": lambda pair: pair["key"]} if pairs else {}
            return st.lists(items, min_size=part.get("minItems", 0), max_size=3, **unlike)
        case "string":
            return WORDS
        case "integer":
            return st.integers(-9, 9)
        case "number":
            return NUMBERS
        case "boolean":
            return st.booleans()
    return st.none()


def told(numbers: Iterator[int]) -> st.SearchStrategy[tuple[Any, list[str]]]:
    """A schema without `allOf`, and everything that it says of a value, each said only once."""

    def one(key: str, kind: str) -> st.SearchStrategy[tuple[Any, list[str]]]:
        return st.builds(lambda: next(numbers)).map(
            lambda n: _saying(kind, key, _CONSTRAINTS[key](n))
        )

    leaves = st.one_of(*(one(key, kind) for kind, keys in _OF.items() for key in keys))

    def holding(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            st.tuples(inner, inner).map(
                lambda both: (
                    {
                        "type": "object",
                        "properties": {"a": both[0][0], "b": both[1][0]},
                        "required": ["a", "b"],
                    },
                    both[0][1] + both[1][1],
                )
            ),
            inner.map(lambda one: ({"type": "array", "items": one[0]}, one[1])),
            inner.map(lambda one: ({"type": "object", "additionalProperties": one[0]}, one[1])),
            st.tuples(inner, inner).map(
                lambda both: ({"anyOf": [both[0][0], both[1][0]]}, both[0][1] + both[1][1])
            ),
        )

    return st.recursive(leaves, holding, max_leaves=5)


def numbering() -> Iterator[int]:
    """Numbers that no other constraint has."""
    return count(1000)


def _saying(kind: str, key: str, value: Any) -> tuple[Any, list[str]]:
    shown = value["const"] if isinstance(value, dict) else value
    return {"type": kind, key: value}, [str(shown)]


_CONSTRAINTS: dict[str, Any] = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), int),
    **dict.fromkeys(("multipleOf", "minLength", "maxLength", "minItems", "maxItems"), int),
    **dict.fromkeys(("minProperties", "maxProperties"), int),
    "pattern": lambda n: f"(?!x)a{{{n}}}",
    "format": lambda n: f"format-{n}",
    "not": lambda n: {"const": n},
    "contains": lambda n: {"const": n},
    "x-unit": lambda n: f"unit-{n}",
    "description": lambda n: f"about {n}",
    "title": lambda n: f"title {n}",
}
_OF = {
    "string": ("minLength", "maxLength", "pattern", "format", "not", "x-unit", "description"),
    "number": ("minimum", "exclusiveMaximum", "multipleOf", "format", "not", "title"),
    "integer": ("maximum", "exclusiveMinimum", "x-unit"),
    "array": ("minItems", "maxItems", "contains", "description"),
    "object": ("minProperties", "maxProperties", "not", "title"),
    "boolean": ("not", "description"),
}
