"""Content blocks that a server refuses, and requests without them. No I/O.

A refusal is read with caution: what is not plainly about a block's content names no block, and
the error stands.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..messages.blocks import Block, text
from ..messages.body import all_blocks
from ..messages.errors import APIError, BadRequest

# A placeholder cannot stand for these: text and thinking are the conversation itself, and of a
# call and its result each needs the other.
_KEPT = frozenset({"text", "thinking", "redacted_thinking", "tool_use", "tool_result"})
# `messages.2.content.0.content.1`, also with `tool_result.` before the inner `content`, also with
# the brackets of other servers; then the path within the block.
_INDEX = r"[.\[](\d+)\]?"
_PATH = re.compile(
    rf"\bmessages{_INDEX}\.content{_INDEX}(?:(?:\.tool_result)?\.content{_INDEX})?([\w.]*)"
)
# A fault of one of these fields is the request's, not the image's.
_SETTINGS = frozenset({"cache_control", "citations", "context", "title", "transformations"})
_UNKNOWN_TYPE = re.compile(r"Input tag '([^']+)' found using 'type'")
# Where a block stands, or what it stands beside, is wrong, not the block.
_ORDER = re.compile(r"\btool_(?:use|result)\b|\bprefill|\bcache_control\b")

_NO_IMAGES = re.compile(r"(?i)\bimage inputs?\b|\bmultimodal\b|\bsupports? (?:images?|vision)\b")
_IMAGE = re.compile(
    r"(?i)could not process image|image exceeds|image dimensions|(?:unsupported|invalid) image"
    r"|image was specified using"
)
_DOWNLOAD = re.compile(r"(?i)unable to download")
_PDF = re.compile(r"(?i)could not process pdf|\bPDF specified\b|\bPDF pages\b")


def rejected(error: APIError, body: Mapping[str, Any]) -> frozenset[str]:
    """The keys of the blocks of `body` that the server refused; empty if it was something else.

    The blocks are those that `details.paths` or the message names. Where a message is about an
    image, a document or a download and names none, they are those of the last user message that
    holds any.
    """
    if not isinstance(error, BadRequest):
        return frozenset()
    found = _at_paths(error.details.get("paths"), body) or _named(str(error), body)
    return frozenset(block_key(block) for block in _with_partners(found, body))


def about_thinking(error: APIError) -> bool:
    """Whether the server refused thinking that was sent back to it: it is bound to what it saw."""
    words = str(error)
    return isinstance(error, BadRequest) and "thinking" in words and "signature" in words


def block_key(block: Block) -> str:
    """What a block is known by in later requests: SHA-256 hex of its source as canonical JSON.

    A block that is neither image nor document has no source that tells it from others: it is
    known by all of it.
    """
    known_by = block.get("source") if block.get("type") in ("image", "document") else block
    canonical = json.dumps(known_by, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()


def without(body: Mapping[str, Any], keys: Iterable[str]) -> tuple[Mapping[str, Any], int]:
    """The body with a line of text for each block of these keys, and how many these were.

    `body` is not changed. Messages and blocks that hold none of them are the same objects.
    """
    wanted = frozenset(keys)
    messages, replaced = [], 0
    for message in body["messages"] if wanted else ():
        content, count = _replaced(message["content"], wanted)
        messages.append({**message, "content": content} if count else message)
        replaced += count
    return ({**body, "messages": messages}, replaced) if replaced else (body, 0)


def _replaced(content: Any, keys: frozenset[str]) -> tuple[Any, int]:
    """The content of a message or a tool result without the blocks of these keys; how many."""
    if isinstance(content, str) or content is None:
        return content, 0
    blocks: list[Block] = []
    replaced = 0
    for block in content:
        count = 0
        if block.get("type") == "tool_result":
            inner, count = _replaced(block.get("content"), keys)
            blocks.append({**block, "content": inner} if count else block)
        elif _healable(block) and block_key(block) in keys:
            count = 1
            blocks.append(_placeholder(block))
        else:
            blocks.append(block)
        replaced += count
    return blocks, replaced


def _placeholder(block: Block) -> Block:
    kind = block.get("type")
    known = {"image": "An image", "document": "A document"}
    what = known.get(str(kind), f"Something of type {kind}")
    return text(f"[{what} stood here; the server could not take it.]")


def _healable(block: Block) -> bool:
    return block.get("type") not in _KEPT


def _at_paths(paths: Any, body: Mapping[str, Any]) -> list[Block]:
    """The blocks at these paths of `details`, as far as they are there."""
    found = []
    for path in paths if isinstance(paths, list) else ():
        match = _PATH.fullmatch(path) if isinstance(path, str) else None
        block = _at(match, body) if match else None
        if block is not None and _healable(block):
            found.append(block)
    return found


def _named(words: str, body: Mapping[str, Any]) -> list[Block]:
    """The blocks that a message is about."""
    match = _PATH.search(words)
    if match is None:
        return _meant(words, body)
    block = _at(match, body)
    if block is None or not _healable(block) or _SETTINGS & set(match[4].split(".")):
        return []
    after = words[match.end() :]
    unknown = _UNKNOWN_TYPE.search(after)
    if unknown and unknown[1] == block.get("type"):
        # A type that the server does not know is refused wherever it stands.
        return _blocks(body, lambda other: other.get("type") == unknown[1])
    return [] if _ORDER.search(after) and not unknown else [block]


def _meant(words: str, body: Mapping[str, Any]) -> list[Block]:
    """The blocks that a message without a path must be about."""
    if _NO_IMAGES.search(words):
        return _blocks(body, _is_image)
    if _IMAGE.search(words):
        return _last(body, _is_image)
    if _DOWNLOAD.search(words):
        return _last(body, _is_address)
    if _PDF.search(words):
        return _last(body, lambda block: block.get("type") == "document")
    return []


def _is_image(block: Block) -> bool:
    return block.get("type") == "image"


def _is_address(block: Block) -> bool:
    source = block.get("source")
    return isinstance(source, Mapping) and source.get("type") == "url"


def _blocks(body: Mapping[str, Any], want: Callable[[Block], bool]) -> list[Block]:
    return [b for message in body["messages"] for b in all_blocks(message) if want(b)]


def _last(body: Mapping[str, Any], want: Callable[[Block], bool]) -> list[Block]:
    """The blocks wanted of the last user message that holds any."""
    for message in reversed(body["messages"]):
        found = [b for b in all_blocks(message) if want(b)] if message["role"] == "user" else []
        if found:
            return found
    return []


def _at(match: re.Match[str], body: Mapping[str, Any]) -> Block | None:
    """The block at a path, None where there is none. What a document holds is the document."""
    message = _item(body["messages"], match[1])
    block: Block | None = _item(message["content"], match[2]) if message else None
    if block is None or match[3] is None or block.get("type") == "document":
        return block
    inner: Block | None = _item(block.get("content"), match[3])
    return inner


def _item(items: Any, index: str) -> Any:
    return items[int(index)] if isinstance(items, list) and int(index) < len(items) else None


def _with_partners(found: list[Block], body: Mapping[str, Any]) -> list[Block]:
    """The blocks, and for the call of a server's tool its result, or the other way round."""
    calls = {block.get("id") or block.get("tool_use_id") for block in found} - {None}
    if not calls:
        return found
    return found + _blocks(
        body,
        lambda b: _healable(b) and bool(calls & {b.get("id"), b.get("tool_use_id")}),
    )
