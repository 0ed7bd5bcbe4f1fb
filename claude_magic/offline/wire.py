"""A message as the events of a stream, in small steps, and an event as bytes.

Source: the streaming page. Joined, the events give the message back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from .tokens import tokens

Event: TypeAlias = dict[str, Any]

PING: Event = {"type": "ping"}
_TOKENS_PER_DELTA = 3
_DELTAS_PER_PING = 20


def events(message: Mapping[str, Any]) -> Iterator[Event]:
    """The events that stream `message`, a ping after the first block's start and now and then."""
    started = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**message["usage"], "output_tokens": min(1, message["usage"]["output_tokens"])},
    }
    yield {"type": "message_start", "message": {**started, "stop_details": None}}
    deltas = 0
    for index, block in enumerate(message["content"]):
        yield {"type": "content_block_start", "index": index, "content_block": _opened(block)}
        if index == 0:
            yield PING
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
            deltas += 1
            if deltas % _DELTAS_PER_PING == 0:
                yield PING
        yield {"type": "content_block_stop", "index": index}
    usage = message["usage"]
    yield {
        "type": "message_delta",
        "delta": {key: message[key] for key in ("stop_reason", "stop_sequence", "stop_details")},
        # Totals, not additions.
        "usage": {key: usage[key] for key in usage if key.endswith(("_tokens", "_details"))},
    }
    yield {"type": "message_stop"}


def encode(event: Event) -> bytes:
    """The event as it goes over the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def halfway(stream: Sequence[Event]) -> int:
    """The index just past the first half of the deltas: a place to break a stream off."""
    places = [n for n, event in enumerate(stream) if event["type"] == "content_block_delta"]
    return places[len(places) // 2] + 1 if places else 1


def _opened(block: Mapping[str, Any]) -> dict[str, Any]:
    match block["type"]:
        case "text":
            empty: dict[str, Any] = {"type": "text", "text": ""}
            return {**empty, "citations": []} if "citations" in block else empty
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
    return {**block, "input": {}}


def _deltas(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    match block["type"]:
        case "text":
            for piece in _pieces(block["text"]):
                yield {"type": "text_delta", "text": piece}
            for citation in block.get("citations", ()):
                yield {"type": "citations_delta", "citation": citation}
        case "thinking":
            for piece in _pieces(block["thinking"]):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "tool_use":
            yield {"type": "input_json_delta", "partial_json": ""}
            for piece in _pieces(json.dumps(block["input"], ensure_ascii=False)):
                yield {"type": "input_json_delta", "partial_json": piece}


def _pieces(text: str) -> Iterator[str]:
    every = tokens(text)
    for start in range(0, len(every), _TOKENS_PER_DELTA):
        yield "".join(every[start : start + _TOKENS_PER_DELTA])
