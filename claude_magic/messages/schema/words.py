"""Constraints of a JSON schema in words: for descriptions that a model reads, and for errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_SILENT = frozenset(
    {
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "unevaluatedProperties",
        "patternProperties",
        "items",
        "prefixItems",
        "anyOf",
        "allOf",
        "title",
        "description",
        "discriminator",
        "deprecated",
        "readOnly",
        "writeOnly",
    }
)
"""What is not told in words: it stands in the schema itself, or says nothing about the value."""

_RANGES = {
    ("minLength", "maxLength"): "character",
    ("minItems", "maxItems"): "item",
    ("minProperties", "maxProperties"): "key",
}
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}


def in_words(part: Mapping[str, Any], show: Callable[[Any], Any] = lambda value: value) -> str:
    """What `part` says of a value beyond its type: "at least 3; at most 20 characters".

    `show` gives a schema within it as it is to be written.
    """
    return "; ".join(_phrases(part, show))


def _phrases(part: Mapping[str, Any], show: Callable[[Any], Any]) -> Iterator[str]:
    told = set[str]()
    for pair, noun in _RANGES.items():
        told |= set(pair)
        yield from _range(part.get(pair[0]) or 0, part.get(pair[1]), noun)
    for key, words in _BOUNDS.items():
        told.add(key)
        if key in part:
            yield f"{words} {_json(part[key])}"
    for key, value in sorted(part.items()):  # in whatever order they were written
        if key not in told and key not in _SILENT and not key.startswith("$"):
            yield from _phrase(key, value, show)


def _range(least: float, most: float | None, noun: str) -> Iterator[str]:
    if most is not None and least == most:
        yield f"exactly {_count(most, noun)}"
        return
    if least:
        yield f"at least {_count(least, noun)}"
    if most is not None:
        yield f"at most {_count(most, noun)}"


def _phrase(key: str, value: Any, show: Callable[[Any], Any]) -> Iterator[str]:
    match key:
        case "uniqueItems":
            if value:
                yield "no two items alike"
        case "examples" if isinstance(value, list):
            if value:
                yield f"for example {', '.join(map(_json, value))}"
        case "oneOf":
            yield "exactly one of these"
        case "pattern":
            yield f"matching the regular expression {value}"
        case "format" | "contentEncoding" | "contentMediaType" if isinstance(value, str):
            yield f"{key}: {value}"
        case "not":
            yield f"nothing that fits {_json(show(value))}"
        case "contains":
            yield f"with an item that fits {_json(show(value))}"
        case _:
            yield f"{key}: {_json(show(value))}"


def _count(number: float, noun: str) -> str:
    return f"{_json(number)} {noun}" if number == 1 else f"{_json(number)} {noun}s"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
