"""A reply as the parts that a panel shows: text, thinking, calls of tools, in their order.

Text and names are a model's, and come to the panel filtered of control characters. What the panel
makes of them is its own concern: nothing here is markup.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from ..conversation.turns import with_prefill
from ..messages.blocks import Block, content_blocks, joined_text
from ..notebook.calls import outcome
from ..rendering import TerminalFilter, plain
from .protocol import Part

if TYPE_CHECKING:
    from ..conversation.turns import Turn

# Of the result of one call this much is shown: all of it stands in the conversation.
_MOST_RESULT = 20_000
_DELTAS: Mapping[str, Literal["text", "thinking", "partial_json"]] = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}


_OUTCOMES: Mapping[str, Literal["done", "denied", "failed"]] = {
    "ok": "done",
    "denied": "denied",
    "error": "failed",
}
_TEXTS: Mapping[str, Literal["text", "thinking"]] = {"text": "text", "thinking": "thinking"}


def parts_of(turn: Turn, thumbnail: Callable[[Block], str]) -> list[Part]:
    """The parts of a whole reply, however many requests it took."""
    made = Parts(thumbnail)
    for step in turn.steps:
        if step.kind == "retry":
            continue
        for block in step.reply:
            made.block(block)
        for block in step.answer:
            made.block(block)
        if step.kind == "tools":
            made.apart()
    for block in turn.reply:
        made.block(block)
    if turn.parameters.get("prefill"):
        made.begin(turn.parameters)
    return [part for part in made.parts if part["kind"] == "call" or part["text"].strip()]


class Parts:
    """The parts of a reply as it comes, in the events of one or several streams.

    `thumbnail` gives the small image of a block, as a `data:` URI.
    """

    def __init__(self, thumbnail: Callable[[Block], str]) -> None:
        self._thumbnail = thumbnail
        self.parts: list[Part] = []
        self._calls: dict[str, int] = {}
        self._blocks: dict[int, int] = {}
        self._filters: dict[int, TerminalFilter] = {}
        self._apart = True

    def begin(self, parameters: Mapping[str, Any]) -> None:
        """Have the text begin with the prefill that was asked for, once."""
        first = next((part for part in self.parts if part["kind"] == "text"), None)
        if first is None:
            first = self.parts[self._open("text")]
        first["text"] = plain(with_prefill(first["text"], parameters))

    def event(self, event: Mapping[str, Any]) -> list[tuple[int, Part]]:
        """What the event adds: the number of a part, and the text that is new in it."""
        kind = event.get("type")
        if kind == "message_start":
            self._blocks.clear()
            self._apart = True
        elif kind == "content_block_start":
            return self._start(event["index"], event["content_block"])
        elif kind == "content_block_delta" and event["index"] in self._blocks:
            delta = event["delta"]
            field = _DELTAS.get(str(delta.get("type")))
            if field is not None:
                number = self._blocks[event["index"]]
                return [(number, self._extend(number, str(delta.get(field, ""))))]
        return []

    def block(self, block: Block) -> None:
        """Take a whole block; one of a kind that is not shown is passed over."""
        kind = str(block.get("type"))
        if kind in _TEXTS and block.get(kind):
            self._extend(self._open(_TEXTS[kind]), str(block[kind]))
        elif kind.endswith("tool_use"):
            self._call(block, _arguments(block.get("input")))
        elif kind.endswith("tool_result"):
            self.result(str(block.get("tool_use_id")), block)

    def apart(self) -> None:
        """What comes next is a part of its own."""
        self._apart = True

    def waiting(self, call: Block) -> int | None:
        """The number of the part of a call that waits for the user's word."""
        number = self.running(call)
        if number is not None:
            self.parts[number]["state"] = "asked"
        return number

    def running(self, call: Block) -> int | None:
        """The number of the part of a call that runs now."""
        number = self._calls.get(str(call.get("id")))
        if number is not None:
            self.parts[number]["state"] = "running"
            self.parts[number]["text"] = _arguments(call.get("input"))
        return number

    def result(self, call_id: str, result: Block, seconds: float | None = None) -> int | None:
        """The number of the part of a call that is over."""
        number = self._calls.get(call_id)
        if number is not None:
            part = self.parts[number]
            part["state"] = _state(result)
            part["result"] = _said(result)
            small = [self._thumbnail(b) for b in _blocks(result) if b.get("type") == "image"]
            part["images"] = [src for src in small if src]
            if seconds is not None:
                part["seconds"] = round(seconds, 2)
        return number

    def _start(self, index: int, block: Block) -> list[tuple[int, Part]]:
        kind = str(block.get("type"))
        if kind in _TEXTS:
            number = self._blocks[index] = self._open(_TEXTS[kind])
            return [(number, self._extend(number, str(block.get(kind, ""))))]
        if kind.endswith("tool_use"):
            number = self._blocks[index] = self._call(block, "")
            return [(number, self.parts[number].copy())]
        if kind.endswith("tool_result"):  # of a tool that runs at the server
            found = self.result(str(block.get("tool_use_id")), block)
            return [] if found is None else [(found, {**self.parts[found], "text": ""})]
        return []

    def _open(self, kind: Literal["text", "thinking"]) -> int:
        """The last part if it is of this kind and goes on, else a new one.

        The API cuts a sentence with citations into several text blocks.
        """
        if self.parts and self.parts[-1]["kind"] == kind and not self._apart:
            return len(self.parts) - 1
        self._apart = False
        self.parts.append({"kind": kind, "text": ""})
        return len(self.parts) - 1

    def _call(self, block: Block, text: str) -> int:
        name = plain(str(block.get("name")))
        self.parts.append({"kind": "call", "name": name, "text": text, "state": "asked"})
        number = len(self.parts) - 1
        self._calls[str(block.get("id"))] = number
        self._apart = True
        return number

    def _extend(self, number: int, text: str) -> Part:
        part = self.parts[number]
        shown = self._filters.setdefault(number, TerminalFilter()).feed(text)
        part["text"] += shown
        return {"kind": part["kind"], "text": shown}


def _arguments(value: object) -> str:
    return plain(json.dumps(value, ensure_ascii=False, indent=1))


def _state(result: Block) -> Literal["done", "denied", "failed"]:
    content = result.get("content")
    if isinstance(content, Mapping):  # of a tool that runs at the server
        failed = result.get("is_error") or str(content.get("type", "")).endswith("error")
        return "failed" if failed else "done"
    return _OUTCOMES[outcome(result)]


def _said(result: Block) -> str:
    """What a call gave, as text: the images in words, a server's own results as JSON."""
    content = result.get("content")
    if isinstance(content, Mapping):
        return _cut(plain(json.dumps(content, ensure_ascii=False, indent=1)))
    return _cut("\n".join(_lines(_blocks(result))))


def _blocks(result: Block) -> list[Block]:
    content = result.get("content") or ""
    return [] if isinstance(content, Mapping) else content_blocks({"content": content})


def _lines(blocks: Iterable[Block]) -> Iterable[str]:
    for block in blocks:
        if block.get("type") == "text":
            yield plain(joined_text((block,)))
        elif block.get("type") == "image":
            continue  # shown as it is
        elif block.get("title") or block.get("url"):
            yield plain(" · ".join(str(block[k]) for k in ("title", "url") if block.get(k)))
        else:
            yield f"[{plain(str(block.get('type')))}]"


def _cut(text: str) -> str:
    rest = len(text) - _MOST_RESULT
    return text if rest <= 0 else f"{text[:_MOST_RESULT]}\n[… {rest:,} characters more]"
