"""A JSON schema as the API takes it, by example."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.messages.schema import supported
from claude_magic.offline.referee.model_rules import check_schema
from tests.messages.schema.schema_parts import BAND, KINDS, TEXT, WHOLE, closed

ANY = {"anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "null")]}


def pairs(value: Any, key: Any = TEXT, words: str = "", **more: Any) -> dict[str, Any]:
    """An object of any keys as it is asked for."""
    about = "an object, as a list of its keys and their values" + words
    items = closed(key=key, value=value)
    return {"type": "array", "description": about, "items": items, **more}


def told(node: dict[str, Any], words: str) -> dict[str, Any]:
    return {**node, "description": words}


REWRITTEN: dict[str, tuple[Any, Any]] = {
    "an object is closed": (BAND, closed(n=WHOLE)),
    "an open object is closed all the same": (
        {**BAND, "additionalProperties": True},
        closed(n=WHOLE),
    ),
    "properties keep their order": (
        {"type": "object", "properties": {"b": TEXT, "a": TEXT}, "required": ["a", "b"]},
        closed(b=TEXT, a=TEXT),
    ),
    "a required property that is not described": (
        {"type": "object", "properties": {"a": TEXT}, "required": ["b"]},
        closed(["b"], a=TEXT, b=ANY),
    ),
    "bounds": (
        {"type": "number", "minimum": 1, "exclusiveMaximum": 2.5, "multipleOf": 0.5},
        told({"type": "number"}, "at least 1; less than 2.5; a multiple of 0.5"),
    ),
    "bounds as they were written until 2016": (
        {"type": "number", "minimum": 1, "exclusiveMinimum": True, "exclusiveMaximum": False},
        told({"type": "number"}, "more than 1"),
    ),
    "bounds after a description": (
        {"type": "integer", "description": "Lanes of the gel.", "minimum": 1},
        told(WHOLE, "Lanes of the gel. (at least 1)"),
    ),
    "lengths": (
        {"type": "string", "minLength": 1, "maxLength": 20},
        told(TEXT, "at least 1 character; at most 20 characters"),
    ),
    "a format that is known": (
        {"type": "string", "format": "date"},
        {"type": "string", "format": "date"},
    ),
    "a format that is not": (
        {"type": "string", "format": "phone"},
        told(TEXT, "format: phone"),
    ),
    "a simple pattern": (
        {"type": "string", "pattern": "^[A-Z]{2}-\\d+$"},
        {"type": "string", "pattern": "^[A-Z]{2}-\\d+$"},
    ),
    "a pattern that looks ahead": (
        {"type": "string", "pattern": "^(?=a).*$"},
        told(TEXT, "matching the regular expression ^(?=a).*$"),
    ),
    "a pattern that refers back": (
        {"type": "string", "pattern": "(a)\\1"},
        told(TEXT, "matching the regular expression (a)\\1"),
    ),
    "a pattern of another dialect": (
        {"type": "string", "pattern": "\\p{L}+"},
        told(TEXT, "matching the regular expression \\p{L}+"),
    ),
    "a pattern and a format": (
        {"type": "string", "pattern": "^2", "format": "date"},
        told({"type": "string", "format": "date"}, "matching the regular expression ^2"),
    ),
    "a list": ({"type": "array", "items": TEXT}, {"type": "array", "items": TEXT}),
    "a list of one at least": (
        {"type": "array", "items": TEXT, "minItems": 1},
        {"type": "array", "minItems": 1, "items": TEXT},
    ),
    "a list of some length": (
        {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 5, "uniqueItems": True},
        told(
            {"type": "array", "minItems": 1, "items": TEXT},
            "at least 2 items; at most 5 items; no two items alike",
        ),
    ),
    "a pair": (
        {"type": "array", "prefixItems": [TEXT, WHOLE], "minItems": 2, "maxItems": 2},
        told(
            {"type": "array", "minItems": 1, "items": {"anyOf": [TEXT, WHOLE]}},
            "in this order: string, integer; exactly 2 items",
        ),
    ),
    "a pair as it was written until 2019": (
        {"type": "array", "items": [WHOLE, WHOLE], "additionalItems": False},
        told({"type": "array", "items": WHOLE}, "in this order: integer, integer; at most 2 items"),
    ),
    "a list of anything": ({"type": "array"}, {"type": "array", "items": ANY}),
    "an empty list": (
        {"type": "array", "maxItems": 0},
        told({"type": "array", "items": TEXT}, "exactly 0 items"),
    ),
    "an object of any keys": (
        {"type": "object", "additionalProperties": WHOLE},
        pairs(WHOLE),
    ),
    "an object of any keys and values": ({"type": "object"}, pairs(ANY)),
    "an object whose keys are named": (
        {"type": "object", "additionalProperties": WHOLE, "propertyNames": KINDS},
        pairs(WHOLE, KINDS),
    ),
    "an object of some size": (
        {"type": "object", "additionalProperties": WHOLE, "minProperties": 1, "maxProperties": 9},
        pairs(WHOLE, words="; at least 1 key; at most 9 keys", minItems=1),
    ),
    "keys of a pattern": (
        {"type": "object", "patternProperties": {"^g": WHOLE}, "additionalProperties": False},
        pairs(WHOLE, {"type": "string", "pattern": "^g"}),
    ),
    "an object of no keys": (
        {"type": "object", "additionalProperties": False},
        closed(),
    ),
    "an enum needs no type": ({"type": "string", **KINDS}, KINDS),
    "an enum of several types": ({"enum": ["a", 1, None, True]}, {"enum": ["a", 1, None, True]}),
    "an enum with values of another type": (
        {"type": "string", "enum": ["a", 1, "b"]},
        {"enum": ["a", "b"]},
    ),
    "an enum of one": ({"enum": ["bar"]}, {"const": "bar"}),
    "a constant": ({"const": 7, "type": "integer"}, {"const": 7}),
    "a constant that is an object": (
        {"const": {"x": 1, "y": None}},
        closed(x={"const": 1}, y={"const": None}),
    ),
    "a constant that is a list": (
        {"const": [1, "a"]},
        told(
            {"type": "array", "minItems": 1, "items": {"anyOf": [{"const": 1}, {"const": "a"}]}},
            'in this order: {"const": 1}, {"const": "a"}; exactly 2 items',
        ),
    ),
    "several types": (
        {"type": ["string", "null"], "maxLength": 3},
        {"anyOf": [told(TEXT, "at most 3 characters"), {"type": "null"}]},
    ),
    "a whole number is a number": ({"type": ["integer", "number"]}, {"type": "number"}),
    "a type that goes without saying": (
        {"properties": {"a": {"minLength": 2}}, "required": ["a"]},
        closed(a=told(TEXT, "at least 2 characters")),
    ),
    "oneOf": (
        {"oneOf": [TEXT, WHOLE]},
        told({"anyOf": [TEXT, WHOLE]}, "exactly one of these"),
    ),
    "oneOf with a discriminator": (
        {
            "oneOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}],
            "discriminator": {"propertyName": "k", "mapping": {"a": "#/$defs/a"}},
            "$defs": {
                name: {"type": "object", "properties": {"k": {"const": name}}, "required": ["k"]}
                for name in "ab"
            },
        },
        {
            "anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}],
            "$defs": {name: closed(k={"const": name}) for name in "ab"},
        },
    ),
    "anyOf beside properties": (
        {**BAND, "properties": {"n": WHOLE, "t": TEXT}, "anyOf": [{"required": ["t"]}, {}]},
        {"anyOf": [closed(n=WHOLE, t=TEXT), closed(["n"], n=WHOLE, t=TEXT)]},
    ),
    "choices within choices": (
        {"anyOf": [TEXT, {"anyOf": [WHOLE, TEXT]}]},
        {"anyOf": [TEXT, WHOLE]},
    ),
    "a choice that nothing can be": ({"anyOf": [False, TEXT]}, TEXT),
    "allOf": (
        {"allOf": [BAND, {"properties": {"t": TEXT}, "required": ["t"]}]},
        closed(n=WHOLE, t=TEXT),
    ),
    "allOf with a reference": (
        {"allOf": [{"$ref": "#/$defs/band"}], "description": "A band.", "$defs": {"band": BAND}},
        told(closed(n=WHOLE), "A band."),
    ),
    "allOf of bounds": (
        {"type": "integer", "minimum": 1, "allOf": [{"minimum": 3}, {"maximum": 9}]},
        told(WHOLE, "at least 3; at most 9"),
    ),
    "allOf of two patterns": (
        {"type": "string", "pattern": "^a", "allOf": [{"pattern": "b$"}]},
        told({"type": "string", "pattern": "^a"}, "matching the regular expression b$"),
    ),
    "a reference": (
        {"type": "array", "items": {"$ref": "#/$defs/band"}, "$defs": {"band": BAND, "not": BAND}},
        {
            "type": "array",
            "items": {"$ref": "#/$defs/band"},
            "$defs": {"band": closed(n=WHOLE)},
        },
    ),
    "a reference with words of its own": (
        {
            "type": "array",
            "items": {"$ref": "#/definitions/band", "description": "The largest."},
            "definitions": {"band": {**BAND, "description": "A band."}},
        },
        {"type": "array", "items": told(closed(n=WHOLE), "The largest.\nA band.")},
    ),
    "a reference to a property": (
        {"type": "object", "properties": {"a": TEXT, "b": {"$ref": "#/properties/a"}}},
        {**closed([], a=TEXT, b={"$ref": "#/$defs/a"}), "$defs": {"a": TEXT}},
    ),
    "a reference with escapes": (
        {"type": "array", "items": {"$ref": "#/$defs/a~1b%20c"}, "$defs": {"a/b c": BAND}},
        {
            "type": "array",
            "items": {"$ref": "#/$defs/a_1b_20c"},
            "$defs": {"a_1b_20c": closed(n=WHOLE)},
        },
    ),
    "what nothing may be, in words": (
        {"type": "integer", "not": {"$ref": "#/$defs/bad"}, "$defs": {"bad": {"const": 13}}},
        told(WHOLE, 'nothing that fits {"const": 13}'),
    ),
    "conditions, in words": (
        {"type": "string", "if": {"minLength": 3}, "then": {"pattern": "x"}},
        told(TEXT, 'if: {"minLength": 3}; then: {"pattern": "x"}'),
    ),
    "examples": ({"type": "string", "examples": ["a", "b"]}, told(TEXT, 'for example "a", "b"')),
    "a default": ({"type": "string", "default": "a"}, {"type": "string", "default": "a"}),
    "a default that is a list": (
        {"type": "array", "items": TEXT, "default": []},
        told({"type": "array", "items": TEXT}, "default: []"),
    ),
    "a title that only repeats the name": (
        {"type": "object", "properties": {"lane_number": {**WHOLE, "title": "Lane Number"}}},
        closed([], lane_number=WHOLE),
    ),
    "a title that says more": (
        {"type": "object", "properties": {"n": {**WHOLE, "title": "Lanes"}}},
        closed([], n={**WHOLE, "title": "Lanes"}),
    ),
    "what a schema says of itself": (
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x", **TEXT},
        TEXT,
    ),
    "a keyword that is not known": (
        {"type": "number", "x-unit": "mm"},
        told({"type": "number"}, 'x-unit: "mm"'),
    ),
    "an optional property that cannot be": (
        {"type": "object", "properties": {"a": TEXT, "b": False}, "required": ["a"]},
        closed(a=TEXT),
    ),
}


@pytest.mark.parametrize(("schema", "expected"), REWRITTEN.values(), ids=REWRITTEN)
def test_a_schema_becomes_what_the_api_takes(schema: Any, expected: Any) -> None:
    found = supported(schema)
    assert found == expected
    check_schema(found, "schema")


def test_the_schema_that_was_given_stays_as_it_is() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}
    before = repr(schema)
    supported(schema)
    assert repr(schema) == before
