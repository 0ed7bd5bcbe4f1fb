"""The parts of an answer: tokens, colours, values that fit a schema, the events of a stream."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from claude_magic.offline.replies.reading import look
from claude_magic.offline.replies.schema_values import TEXT, example, value_for
from claude_magic.offline.replies.stream_events import count, tokens
from tests.offline.offline_samples import picture


@given(st.text())
def test_tokens_joined_give_the_text_back(text: str) -> None:
    assert "".join(tokens(text)) == text
    assert count(text) == len(tokens(text))


COLOURS = {
    "white": ("white", None, "all white"),
    "a blue disc": ("white", "#1f77b4", "mostly white with blue"),
    "an orange disc": ("white", "#ff7f0e", "mostly white with orange"),
    "a dark theme": ("#111111", "#2ca02c", "mostly black with green"),
    "viridis": ("#440154", "#21918c", "mostly purple with turquoise"),
}


@pytest.mark.parametrize(("ground", "ink", "expected"), COLOURS.values(), ids=COLOURS)
def test_colours_are_named_as_people_would(ground: str, ink: str | None, expected: str) -> None:
    assert look(picture(200, 150, ground=ground, ink=ink)).in_colours == expected


MODES = {
    "palette": ("P", "GIF"),
    "grey": ("L", "PNG"),
    "one bit": ("1", "PNG"),
    "CMYK": ("CMYK", "JPEG"),
    "alpha": ("RGBA", "WEBP"),
}


@pytest.mark.parametrize(("mode", "kind"), MODES.values(), ids=MODES)
def test_every_kind_of_pixel_can_be_looked_at(mode: str, kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (7, 5), "black").convert("RGB").convert(mode).save(out, kind)
    seen = look(out.getvalue())
    assert (seen.format, seen.width, seen.height) == (kind, 7, 5)
    assert seen.in_colours == "all black"


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    out = io.BytesIO()
    Image.new("I;16", (4, 4), 150 * 256).save(out, "PNG")
    assert look(out.getvalue()).in_colours == "all grey"


def test_a_transparent_image_is_called_that() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(out, "PNG")
    assert look(out.getvalue()).in_colours == "all transparent"


def test_an_animation_is_its_first_frame() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert str(look(out.getvalue())) == "GIF, 4 x 4 pixels, the first of 2 frames, all red"


NODE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "next": {"$ref": "#/$defs/node"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["name", "children"],
        }
    },
}
VALUES: dict[str, tuple[Any, Any]] = {
    "a string": ({"type": "string"}, "offline server"),
    "the first of an enum": ({"enum": ["b", "a"]}, "b"),
    "a constant": ({"const": 7}, 7),
    "an integer": ({"type": "integer"}, 1),
    "an integer from 3": ({"type": "integer", "minimum": 3}, 3),
    "an integer below 0": ({"type": "integer", "exclusiveMaximum": 0}, -1),
    "a number above 0.5": ({"type": "number", "exclusiveMinimum": 0.5, "maximum": 1}, 1.0),
    "a multiple": ({"type": "integer", "multipleOf": 5}, 5),
    "a boolean": ({"type": "boolean"}, True),
    "null": ({"type": "null"}, None),
    "not null": ({"type": ["null", "integer"]}, 1),
    "a choice": ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 1),
    "all of it": (
        {
            "allOf": [
                {"type": "object", "properties": {"a": {"type": "integer"}}},
                {"properties": {"b": {"type": "boolean"}}},
            ]
        },
        {"a": 1, "b": True},
    ),
    "a list": ({"type": "array", "items": {"type": "integer"}}, [1, 2]),
    "a list of texts": ({"type": "array", "items": {"type": "string"}}, [TEXT, f"{TEXT} 2"]),
    "a list of words": ({"type": "array", "items": {"enum": ["a", "b", "c"]}}, ["a", "b"]),
    "a list of choices": (
        {"type": "array", "items": {"anyOf": [{"type": "null"}, {"const": 1}, {"const": 2}]}},
        [1, 2],
    ),
    "a list of days": (
        {"type": "array", "items": {"type": "string", "format": "date"}},
        ["2026-01-01", "2026-01-02"],
    ),
    "lists in a list": (
        {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        [[1, 2], [2, 3]],
    ),
    "a list of records": (
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"n": {"type": "number", "maximum": 1.5}, "ok": {"type": "boolean"}},
            },
        },
        [{"n": 1.0, "ok": True}, {"n": 1.0, "ok": False}],
    ),
    "keys that differ": (
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "key": {"type": "string", "pattern": "^[0-9]+$"},
                    "value": {"type": "integer"},
                },
                "required": ["key", "value"],
            },
        },
        [{"key": "0", "value": 1}],
    ),
    "a list of one, so that none are alike": (
        {"type": "array", "items": {"const": 1}, "uniqueItems": True},
        [1],
    ),
    "an empty list": ({"type": "array", "items": {"type": "integer"}, "maxItems": 0}, []),
    "a pair": ({"type": "array", "prefixItems": [{"const": 1}, {"const": 2}]}, [1, 2]),
    "two items": ({"type": "array", "items": {"const": 1}, "minItems": 2}, [1, 1]),
    "a date": ({"type": "string", "format": "date"}, "2026-01-01"),
    "a short string": ({"type": "string", "maxLength": 3}, "off"),
    "a long string": ({"type": "string", "minLength": 16}, "offline server.."),
    "a pattern": ({"type": "string", "pattern": r"^[A-Z]{2}-\d+$"}, "AA-0"),
    "a default": ({"type": "integer", "default": 12}, 12),
    "code": (
        {"type": "object", "properties": {"code": {"type": "string"}}},
        {"code": 'print("Hello from the offline server")'},
    ),
    "required first": (
        {
            "type": "object",
            "properties": {"a": {"const": 1}, "b": {"const": 2}},
            "required": ["b"],
        },
        {"b": 2, "a": 1},
    ),
    "a tree": (NODE, {"name": "offline server", "children": []}),
}
TOLD: dict[str, tuple[Any, Any]] = {
    "a least number": ({"type": "number", "description": "In kDa. (at least 20)"}, 20.0),
    "a most number": ({"type": "integer", "description": "at most -3"}, -3),
    "an open range": ({"type": "integer", "description": "more than 1; less than 3"}, 2),
    "a multiple": ({"type": "integer", "description": "a multiple of 25"}, 25),
    "a length": ({"type": "string", "description": "Exactly 3 characters"}, "off"),
    "a size": (
        {"type": "array", "items": {"type": "integer"}, "description": "at least 3 items"},
        [1, 2, 3],
    ),
    "an empty list": (
        {"type": "array", "items": {"type": "string"}, "description": "exactly 0 items"},
        [],
    ),
    "a pattern": (
        {"type": "string", "description": "A code (matching the regular expression ^[A-C]{2}$)"},
        "AA",
    ),
    "a pattern that cannot be": (
        {"type": "string", "description": "matching the regular expression ^(a"},
        TEXT,
    ),
    "an order": (
        {
            "type": "array",
            "items": {"anyOf": [{"type": "string"}, {"type": "number"}]},
            "description": 'in this order: string, number (at least 5), {"const": 3}; a pair',
        },
        [TEXT, 6.0, 3],
    ),
    "a bound that the schema says otherwise": (
        {"type": "integer", "minimum": 7, "description": "at least 3"},
        7,
    ),
    "no bound at all": ({"type": "integer", "description": "at least one lane"}, 1),
}


@pytest.mark.parametrize(("schema", "expected"), TOLD.values(), ids=TOLD)
def test_a_value_fits_what_the_description_tells(schema: dict[str, Any], expected: Any) -> None:
    value = value_for(schema)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(("schema", "expected"), VALUES.values(), ids=VALUES)
def test_a_value_fits_its_schema(schema: dict[str, Any], expected: Any) -> None:
    value = value_for(schema)
    assert value == expected
    assert type(value) is type(expected)
    if isinstance(value, dict):
        assert list(value) == list(expected)


def test_an_enum_that_is_the_choices_of_the_question_takes_the_last() -> None:
    schema = {
        "type": "object",
        "properties": {"answer": {"enum": ["A", "B"]}, "sure": {"enum": ["yes", "no"]}},
    }
    assert value_for(schema, choices=["A", "B"]) == {"answer": "B", "sure": "yes"}


def test_words_of_the_question_become_the_first_strings() -> None:
    schema = {
        "type": "object",
        "properties": {"gene": {"type": "string"}, "why": {"type": "string"}},
    }
    assert value_for(schema, ["BRCA1"]) == {"gene": "BRCA1", "why": "offline server"}


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d{4}-\d{2}-\d{2}$",
        r"^[a-z]+(_[a-z]+)*$",
        r"(?:yes|no)",
        r"^\+?[0-9]{2,}$",
        r"[^abc]x?",
        r"a\.b",
        "",
        r"^(a|b)?c$",
    ],
)
def test_a_simple_pattern_is_matched(pattern: str) -> None:
    found = example(pattern)
    assert found is not None
    assert re.search(pattern, found)


def test_a_pattern_that_is_not_simple_gives_nothing() -> None:
    assert example(r"(?=a)b(?P<x>c)") is None
