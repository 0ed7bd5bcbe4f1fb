"""What holds for every JSON schema that is rewritten for the API."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
from anthropic.lib._parse._transform import transform_schema
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from claude_magic.messages.errors import InputError
from claude_magic.messages.schema import as_meant, supported
from claude_magic.offline.referee.model_rules import check_schema
from tests.messages.schema.schema_samples import ANYTHING, STRUCTURES, fitting, numbering, told

many = settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def rewritten(schema: dict[str, Any]) -> dict[str, Any]:
    """What the API takes for it; schemas that it takes in no form are not looked at."""
    try:
        return supported(schema)
    except InputError:
        assume(False)
        raise


@given(ANYTHING)
@many
def test_any_schema_is_taken_by_the_server_or_refused_in_one_line(schema: dict[str, Any]) -> None:
    try:
        found = supported(schema)
    except InputError as refused:
        assert 20 < len(str(refused)) < 300
        return
    check_schema(found, "schema")
    transform_schema(found)


@given(ANYTHING)
@many
def test_what_was_rewritten_needs_no_rewriting(schema: dict[str, Any]) -> None:
    found = rewritten(schema)
    assert json.dumps(supported(found)) == json.dumps(found)


@given(ANYTHING, st.randoms(use_true_random=False))
@many
def test_the_order_of_keywords_makes_no_difference(
    schema: dict[str, Any], chance: random.Random
) -> None:
    found = rewritten(schema)
    assert json.dumps(supported(shuffled(schema, chance))) == json.dumps(found)


@given(STRUCTURES, st.data())
@many
def test_whatever_the_server_lets_through_fits_the_schema_as_it_was(
    schema: dict[str, Any], data: st.DataObject
) -> None:
    found = rewritten(schema)
    value = data.draw(fitting(found))
    jsonschema.Draft202012Validator(schema).validate(as_meant(value, schema))


@given(told(numbering()))
@many
def test_nothing_that_a_schema_says_is_lost(given: tuple[dict[str, Any], list[str]]) -> None:
    schema, said = given
    text = json.dumps(supported(schema))
    assert [word for word in said if json.dumps(word)[1:-1] not in text] == []


NAMED = {"properties", "patternProperties", "dependentSchemas", "$defs"}
DATA = {"enum", "const", "default", "examples", "required", "type"}


def shuffled(schema: Any, chance: random.Random) -> Any:
    """The schema with its keywords in another order; names and values keep theirs."""
    if isinstance(schema, list):
        return [shuffled(item, chance) for item in schema]
    if not isinstance(schema, dict):
        return schema
    keys = list(schema)
    chance.shuffle(keys)
    found = {}
    for key in keys:
        value = schema[key]
        if key in NAMED:
            found[key] = {name: shuffled(part, chance) for name, part in value.items()}
        else:
            found[key] = value if key in DATA else shuffled(value, chance)
    return found
