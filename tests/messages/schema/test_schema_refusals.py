"""A JSON schema that the API takes in no form is refused with one line."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.messages.errors import InputError
from claude_magic.messages.schema import supported
from tests.messages.schema.schema_parts import TEXT


def many(count: int, part: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {f"p{n}": part for n in range(count)}}


def all_required(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "required": list(schema["properties"])}


REFUSED: dict[str, tuple[Any, str]] = {
    "nothing at all": ({}, "says nothing of what is wanted"),
    "a set": ({"enum": {1, 2}}, "no JSON schema: Object of type set"),
    "NaN": ({"const": float("nan")}, "no JSON schema: Out of range"),
    "an unknown type": ({"type": "text"}, "text is no type of JSON Schema"),
    "properties that are a list": ({"properties": ["a"]}, "no JSON schema"),
    "a schema that is a number": (
        {"type": "object", "properties": {"a": {"items": 3}}},
        "no JSON schema",
    ),
    "a recursive schema": (
        {
            "$ref": "#/$defs/node",
            "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
        },
        "next: the schema holds itself (#/$defs/node), which the API does not take: nest as many",
    ),
    "a schema that is part of itself": (
        {"type": "object", "properties": {"child": {"$ref": "#"}}},
        "child: the schema holds itself (#)",
    ),
    "a schema that holds itself beside other words": (
        {"type": "array", "items": {"$ref": "#", "description": "Again."}},
        "[]: the schema holds itself",
    ),
    "a reference to elsewhere": (
        {"$ref": "https://example.org/schema"},
        "only references inside the schema (#/$defs/...) are possible; copy",
    ),
    "a reference to nowhere": ({"$ref": "#/$defs/a"}, "#/$defs/a: the schema has no such part"),
    "a reference to what is no schema": (
        {"$ref": "#/required", "required": ["a"]},
        '["a"] is no JSON schema',
    ),
    "a dynamic reference": ({"$dynamicRef": "#a"}, "$dynamicRef is not possible"),
    "what nothing can be": (
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        "Nothing can fit this JSON schema",
    ),
    "a required property that cannot be": (
        {"type": "object", "properties": {"a": False}, "required": ["a"]},
        "Nothing can fit this JSON schema",
    ),
    "25 optional properties": (
        many(25, TEXT),
        "25 optional properties, and the API takes 24: make some required",
    ),
    "17 unions": (
        all_required(many(17, {"type": ["string", "null"]})),
        "17 properties that may be of several types, and the API takes 16",
    ),
    "too many choices at once": (
        {"allOf": [{"anyOf": [{"const": n} for n in range(9)]} for _ in "ab"]},
        "too many choices",
    ),
    "a few lines that stand for millions": (
        {
            "$ref": "#/$defs/d0",
            "$defs": {
                f"d{n}": {
                    "type": "object",
                    "properties": {
                        name: {"$ref": f"#/$defs/d{n + 1}", "description": name} for name in "abcd"
                    },
                    "required": list("abcd"),
                }
                if n < 12
                else TEXT
                for n in range(13)
            },
        },
        "too large: ask for less",
    ),
    "deep nesting": (None, "nested too deeply"),
}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(("schema", "why"), REFUSED.values(), ids=REFUSED)
def test_what_the_api_takes_in_no_form_is_refused_in_one_line(schema: Any, why: str) -> None:
    with pytest.raises(InputError) as refused:
        supported(nested(2000) if schema is None else schema)
    assert why in str(refused.value)


def test_24_optional_properties_and_16_unions_are_taken() -> None:
    supported(many(24, TEXT))
    supported(all_required(many(16, {"type": ["string", "null"]})))
