"""The words on the line of a magic: where a value ends, what it says, which option it is for.

Not the shell's rules: a quote means something at the start of a value only (and inside a comma
list, where Python expressions stand), and a backslash escapes quotes and itself, nothing else.
Every function on words is total: what is left open reaches to the end of the line and says so.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, NamedTuple, cast

from ..messages.errors import InputError
from ..value_classes import frozen
from .options import Magic, Option, QuestionOptions, by_spelling, nearest

_QUOTES = "\"'"
_OPENING, _CLOSING = "([{", ")]}"
_NEGATIVE_NUMBER = re.compile(r"-\.?\d")
_ESCAPE = re.compile(r"\\([\"'\\])")
_CELLS = re.compile(r"auto|none|above|last(:[1-9][0-9]*)?|[0-9]+(-[0-9]+)?|#[\w-]+")


def parse(line: str, magic: Magic = "claude") -> tuple[QuestionOptions, str]:
    """The options that `line` starts with, and the prompt after them, verbatim.

    A flag that is given is True; what may be repeated holds its items in the order typed.

    Raises InputError if an option is unknown, lacks its value, has one that cannot be, or is
    given twice although it counts once.
    """
    given: dict[str, Any] = {}
    known = by_spelling(magic)
    position = skip_spaces(line, 0)
    while is_option(word := plain_word(line, position).raw):
        if word == "--":
            return cast("QuestionOptions", given), line[skip_spaces(line, position + 2) :]
        position = skip_spaces(line, _read_option(line, position, given, known))
    rest = line[position:]
    is_comment = rest.startswith("#") and (len(rest) == 1 or rest[1].isspace())
    return cast("QuestionOptions", given), "" if is_comment else rest


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


def word_reader(option: Option) -> Callable[[str, int], Word]:
    """What reads the value of an option from a line."""
    return list_word if option.reads in ("list", "cells", "expression") else text_word


def _read_option(line: str, start: int, given: dict[str, Any], known: Mapping[str, Option]) -> int:
    """The position after the option at `start` and its value, which is added to `given`."""
    name, equals, _ = plain_word(line, start).raw.partition("=")
    option = known.get(name)
    if option is None:
        raise _unknown(name, known)
    if option.field in given and not option.repeatable:
        raise InputError(f"{name} is given twice; it counts once, so drop one of them")
    end = start + len(name)
    value: Any = True
    if equals or (option.metavar and not option.attached):
        if not option.metavar:
            raise InputError(f"{name} takes no value; write just {name}")
        raw, end = _read_value(option, name, line, end)
        value = _checked(option, name, raw)
    elif option.attached:
        value = "show"
    given[option.field] = (*given.get(option.field, ()), *value) if option.repeatable else value
    return end


def _read_value(option: Option, name: str, line: str, end: int) -> tuple[str, int]:
    """The value of an option whose name ends at `end`, as typed, and where it ends."""
    attached = line[end : end + 1] == "="
    start = end + 1 if attached else skip_spaces(line, end)
    if start == len(line) or line[start].isspace():
        raise _missing(option, name)
    if not attached and is_option(plain_word(line, start).raw):
        raise _missing(option, name)
    word = word_reader(option)(line, start)
    if word.open:
        raise InputError(
            f"{name}: {word.open} is not closed in {_shown(word.raw)}; "
            f"put a value with quotes or brackets of its own in double quotes"
        )
    if word.end < len(line) and not line[word.end].isspace():
        raise InputError(f"{name}: a space is missing after {_shown(word.raw)}; put one there")
    return word.raw, word.end


def _checked(option: Option, name: str, raw: str) -> Any:
    """The value of an option from what was typed. Raises InputError if it cannot be."""
    if option.reads in ("list", "cells"):
        return tuple(_item(option, name, item) for item in split_list(raw))
    value = unquote(raw)
    if not value.strip() and not option.may_be_empty:
        raise _missing(option, name)
    if option.reads == "number":
        return _integer(option, name, value)
    if option.choices and value not in option.choices:
        near = nearest(value, option.choices)
        hint = f"did you mean {near}?" if near else f"choose one of {', '.join(option.choices)}"
        raise InputError(f"{name} {_shown(value)}: no such value; {hint}")
    if option.reads == "name":
        return _identifier(option, name, value)
    return (value,) if option.repeatable else value


def _item(option: Option, name: str, raw: str) -> str:
    value = unquote(raw)
    if not value.strip():
        raise InputError(
            f"{name}: an item of the list is empty; write the list without spaces, "
            f"for example {option.example}"
        )
    if option.reads == "cells" and not _CELLS.fullmatch(value):
        near = nearest(value, option.words)
        hint = f"did you mean {near}?" if near else f"use {', '.join(option.words)}, #tag, or 3-5"
        raise InputError(f"{name} {_shown(value)}: no such cells; {hint}")
    return value


def _integer(option: Option, name: str, value: str) -> int:
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise InputError(
            f"{name} {_shown(value)}: not a whole number from 1 on; for example {option.example}"
        )
    return number


def _identifier(option: Option, name: str, value: str) -> str:
    """`value` as Python itself would store the name (PEP 3131: NFKC)."""
    from keyword import iskeyword
    from unicodedata import normalize

    if not value.isidentifier() or iskeyword(value):
        raise InputError(
            f"{name} {_shown(value)}: not a variable name; for example {option.example}"
        )
    return normalize("NFKC", value)


def _missing(option: Option, name: str) -> InputError:
    return InputError(f"{name} needs a value; for example {option.example}")


def _unknown(name: str, known: Mapping[str, Option]) -> InputError:
    spelling = next((s for s in known if len(s) == 2 and name.startswith(s)), None)
    if near := nearest(name, tuple(known)):
        hint = f"did you mean {near}?"
    elif spelling and not name.startswith("--"):
        hint = f"did you mean {spelling} {_shown(name[2:])}?"
    else:
        hint = "put -- before a prompt that starts with a dash"
    return InputError(f"{_shown(name)}: no such option; {hint}")


def _shown(word: str) -> str:
    return word if len(word) <= 40 else word[:39] + "…"


@frozen
class LineWords:
    """What a line says; `magic` is its name, for errors."""

    magic: str
    rest: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        """Whether `--name` was given."""
        return name in self.given

    def value(self, name: str) -> str:
        """The value after `--name`; empty if it was not given."""
        return self.given.get(name, "")

    def one(self, wanted: str = "one word") -> str:
        """The one word that is no option. Raises InputError for none or several."""
        if len(self.rest) != 1:
            raise InputError(f"{self.magic} takes {wanted}.")
        return self.rest[0]

    def number(self, word: str) -> int:
        """A word as a number. Raises InputError if it is none."""
        if not (word.isascii() and word.isdigit()):
            raise InputError(f"{self.magic}: {word[:40]!r} is no number of a turn.")
        return int(word[:18])

    def nothing(self) -> None:
        """Raises InputError if there is a word that is no option."""
        if self.rest:
            raise InputError(f"{self.magic} takes no words: leave out {self.rest[0][:40]!r}.")


def words(
    line: str, magic: str, *, flags: Sequence[str] = (), values: Sequence[str] = ()
) -> LineWords:
    """The words of `line`; `flags` stand alone, `values` take the word after them.

    Raises InputError for another option, or one without its value.
    """
    line = line.split(" #", maxsplit=1)[0]
    try:
        found = shlex.split(line)
    except ValueError:
        found = line.split()
    rest: list[str] = []
    given: dict[str, str] = {}
    position = 0
    while position < len(found):
        word = found[position]
        position += 1
        if not word.startswith("--"):
            rest.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        if name in flags and not equals:
            given[name] = "yes"
        elif name in values:
            if not equals:
                value = found[position] if position < len(found) else ""
                position += 1
            if not value:
                raise InputError(f"{magic}: --{name} needs a value.")
            given[name] = value
        else:
            raise _unknown_flag(magic, name, (*flags, *values))
    return LineWords(magic, tuple(rest), given)


def _unknown_flag(magic: str, name: str, known: Sequence[str]) -> InputError:
    from difflib import get_close_matches  # only on the way to an error

    near = get_close_matches(name[:40], known, n=1)
    hint = f"did you mean --{near[0]}?" if near else f"{magic}? shows what it takes."
    return InputError(f"{magic}: no option --{name[:40]}; {hint}")
