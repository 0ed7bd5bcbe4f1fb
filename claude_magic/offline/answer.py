"""The deterministic answer to a request: its text, tool calls or JSON, cut where it must end."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .asked import Asked
from .desktop import at_desktop
from .prefix_cache import Charge
from .prose import Passage, answer_text
from .reading import Reading, named_tools, read
from .rules_thinking import signature
from .schema_values import value_for
from .tokens import count, tokens

THOUGHT = "The offline server does not think: it looks at the blocks of the request."
REFUSED = "The offline server was told to refuse this request."
_SUMMARIZED_BY_DEFAULT = ("claude-opus-4-6", "claude-sonnet-4-6")


@dataclass(frozen=True)
class Draft:
    """What would be said with no limit on its length."""

    passages: Sequence[Passage]
    calls: Sequence[Mapping[str, Any]] = ()
    thought: bool = False


@dataclass
class _Reply:
    content: list[dict[str, Any]] = field(default_factory=list)
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    tokens: int = 0
    thinking_tokens: int = 0


def answer(
    asked: Asked, charge: Charge, number: int, *, limit: int | None = None
) -> dict[str, Any]:
    """The message that answers the request, the `number`-th of its server.

    `limit` in tokens stands in for the request's max_tokens where it is smaller.
    """
    most = asked.body["max_tokens"]
    reply = _cut(_draft(asked, number), asked, min(most, limit) if limit is not None else most)
    return _message(asked, charge, number, reply)


def refusal(asked: Asked, charge: Charge, number: int) -> dict[str, Any]:
    """The message of a classifier that stopped the reply: HTTP 200, an empty text, the reason."""
    reply = _Reply([{"type": "text", "text": ""}], "refusal")
    message = _message(asked, charge, number, reply)
    message["stop_details"] = {
        "type": "refusal",
        "category": "general_harms",
        "explanation": REFUSED,
    }
    return message


def _draft(asked: Asked, number: int) -> Draft:
    reading = read(asked)
    thought = _thinks(asked)
    desktop = at_desktop(asked, reading, number)
    if desktop is not None:
        return Draft([Passage(desktop.text)], desktop.calls, thought)
    calls = _calls(asked, reading, number)
    if calls:
        names = " and ".join(f"`{call['name']}`" for call in calls)
        why = "the request demands it" if _forced(asked) else "the question names it"
        text = f"The offline server calls {names}, because {why}."
        return Draft([Passage(text)], calls, thought)
    if asked.schema is not None:
        value = value_for(asked.schema)
        return Draft([Passage(json.dumps(value, ensure_ascii=False))], thought=thought)
    return Draft(answer_text(asked, reading), thought=thought)


def _thinks(asked: Asked) -> bool:
    if asked.thinking is None:
        return asked.model.thinking_default
    return asked.thinking in ("adaptive", "enabled")


def _shows_thinking(asked: Asked) -> bool:
    display = asked.body.get("thinking", {}).get("display")
    if display is None:
        # Omitted from 4.7 on, where the image tier changed as well.
        return not asked.model.high_resolution
    return bool(display == "summarized")


def _forced(asked: Asked) -> bool:
    return asked.body.get("tool_choice", {}).get("type") in ("any", "tool")


def _calls(asked: Asked, reading: Reading, number: int) -> list[dict[str, Any]]:
    choice = asked.body.get("tool_choice", {"type": "auto"})
    tools = [tool for tool in asked.body.get("tools", []) if "input_schema" in tool]
    if choice["type"] == "tool":
        wanted = [tool for tool in tools if tool["name"] == choice["name"]]
    elif choice["type"] == "none" or (reading.results and choice["type"] == "auto"):
        wanted = []
    else:
        wanted = named_tools(reading.question, tools)
        if choice["type"] == "any" and not wanted:
            wanted = tools[:1]
    if choice.get("disable_parallel_tool_use"):
        wanted = wanted[:1]
    names = {tool["name"] for tool in tools}
    marked = [text for text in re.findall(r"`([^`\n]+)`", reading.question) if text not in names]
    return [
        {
            "type": "tool_use",
            "id": f"toolu_offline_{number:06}_{index}",
            "name": tool["name"],
            "input": value_for(tool["input_schema"], marked),
        }
        for index, tool in enumerate(wanted, 1)
    ]


def _cut(draft: Draft, asked: Asked, most: int) -> _Reply:
    """The draft up to a stop sequence or to `most` tokens, whichever comes first."""
    reply = _Reply()
    if most == 0:
        reply.stop_reason = "max_tokens"
        return reply
    if draft.thought:
        _think(reply, asked, most)
    text = "".join(passage.text for passage in draft.passages)
    end, stop = _first_stop(text, asked.body.get("stop_sequences", []))
    room = most - reply.tokens
    cut_by_limit = sum(map(len, tokens(text[:end])[:room])) < end
    if cut_by_limit:
        end = sum(map(len, tokens(text)[:room]))
    reply.tokens += min(room, count(text[:end]))
    reply.content += _text_blocks(draft.passages, end)
    if cut_by_limit:
        reply.stop_reason = "max_tokens"
    elif stop is not None:
        reply.stop_reason, reply.stop_sequence = "stop_sequence", stop
    else:
        _add_calls(reply, draft.calls, most)
    return reply


def _think(reply: _Reply, asked: Asked, most: int) -> None:
    reply.thinking_tokens = reply.tokens = min(count(THOUGHT), most)
    shown = "".join(tokens(THOUGHT)[:most]) if _shows_thinking(asked) else ""
    reply.content.append(
        {"type": "thinking", "thinking": shown, "signature": signature(asked.body, shown)}
    )


def _first_stop(text: str, sequences: Sequence[str]) -> tuple[int, str | None]:
    """Where the first stop sequence begins, and which it is; else the end of the text."""
    found = [(text.index(stop), stop) for stop in sequences if stop in text]
    return min(found) if found else (len(text), None)


def _text_blocks(passages: Sequence[Passage], end: int) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for passage in passages:
        text, end = passage.text[:end], max(0, end - len(passage.text))
        if text:
            block: dict[str, Any] = {"type": "text", "text": text}
            if passage.citations:
                block["citations"] = list(passage.citations)
            blocks.append(block)
    return blocks


def _add_calls(reply: _Reply, calls: Sequence[Mapping[str, Any]], most: int) -> None:
    for call in calls:
        size = count(call["name"] + json.dumps(call["input"]))
        if reply.tokens + size > most:
            reply.tokens, reply.stop_reason = most, "max_tokens"
            return
        reply.tokens += size
        reply.content.append(dict(call))
        reply.stop_reason = "tool_use"


def _message(asked: Asked, charge: Charge, number: int, reply: _Reply) -> dict[str, Any]:
    return {
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
