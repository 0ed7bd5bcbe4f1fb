"""Tokens and dollars: what a reply used, what it cost, and what a request will use."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from ..value_classes import frozen
from .body import sealed
from .models import Model

# An estimate, shown as one; `count_tokens` is exact. About 3.5 characters of English or code make
# a token; the tokenizer that came with 4.7 makes about 30 % more tokens of the same text.
_CHARS_PER_TOKEN_OLD = 3.5
_CHARS_PER_TOKEN_NEW = 2.7
PATCH = 28
"""Images are paid by patches of 28 x 28 pixels."""
_URL_IMAGE_TOKENS = 1600
_PDF_PAGE_BYTES = 50_000
_PDF_PAGE_TOKENS = 3000
_WEB_SEARCH_PRICE = 0.01


@frozen
class Usage:
    """Token counts of one reply. `input` is all input: fresh, written to the cache and read."""

    fresh: int = 0
    written: int = 0
    read: int = 0
    output: int = 0
    thinking: int = 0
    web_searches: int = 0

    @property
    def input(self) -> int:
        return self.fresh + self.written + self.read

    @classmethod
    def from_wire(cls, usage: Mapping[str, Any] | None) -> Usage:
        """From a reply's `usage`, any part of which may be missing or null."""
        u = usage or {}
        return cls(
            fresh=_count(u, "input_tokens"),
            written=_count(u, "cache_creation_input_tokens"),
            read=_count(u, "cache_read_input_tokens"),
            output=_count(u, "output_tokens"),
            thinking=_count(_part(u, "output_tokens_details"), "thinking_tokens"),
            web_searches=_count(_part(u, "server_tool_use"), "web_search_requests"),
        )

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.fresh + other.fresh,
            self.written + other.written,
            self.read + other.read,
            self.output + other.output,
            self.thinking + other.thinking,
            self.web_searches + other.web_searches,
        )

    def __sub__(self, other: Usage) -> Usage:
        return Usage(
            self.fresh - other.fresh,
            self.written - other.written,
            self.read - other.read,
            self.output - other.output,
            self.thinking - other.thinking,
            self.web_searches - other.web_searches,
        )

    def cost(self, model: Model) -> float | None:
        """USD, or None when the model's price is not known."""
        price = model.price
        if price is None:
            return None
        if model.long_prompt and self.input > model.long_prompt[0]:
            price = model.long_prompt[1]
        return (
            self.fresh * price.input
            + self.written * price.write
            + self.read * price.read
            + self.output * price.output
        ) / 1e6 + self.web_searches * _WEB_SEARCH_PRICE


def _count(u: Mapping[str, Any], key: str) -> int:
    value = u.get(key)
    return value if isinstance(value, int) and value > 0 else 0


def _part(u: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = u.get(key)
    return value if isinstance(value, Mapping) else {}


def scaled_size(width: int, height: int, model: Model) -> tuple[int, int]:
    """The size in pixels at which `model` sees an image: the largest within both its limits.

    The aspect ratio is kept and nothing is enlarged. Source: the vision page's resolution tiers.
    """
    long, short = max(width, height), min(width, height)
    fitting, too_large = 1, min(long, model.long_edge) + 1
    while too_large - fitting > 1:
        middle = (fitting + too_large) // 2
        if patches(middle, _other_side(middle, short, long)) <= model.image_token_cap:
            fitting = middle
        else:
            too_large = middle
    other = _other_side(fitting, short, long)
    return (fitting, other) if width >= height else (other, fitting)


def _other_side(long_side: int, short: int, long: int) -> int:
    return max(1, round(long_side * short / max(long, 1)))


def patches(width: int, height: int) -> int:
    """Tokens of an image of this size in pixels, once it needs no scaling."""
    return math.ceil(width / PATCH) * math.ceil(height / PATCH)


def image_tokens(width: int, height: int, model: Model) -> int:
    """Tokens that `model` charges for an image of `width` x `height` pixels."""
    return patches(*scaled_size(width, height, model))


def text_tokens(text: str, model: Model) -> int:
    """An estimate of the tokens in `text`."""
    newer = model.high_resolution  # the tokenizer changed with the same generation
    per_token = _CHARS_PER_TOKEN_NEW if newer else _CHARS_PER_TOKEN_OLD
    return math.ceil(len(text) / per_token)


def estimate_input(body: Mapping[str, Any], model: Model) -> int:
    """An estimate of the input tokens of a request body, images by their real size."""
    total = 3 + _blocks_tokens(_as_blocks(body.get("system", "")), model)
    count, name = partial(_message_tokens, model=model), f"tokens {model.id}"
    total += sum(message.noted(name, count) for message in sealed(body.get("messages", ())))
    for tool in body.get("tools", ()):
        total += text_tokens(repr(tool), model)
    return total


def _message_tokens(message: Mapping[str, Any], model: Model) -> int:
    return 4 + _blocks_tokens(_as_blocks(message.get("content", "")), model)


def _as_blocks(content: Any) -> Iterable[Mapping[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _blocks_tokens(blocks: Iterable[Mapping[str, Any]], model: Model) -> int:
    return sum(_block_tokens(block, model) for block in blocks)


def _block_tokens(block: Mapping[str, Any], model: Model) -> int:
    kind = block.get("type")
    if kind == "text":
        return text_tokens(str(block.get("text", "")), model)
    source = block.get("source")
    if kind == "image" and isinstance(source, Mapping):
        if source.get("type") != "base64":
            return _URL_IMAGE_TOKENS
        from .images.sniff import size_of_base64

        size = size_of_base64(str(source.get("data", "")))
        return image_tokens(*size, model) if size else _URL_IMAGE_TOKENS
    if kind == "document" and isinstance(source, Mapping):
        data = str(source.get("data", ""))
        if source.get("type") == "base64":
            pages = max(1, len(data) * 3 // 4 // _PDF_PAGE_BYTES)
            return pages * _PDF_PAGE_TOKENS
        return text_tokens(data, model)
    if kind == "tool_result":
        return 8 + _blocks_tokens(_as_blocks(block.get("content", "")), model)
    return text_tokens(repr(dict(block)), model)
