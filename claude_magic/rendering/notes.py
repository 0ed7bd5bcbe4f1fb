"""The sources that a reply cites, and how they are listed below it.

Titles, addresses and quotes are somebody else's words: they are shown as they are, and only a web
address becomes a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .inert import literal
from .marks import unmarked
from .terminal import plain

_QUOTE = 200
_TITLE = 200
_TARGET = str.maketrans({"&": "&amp;", "`": "%60", '"': "%22", "$": "%24", "|": "%7C"})
_ADDRESS = re.compile(r"https?://[^\s<>\\\x00-\x20\x7f-\x9f]+", re.IGNORECASE)


@dataclass(frozen=True)
class Passage:
    """What is cited of a source: where it stands, in words, and its own words, cut if long."""

    place: str
    quote: str


@dataclass(frozen=True)
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
