"""Citations: on for all documents of a request or for none, as the API has it.

A conversation may hold documents of questions that asked for citations and of others that did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, cast

from .blocks import Block, Message
from .sealed import Sealed, all_blocks, sealed

_CITABLE = frozenset({"document", "search_result"})
# What a search of the server found is cited in any case.
_OF_DOCUMENTS = frozenset(
    {
        "char_location",
        "page_location",
        "content_block_location",
        "search_result_location",
    }
)


def can_be_cited(messages: Iterable[Sealed]) -> bool:
    """Whether a block of the messages can be cited."""
    return any(message.noted("citations", _counts)[0] for message in messages)


def agreed(
    messages: Iterable[Mapping[str, Any]], *, cite: bool, allowed: bool = True
) -> list[Sealed]:
    """The messages with citations on for all their documents, or off for all.

    They are on where `cite` asks for it, and from then on: replies that cite are sent back as they
    came. `allowed` False turns them off, and takes out what cites a document: a reply in JSON can
    hold none. Messages that need no change are the same objects.
    """
    found = sealed(messages)
    counts = [message.noted("citations", _counts) for message in found]
    count, enabled, cited = (
        (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    )
    on = allowed and (cite or cited + enabled > 0)
    if not count or (on and enabled == count) or (not on and not cited + enabled):
        return found
    return [message.noted(f"citations {on}", partial(switched, on=on)) for message in found]


def switched(message: Sealed, *, on: bool) -> Sealed:
    """The message with citations on or off for all its documents."""
    content = message["content"]
    if isinstance(content, str):
        return message
    blocks = [_block(block, on) for block in content]
    same = all(new is old for new, old in zip(blocks, content, strict=True))
    return message if same else Sealed({**message, "content": blocks})


def _block(block: Block, on: bool) -> Block:
    kind, inner = block.get("type"), block.get("content")
    if kind in _CITABLE:
        if _is_enabled(block) == on:
            return block
        return {**block, "citations": {"enabled": True}} if on else _without_citations(block)
    if kind == "tool_result" and isinstance(inner, list):
        blocks = [_block(part, on) for part in inner]
        same = all(new is old for new, old in zip(blocks, inner, strict=True))
        return block if same else {**block, "content": blocks}
    if kind == "text" and not on and _citations(block):
        rest = [cited for cited in block["citations"] if not _of_document(cited)]
        return {**block, "citations": rest} if rest else _without_citations(block)
    return block


def _without_citations(block: Block) -> Block:
    return {name: value for name, value in block.items() if name != "citations"}


def _counts(message: Sealed) -> tuple[int, int, int]:
    """Its blocks that can be cited, those of them with citations on, and texts that cite one."""
    blocks = list(all_blocks(cast(Message, message)))
    citable = [block for block in blocks if block.get("type") in _CITABLE]
    cited = sum(block.get("type") == "text" and _citations(block) for block in blocks)
    return len(citable), sum(map(_is_enabled, citable)), cited


def _is_enabled(block: Block) -> bool:
    citations = block.get("citations")
    return isinstance(citations, Mapping) and bool(citations.get("enabled"))


def _citations(block: Block) -> bool:
    """Whether a text cites a document."""
    citations = block.get("citations")
    return isinstance(citations, list) and any(map(_of_document, citations))


def _of_document(citation: Any) -> bool:
    return isinstance(citation, Mapping) and citation.get("type") in _OF_DOCUMENTS
