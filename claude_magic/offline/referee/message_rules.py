"""The order of a conversation: roles, prefill, tool calls with results, thinking, cache marks.

A signature of this server holds two digests: of what stood before the block, and of its text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..replies.reading import paused
from .request_checks import CheckedRequest, PlacedBlock, RequestTurn, bad
from .request_shape import SERVER_BLOCKS, STRICT_VERSION, spoken

MAX_MESSAGES = 100_000
_USER_BLOCKS = (
    "text",
    "image",
    "document",
    "search_result",
    "tool_result",
    "container_upload",
    *SERVER_BLOCKS,
)
_USER_ONLY = ("image", "search_result", "tool_result", "container_upload")
_SYSTEM_ROLE = (
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-sonnet-5-5",
    "claude-fable",
    "claude-my",
)
_CACHE_SLOTS = 4


def check_messages(asked: CheckedRequest) -> None:
    """Raises Refusal where the messages do not make a conversation."""
    messages = asked.body["messages"]
    if not messages:
        raise bad("messages: at least one message is required")
    if len(messages) > MAX_MESSAGES:
        raise bad(f"messages: List should have at most {MAX_MESSAGES} items")
    if messages[0]["role"] != "user":
        raise bad('messages: first message must use the "user" role')
    _check_contents(asked)
    for turn in asked.turns:
        _check_blocks(asked, turn)
    _check_system_turns(asked)
    _check_tool_pairs(asked)
    _check_prefill(asked)
    _check_cache_marks(asked)


def _check_contents(asked: CheckedRequest) -> None:
    messages = asked.body["messages"]
    for index, message in enumerate(messages):
        content = message["content"]
        final_assistant = index == len(messages) - 1 and message["role"] == "assistant"
        if not content and not final_assistant:
            raise bad(
                f"messages.{index}: all messages must have non-empty content except for the "
                "optional final assistant message"
            )
        if isinstance(content, str) and content:
            spoken(content, f"messages.{index}")


def _check_blocks(asked: CheckedRequest, turn: RequestTurn) -> None:
    for placed in turn.blocks:
        kind = placed.block["type"]
        refused = (
            (turn.role == "user" and kind in ("tool_use", "thinking", "redacted_thinking"))
            or (turn.role == "assistant" and kind in _USER_ONLY)
            or (turn.role == "system" and kind != "text")
        )
        if refused:
            raise bad(f"{placed.path}: `{kind}` blocks are not permitted in {turn.role} messages")
        if asked.version != STRICT_VERSION:
            continue
        if turn.role == "assistant" and kind == "document":
            raise bad(f"{placed.path}: `document` blocks are not permitted in assistant messages")
        if turn.role == "user" and placed.block.get("citations") and kind == "text":
            raise bad(f"{placed.path}.text.citations: not permitted in user messages")


def _check_system_turns(asked: CheckedRequest) -> None:
    turns = [None, *asked.turns, None]
    for before, turn, after in zip(turns, turns[1:], turns[2:], strict=False):
        if turn is None or turn.role != "system":
            continue
        path = f"messages.{turn.start}"
        if not asked.model.id.startswith(_SYSTEM_ROLE):
            raise bad(f"{path}.role: 'system' is not supported for this model")
        after_server_tool = (
            before is not None
            and before.role == "assistant"
            and bool(before.blocks)
            and before.blocks[-1].block["type"] in SERVER_BLOCKS
        )
        if before is None or not (before.role == "user" or after_server_tool):
            raise bad(f"{path}: a system message must follow a user message")
        if after is not None and after.role != "assistant":
            raise bad(f"{path}: a system message must precede an assistant message")


def _check_tool_pairs(asked: CheckedRequest) -> None:
    seen: Counter[str] = Counter()
    for turn, following in pairwise([*asked.turns, None]):
        if turn is None or turn.role != "assistant":
            continue
        calls = [placed.block["id"] for placed in turn.of("tool_use")]
        seen.update(calls)
        results = following.of("tool_result") if following and following.role == "user" else []
        answered = [placed.block["tool_use_id"] for placed in results]
        missing = [call for call in calls if call not in answered]
        if missing:
            raise bad(
                f"messages.{turn.start}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(missing)}. Each `tool_use` block must have a "
                "corresponding `tool_result` block in the next message."
            )
        if following and calls:
            _check_results_first(following, open_server_call=_open_server_call(turn))
    if repeated := [call for call, count in seen.items() if count > 1]:
        raise bad(f"messages: `tool_use` ids must be unique: {', '.join(repeated)}")
    _check_results_have_calls(asked)


def _open_server_call(turn: RequestTurn) -> bool:
    done = {placed.block.get("tool_use_id") for placed in turn.of(*SERVER_BLOCKS)}
    return any(placed.block.get("id") not in done for placed in turn.of("server_tool_use"))


def _check_results_first(turn: RequestTurn, *, open_server_call: bool) -> None:
    other: PlacedBlock | None = None
    for placed in turn.blocks:
        if placed.block["type"] != "tool_result":
            other = other or placed
        elif other is not None:
            raise bad(
                f"{other.path}: `tool_result` blocks must come first in the message that answers "
                "`tool_use` blocks"
            )
    if open_server_call and other is not None:
        raise bad(f"{other.path}: only `tool_result` blocks may answer a turn that is not finished")


def _check_results_have_calls(asked: CheckedRequest) -> None:
    for before, turn in pairwise([None, *asked.turns]):
        if turn is None or turn.role != "user":
            continue
        calls = {p.block["id"]: p.block for p in before.of("tool_use")} if before else {}
        answered: set[str] = set()
        for placed in turn.of("tool_result"):
            call_id = placed.block["tool_use_id"]
            if call_id not in calls:
                raise bad(
                    f"{placed.path}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{call_id}. Each `tool_result` block must have a corresponding `tool_use` "
                    "block in the previous message."
                )
            if call_id in answered:
                raise bad(f"{placed.path}: each `tool_use` must have a single result: {call_id}")
            if placed.block.get("toolset_name") != calls[call_id].get("toolset_name"):
                raise bad(f"{placed.path}.tool_result.toolset_name: must echo the `tool_use` block")
            answered.add(call_id)


def _check_prefill(asked: CheckedRequest) -> None:
    last = asked.turns[-1]
    if last.role != "assistant":
        return
    if paused(last):
        return
    if not asked.model.prefill:
        raise bad(
            "This model does not support assistant message prefill. The conversation must end "
            "with a user message."
        )
    if asked.schema is not None:
        raise bad("output_config.format: cannot be combined with an assistant message prefill.")
    if asked.thinking == "enabled":  # the words are ours: the reply would begin with thinking
        raise bad("messages: an assistant message prefill is not supported with thinking enabled.")
    text = last.blocks[-1].block.get("text", "") if last.blocks else ""
    if text != text.rstrip():
        raise bad("messages: final assistant content cannot end with trailing whitespace")


def _check_cache_marks(asked: CheckedRequest) -> None:
    marks = [mark for mark in map(_mark, _cacheable(asked)) if mark]
    automatic = asked.body.get("cache_control")
    if len(marks) + bool(automatic) > _CACHE_SLOTS:
        found = len(marks) + bool(automatic)
        raise bad(
            f"A maximum of {_CACHE_SLOTS} blocks with cache_control may be provided. Found {found}."
        )
    lifetimes = [mark.get("ttl", "5m") for mark in marks]
    if automatic:
        last = _mark(asked.turns[-1].blocks[-1].block) if asked.turns[-1].blocks else None
        if last and last.get("ttl", "5m") != automatic.get("ttl", "5m"):
            raise bad("cache_control: the last block has another ttl.")
        lifetimes.append(automatic.get("ttl", "5m"))
    if any(first == "5m" and second == "1h" for first, second in pairwise(lifetimes)):
        raise bad("cache_control.ttl: a ttl='1h' block must not come after a ttl='5m' block.")


def _cacheable(asked: CheckedRequest) -> list[Any]:
    system = asked.body.get("system", "")
    blocks = [] if isinstance(system, str) else list(system)
    return [
        *asked.body.get("tools", []),
        *blocks,
        *(placed.block for placed in asked.every_block()),
    ]


def _mark(block: Any) -> Any:
    return block.get("cache_control")


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


def check_thinking_blocks(asked: CheckedRequest) -> None:
    """Raises Refusal for a thinking block that was edited, or moved to another conversation."""
    for index, message in enumerate(asked.body["messages"]):
        if isinstance(message["content"], str):
            continue
        for n, block in enumerate(message["content"]):
            if block["type"] == "thinking":
                _check_block(asked, index, n, block)
    _check_open_loop(asked)


def _check_block(asked: CheckedRequest, index: int, n: int, block: Mapping[str, Any]) -> None:
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


def _check_open_loop(asked: CheckedRequest) -> None:
    """With manual thinking a tool call is sent back with the thinking that led to it."""
    turns: Sequence[RequestTurn] = asked.turns
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
