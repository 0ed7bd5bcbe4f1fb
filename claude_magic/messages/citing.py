"""Citations: on for all documents of a request or for none, as the API has it.

A conversation may hold documents of questions that asked for citations and of others that did not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from .blocks import Block, Message
from .sealed import Sealed, all_blocks, seal
from .transcript import Transcript

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


def look_through(messages: Transcript) -> int:
    """How many blocks of the messages can be cited; a longer transcript begins with what was found.

    So of a long conversation only what is new is looked at.
    """
    messages.tokens("cited", _cited)
    messages.tokens("enabled", _enabled)
    return messages.tokens("documents", _documents)


def agreed(messages: Transcript, *, cite: bool, allowed: bool = True) -> Transcript:
    """The messages with citations on for all their documents, or off for all.

    They are on where `cite` asks for it, and from then on: replies that cite are sent back as they
    came. `allowed` False turns them off, and takes out what cites a document: a reply in JSON can
    hold none. Messages that need no change are the same objects.
    """
    count = look_through(messages)
    cited = messages.tokens("cited", _cited)
    enabled = messages.tokens("enabled", _enabled)
    on = allowed and (cite or cited + enabled > 0)
    if not count or (on and enabled == count) or (not on and not cited + enabled):
        return messages
    return Transcript(switched(message, on=on) for message in messages)


def switched(message: Mapping[str, Any], *, on: bool) -> Sealed:
    """The message with citations on or off for all its documents."""
    sealed = seal(message)
    changed: Sealed = sealed.noted(f"citations {on}", partial(_switched, sealed, on))
    return changed


def _switched(message: Sealed, on: bool) -> Sealed:
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


def _documents(message: Sealed) -> int:
    return sum(block.get("type") in _CITABLE for block in _blocks(message))


def _enabled(message: Sealed) -> int:
    return sum(block.get("type") in _CITABLE and _is_enabled(block) for block in _blocks(message))


def _cited(message: Sealed) -> int:
    return sum(block.get("type") == "text" and _citations(block) for block in _blocks(message))


def _blocks(message: Sealed) -> Sequence[Block]:
    return list(all_blocks(cast(Message, message)))


def _is_enabled(block: Block) -> bool:
    citations = block.get("citations")
    return isinstance(citations, Mapping) and bool(citations.get("enabled"))


def _citations(block: Block) -> bool:
    """Whether a text cites a document."""
    citations = block.get("citations")
    return isinstance(citations, list) and any(map(_of_document, citations))


def _of_document(citation: Any) -> bool:
    return isinstance(citation, Mapping) and citation.get("type") in _OF_DOCUMENTS
