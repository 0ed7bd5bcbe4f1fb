"""A message as the events of a stream, in small steps, and an event as bytes.

space before it. Simple, the same everywhere, and close to what English and code really take.

Source: the streaming page. Joined, the events give the message back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

_TOKEN = re.compile(r"\s*(?:\w{1,4}|[^\w\s])|\s+")


def tokens(text: str) -> list[str]:
    """The tokens of `text`; joined they give it back."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """The number of tokens in `text`."""
    return len(tokens(text))


StreamEvent: TypeAlias = dict[str, Any]

PING: StreamEvent = {"type": "ping"}
_TOKENS_PER_DELTA = 3
_DELTAS_PER_PING = 20


def events(message: Mapping[str, Any], fresh: int | None = None) -> Iterator[StreamEvent]:
    """The events that stream `message`, a ping after the first block's start and now and then.

    `fresh` is the number of its input tokens as the message starts, where results of the server's
    tools add to it.
    """
    usage = message["usage"]
    begun = {key: usage[key] for key in usage if key != "server_tool_use"}
    begun["output_tokens"] = min(1, usage["output_tokens"])
    if fresh is not None:
        begun["input_tokens"] = fresh
    started = {key: message[key] for key in message if key != "container"}
    started |= {"content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    yield {"type": "message_start", "message": {**started, "usage": begun}}
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
    last = ("stop_reason", "stop_sequence", "stop_details", "container")
    totals = ("_tokens", "_details", "server_tool_use")  # totals, not additions
    yield {
        "type": "message_delta",
        "delta": {key: message[key] for key in last if key in message},
        "usage": {key: usage[key] for key in usage if key.endswith(totals)},
    }
    yield {"type": "message_stop"}


def encode(event: StreamEvent) -> bytes:
    """The event as it goes over the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def halfway(stream: Sequence[StreamEvent]) -> int:
    """The index just past the first half of the deltas: a place to break a stream off."""
    places = [n for n, event in enumerate(stream) if event["type"] == "content_block_delta"]
    return places[len(places) // 2] + 1 if places else 1


def without_end_of_input(stream: Sequence[StreamEvent], *, stopped: bool) -> list[StreamEvent]:
    """The events with the last tool's input broken off; `stopped` says that its block still ends.

    A stream that calls no tool stays as it is.
    """
    calls = [
        event["index"]
        for event in stream
        if event["type"] == "content_block_start" and event["content_block"]["type"] == "tool_use"
    ]
    if not calls:
        return list(stream)
    own = [n for n, event in enumerate(stream) if event.get("index") == calls[-1]]
    start, *deltas, end = own
    # At least the opening brace stays, at least the closing one goes.
    json_text = "".join(stream[n]["delta"]["partial_json"] for n in deltas)
    cut = json_text[: max(1, len(json_text) // 2)]
    delta = {"type": "input_json_delta", "partial_json": cut}
    broken = {"type": "content_block_delta", "index": calls[-1], "delta": delta}
    return [*stream[: start + 1], broken, *stream[end if stopped else end + 1 :]]


def _opened(block: Mapping[str, Any]) -> dict[str, Any]:
    match block["type"]:
        case "text":
            empty: dict[str, Any] = {"type": "text", "text": ""}
            return {**empty, "citations": []} if "citations" in block else empty
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
    return {**block, "input": {}} if "input" in block else dict(block)


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
        case "tool_use" | "server_tool_use":
            yield {"type": "input_json_delta", "partial_json": ""}
            for piece in _pieces(json.dumps(block["input"], ensure_ascii=False)):
                yield {"type": "input_json_delta", "partial_json": piece}


def _pieces(text: str) -> Iterator[str]:
    every = tokens(text)
    for start in range(0, len(every), _TOKENS_PER_DELTA):
        yield "".join(every[start : start + _TOKENS_PER_DELTA])
