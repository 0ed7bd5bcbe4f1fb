"""Requests that are too long for the server, and which turns to leave out of them. No I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from ..messages.errors import APIError, BadRequest
from ..messages.models import Model
from ..messages.usage import estimate_input

# What is left out is reckoned by estimates: a little more goes than need be.
_FULL = 0.95
_HALF = 0.5

_HAVE, _OUT, _LIMIT = r"(?P<have>\d[\d,]*)", r"(?P<out>\d[\d,]*)", r"(?P<limit>\d[\d,]*)"
_COUNTED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"too long: {_HAVE} tokens > {_LIMIT} maximum",
        rf"context limit: {_HAVE} \+ {_OUT} > {_LIMIT}",
        # vLLM and the servers that repeat its words, then llama.cpp.
        rf"maximum context length is {_LIMIT} tokens.*\({_HAVE} in the messages, {_OUT} in the",
        rf"maximum context length is {_LIMIT} tokens.* has {_HAVE} input tokens",
        rf"\({_HAVE} tokens\) exceeds the available context size \({_LIMIT} tokens\)",
    )
)
_UNCOUNTED = re.compile(
    r"(?i)prompt is too long|exceeds? (?:the )?(?:available |model'?s? )?context"
    r"|maximum context length|context (?:length|window) exceeded|too many input tokens"
)


@dataclass(frozen=True)
class TooLong:
    """Tokens of input that the server counted, and the most that it takes; None: it did not say.

    Where the reply's length counts too, and the server said how much of it, `limit` is what is
    left for the input.
    """

    tokens: int | None = None
    limit: int | None = None


def too_long(error: APIError) -> TooLong | None:
    """What the server said of the request's length; None if it refused something else."""
    if error.status == 413:
        return TooLong()
    if not isinstance(error, BadRequest):
        return None
    words = str(error)
    for pattern in _COUNTED:
        if match := pattern.search(words):
            number = {name: int(n.replace(",", "")) for name, n in match.groupdict().items()}
            return TooLong(number["have"], max(0, number["limit"] - number.get("out", 0)))
    return TooLong() if _UNCOUNTED.search(words) else None


def without_oldest(body: Mapping[str, Any], count: int) -> Mapping[str, Any]:
    """The body without its first `count` turns, but with the last question in any case.

    A turn is a question with all that follows before the next one: calls of tools, their results,
    the reply. A prefill belongs to the last question. `body` is not changed.
    """
    messages = body["messages"]
    starts = _starts(messages)
    if count < 1 or len(starts) < 2:
        return body
    return {**body, "messages": list(messages[starts[min(count, len(starts) - 1)] :])}


def how_many_oldest(body: Mapping[str, Any], long: TooLong, model: Model) -> int:
    """How many of the oldest turns to leave out, so that the server may take the rest.

    All but the last question where less does not seem enough; 0 where leaving turns out cannot
    help. Where the server gave no numbers, the request is cut to half its size.
    """
    messages = body["messages"]
    # What stands before the first question goes with it.
    bounds = [0, *_starts(messages)[1:]]
    earlier = [messages[start:end] for start, end in pairwise(bounds)]
    if long.tokens is None or long.limit is None:
        whole, sizes = _size(body), [_size(turn) for turn in earlier]
        room = _HALF * whole
    else:
        # Counted within the limit and refused all the same: the reply's length counts too.
        fits = long.tokens <= long.limit
        limit = long.limit - (body.get("max_tokens", 0) if fits else 0)
        if limit <= 0:
            return 0
        whole = estimate_input(body, model)
        sizes = [estimate_input({"messages": turn}, model) for turn in earlier]
        # The estimate errs alike for all of a request: the server's count puts it right.
        room = _FULL * limit * whole / max(1, long.tokens)
    for count, left_out in enumerate(accumulate(sizes), 1):
        if whole - left_out <= room:
            return count
    return len(earlier)


def _starts(messages: Sequence[Mapping[str, Any]]) -> list[int]:
    """The index of each turn's first message.

    Neighbouring user messages are one question, and a message with results of tools goes on with
    the turn that called them.
    """
    return [
        index
        for index, message in enumerate(messages)
        if message["role"] == "user"
        and not _holds_results(message)
        and (index == 0 or messages[index - 1]["role"] != "user")
    ]


def _holds_results(message: Mapping[str, Any]) -> bool:
    content = message["content"]
    return not isinstance(content, str) and any(b.get("type") == "tool_result" for b in content)


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False))
