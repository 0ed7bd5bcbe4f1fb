"""Texts of a few words on what is long or many."""

from __future__ import annotations

from ..messages.plain_text import count
from ..rendering import plain

_START = 60


def carried(*kinds: tuple[str, int]) -> str:
    """What goes along, in words: "4 cells, 2 figures"; empty when nothing does."""
    return ", ".join(count(number, word) for word, number in kinds if number)


def start(text: str) -> str:
    """How a text begins, in one line of at most 60 characters."""
    line = " ".join(plain(text[: 20 * _START]).split())
    return line if len(line) <= _START else line[: _START - 1].rstrip() + "…"
