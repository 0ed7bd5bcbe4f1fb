"""The deterministic answer to a request: its text, tool calls or JSON, cut where it must end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...messages.usage import estimate_input
from ..journal import FEW_TOKENS
from ..referee.message_rules import signature
from ..referee.request_checks import CheckedRequest
from .draft import Draft, draft
from .prefix_cache import Charge
from .quotes import ReplyPassage
from .stream_events import count, tokens

THOUGHT = "The offline server does not think: it looks at the blocks of the request."
REFUSED = "The offline server was told to refuse this request."
# Until then a container is kept, if there were one.
_EXPIRES = "2026-01-01T00:00:00Z"


@dataclass
class _Reply:
    content: list[dict[str, Any]] = field(default_factory=list)
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    tokens: int = 0
    thinking_tokens: int = 0


def answer(
    asked: CheckedRequest,
    charge: Charge,
    number: int,
    *,
    limit: int | None = None,
    behaviour: str | None = None,
) -> dict[str, Any]:
    """The message that answers the request, the `number`-th of its server.

    `limit` in tokens stands in for the request's max_tokens where it is smaller. `behaviour` is
    one that concerns what is said and called.
    """
    most = asked.body["max_tokens"]
    drafted = draft(asked, number, behaviour)
    reply = _cut(drafted, asked, min(most, limit) if limit is not None else most)
    message = _message(asked, charge, number, reply)
    return _refused(message) if drafted.stop_reason == reply.stop_reason == "refusal" else message


def answer_as(
    behaviour: str | None, asked: CheckedRequest, charge: Charge, number: int
) -> dict[str, Any]:
    """The message that answers the request where the server was told to behave like this."""
    if behaviour == "refusal":
        return refusal(asked, charge, number)
    limit = FEW_TOKENS if behaviour == "max_tokens" else None
    return answer(asked, charge, number, limit=limit, behaviour=behaviour)


def refusal(asked: CheckedRequest, charge: Charge, number: int) -> dict[str, Any]:
    """The message of a classifier that stopped the reply: HTTP 200, an empty text, the reason."""
    reply = _Reply([{"type": "text", "text": ""}], "refusal")
    return _refused(_message(asked, charge, number, reply))


def _refused(message: dict[str, Any]) -> dict[str, Any]:
    message["stop_details"] = {
        "type": "refusal",
        "category": "general_harms",
        "explanation": REFUSED,
    }
    return message


def _shows_thinking(asked: CheckedRequest) -> bool:
    display = asked.body.get("thinking", {}).get("display")
    if display is None:
        # Omitted from 4.7 on, where the image tier changed as well.
        return not asked.model.high_resolution
    return bool(display == "summarized")


def _cut(drafted: Draft, asked: CheckedRequest, most: int) -> _Reply:
    """The draft up to a stop sequence or to `most` tokens, whichever comes first."""
    reply = _Reply()
    if most == 0:
        reply.stop_reason = "max_tokens"
        return reply
    if drafted.thought:
        _think(reply, asked, most)
    text = "".join(part.text for part in drafted.parts if isinstance(part, ReplyPassage))
    rest, stop = _first_stop(text, asked.body.get("stop_sequences", []))
    for part in drafted.parts:
        if not isinstance(part, ReplyPassage):
            if not _add_block(reply, part, most):
                return reply
            continue
        if not _say(reply, part, part.text[:rest], most):
            return reply
        if stop is not None and rest <= len(part.text):
            reply.stop_reason, reply.stop_sequence = "stop_sequence", stop
            return reply
        rest -= len(part.text)
    for call in drafted.calls:
        if not _add_block(reply, call, most):
            return reply
    reply.stop_reason = drafted.stop_reason
    return reply


def _think(reply: _Reply, asked: CheckedRequest, most: int) -> None:
    reply.thinking_tokens = reply.tokens = min(count(THOUGHT), most)
    shown = "".join(tokens(THOUGHT)[:most]) if _shows_thinking(asked) else ""
    reply.content.append(
        {"type": "thinking", "thinking": shown, "signature": signature(asked.body, shown)}
    )


def _first_stop(text: str, sequences: Sequence[str]) -> tuple[int, str | None]:
    """Where the first stop sequence begins, and which it is; else the end of the text."""
    found = [(text.index(stop), stop) for stop in sequences if stop in text]
    return min(found) if found else (len(text), None)


def _say(reply: _Reply, passage: ReplyPassage, text: str, most: int) -> bool:
    """Whether there is room for all of `text`; what there is room for is said."""
    pieces = tokens(text)
    room = most - reply.tokens
    said = "".join(pieces[:room])
    reply.tokens += min(room, len(pieces))
    if said:
        block: dict[str, Any] = {"type": "text", "text": said}
        if passage.citations:
            block["citations"] = list(passage.citations)
        reply.content.append(block)
    if len(pieces) > room:
        reply.stop_reason = "max_tokens"
    return len(pieces) <= room


def _add_block(reply: _Reply, block: Mapping[str, Any], most: int) -> bool:
    """Whether there is room for a block; the model writes calls, and results come free."""
    size = count(block["name"] + json.dumps(block["input"])) if "input" in block else 0
    if reply.tokens + size > most:
        reply.tokens, reply.stop_reason = most, "max_tokens"
        return False
    reply.tokens += size
    reply.content.append(dict(block))
    return True


def _message(asked: CheckedRequest, charge: Charge, number: int, reply: _Reply) -> dict[str, Any]:
    message = {
        "id": f"msg_offline_{number:06}",
        "type": "message",
        "role": "assistant",
        "model": asked.body["model"],
        "content": reply.content,
        "stop_reason": reply.stop_reason,
        "stop_sequence": reply.stop_sequence,
        "stop_details": None,
        "usage": {
            "input_tokens": charge.fresh,
            "cache_creation_input_tokens": charge.written_5m + charge.written_1h,
            "cache_read_input_tokens": charge.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": charge.written_5m,
                "ephemeral_1h_input_tokens": charge.written_1h,
            },
            "output_tokens": reply.tokens,
            "output_tokens_details": {"thinking_tokens": reply.thinking_tokens},
            "service_tier": "standard",
        },
    }
    return _with_server_tools(message, asked, number)


def _with_server_tools(
    message: dict[str, Any], asked: CheckedRequest, number: int
) -> dict[str, Any]:
    """The message with what the server's tools add to it: input, their count, the container."""
    results = [block for block in message["content"] if "tool_use_id" in block]
    if results:
        read = {"messages": [{"content": results}]}
        message["usage"]["input_tokens"] += estimate_input(read, asked.model)
    done = {
        "web_search_requests": sum(map(_searched, results)),
        "web_fetch_requests": sum(map(_fetched, results)),
    }
    if any(done.values()):
        message["usage"]["server_tool_use"] = done
    if any(str(block["type"]).endswith("code_execution_tool_result") for block in results):
        container = asked.body.get("container")
        identity = container.get("id") if isinstance(container, Mapping) else container
        message["container"] = {
            "id": identity or f"container_offline_{number:06}",
            "expires_at": _EXPIRES,
        }
    return message


def _searched(block: Mapping[str, Any]) -> bool:
    """Whether a block is the result of a search; one that failed is not counted."""
    return block["type"] == "web_search_tool_result" and isinstance(block["content"], list)


def _fetched(block: Mapping[str, Any]) -> bool:
    fetch = block["type"] == "web_fetch_tool_result"
    return fetch and bool(block["content"]["type"] == "web_fetch_result")
