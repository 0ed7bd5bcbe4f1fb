"""The answer to a JSON schema is an object, and is read as the schema meant it."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.messages.schema import as_meant, in_object, supported
from claude_magic.offline.referee.model_rules import check_schema
from tests.messages.schema.schema_parts import BAND, KINDS, WHOLE, closed

WRAPPED = {
    "an object": (BAND, ""),
    "a list": ({"type": "array", "items": BAND}, "items"),
    "a number": (WHOLE, "value"),
    "a choice of objects": ({"anyOf": [BAND, {"type": "null"}]}, "value"),
    "an object of any keys": ({"type": "object"}, "items"),
}


@pytest.mark.parametrize(("schema", "key"), WRAPPED.values(), ids=WRAPPED)
def test_the_root_is_an_object(schema: Any, key: str) -> None:
    found, under = in_object(supported(schema))
    assert under == key
    assert found["type"] == "object"
    assert not key or found["required"] == [key]
    check_schema(found, "schema")


def test_definitions_stay_at_the_root() -> None:
    schema = {"type": "array", "items": {"$ref": "#/$defs/band"}, "$defs": {"band": BAND}}
    found, _ = in_object(supported(schema))
    assert found["$defs"] == {"band": closed(n=WHOLE)}
    assert found["properties"]["items"] == {"type": "array", "items": {"$ref": "#/$defs/band"}}


OPEN = {"type": "object", "additionalProperties": {"type": "array", "items": KINDS}}
MEANT: dict[str, tuple[Any, Any, Any]] = {
    "an object of any keys": (
        OPEN,
        [{"key": "a", "value": ["bar"]}, {"key": "b", "value": []}],
        {"a": ["bar"], "b": []},
    ),
    "one that came as an object": (OPEN, {"a": ["LINE"]}, {"a": ["line"]}),
    "no keys": (OPEN, [], {}),
    "letter case of an enum": (KINDS, " Bar ", "bar"),
    "a word that is none of an enum": (KINDS, "pie", "pie"),
    "a word that may be two": ({"enum": ["A", "a"]}, "A", "A"),
    "letter case of a constant": ({"const": "BAR"}, "bar", "BAR"),
    "a property": (
        {"properties": {"kind": KINDS}},
        {"kind": "BAR", "x": 1},
        {"kind": "bar", "x": 1},
    ),
    "a reference": ({"$ref": "#/$defs/k", "$defs": {"k": KINDS}}, "BAR", "bar"),
    "all of several": ({"allOf": [{"type": "string"}, KINDS]}, "Line", "line"),
    "one of several, by its constant": (
        {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"k": {"const": name}, "of": {"enum": [word]}},
                    "required": ["k"],
                }
                for name, word in (("one", "X"), ("two", "x"))
            ]
        },
        {"k": "two", "of": "X"},
        {"k": "two", "of": "x"},
    ),
    "one of several, by its type": ({"anyOf": [OPEN, {"type": "null"}]}, None, None),
    "a list of records that are keys and values": (
        {"type": "array", "items": {"type": "object", "required": ["key"]}},
        [{"key": "a", "value": 1}],
        [{"key": "a", "value": 1}],
    ),
    "items by their place": (
        {"type": "array", "prefixItems": [KINDS, OPEN]},
        ["BAR", [{"key": "a", "value": []}]],
        ["bar", {"a": []}],
    ),
}


@pytest.mark.parametrize(("schema", "value", "expected"), MEANT.values(), ids=MEANT)
def test_a_value_is_read_as_the_schema_meant_it(schema: Any, value: Any, expected: Any) -> None:
    assert as_meant(value, schema) == expected


def test_a_key_that_comes_twice_is_said() -> None:
    schema = {"type": "object", "properties": {"of": OPEN}}
    twice = {"of": [{"key": "a", "value": []}, {"key": "a", "value": []}]}
    with pytest.raises(ValueError, match='of: the key "a" comes twice'):
        as_meant(twice, schema)
