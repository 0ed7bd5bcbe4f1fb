"""A text that matches a simple regular expression."""

from __future__ import annotations

import re
import string

_CANDIDATES = string.ascii_letters + string.digits + "_-. @:/" + string.punctuation
_QUANTIFIER = re.compile(r"[*+?]\??|\{(\d+)(?:,\d*)?\}\??")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")


def example(pattern: str) -> str | None:
    """A short text that `pattern` finds, None where the pattern is not simple enough."""
    try:
        text, end = _alternatives(pattern, 0)
    except (IndexError, StopIteration, re.error):
        return None
    matches = end == len(pattern) and re.search(pattern, text)
    return text if matches else None


def _alternatives(pattern: str, at: int) -> tuple[str, int]:
    """The text for the first alternative, and where the group ends."""
    text, at = _sequence(pattern, at)
    while pattern[at : at + 1] == "|":
        _, at = _sequence(pattern, at + 1)
    return text, at


def _sequence(pattern: str, at: int) -> tuple[str, int]:
    text = ""
    while at < len(pattern) and pattern[at] not in "|)":
        piece, at = _atom(pattern, at)
        quantifier = _QUANTIFIER.match(pattern, at)
        if quantifier:
            at = quantifier.end()
            piece *= int(quantifier[1]) if quantifier[1] else int(quantifier[0][0] == "+")
        text += piece
    return text, at


def _atom(pattern: str, at: int) -> tuple[str, int]:
    first = pattern[at]
    if first in "^$":
        return "", at + 1
    if first == "(":
        inside = at + 3 if pattern.startswith("(?:", at) else at + 1
        text, end = _alternatives(pattern, inside)
        return text, end + 1
    if first == "\\":
        end = at + 2
    elif first == "[" and (found := _CLASS.match(pattern, at)):
        end = found.end()
    else:
        end = at + 1
    one = re.compile(pattern[at:end])
    return next(c for c in _CANDIDATES if one.fullmatch(c)), end
