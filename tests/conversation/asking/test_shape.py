"""What a reply in JSON has to be like, and the value that it stands for."""

from __future__ import annotations

import dataclasses
import datetime
import json
import subprocess
import sys
import typing
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, NewType, TypedDict

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator

from claude_magic.conversation.asking.shape import shape_of
from claude_magic.messages.errors import InputError
from claude_magic.offline.referee.model_rules import check_schema
from claude_magic.offline.replies.schema_values import value_for


class Kind(Enum):
    BAND = "band"
    SMEAR = "smear"


class Band(BaseModel):
    """One band of a lane."""

    weight: float = Field(ge=1, le=500, description="In kDa.")
    kind: Kind = Kind.BAND


class Falling(BaseModel):
    weights: list[float]

    @field_validator("weights")
    @classmethod
    def _fall(cls, weights: list[float]) -> list[float]:
        if weights != sorted(weights, reverse=True):
            raise ValueError("the weights must fall from lane to lane")
        return weights


class Aliased(BaseModel):
    weight: float = Field(alias="Weight (kDa)")


class Strict(BaseModel, strict=True):
    day: datetime.date
    pair: tuple[int, int]


class Node(BaseModel):
    children: list[Node]


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


@dataclasses.dataclass
class Checked:
    x: float

    def __post_init__(self) -> None:
        raise KeyError("no such \x1b[31mlane")


class Lane(TypedDict, total=False):
    number: typing.Required[int]
    points: list[Point]


class Size(NamedTuple):
    width: int
    height: int


Kda = NewType("Kda", float)
Odd = type("Odd", (), {"__repr__": lambda self: 1 / 0})

READ: dict[str, tuple[Any, Any, Any]] = {
    "a model": (Band, {"weight": 25, "kind": "smear"}, Band(weight=25, kind=Kind.SMEAR)),
    "a default": (Band, {"weight": 25}, Band(weight=25)),
    "letter case of an enum": (
        Band,
        {"weight": 25, "kind": "SMEAR"},
        Band(weight=25, kind=Kind.SMEAR),
    ),
    "an alias": (Aliased, {"Weight (kDa)": 3}, Aliased(**{"Weight (kDa)": 3})),
    "a strict model": (
        Strict,
        {"day": "2026-11-25", "pair": [1, 2]},
        Strict(day=datetime.date(2026, 11, 25), pair=(1, 2)),
    ),
    "a list of models": (list[Band], {"items": [{"weight": 3}]}, [Band(weight=3)]),
    "a bare list of models": (list[Band], [{"weight": 3}], [Band(weight=3)]),
    "a dataclass": (Point, {"x": 1}, Point(1, 0)),
    "a list of dataclasses": (list[Point], {"items": [{"x": 1, "y": 2}]}, [Point(1, 2)]),
    "a TypedDict": (Lane, {"number": 3, "points": [{"x": 1}]}, {"number": 3, "points": [Point(1)]}),
    "a list of TypedDicts": (list[Lane], {"items": [{"number": 3}]}, [{"number": 3}]),
    "a named tuple": (Size, {"items": [3, 4]}, Size(3, 4)),
    "a whole number": (int, {"value": 3}, 3),
    "a bare whole number": (int, 3, 3),
    "a text": (str, {"value": "a"}, "a"),
    "truth": (bool, {"value": True}, True),
    "a list of texts": (list[str], {"items": ["a", "b"]}, ["a", "b"]),
    "a set": (set[str], {"items": ["a", "b"]}, {"a", "b"}),
    "a pair": (tuple[int, str], {"items": [1, "a"]}, (1, "a")),
    "a dict": (dict[str, float], {"items": [{"key": "a", "value": 1}]}, {"a": 1.0}),
    "a dict as it is": (dict[str, float], {"a": 1, "b": 2}, {"a": 1.0, "b": 2.0}),
    "a dict of models": (
        dict[str, Band],
        {"items": [{"key": "a", "value": {"weight": 3}}]},
        {"a": Band(weight=3)},
    ),
    "a dict of numbers": (dict[int, str], {"items": [{"key": "7", "value": "a"}]}, {7: "a"}),
    "a word of several": (Literal["yes", "no"], {"value": "Yes"}, "yes"),
    "an enum": (Kind, {"value": "band"}, Kind.BAND),
    "one of two": (Band | Point, {"value": {"x": 1}}, Point(1)),
    "one or none": (Band | None, {"value": None}, None),
    "a day": (datetime.date, {"value": "2026-11-25"}, datetime.date(2026, 11, 25)),
    "a decimal number": (Decimal, {"value": "1.10"}, Decimal("1.10")),
    "a bound of its own": (Annotated[int, Field(ge=3)], {"value": 3}, 3),
    "a new type": (Kda, {"value": 2.5}, 2.5),
    "anything in a list": (list, {"items": [1, "a", None]}, [1, "a", None]),
    "a schema": ({"type": "object", "properties": {"n": {"type": "integer"}}}, {"n": 3}, {"n": 3}),
    "a schema of a list": ({"type": "array", "items": {"enum": ["A"]}}, {"items": ["a"]}, ["A"]),
    "a schema of any keys": ({"type": "object"}, {"items": [{"key": "a", "value": 1}]}, {"a": 1}),
}


@pytest.mark.parametrize(("wanted", "reply", "value"), READ.values(), ids=READ)
def test_a_reply_becomes_a_value_of_the_type(wanted: Any, reply: Any, value: Any) -> None:
    shape = shape_of(wanted)
    check_schema(shape.schema, "schema")
    assert shape.schema["type"] == "object"
    found = shape.read(json.dumps(reply))
    assert found == value
    assert type(found) is type(value)


def test_a_reply_with_words_around_its_json_is_read() -> None:
    assert shape_of(Point).read('Sure.\n```json\n{"x": 1}\n```\nMore?') == Point(1)


@pytest.mark.parametrize("wanted", [wanted for wanted, _, _ in READ.values()], ids=READ)
def test_what_the_offline_server_makes_up_fits(wanted: Any) -> None:
    shape = shape_of(wanted)
    shape.read(json.dumps(value_for(shape.schema)))


MISFITS: dict[str, tuple[Any, str, str]] = {
    "a bound": (
        Band,
        '{"weight": -3}',
        "weight: Input should be greater than or equal to 1, not -3.",
    ),
    "what is missing": (list[Band], '{"items": [{"weight": 1}, {}]}', "[1].weight: it is missing."),
    "an alias": (Aliased, "{}", "Weight (kDa): it is missing."),
    "a word that is none": (
        Band,
        '{"weight": 3, "kind": "spot"}',
        "kind: Input should be 'band' or 'smear', not \"spot\".",
    ),
    "a check of the model's own": (
        Falling,
        '{"weights": [1, 2]}',
        "weights: the weights must fall from lane to lane, not [1, 2].",
    ),
    "a check that raises something else": (
        Checked,
        '{"x": 1}',
        "the reply: its own check raised KeyError: 'no such \\x1b[31mlane'.",
    ),
    "many faults": (list[int], '{"items": ["a", "b", "c", "d", "e"]}', "\nAnd 2 more."),
    "a dict's value": (
        dict[str, int],
        '{"items": [{"key": "a", "value": "x"}]}',
        "a: Input should be a valid integer",
    ),
    "a key twice": (
        dict[str, int],
        '{"items": [{"key": "a", "value": 1}, {"key": "a", "value": 2}]}',
        'the reply: the key "a" comes twice.',
    ),
    "no JSON": (Band, "I cannot tell.", "it is no JSON: Expecting value in line 1, column 1."),
    "one of two": (Band | Point, '{"value": {"x": "q"}}', "weight: it is missing."),
    "a schema's bound": (
        {"type": "object", "properties": {"n": {"minimum": 3}}},
        '{"n": 2}',
        "n: expected at least 3, not 2.",
    ),
    "a schema's length": (
        {"type": "array", "maxItems": 1},
        '{"items": [1, 2]}',
        "the reply: expected at most 1 item, not [1, 2].",
    ),
    "a schema's type": (
        {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}},
        '{"n": "a"}',
        'n: expected integer or null, not "a".',
    ),
    "a schema's enum": (
        {"enum": ["a", "b"]},
        '{"value": "c"}',
        'the reply: expected one of "a", "b", not "c".',
    ),
    "a schema's constant": ({"const": 3}, '{"value": 4}', "the reply: expected 3, not 4."),
    "what a schema requires": (
        {"type": "object", "properties": {"of": {"required": ["n"], "type": "object"}}},
        '{"of": {}}',
        "of.n: it is missing.",
    ),
    "what a schema excludes": (
        {"type": "object", "properties": {"n": {}}, "additionalProperties": False},
        '{"n": 1, "m": 2}',
        "the reply: expected no other properties than those asked for",
    ),
    "a schema's pattern": (
        {"type": "string", "pattern": "^(?=a)"},
        '{"value": "b"}',
        'the reply: expected matching the regular expression ^(?=a), not "b".',
    ),
    "a schema's format": (
        {"type": "string", "format": "date-time"},
        '{"value": "now"}',
        'the reply: expected format: date-time, not "now".',
    ),
    "a day for a moment": (
        {"type": "string", "format": "date-time"},
        '{"value": "2026-11-25"}',
        'expected format: date-time, not "2026-11-25"',
    ),
    "a schema's choice": (
        {"anyOf": [{"type": "integer"}, {"type": "object", "required": ["a"]}]},
        '{"value": {}}',
        "a: it is missing.",
    ),
}


@pytest.mark.parametrize(("wanted", "reply", "why"), MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_said_with_its_place(wanted: Any, reply: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as misfit:
        shape_of(wanted).read(reply)
    assert why in str(misfit.value)


def test_a_long_value_is_cut_and_a_screen_gets_no_escapes_of_it() -> None:
    long = json.dumps({"weight": "\u009b31m\u202e" + "x" * 100_000, "k" * 100_000: 1})
    with pytest.raises(ValueError, match="weight") as misfit:
        shape_of(Band).read(long)
    assert len(str(misfit.value)) < 500
    assert not {"\u009b", "\u202e"} & set(str(misfit.value))


def test_a_default_that_json_does_not_have_is_left_out() -> None:
    wanted = pydantic.create_model("Wanted", x=(float, float("nan")), y=(float, float("inf")))
    assert shape_of(wanted).schema["properties"] == {
        "x": {"type": "number"},
        "y": {"type": "number"},
    }
    assert shape_of(wanted).read("{}").y == float("inf")


def test_a_schema_that_is_changed_later_checks_as_it_was() -> None:
    schema: dict[str, Any] = {"enum": ("a", "b")}
    shape = shape_of(schema)
    schema["enum"] = ("c",)
    assert shape.read('{"value": "A"}') == "a"


def test_a_dict_says_what_its_keys_look_like() -> None:
    (pair,) = [shape_of(dict[int, str]).schema["properties"]["items"]["items"]]
    assert pair["properties"]["key"] == {"type": "string", "pattern": "^-?[0-9]+$"}
    named = shape_of(dict[Kind, str]).schema["properties"]["items"]["items"]
    assert "enum" in json.dumps(named["properties"]["key"])


NAMES: dict[str, tuple[Any, str]] = {
    "a model": (Band, "Band"),
    "a list": (list[Band], "list[Band]"),
    "a dict": (dict[str, Point], "dict[str, Point]"),
    "a choice": (Band | None, "Band | None"),
    "words": (Literal["a", "b"], "Literal['a', 'b']"),
    "a schema with a title": ({"title": "Gel", "type": "object"}, "Gel"),
    "a schema": ({"type": "object"}, "JSON of this schema"),
}


@pytest.mark.parametrize(("wanted", "name"), NAMES.values(), ids=NAMES)
def test_a_shape_is_called_as_the_user_calls_it(wanted: Any, name: str) -> None:
    assert shape_of(wanted).name == name
    assert shape_of(wanted, "mine").name == "mine"


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


REFUSED: dict[str, tuple[Any, str]] = {
    "a number": (5, "5 is no shape for a reply. Give a pydantic model"),
    "a text": ("Band", "'Band' is no shape"),
    "nothing": (None, "None is no shape"),
    "a model's instance": (Band(weight=1), "is no shape for a reply"),
    "a dataclass's instance": (Point(1), "Point(x=1, y=0.0) is no shape"),
    "what cannot be shown": (Odd(), "a Odd is no shape"),
    "a function": (len, "is no shape"),
    "a type that is no JSON": (
        typing.Callable[[], int],
        "is no shape for a reply: Cannot generate",
    ),
    "a class that pydantic does not know": (Odd, "Odd is no shape for a reply: Unable to generate"),
    "a name that is not defined": (list["Missing"], "is no shape"),  # noqa: F821 - that is the case
    "anything": (Any, "Any: This JSON schema says nothing of what is wanted"),
    "a recursive model": (Node, "Node: children[]: the schema holds itself"),
    "an example in place of a schema": (
        {"name": "text"},
        "This dict is no JSON schema: it has none",
    ),
    "an empty dict": ({}, "This dict is no JSON schema"),
    "a schema that is none": (
        {"type": "text"},
        "JSON of this schema: at type it is no JSON schema",
    ),
    "a schema with properties that are a list": (
        {"properties": ["a"]},
        "at properties it is no JSON schema",
    ),
    "a schema that holds a number in place of a schema": (
        {"type": "object", "properties": {"a": {"items": 3}}},
        "at properties.a.items it is no JSON schema",
    ),
    "a schema with a bound that is a text": (
        {"type": "number", "minimum": "1"},
        "at minimum it is no JSON schema",
    ),
    "a schema of an old draft with a part that is none": (
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$ref": "#/$defs/a",
            "$defs": {"a": {"minimum": "1"}},
        },
        "at minimum it is no JSON schema",
    ),
    "a schema with a pattern that Python does not read": (
        {"type": "string", "pattern": "\\p{L}"},
        "at pattern it is no JSON schema: '\\\\p{L}' is not a 'regex'",
    ),
    "a schema nested too deeply": (nested(200), "is nested too deeply: flatten it."),
    "a schema nested without end": (nested(2000), "nested too deeply"),
    "a schema that is no JSON": ({"enum": {1}}, "is no JSON schema: Object of type set"),
    "a schema that refers to elsewhere": (
        {"$ref": "https://example.org/a"},
        "only references inside",
    ),
}


@pytest.mark.parametrize(("wanted", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_shape_is_refused_in_one_line(wanted: Any, why: str) -> None:
    with pytest.raises(InputError) as refused:
        shape_of(wanted)
    assert why in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_model_asks_for_the_bounds_that_the_api_does_not_take_in_words() -> None:
    assert shape_of(Band).schema["properties"]["weight"] == {
        "type": "number",
        "description": "In kDa. (at least 1; at most 500)",
    }


def test_a_reference_to_elsewhere_is_never_fetched() -> None:
    """Not even by the check, for a schema that reached it by another way."""
    from claude_magic.conversation.asking.shape import validator

    check = validator({"$ref": "http://127.0.0.1:9/schema"}, "it")
    with pytest.raises(Exception, match="Unresolvable"):
        check(1)


odd = st.sampled_from(['{"items": ', '{"value": ', "[", "]", "}", '"a"', "NaN", "1e999", ":", ","])
texts = st.text(max_size=20) | st.lists(odd, max_size=8).map("".join)
replies = texts | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["items", "value", "key", "weight", "x", ""]), inner, max_size=3
        )
    ),
    max_leaves=6,
).map(json.dumps)
SHAPES = [
    shape_of(wanted)
    for wanted in (
        Band,
        list[Point],
        dict[str, Band],
        Checked,
        Strict,
        Band | Point | None,
        Decimal,
        datetime.datetime,
        {"type": "object", "properties": {"x": {"format": "date-time"}}},
    )
]


@given(st.sampled_from(SHAPES), replies)
@settings(max_examples=500)
def test_no_reply_raises_anything_but_a_value_error(shape: Any, reply: str) -> None:
    try:
        shape.read(reply)
    except ValueError as misfit:
        assert 3 < len(str(misfit)) < 1000
        assert not isinstance(misfit, pydantic.ValidationError)


def test_without_jsonschema_a_dict_schema_is_refused_with_what_to_do() -> None:
    code = (
        "import sys; sys.modules['jsonschema'] = None\n"
        "from claude_magic.conversation.asking.shape import shape_of\n"
        "from claude_magic.messages.errors import InputError\n"
        "assert shape_of(list[int])\n"
        "try: shape_of({'type': 'object'})\n"
        "except InputError as error: print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'claude-magic[schema]', or ask for a type of Python." in ran.stdout
