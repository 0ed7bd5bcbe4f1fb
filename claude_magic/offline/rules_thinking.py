"""Thinking blocks that come back: whole, unchanged, and in the conversation they were made in.

A signature of this server holds two digests: of what stood before the block, and of its text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .asked import Asked, Turn
from .refusal import bad

_MARK = "offline"
# Source: the preserved-thinking page; by analogy the 5.2 models, too.
_BOUND = (
    "claude-fable-5-",
    "claude-mythos-5-",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
)


def signature(prefix: Mapping[str, Any], thinking: str) -> str:
    """The signature of a thinking block that answers the request `prefix`."""
    parts = (_MARK, prefix_digest(prefix, len(prefix["messages"])), _digest(thinking))
    return base64.b64encode(".".join(parts).encode()).decode()


def check_thinking_blocks(asked: Asked) -> None:
    """Raises Refusal for a thinking block that was edited, or moved to another conversation."""
    for index, message in enumerate(asked.body["messages"]):
        if isinstance(message["content"], str):
            continue
        for n, block in enumerate(message["content"]):
            if block["type"] == "thinking":
                _check_block(asked, index, n, block)
    _check_open_loop(asked)


def _check_block(asked: Asked, index: int, n: int, block: Mapping[str, Any]) -> None:
    path = f"messages.{index}.content.{n}"
    mark, prefix, text = _read(block["signature"])
    if mark != _MARK:
        raise bad(f"{path}: Invalid `signature` in `thinking` block.")
    if text != _digest(block["thinking"]):
        raise bad(
            f"{path}: `thinking` or `redacted_thinking` blocks in the latest assistant message "
            "cannot be modified. These blocks must remain as they were in the original response."
        )
    if asked.model.id.startswith(_BOUND) and prefix != prefix_digest(asked.body, index):
        raise bad(
            f"{path}: Invalid `signature` in `thinking` block. The block is bound to a different "
            "conversation."
        )


def _check_open_loop(asked: Asked) -> None:
    """With manual thinking a tool call is sent back with the thinking that led to it."""
    turns: Sequence[Turn] = asked.turns
    if asked.thinking != "enabled" or len(turns) < 2 or not turns[-1].of("tool_result"):
        return
    first = turns[-2].blocks[0] if turns[-2].blocks else None
    if first and first.block["type"] not in ("thinking", "redacted_thinking"):
        raise bad(
            f"{first.path}: Expected `thinking` or `redacted_thinking`, but found "
            f"`{first.block['type']}`. When `thinking` is enabled, a final `assistant` message "
            "must start with a thinking block."
        )


def prefix_digest(body: Mapping[str, Any], count: int) -> str:
    """A digest of system, tools and the first `count` messages, however they are written."""
    messages = [
        {"role": message["role"], "content": _blocks(message["content"])}
        for message in body["messages"][:count]
    ]
    return _digest(
        json.dumps(
            _plain([_blocks(body.get("system", [])), body.get("tools", []), messages]),
            sort_keys=True,
        )
    )


def _blocks(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _plain(value: Any) -> Any:
    """Without cache marks and nulls, which do not count as a change."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items() if k != "cache_control" and v is not None}
    return value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _read(value: str) -> tuple[str, str, str]:
    try:
        mark, prefix, text = base64.b64decode(value, validate=True).decode().split(".")
    except ValueError:
        return "", "", ""
    return mark, prefix, text
