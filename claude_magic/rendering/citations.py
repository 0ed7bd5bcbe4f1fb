"""The numbers of its sources in a reply's text, and the sources as they are listed below it.

Titles, addresses and quotes are somebody else's words: they are shown as they are, and only a web
address becomes a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ..value_classes import frozen
from .bundle import literal
from .markdown import END, START, mark, unmarked
from .terminal import plain

_QUOTE = 200
_TITLE = 200
_TARGET = str.maketrans({"&": "&amp;", "`": "%60", '"': "%22", "$": "%24", "|": "%7C"})
_ADDRESS = re.compile(r"https?://[^\s<>\\\x00-\x20\x7f-\x9f]+", re.IGNORECASE)


@frozen
class Passage:
    """What is cited of a source: where it stands, in words, and its own words, cut if long."""

    place: str
    quote: str


@frozen
class Note:
    """One source with its number. `url` is an http(s) address, or "" """

    number: int
    title: str
    url: str = ""
    passages: tuple[Passage, ...] = ()


def source_key(citation: Mapping[str, Any]) -> tuple[str, ...]:
    """What tells the sources of citations apart."""
    kind = str(citation.get("type"))
    if kind == "web_search_result_location":
        return ("web", str(citation.get("url")))
    if kind == "search_result_location":
        return ("result", str(citation.get("search_result_index")), str(citation.get("source")))
    if "document_index" in citation:
        return ("document", str(citation["document_index"]), str(citation.get("document_title")))
    return (kind, str(citation.get("title")), str(citation.get("url")))


def title_of(citation: Mapping[str, Any]) -> str:
    """What a source is called, in one line."""
    for name in ("document_title", "title", "source", "url"):
        if title := one_line(citation.get(name), _TITLE):
            return title
    index = citation.get("document_index")
    return f"Document {index + 1}" if isinstance(index, int) else "A source without a title"


def address_of(citation: Mapping[str, Any]) -> str:
    """The web address of a source, "" where there is none."""
    for name in ("url", "source"):
        if url := web_address(citation.get(name)):
            return url
    return ""


def passage_of(citation: Mapping[str, Any]) -> Passage:
    """The passage that a citation is about."""
    return Passage(_place(citation), one_line(citation.get("cited_text"), _QUOTE))


def web_address(value: object) -> str:
    """An http(s) address as it is; "" for anything else."""
    text = value if isinstance(value, str) else ""
    try:
        host = urlsplit(text).hostname
    except ValueError:  # brackets that hold no address
        host = None
    return text if host and _ADDRESS.fullmatch(text) else ""


def link(title: str, url: str) -> str:
    """Markdown of a title that leads to `url`, the host beside it; the title alone without one."""
    words = literal(one_line(title, _TITLE))
    safe = web_address(url)
    if not safe:
        return words
    # Nothing in the address is to be read as a reference to a character, code or a formula.
    target = safe.translate(_TARGET)
    host = literal(one_line(urlsplit(safe).hostname, _TITLE))
    return f"[{words}](<{target}>) ({host})"


def one_line(value: object, longest: int) -> str:
    """A text in one line, cut if it is long; "" for what is no text."""
    line = " ".join(plain(unmarked(value)).split()) if isinstance(value, str) else ""
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def notes_bundle(notes: Sequence[Note]) -> dict[str, str]:
    """The list of sources as `text/html`, `text/markdown` and `text/plain`; {} without any."""
    from .bundle import reply_bundle

    if not notes:
        return {}
    bundle = reply_bundle(notes_markdown(notes))
    html = f'<div class="claude-magic-footnotes">{bundle["text/html"]}</div>'
    return {**bundle, "text/html": html, "text/plain": notes_text(notes)}


def notes_markdown(notes: Iterable[Note]) -> str:
    """A line for each source: number, title, and what of it is cited."""
    lines = []
    for note in notes:
        head = f"{literal(f'[{note.number}]')} {link(note.title, note.url)}"
        lines.append(head + "".join(f" · {literal(_words(p))}" for p in note.passages))
    return "\\\n".join(lines)


def notes_text(notes: Iterable[Note]) -> str:
    """The same as plain text."""
    lines = []
    for note in notes:
        head = f"[{note.number}] {note.title}" + (f", {note.url}" if note.url else "")
        lines.append(head + "".join(f" · {_words(p)}" for p in note.passages))
    return plain("\n".join(lines))


def _words(passage: Passage) -> str:
    quote = f"“{passage.quote}”" if passage.quote else ""
    return ": ".join(part for part in (passage.place, quote) if part)


def _place(citation: Mapping[str, Any]) -> str:
    """Where a passage stands, in the words of a reader: counted from one, both ends meant."""
    for name, first, last, begin in (
        ("page", "start_page_number", "end_page_number", 1),
        ("character", "start_char_index", "end_char_index", 0),
        ("block", "start_block_index", "end_block_index", 0),
    ):
        start, end = citation.get(first), citation.get(last)
        if type(start) is int and type(end) is int and start >= begin:
            start, end = start - begin + 1, end - begin
            return f"{name}s {start:,}–{end:,}" if end > start else f"{name} {start:,}"
    return ""


@frozen
class FetchedPage:
    """A fetched page with its text, as far as it has one."""

    url: str
    title: str
    text: str


def fetched_pages(block: Mapping[str, Any]) -> Sequence[FetchedPage]:
    """The page that a block brings, if it is the result of a fetch."""
    content = block.get("content")
    if block.get("type") != "web_fetch_tool_result" or not isinstance(content, Mapping):
        return ()
    document = content.get("content")
    document = document if isinstance(document, Mapping) else {}
    source = document.get("source")
    source = source if isinstance(source, Mapping) else {}
    url = web_address(content.get("url"))
    is_text = source.get("type") == "text"
    text = str(source.get("data", "")) if is_text else ""
    return [FetchedPage(url, str(document.get("title") or ""), text)] if url else ()


def address_among(pages: Iterable[FetchedPage], citation: Mapping[str, Any]) -> str:
    """The address of the page that a citation quotes: same title, same words at the same place.

    Without that a page could pass itself off as a document of the user's. "" where none fits.
    """
    start, end = citation.get("start_char_index"), citation.get("end_char_index")
    quote, title = citation.get("cited_text"), str(citation.get("document_title") or "")
    if type(start) is not int or type(end) is not int or not quote:
        return ""
    found = (p.url for p in pages if p.title == title and p.text[start:end] == quote)
    return next(found, "")


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
        self._pages: list[FetchedPage] = []

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
        text = unmarked(said) if START in said or END in said else said
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
