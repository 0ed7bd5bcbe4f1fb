"""What the referee lets through and refuses of a caller's tools, their choice and JSON schemas."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.offline.referee.referee import check
from claude_magic.offline.referee.request_checks import Refusal
from tests.offline.offline_samples import (
    BAD,
    HEADERS,
    LOOKUP,
    PREFILLABLE,
    SCHEMA,
    body,
    schema_format,
    tool_choice,
)


def object_of(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TAKEN = {
    "a JSON schema": body(**schema_format(SCHEMA)),
    "an optional reference": body(
        **schema_format(
            {
                **object_of(p={"anyOf": [{"$ref": "#/$defs/p"}, {"type": "null"}]}),
                "$defs": {"p": object_of(x={"type": "number"})},
            }
        )
    ),
    "a forced tool on a model that takes it": body(
        model="claude-opus-5", **tool_choice("tool", name="lookup_gene")
    ),
    "the computer toolset": body(tools=[{"type": "computer_toolset_20260801"}]),
}


@pytest.mark.parametrize("asked", TAKEN.values(), ids=TAKEN)
def test_a_good_request_is_taken(asked: dict[str, Any]) -> None:
    assert check(asked, HEADERS).body == asked


REFUSED: dict[str, tuple[tuple[int, str], str, dict[str, Any]]] = {
    "any tool forced": (
        BAD,
        'tool_choice: type "tool" and "any" are not supported for this model.',
        body(**tool_choice("any")),
    ),
    "a tool forced while thinking": (
        BAD,
        "Thinking may not be enabled when tool_choice forces tool use.",
        body(
            model=PREFILLABLE,
            max_tokens=5000,
            thinking={"type": "enabled", "budget_tokens": 1024},
            **tool_choice("any"),
        ),
    ),
    "a forced tool that is not there": (
        BAD,
        "'other' not found",
        body(model="claude-opus-5", **tool_choice("tool", name="other")),
    ),
    "a tool choice without tools": (BAD, "providing tools", body(tool_choice={"type": "auto"})),
    "a tool name with a space": (
        BAD,
        "name: String should",
        body(tools=[{**LOOKUP, "name": "a b"}]),
    ),
    "a tool without schema": (BAD, "input_schema: Field required", body(tools=[{"name": "a"}])),
    "a tool schema of another type": (
        BAD,
        "input_schema.type",
        body(tools=[{"name": "a", "input_schema": {"type": "string"}}]),
    ),
    "two tools of one name": (BAD, "Tool names must be unique.", body(tools=[LOOKUP, LOOKUP])),
    "an unknown tool type": (BAD, "Input tag 'web_9'", body(tools=[{"type": "web_9"}])),
    "a strict tool with an open schema": (
        BAD,
        "additionalProperties",
        body(tools=[{**LOOKUP, "strict": True}]),
    ),
    "the old computer tool on a new model": (
        BAD,
        "'claude-sonnet-5-5' does not support tool types: computer_20251124.",
        body(tools=[{"type": "computer_20251124", "name": "computer"}]),
    ),
    "the computer toolset with a name": (
        BAD,
        "name: Extra inputs",
        body(tools=[{"type": "computer_toolset_20260801", "name": "computer"}]),
    ),
    "an empty schema of type": (
        BAD,
        "not a JSON Schema type",
        body(**schema_format({"type": "text"})),
    ),
    "an open object": (
        BAD,
        "additionalProperties",
        body(**schema_format({"type": "object", "properties": {}})),
    ),
    "a minimum": (
        BAD,
        "'minimum' is not supported",
        body(**schema_format(object_of(n={"type": "integer", "minimum": 1}))),
    ),
    "oneOf": (BAD, "'oneOf' is not supported", body(**schema_format({"oneOf": [SCHEMA]}))),
    "two items at least": (
        BAD,
        "minItems",
        body(**schema_format({"type": "array", "items": {"type": "string"}, "minItems": 2})),
    ),
    "an unknown format": (
        BAD,
        "'phone' is not supported",
        body(**schema_format(object_of(n={"type": "string", "format": "phone"}))),
    ),
    "a pattern that looks ahead": (
        BAD,
        "look-around",
        body(**schema_format(object_of(n={"type": "string", "pattern": "(?=a)a"}))),
    ),
    "a reference to elsewhere": (
        BAD,
        "only references inside",
        body(**schema_format(object_of(n={"$ref": "https://example.org/s"}))),
    ),
    "a schema that holds itself": (
        BAD,
        "recursive schemas",
        body(
            **schema_format(
                {
                    "$ref": "#/$defs/n",
                    "$defs": {"n": object_of(next={"$ref": "#/$defs/n"})},
                }
            )
        ),
    ),
    "25 optional properties": (
        BAD,
        "too complex",
        body(
            **schema_format(
                {
                    "type": "object",
                    "properties": {f"p{n}": {"type": "string"} for n in range(25)},
                    "additionalProperties": False,
                }
            )
        ),
    ),
}


@pytest.mark.parametrize(("outcome", "message", "asked"), REFUSED.values(), ids=REFUSED)
def test_a_bad_request_is_refused_by_status_type_and_what_is_wrong(
    outcome: tuple[int, str], message: str, asked: dict[str, Any]
) -> None:
    with pytest.raises(Refusal) as refused:
        check(asked, HEADERS)
    assert (refused.value.status, refused.value.error_type) == outcome
    assert message in refused.value.message
