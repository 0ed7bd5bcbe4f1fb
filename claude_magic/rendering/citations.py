"""A reply's text with the number of its source after each passage that cites one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .marks import mark, unmarked
from .notes import Note, address_of, passage_of, source_key, title_of
from .pages import Page, address_among, fetched_pages

# What ends a passage and has to come after its mark: spaces, and the border of a table's cell.
_END = re.compile(r"[\s|]+\Z")
# A line that means something only as long as nothing stands behind it.
_ALONE = re.compile(
    r"""(?P<fence> [ >]*+ (?:`{3,}+|~{3,}+) [ ]*+)  # the end of code
    | [ >]*+ (?:\$\$.*\$\$ | \\\[.*\\\])           # a formula, or its end
    | (?:(?!\$\$).)*\$\$ | (?:(?!\\\[).)*\\\] | .*\\end\{[^{}]{0,40}\}
    | [ >]*+ (?:[-*_][ ]*+){3,}+ | [ >]*+ =+ [ ]*+  # a rule, the underline of a heading
    | [ >|:]*+ - [ >|:-]*+                          # the line below a table's head
    | [ >]*+ \[[^\]]++\]:.*                         # the definition of a reference
    """,
    re.VERBOSE,
)
_FENCE = re.compile(r"[ >]*(?:(?:[-*+]|\d{1,9}[.)]) +)*(?P<fence>`{3,}(?=[^`]*\Z)|~{3,})")
_INDENT = re.compile(r"[ >]*")
# Of a line no more is looked at; a longer one is none of those above.
_LONGEST_LINE = 1_000


class Footnotes:
    """The sources that the texts of one reply cite, numbered in the order of first use."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, ...], Note] = {}
        self._pages: list[Page] = []

    @property
    def notes(self) -> tuple[Note, ...]:
        """The sources cited so far, by number."""
        return tuple(self._notes.values())

    def fetched(self, block: Mapping[str, Any]) -> None:
        """Remember the page that a block brings, if it brings one: a citation may be of it."""
        self._pages += fetched_pages(block)

    def number(self, citation: Mapping[str, Any]) -> int:
        """The number of the source that is cited."""
        key, passage = source_key(citation), passage_of(citation)
        note = self._notes.get(key)
        if note is None:
            url = address_of(citation) or address_among(self._pages, citation)
            note = Note(len(self._notes) + 1, title_of(citation), url, (passage,))
        elif passage not in note.passages:
            note = replace(note, passages=(*note.passages, passage))
        self._notes[key] = note
        return note.number


class CitingText:
    """One stretch of text as it comes, with a mark behind each passage that cites.

    What `say`, `cite` and `end` return is to be appended to what they returned before; the pieces
    in which the text comes make no difference.
    """

    def __init__(self, footnotes: Footnotes) -> None:
        self._footnotes = footnotes
        self._held = ""
        self._line = ""
        self._fence = ""
        self._waiting = ""
        self._apart = False

    def say(self, said: str) -> str:
        """The text as far as it can be shown: what has to come behind a mark is held back."""
        text = unmarked(said)
        if not text:
            return ""
        before, self._held = self._held, ""
        if self._apart:
            before = before.rstrip() + "\n\n"
            self._apart = False
        text = before + text
        end = _END.search(text)
        if end is not None:
            text, self._held = text[: end.start()], end.group()
        return self._follow(text)

    def cite(self, citations: Iterable[object]) -> str:
        """The marks of the passage that ends here, which cites these."""
        cited = [citation for citation in citations if isinstance(citation, Mapping)]
        marks = "".join(map(mark, dict.fromkeys(map(self._footnotes.number, cited))))
        if not marks:
            return ""
        ends_code = self._ends_code()
        if not ends_code and (self._fence or _FENCE.match(self._line)):
            self._waiting += marks  # within code: behind its last line
            return ""
        if not ends_code and not (self._line and _ALONE.fullmatch(self._line)):
            return marks
        marks, self._waiting, self._fence = self._waiting + marks, "", ""
        alone = "\n" + self._alone(marks)
        self._apart, self._held, self._line = True, "", marks
        return alone

    def end(self) -> str:
        """What is still to come once all is there: the border of a cell, marks that waited."""
        held, self._held = self._held.rstrip(), ""
        waiting, self._waiting = self._waiting, ""
        return held + (f"\n\n{waiting}" if waiting else "")

    def _follow(self, text: str) -> str:
        """`text` as it is said, with marks that waited behind the code that has ended in it."""
        said = ""
        *lines, last = text.split("\n")
        for line in lines:
            self._line = (self._line + line)[:_LONGEST_LINE]
            said += line + "\n"
            if self._ends_code():
                self._fence = ""
                said += f"{self._alone(self._waiting)}\n\n" if self._waiting else ""
                self._waiting = ""
            elif not self._fence:
                found = _FENCE.match(self._line)
                self._fence = found["fence"] if found else ""
            self._line = ""
        self._line = (self._line + last)[:_LONGEST_LINE]
        return said + last

    def _ends_code(self) -> bool:
        """Whether the line closes the block of code that is open."""
        found = _ALONE.fullmatch(self._line) if self._fence else None
        return bool(found and found["fence"] and self._fence in self._line)

    def _alone(self, marks: str) -> str:
        """The marks as a paragraph below the line, in the same list or quotation."""
        inside = _INDENT.match(self._line)
        indent = inside.group() if inside else ""
        return f"{indent.rstrip()}\n{indent}{marks}"
