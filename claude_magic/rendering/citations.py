"""A reply's text with the number of its source after each passage that cites one.

citing = Citing()
for event in stream:
    shown += citing.feed(event)  # Markdown for `reply_bundle`
citing.notes
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .marks import mark, unmarked
from .notes import Note, address_of, notes_markdown, passage_of, source_key, title_of
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


@dataclass(frozen=True)
class CitedText:
    """`markdown` is for `reply_bundle`, which shows its marks as numbers; `notes` say of what."""

    markdown: str
    notes: tuple[Note, ...] = ()

    @property
    def footnotes_markdown(self) -> str:
        """The list of sources; empty without any."""
        return notes_markdown(self.notes)


def with_citations(blocks: Iterable[Mapping[str, Any]]) -> CitedText:
    """The text of a reply's content blocks, with numbers after the passages that cite a source.

    Text blocks are joined as they are; where a block of another kind stands between two of them, a
    new paragraph begins. The text of more blocks begins with that of the first ones, but where
    these end within code.
    """
    citing = Citing()
    text = "".join(citing.add(block) for block in blocks)
    return CitedText(text + citing.end(), citing.notes)


class Citing:
    """The text of one reply, or of several that answer one question, as it comes.

    What `feed` and `add` return is to be appended to what they returned before.
    """

    def __init__(self) -> None:
        self._notes: dict[tuple[str, ...], Note] = {}
        self._citations: list[Any] = []
        self._pages: list[Page] = []
        self._held = ""
        self._line = ""
        self._fence = ""
        self._waiting = ""
        self._said = self._apart = False

    @property
    def notes(self) -> tuple[Note, ...]:
        """The sources cited so far, by number."""
        return tuple(self._notes.values())

    def add(self, block: Mapping[str, Any]) -> str:
        """The text of a block that is whole."""
        return self._begin(block) + self._mark()

    def feed(self, event: Mapping[str, Any]) -> str:
        """The text that one event of a stream brings; "" for events that bring none."""
        block, delta = event.get("content_block"), event.get("delta")
        match event.get("type"):
            case "content_block_start" if isinstance(block, Mapping):
                return self._mark() + self._begin(block)
            case "content_block_delta" if isinstance(delta, Mapping):
                if delta.get("type") == "citations_delta":
                    self._citations.append(delta.get("citation"))
                return self._say(delta.get("text")) if delta.get("type") == "text_delta" else ""
            case "content_block_stop":
                return self._mark()
        return ""

    def end(self) -> str:
        """What is still to come once all is there: the border of a cell, marks that waited."""
        held, self._held = self._held.rstrip(), ""
        waiting, self._waiting = self._waiting, ""
        return held + (f"\n\n{waiting}" if waiting else "")

    def _begin(self, block: Mapping[str, Any]) -> str:
        """What a block begins with; one that is no text ends the paragraph before it."""
        if block.get("type") != "text":
            self._apart = self._said
            self._pages += fetched_pages(block)
            return ""
        citations = block.get("citations")
        self._citations = list(citations) if isinstance(citations, list) else []
        return self._say(block.get("text"))

    def _say(self, said: object) -> str:
        text = unmarked(said) if isinstance(said, str) else ""
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
        self._said = self._said or bool(text)
        return self._follow(text)

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

    def _mark(self) -> str:
        """The marks of the passage that ends here."""
        cited = [citation for citation in self._citations if isinstance(citation, Mapping)]
        marks = "".join(map(mark, dict.fromkeys(map(self._number, cited))))
        self._citations = []
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

    def _alone(self, marks: str) -> str:
        """The marks as a paragraph below the line, in the same list or quotation."""
        inside = _INDENT.match(self._line)
        indent = inside.group() if inside else ""
        return f"{indent.rstrip()}\n{indent}{marks}"

    def _number(self, citation: Mapping[str, Any]) -> int:
        key, passage = source_key(citation), passage_of(citation)
        note = self._notes.get(key)
        if note is None:
            url = address_of(citation) or address_among(self._pages, citation)
            note = Note(len(self._notes) + 1, title_of(citation), url, (passage,))
        elif passage not in note.passages:
            note = replace(note, passages=(*note.passages, passage))
        self._notes[key] = note
        return note.number
