"""Documents and search results of a request, quoted, with the citations that they ask for.

Source: the citations and search-results pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..messages.blocks import Block
from .passages import Passage, quoted
from .pdf_text import first_words, pages_of
from .reading import image_bytes

_QUOTE = 120


def quoted_document(number: int, index: int, block: Block) -> list[Passage]:
    """What is said of the `number`-th document: `index` counts those of the whole request."""
    source, title = block["source"], block.get("title")
    name = f"Document {number}" + (f', "{quoted(title, _QUOTE)}"' if title else "")
    if source["type"] == "url":
        return [Passage(f"{name}: <{source['url']}>, an address: not fetched")]
    place = {"document_index": index, "document_title": title}
    cited = _cites(block)
    if source["type"] == "base64":
        return [Passage(f"{name}: "), *_pdf(image_bytes(block) or b"", place, cited=cited)]
    if source["type"] == "content" and not isinstance(source["content"], str):
        return [Passage(f"{name}: "), *_blocks(source["content"], place, cited=cited)]
    text = source["data"] if source["type"] == "text" else source["content"]
    return [Passage(f"{name}: {len(text):,} characters, "), *_text(text, place, cited=cited)]


def quoted_result(number: int, index: int, block: Block) -> list[Passage]:
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
        Passage(f'Search result {number}, "{title}": begins "'),
        Passage(quoted(quote, _QUOTE), (citation,) if _cites(block) and quote else ()),
        Passage('"'),
    ]


def _text(text: str, place: Mapping[str, Any], *, cited: bool) -> list[Passage]:
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
        said += [Passage(f'{word} "'), Passage(line, (citation,) if cited else ()), Passage('" ')]
    return [*said[:-1], Passage('"')]


def _lines(text: str) -> list[tuple[int, str]]:
    """Each line without the spaces around it, cut to a quote's length, and where it starts."""
    found, start = [], 0
    for line in text.split("\n"):
        inside = start + len(line) - len(line.lstrip())
        found.append((inside, line.strip()[:_QUOTE].rstrip()))
        start += len(line) + 1
    return found


def _pdf(data: bytes, place: Mapping[str, Any], *, cited: bool) -> list[Passage]:
    pages, words = pages_of(data), first_words(data)
    shown = f"{pages} pages, " if pages > 1 else "1 page, " if pages else ""
    size = f"PDF, {shown}{len(data):,} bytes"
    if not words:
        return [Passage(f"{size}; the text in it is not read")]
    citation = {
        "type": "page_location",
        "cited_text": words,
        **place,
        "start_page_number": 1,
        "end_page_number": 2,
    }
    quote = Passage(quoted(words, _QUOTE), (citation,) if cited else ())
    return [Passage(f'{size}, begins "'), quote, Passage('"')]


def _blocks(content: list[Block], place: Mapping[str, Any], *, cited: bool) -> list[Passage]:
    texts = [(n, str(part["text"])) for n, part in enumerate(content) if part["type"] == "text"]
    count = f"{len(content)} block{'' if len(content) == 1 else 's'}"
    if not texts:
        return [Passage(f"{count}, no text")]
    first, text = texts[0]
    citation = {
        "type": "content_block_location",
        "cited_text": text,
        **place,
        "start_block_index": first,
        "end_block_index": first + 1,
    }
    quote = Passage(quoted(text, _QUOTE), (citation,) if cited else ())
    return [Passage(f'{count}, begins "'), quote, Passage('"')]


def _cites(block: Block) -> bool:
    return bool((block.get("citations") or {}).get("enabled"))
