"""What one question needs beside its first request: tools that ran, pauses, a second try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from ..messages.blocks import Block, Message, content_blocks, message, sendable
from ..messages.transport.stream import runnable
from ..messages.usage import Usage

Kind = Literal["tools", "pause", "retry"]

_THINKING = frozenset({"thinking", "redacted_thinking"})


@dataclass(frozen=True)
class Step:
    """A reply that was not the last one to its question, and what went back to the server.

    `kind` says why the reply was not the last: it called `tools`, the server made a `pause`, or it
    did not have the shape that was asked for: `retry`. `reply` holds the content blocks as
    received, `answer` the blocks that went back, none after a pause. `digest` is that of the
    request which the answer makes; "" where none was made. `usage` is zero where the reply came
    from the record.
    """

    kind: Kind
    reply: tuple[Block, ...]
    answer: tuple[Block, ...] = ()
    digest: str = ""
    stop_reason: str | None = None
    usage: Usage = field(default_factory=Usage)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Step:
        """The step that `Turn.to_json` wrote."""
        parts = {name: tuple(record[name]) for name in ("reply", "answer")}
        return cls(**{**record, **parts, "usage": Usage(**record["usage"])})


def asked_again(steps: Iterable[Step]) -> list[Message]:
    """The messages of an open loop: each reply as it came, thinking too, and what went back."""
    found: list[Message] = []
    for step in steps:
        if blocks := [_whole(block) for block in sendable(step.reply)]:
            found.append({"role": "assistant", "content": blocks})
        if step.answer:
            found.append({"role": "user", "content": list(step.answer)})
    return found


def told_later(steps: Iterable[Step], last: Sequence[Block]) -> list[Message]:
    """The same for the questions that follow, when all is over; `last` is the last reply's content.

    Thinking is left out: it is bound to what stood before it, and a notebook's history is edited.
    A reply that the server paused stands in one message with what followed.
    """
    found: list[Message] = []
    held: list[Block] = []
    for step in steps:
        held += [_whole(block) for block in without_thinking(step.reply)]
        if not step.answer:
            continue
        if held:
            found.append({"role": "assistant", "content": held})
        found.append({"role": "user", "content": list(step.answer)})
        held = []
    return [*found, message("assistant", [*held, *last])]


def without_thinking(blocks: Iterable[Block]) -> list[Block]:
    """What of a reply goes along with later questions."""
    return [block for block in sendable(blocks) if block.get("type") not in _THINKING]


def finished(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without calls that came to nothing: cut off, or at the server with no result."""
    kept = without_open([{"role": "assistant", "content": list(blocks)}])[0]["content"]
    return [
        block
        for block in cast(Sequence[Block], kept)
        if not (block.get("type") == "tool_use" and not runnable(block))
    ]


def without_open(messages: Sequence[Message]) -> list[Message]:
    """The messages of one turn without calls at the server that have no result in any of them.

    What code had called goes with the code. Messages that hold none are the same objects.
    """
    waiting = unanswered(block for message in messages for block in content_blocks(message))
    if not waiting:
        return list(messages)
    return [
        {**message, "content": kept} if len(kept) < len(blocks) else message
        for message in messages
        for blocks in [content_blocks(message)]
        for kept in [[block for block in blocks if not _is_of(block, waiting)]]
    ]


def unanswered(blocks: Iterable[Block]) -> set[str]:
    """The ids of the calls at the server that have no result among the blocks."""
    every = list(blocks)
    answered = {block.get("tool_use_id") for block in every}
    called = {str(block.get("id")) for block in every if block.get("type") == "server_tool_use"}
    return called - answered


def _is_of(block: Block, waiting: set[str]) -> bool:
    """Whether a block is one of these calls, or was called from one."""
    if block.get("type") in ("tool_use", "tool_result"):
        return False
    caller = block.get("caller")
    outer = caller.get("tool_id") if isinstance(caller, Mapping) else None
    return block.get("id") in waiting or outer in waiting


def calls(blocks: Iterable[Block]) -> list[Block]:
    """The calls among the blocks of tools that run here."""
    return [block for block in blocks if block.get("type") == "tool_use"]


def with_results(blocks: Iterable[Block], answer: Iterable[Block]) -> list[tuple[Block, Block]]:
    """The calls among `blocks` that have a result in `answer`, each with it."""
    results = {block.get("tool_use_id"): block for block in answer}
    found = ((call, results.get(call.get("id"))) for call in calls(blocks))
    return [(call, result) for call, result in found if result is not None]


def _whole(block: Block) -> Block:
    """The block as the API takes it back: input that is no JSON object stands in one."""
    if block.get("type") != "tool_use" or runnable(block):
        return block
    return {**block, "input": {"INVALID_JSON": str(block.get("input", ""))}}
