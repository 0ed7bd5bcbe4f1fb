"""Words of an option line: where a value ends, what it says without its quotes.

Not the shell's rules: a quote means something at the start of a value only (and inside a comma
list, where Python expressions stand), and a backslash escapes quotes and itself, nothing else.
Every function is total: what is left open reaches to the end of the line and says so.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_QUOTES = "\"'"
_OPENING, _CLOSING = "([{", ")]}"
_NEGATIVE_NUMBER = re.compile(r"-\.?\d")
_ESCAPE = re.compile(r"\\([\"'\\])")


class Word(NamedTuple):
    """A value as typed (`line[start:end]`); `open` is the quote or bracket left open, or ''."""

    raw: str
    end: int
    open: str


def is_option(word: str) -> bool:
    """Whether a word cannot be the start of a prompt: "-", "-5" and "- item" can."""
    return word.startswith("-") and word != "-" and not _NEGATIVE_NUMBER.match(word)


def skip_spaces(line: str, start: int) -> int:
    """The position of the first character from `start` on that is not white space."""
    while start < len(line) and line[start].isspace():
        start += 1
    return start


def plain_word(line: str, start: int) -> Word:
    """The characters up to white space."""
    end = start
    while end < len(line) and not line[end].isspace():
        end += 1
    return Word(line[start:end], end, "")


def text_word(line: str, start: int) -> Word:
    """One word, or a quoted string with its quotes."""
    if line[start : start + 1] not in tuple(_QUOTES):
        return plain_word(line, start)
    end, still_open = _quote_end(line, start)
    return Word(line[start:end], end, still_open)


def list_word(line: str, start: int) -> Word:
    """A comma list: up to the first white space outside quotes and brackets."""
    brackets: list[str] = []
    position = start
    while position < len(line):
        character = line[position]
        if character in _QUOTES:
            position, still_open = _quote_end(line, position)
            if still_open:
                return Word(line[start:], len(line), still_open)
            continue
        if character.isspace() and not brackets:
            break
        if character in _OPENING:
            brackets.append(character)
        elif character in _CLOSING and brackets:
            brackets.pop()
        position += 1
    return Word(line[start:position], position, brackets[-1] if brackets else "")


def split_list(raw: str) -> list[str]:
    """The items of a comma list as typed, quotes included; commas in quotes or brackets stay."""
    items, start, depth, position = [], 0, 0, 0
    while position < len(raw):
        character = raw[position]
        if character in _QUOTES:
            position, _ = _quote_end(raw, position)
            continue
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth = max(0, depth - 1)
        elif character == "," and not depth:
            items.append(raw[start:position])
            start = position + 1
        position += 1
    return [item.strip() for item in (*items, raw[start:])]


def unquote(raw: str) -> str:
    """What a quoted string says; anything that is not one quoted string, as it is."""
    if raw[:1] not in tuple(_QUOTES) or _quote_end(raw, 0) != (len(raw), ""):
        return raw
    return _ESCAPE.sub(r"\1", raw[1:-1])


def _quote_end(line: str, start: int) -> tuple[int, str]:
    """The position after the closing quote, and the quote if it is never closed."""
    quote, position = line[start], start + 1
    while position < len(line):
        if line[position] == "\\" and line[position + 1 : position + 2] in ('"', "'", "\\"):
            position += 2
        elif line[position] == quote:
            return position + 1, ""
        else:
            position += 1
    return len(line), quote
