"""Pieces of a reply's text, with the citations that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Passage:
    """A piece of the answer's text, with the citations that belong to it."""

    text: str
    citations: tuple[Mapping[str, Any], ...] = ()


def quoted(text: str, longest: int) -> str:
    """`text` on one line, cut to `longest` characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 3].rstrip() + "..."


def joined(parts: Sequence[Any]) -> list[Any]:
    """The parts of a reply, neighbouring passages without citations as one.

    Blank ones, which the API refuses to take back, end the passage before them, cited or not.
    """
    found: list[Any] = []
    for part in parts:
        last = found[-1] if found else None
        if not isinstance(part, Passage):
            found.append(part)
        elif isinstance(last, Passage) and not (part.citations or last.citations):
            found[-1] = Passage(last.text + part.text)
        elif part.text.strip():
            found.append(part)
        elif isinstance(last, Passage):
            found[-1] = Passage(last.text + part.text, last.citations)
    return found
