"""Prompt caching as it is billed: what a request writes, and what it reads by its prefix.

Source: the prompt-caching page. Entries live as long as the server does; there is no clock.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from ...messages.usage import estimate_input
from ...value_classes import frozen
from ..referee.request_checks import CheckedRequest

_LOOK_BACK = 20
_MOST_ENTRIES = 10_000


@frozen
class Charge:
    """Input tokens of one request: fresh, written for five minutes or an hour, read."""

    fresh: int
    written_5m: int = 0
    written_1h: int = 0
    read: int = 0


@frozen
class _Step:
    """One block: the digest of everything up to it, its own cache mark, the body that ends here."""

    digest: str
    mark: Mapping[str, Any] | None
    body: Mapping[str, Any]


class PrefixCache:
    """The prefixes that earlier requests wrote. Used by one thread."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, None] = OrderedDict()

    def charge(self, asked: CheckedRequest) -> Charge:
        """How the input of this request is billed; what it writes is remembered."""
        total = estimate_input(asked.body, asked.model)
        steps = list(_steps(asked))
        breakpoints = [index for index, step in enumerate(steps) if step.mark]
        automatic = asked.body.get("cache_control")
        if automatic and steps and len(steps) - 1 not in breakpoints:
            breakpoints.append(len(steps) - 1)
        if not breakpoints:
            return Charge(total)
        read = self._longest_hit(steps, breakpoints, asked)
        last = breakpoints[-1]
        written = self._write(steps, breakpoints, asked, read)
        mark = steps[last].mark or automatic or {}
        hour = mark.get("ttl") == "1h"
        return Charge(
            total - read - written,
            written_5m=0 if hour else written,
            written_1h=written if hour else 0,
            read=read,
        )

    def _longest_hit(
        self, steps: list[_Step], breakpoints: list[int], asked: CheckedRequest
    ) -> int:
        for place in reversed(breakpoints):
            for index in range(place, max(-1, place - _LOOK_BACK), -1):
                if steps[index].digest in self._entries:
                    self._entries.move_to_end(steps[index].digest)
                    return estimate_input(steps[index].body, asked.model)
        return 0

    def _write(
        self, steps: list[_Step], breakpoints: list[int], asked: CheckedRequest, read: int
    ) -> int:
        written = 0
        for place in breakpoints:
            size = estimate_input(steps[place].body, asked.model)
            if size < asked.model.cache_minimum:
                continue  # too short: silently not cached
            self._entries[steps[place].digest] = None
            written = max(written, size - read)
        while len(self._entries) > _MOST_ENTRIES:
            self._entries.popitem(last=False)
        return written


def _steps(asked: CheckedRequest) -> Iterator[_Step]:
    body = asked.body
    digest = _digest("", [asked.model.id, body.get("speed")])
    tools: list[Any] = []
    for tool in body.get("tools", ()):
        digest = _digest(digest, tool)
        tools.append(tool)
        yield _Step(digest, tool.get("cache_control"), {"tools": list(tools)})
    system: list[Any] = []
    for block in _blocks(body.get("system", [])):
        digest = _digest(digest, block)
        system.append(block)
        yield _Step(digest, block.get("cache_control"), {"tools": tools, "system": list(system)})
    # What these say changes how the messages are read, so that another value starts afresh.
    digest = _digest(digest, [body.get(k) for k in ("tool_choice", "thinking", "output_config")])
    before: list[Any] = []
    for message in body["messages"]:
        content: list[Any] = []
        for block in _blocks(message["content"]):
            digest = _digest(digest, [message["role"], block])
            content.append(block)
            messages = [*before, {"role": message["role"], "content": list(content)}]
            part = {"tools": tools, "system": system, "messages": messages}
            yield _Step(digest, block.get("cache_control"), part)
        before.append(message)


def _blocks(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _digest(before: str, value: Any) -> str:
    """A digest of all that came `before` and of `value`, its cache mark left out."""
    if isinstance(value, Mapping):
        value = {key: part for key, part in value.items() if key != "cache_control"}
    if isinstance(value, list):
        return hashlib.sha256(
            "".join([before, *(_digest("", v) for v in value)]).encode()
        ).hexdigest()
    return hashlib.sha256((before + json.dumps(value, sort_keys=True)).encode()).hexdigest()
