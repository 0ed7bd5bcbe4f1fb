"""The one JSON value that a reply's text holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ..messages.blocks import replace_surrogates
from ..rendering import code_blocks

_OPENING = re.compile(r"[{\[]")
_MOST_DIGITS = 300  # a float has no more
_MOST_TRIES = 100
"""Brackets of a text that are looked at: prose may hold some, JSON is not far behind them."""


def json_value(text: str) -> Any:
    """The JSON value that `text` is, or the only one that it holds.

    A server that knows no output formats may put words or a code fence around it. Half of a
    surrogate pair becomes U+FFFD. Raises ValueError, in a few words, where there is no JSON, more
    than one value, a key twice, or a number that JSON does not have.
    """
    text = replace_surrogates(text).removeprefix("\ufeff").strip()
    if not text:
        raise ValueError("it is empty.")
    try:
        return _without_surrogates(_the_value(text), text)
    except RecursionError:
        raise ValueError("its JSON is nested too deeply.") from None


def _the_value(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        fault = error
    found = list(_within(text))
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"it holds {len(found)} JSON values; one was asked for.")
    raise ValueError(f"it is no JSON: {fault.msg} in line {fault.lineno}, column {fault.colno}.")


def _without_surrogates(value: Any, text: str) -> Any:
    """The value with half surrogate pairs, which JSON may write as escapes, replaced."""
    if "\\ud" not in text.lower():
        return value
    return json.loads(replace_surrogates(json.dumps(value, ensure_ascii=False)))


def _within(text: str) -> Iterator[Any]:
    """The objects and lists that stand in the text: the code fences that are one, else all."""
    fenced = []
    for block in code_blocks(text):
        try:
            fenced.append(_DECODER.decode(block.code.strip()))
        except json.JSONDecodeError:
            continue  # other code
    yield from fenced or _values(text)


def _values(text: str) -> Iterator[Any]:
    """The objects and lists of the text; none after one that is cut off at its end."""
    position = 0
    for _ in range(_MOST_TRIES):
        opening = _OPENING.search(text, position)
        if opening is None:
            return
        try:
            value, position = _DECODER.raw_decode(text, opening.start())
        except json.JSONDecodeError as error:
            if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
                return
            position = opening.end()
        else:
            yield value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"its JSON has the key {_shown(key)} twice in one object.")
        found[key] = value
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"its JSON has a number of {len(digits)} digits.")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"its JSON has a number that is too large: {digits[:20]}.")
    return number


def _constant(name: str) -> Any:
    raise ValueError(f"its JSON holds {name}, which JSON does not have: null stands for no value.")


def _shown(key: str) -> str:
    shown = json.dumps(key, ensure_ascii=True)
    return shown if len(shown) <= 60 else shown[:59] + '…"'


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
