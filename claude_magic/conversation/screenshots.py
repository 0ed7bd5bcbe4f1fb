"""Old screenshots taken out of a conversation, many at once and seldom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..messages.blocks import Block, Message, content_blocks, is_call, text

MOST = 20
"""The most screenshots in a request. Above 20 images the API holds all to a stricter size."""
BATCH = 15
"""How many go at once: after that, requests grow again, and the server's cache holds."""

GONE = "[An earlier screenshot stood here.]"


def pruned(
    messages: Sequence[Message], *, most: int = MOST, batch: int = BATCH
) -> Sequence[Message]:
    """The messages with at most `most` screenshots; a line of text stands for each older one.

    The oldest go, `batch` at a time, so that what is sent stays the same, byte by byte, until
    there are `batch` new ones. Messages in which nothing changes are the same objects, and so is
    `messages` where nothing changes at all.
    """
    calls = {
        str(block.get("id"))
        for message in messages
        for block in content_blocks(message)
        if block.get("type") == "tool_use" and is_call(block)
    }
    total = sum(_count(block, calls) for message in messages for block in content_blocks(message))
    if total <= most:
        return messages
    left = -(-(total - most) // batch) * batch
    kept: list[Message] = []
    for message in messages:
        changed, left = _without(message, calls, left)
        kept.append(changed)
    return kept


def _count(block: Block, calls: set[str]) -> int:
    return sum(part.get("type") == "image" for part in _parts(block, calls))


def _parts(block: Block, calls: set[str]) -> Sequence[Mapping[str, Any]]:
    """The content of a result of the computer tool; of any other block, nothing."""
    content = block.get("content")
    ours = block.get("type") == "tool_result" and str(block.get("tool_use_id")) in calls
    return content if ours and isinstance(content, list) else ()


def _without(message: Message, calls: set[str], left: int) -> tuple[Message, int]:
    """The message without its first `left` screenshots, and how many are still to go."""
    if not left or message["role"] != "user" or isinstance(message["content"], str):
        return message, left
    blocks: list[Block] = []
    before = left
    for block in message["content"]:
        parts: list[Block] = []
        for part in _parts(block, calls):
            gone = part.get("type") == "image" and left > 0
            left -= gone
            parts.append(text(GONE) if gone else part)
        blocks.append({**block, "content": parts} if parts else block)
    return (message if left == before else {"role": "user", "content": blocks}), left
