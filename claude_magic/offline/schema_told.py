"""What the description of a schema says of its values in words: bounds, lengths, an order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_BOUND = re.compile(
    rf"\b(at least|more than|at most|less than|exactly|a multiple of) ({_NUMBER})"
    r"(?: (character|item|key)s?\b)?",
    re.IGNORECASE,
)
_KEYWORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("at least", ""): ("minimum",),
    ("more than", ""): ("exclusiveMinimum",),
    ("at most", ""): ("maximum",),
    ("less than", ""): ("exclusiveMaximum",),
    ("a multiple of", ""): ("multipleOf",),
    ("at least", "character"): ("minLength",),
    ("at most", "character"): ("maxLength",),
    ("exactly", "character"): ("minLength", "maxLength"),
    # Keys are told of an object that is asked for as a list.
    **dict.fromkeys([("at least", "item"), ("at least", "key")], ("minItems",)),
    **dict.fromkeys([("at most", "item"), ("at most", "key")], ("maxItems",)),
    **dict.fromkeys([("exactly", "item"), ("exactly", "key")], ("minItems", "maxItems")),
}
_PATTERN = re.compile(r"matching the regular expression (.+?)(?=; |\)?$)")
_ORDER = re.compile(r"in this order: ")
_TYPE = re.compile(r"(\w+)(?: \(([^()]*)\))?")


def told(description: object) -> dict[str, Any]:
    """The keywords that stand for what a description says; none where it says nothing."""
    if not isinstance(description, str):
        return {}
    found: dict[str, Any] = {}
    for bound in _BOUND.finditer(description):
        words, noun = bound[1].lower(), (bound[3] or "").lower()
        number = json.loads(bound[2])
        found |= dict.fromkeys(_KEYWORDS.get((words, noun), ()), number)
    pattern = _PATTERN.search(description)
    if pattern and _is_pattern(pattern[1]):
        found["pattern"] = pattern[1]
    if "no two items alike" in description:
        found["uniqueItems"] = True
    order = _ORDER.search(description)
    if order:
        found["prefixItems"] = list(_in_order(description, order.end()))
    return found


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:  # one of another dialect
        return False
    return True


def _in_order(text: str, position: int) -> Iterator[Mapping[str, Any]]:
    """Items that are told one by one: "string, number (at least 1), {"const": 3}"."""
    while True:
        if text.startswith("{", position):
            try:
                item, position = json.JSONDecoder().raw_decode(text, position)
            except ValueError:
                return
        else:
            named = _TYPE.match(text, position)
            if named is None:
                return
            item = {"type": named[1]} | ({"description": named[2]} if named[2] else {})
            position = named.end()
        yield item
        if not text.startswith(", ", position):
            return
        position += 2
