"""Content blocks that cite, as the API sends them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from claude_magic.rendering import ReplyFold
from claude_magic.rendering.citations import Note
from claude_magic.rendering.reply import Text


def said(text: str, *citations: Any) -> dict[str, Any]:
    """A text block; with citations it cites."""
    block: dict[str, Any] = {"type": "text", "text": text}
    return {**block, "citations": list(citations)} if citations else block


def web(url: str = "https://example.org/ants", **more: Any) -> dict[str, Any]:
    return {
        "type": "web_search_result_location",
        "url": url,
        "title": "Ants",
        "encrypted_index": "Eo8B",
        "cited_text": "Ants have six legs.",
        **more,
    }


def chars(start: int = 0, end: int = 5, **more: Any) -> dict[str, Any]:
    return {
        "type": "char_location",
        "document_index": 0,
        "document_title": "notes.txt",
        "start_char_index": start,
        "end_char_index": end,
        "cited_text": "Six legs.",
        **more,
    }


def page(first: int, end: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "page_location",
        "document_index": 1,
        "document_title": "paper.pdf",
        "start_page_number": first,
        "end_page_number": end,
        "cited_text": "Of six legs.",
        **more,
    }


def events(blocks: list[dict[str, Any]], size: int) -> Iterator[dict[str, Any]]:
    """The blocks as a stream with deltas of so many characters."""
    for index, block in enumerate(blocks):
        first = {**block, "text": "", "citations": []} if block["type"] == "text" else block
        yield {"type": "content_block_start", "index": index, "content_block": first}
        deltas: list[dict[str, Any]] = []
        if block["type"] == "text":
            text = block["text"]
            parts = [text[n : n + size] for n in range(0, len(text), size)]
            deltas = [{"type": "text_delta", "text": part} for part in parts]
            cited = block.get("citations", ())
            deltas += [{"type": "citations_delta", "citation": one} for one in cited]
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "ping"}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_stop"}


@dataclass(frozen=True)
class Cited:
    """The text of a reply, its stretches as paragraphs, and the sources that it cites."""

    markdown: str
    notes: tuple[Note, ...]


def cited(blocks: Iterable[Mapping[str, Any]]) -> Cited:
    """What is read of these blocks."""
    fold = ReplyFold()
    for block in blocks:
        fold.block(block)
    fold.end()
    texts = [part.markdown for part in fold.parts if isinstance(part, Text)]
    return Cited("\n\n".join(texts), fold.notes)
