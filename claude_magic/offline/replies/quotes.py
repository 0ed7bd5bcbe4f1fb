"""Pieces of a reply's text with their citations, and documents of a request, quoted.

Source: the citations and search-results pages.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...messages.blocks import Block
from ...value_classes import frozen
from .reading import image_bytes

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"\[(?P<parts>(?:\\.|[^\\\]])*)\]\s*TJ|(?P<one>\((?:\\.|[^\\()])*\))\s*Tj")
# A string, or a number that moves the next one away: a space, in most documents.
_PIECE = re.compile(rb"\((?P<text>(?:\\.|[^\\()])*)\)|(?P<gap>-\d{3,})")
_ESCAPE = re.compile(rb"\\(\d{1,3}|.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\n", b"t": b"\t", b"b": b"", b"f": b""}
_MOST_BYTES = 2_000_000
_PLAIN = re.compile(r"[A-Za-z]{3}")


def pages_of(data: bytes) -> int:
    """The number of pages that can be seen from outside; 0 where they are packed."""
    return len(re.findall(rb"/Type\s*/Page\b", data))


def first_words(data: bytes) -> str:
    """The first line of text that can be read, empty where there is none."""
    for stream in _streams(data):
        for found in _SHOWN.finditer(stream):
            shown = found["parts"] if found["one"] is None else found["one"]
            pieces = [b" " if p["gap"] else _unescaped(p["text"]) for p in _PIECE.finditer(shown)]
            line = " ".join(b"".join(pieces).decode("latin-1").split())
            if _PLAIN.search(line) and line.isprintable():
                return line
    return ""


def _streams(data: bytes) -> Iterator[bytes]:
    for found in _STREAM.finditer(data):
        try:
            yield zlib.decompressobj().decompress(found[1], _MOST_BYTES)
        except zlib.error:
            yield found[1]


def _unescaped(text: bytes) -> bytes:
    def plain(found: re.Match[bytes]) -> bytes:
        if found[1].isdigit():
            return bytes([int(found[1], 8) & 0xFF]) if found[1].translate(None, b"89") else b""
        return _ESCAPES.get(found[1], found[1])

    return _ESCAPE.sub(plain, text)


@frozen
class ReplyPassage:
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
        if not isinstance(part, ReplyPassage):
            found.append(part)
        elif isinstance(last, ReplyPassage) and not (part.citations or last.citations):
            found[-1] = ReplyPassage(last.text + part.text)
        elif part.text.strip():
            found.append(part)
        elif isinstance(last, ReplyPassage):
            found[-1] = ReplyPassage(last.text + part.text, last.citations)
    return found


_QUOTE = 120


def quoted_document(number: int, index: int, block: Block) -> list[ReplyPassage]:
    """What is said of the `number`-th document: `index` counts those of the whole request."""
    source, title = block["source"], block.get("title")
    name = f"Document {number}" + (f', "{quoted(title, _QUOTE)}"' if title else "")
    if source["type"] == "url":
        return [ReplyPassage(f"{name}: <{source['url']}>, an address: not fetched")]
    place = {"document_index": index, "document_title": title}
    cited = _cites(block)
    if source["type"] == "base64":
        return [ReplyPassage(f"{name}: "), *_pdf(image_bytes(block) or b"", place, cited=cited)]
    if source["type"] == "content" and not isinstance(source["content"], str):
        return [ReplyPassage(f"{name}: "), *_blocks(source["content"], place, cited=cited)]
    text = source["data"] if source["type"] == "text" else source["content"]
    return [ReplyPassage(f"{name}: {len(text):,} characters, "), *_text(text, place, cited=cited)]


def quoted_result(number: int, index: int, block: Block) -> list[ReplyPassage]:
    """What is said of the `number`-th search result: `index` counts those of the whole request."""
    first = next((n for n, part in enumerate(block["content"]) if part["text"].strip()), 0)
    quote = block["content"][first]["text"] if block["content"] else ""
    citation = {
        "type": "search_result_location",
        "cited_text": quote,
        "source": block["source"],
        "title": block["title"],
        "search_result_index": index,
        "start_block_index": first,
        "end_block_index": first + 1,
    }
    title = quoted(block["title"], _QUOTE)
    return [
        ReplyPassage(f'Search result {number}, "{title}": begins "'),
        ReplyPassage(quoted(quote, _QUOTE), (citation,) if _cites(block) and quote else ()),
        ReplyPassage('"'),
    ]


def _text(text: str, place: Mapping[str, Any], *, cited: bool) -> list[ReplyPassage]:
    """The first line that says something, and the last where there is another."""
    lines = [(start, line) for start, line in _lines(text) if line]
    said = []
    for word, (start, line) in zip(
        ("begins", "and ends"), lines[:1] + lines[1:][-1:], strict=False
    ):
        citation = {
            "type": "char_location",
            "cited_text": line,
            **place,
            "start_char_index": start,
            "end_char_index": start + len(line),
        }
        said += [
            ReplyPassage(f'{word} "'),
            ReplyPassage(line, (citation,) if cited else ()),
            ReplyPassage('" '),
        ]
    return [*said[:-1], ReplyPassage('"')]


def _lines(text: str) -> list[tuple[int, str]]:
    """Each line without the spaces around it, cut to a quote's length, and where it starts."""
    found, start = [], 0
    for line in text.split("\n"):
        inside = start + len(line) - len(line.lstrip())
        found.append((inside, line.strip()[:_QUOTE].rstrip()))
        start += len(line) + 1
    return found


def _pdf(data: bytes, place: Mapping[str, Any], *, cited: bool) -> list[ReplyPassage]:
    pages, words = pages_of(data), first_words(data)
    shown = f"{pages} pages, " if pages > 1 else "1 page, " if pages else ""
    size = f"PDF, {shown}{len(data):,} bytes"
    if not words:
        return [ReplyPassage(f"{size}; the text in it is not read")]
    citation = {
        "type": "page_location",
        "cited_text": words,
        **place,
        "start_page_number": 1,
        "end_page_number": 2,
    }
    quote = ReplyPassage(quoted(words, _QUOTE), (citation,) if cited else ())
    return [ReplyPassage(f'{size}, begins "'), quote, ReplyPassage('"')]


def _blocks(content: list[Block], place: Mapping[str, Any], *, cited: bool) -> list[ReplyPassage]:
    texts = [(n, str(part["text"])) for n, part in enumerate(content) if part["type"] == "text"]
    count = f"{len(content)} block{'' if len(content) == 1 else 's'}"
    if not texts:
        return [ReplyPassage(f"{count}, no text")]
    first, text = texts[0]
    citation = {
        "type": "content_block_location",
        "cited_text": text,
        **place,
        "start_block_index": first,
        "end_block_index": first + 1,
    }
    quote = ReplyPassage(quoted(text, _QUOTE), (citation,) if cited else ())
    return [ReplyPassage(f'{count}, begins "'), quote, ReplyPassage('"')]


def _cites(block: Block) -> bool:
    return bool((block.get("citations") or {}).get("enabled"))
