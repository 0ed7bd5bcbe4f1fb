"""Pages that the server has fetched for a reply: where a document that is cited came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .notes import web_address


@dataclass(frozen=True)
class Page:
    """A fetched page with its text, as far as it has one."""

    url: str
    title: str
    text: str


def fetched_pages(block: Mapping[str, Any]) -> Sequence[Page]:
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
    return [Page(url, str(document.get("title") or ""), text)] if url else ()


def address_among(pages: Iterable[Page], citation: Mapping[str, Any]) -> str:
    """The address of the page that a citation quotes: same title, same words at the same place.

    Without that a page could pass itself off as a document of the user's. "" where none fits.
    """
    start, end = citation.get("start_char_index"), citation.get("end_char_index")
    quote, title = citation.get("cited_text"), str(citation.get("document_title") or "")
    if type(start) is not int or type(end) is not int or not quote:
        return ""
    found = (p.url for p in pages if p.title == title and p.text[start:end] == quote)
    return next(found, "")
