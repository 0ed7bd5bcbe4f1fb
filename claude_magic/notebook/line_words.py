"""The words on the line of a small magic: flags, values, and the rest."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..messages.errors import InputError


@dataclass(frozen=True)
class Words:
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


def words(line: str, magic: str, *, flags: Sequence[str] = (), values: Sequence[str] = ()) -> Words:
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
            raise _unknown(magic, name, (*flags, *values))
    return Words(magic, tuple(rest), given)


def _unknown(magic: str, name: str, known: Sequence[str]) -> InputError:
    from difflib import get_close_matches  # only on the way to an error

    near = get_close_matches(name[:40], known, n=1)
    hint = f"did you mean --{near[0]}?" if near else f"{magic}? shows what it takes."
    return InputError(f"{magic}: no option --{name[:40]}; {hint}")
