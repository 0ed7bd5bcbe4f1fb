"""What a request says, read as far as a program without a model can read it."""

from __future__ import annotations

import binascii
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..messages.blocks import Block, joined_text
from ..messages.prefill import labels
from .asked import Asked, Placed, Turn
from .block_shape import SERVER_BLOCKS

# `<cell-1f2e3d4c name="value">` on a line of its own, down to the closing tag with the same digits.
_WRAPPED = re.compile(
    r"^<(?P<name>[a-z_]+)(?P<nonce>(?:-[0-9a-f]{8})?)(?: [^\n]*)?>\n.*?^</(?P=name)(?P=nonce)>$",
    re.DOTALL | re.MULTILINE,
)
_OPENING_ASKED_FOR = re.compile(
    r"Begin your answer with exactly .*?«(?P<opening>.*)»\s*", re.DOTALL
)


@dataclass(frozen=True)
class Result:
    """What one tool returned."""

    tool: str
    text: str
    images: tuple[Block, ...]
    is_error: bool


@dataclass(frozen=True)
class Reading:
    """One request, read. The blocks are those of the newest question, not of the history.

    `documents` and `search_results`, those that a tool returned too, have their numbers in the
    whole request. `opening` is what the answer must begin with: a prefill, or asked for in words,
    which is `repeated` in the answer. `data` counts the wrapped pieces ("cell": 4) by name.
    """

    question: str
    turn: int
    opening: str
    repeated: bool
    data: Mapping[str, int]
    characters: int
    images: tuple[Block, ...]
    documents: tuple[tuple[int, Block], ...]
    search_results: tuple[tuple[int, Block], ...]
    results: tuple[Result, ...]

    @property
    def choices(self) -> Sequence[str]:
        """The labels of "(A) one thing, (B) another", if there are two or more."""
        return labels(self.question)


def read(asked: Asked) -> Reading:
    """What the request asks, and with what."""
    users = [turn for turn in asked.turns if turn.role == "user"]
    questions = [turn for turn in users if not turn.of("tool_result")] or users[:1]
    texts = [str(placed.block["text"]) for placed in questions[-1].of("text")]
    opening, repeated = _prefill(asked), False
    in_words = _OPENING_ASKED_FOR.fullmatch(texts[-1]) if len(texts) > 1 else None
    if in_words:
        opening, repeated = in_words["opening"], True
        texts.pop()
    newest = users[-1]
    return Reading(
        question=_question(texts),
        turn=len(questions),
        opening=opening,
        repeated=repeated,
        data=Counter(m["name"] for text in texts for m in _WRAPPED.finditer(text)),
        characters=sum(map(len, texts)),
        images=tuple(placed.block for placed in newest.of("image")),
        documents=_numbered(asked, newest, "document"),
        search_results=_numbered(asked, newest, "search_result"),
        results=_results(newest, asked.turns),
    )


def _numbered(asked: Asked, newest: Turn, kind: str) -> tuple[tuple[int, Block], ...]:
    """The blocks of a kind in the newest turn, each with its number among those of the request."""
    every = [placed for placed in asked.every_block() if placed.block["type"] == kind]
    roots = tuple(f"{placed.path}." for placed in newest.blocks)
    return tuple((n, p.block) for n, p in enumerate(every) if f"{p.path}.".startswith(roots))


def _prefill(asked: Asked) -> str:
    last = asked.turns[-1]
    if last.role != "assistant" or paused(last):
        return ""
    return joined_text(placed.block for placed in last.blocks)


def paused(turn: Turn) -> bool:
    """Whether a reply was paused between the calls of the server's tools, and is to go on."""
    return bool(turn.blocks) and turn.blocks[-1].block["type"] in SERVER_BLOCKS


def _question(texts: Sequence[str]) -> str:
    """The last text that is more than wrapped data, which stands before a question."""
    for text in reversed(texts):
        question = _WRAPPED.sub("", text).strip()
        if question:
            return question
    return ""


def _results(newest: Turn, turns: Sequence[Turn]) -> tuple[Result, ...]:
    names = {
        placed.block["id"]: str(placed.block["name"])
        for turn in turns
        for placed in turn.of("tool_use")
    }
    return tuple(
        _result(placed, names[placed.block["tool_use_id"]]) for placed in newest.of("tool_result")
    )


def _result(placed: Placed, name: str) -> Result:
    content: Any = placed.block.get("content", "")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return Result(
        name,
        joined_text(blocks),
        tuple(block for block in blocks if block["type"] == "image"),
        bool(placed.block.get("is_error")),
    )


def image_bytes(block: Block) -> bytes | None:
    """The bytes of an image block, None where it only has an address."""
    source = block["source"]
    return binascii.a2b_base64(source["data"]) if source["type"] == "base64" else None
