"""Calls of tools and their results, each with the other. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, zip_longest

from ..messages.blocks import Block, Message, content_blocks, text

_NO_RESULT = "This call was interrupted; it gave no result."
_NO_CALL = "[The result of a tool stood here; its call is gone.]"


def mended_tools(messages: Sequence[Message]) -> list[Message]:
    """The messages with a result for each call of a tool, and a call for each result.

    A call without its result gets one that says so, first in the user message that follows, or in
    a new one. Of a result without its call, or a call's second one, nothing stays; a message that
    held nothing else is dropped, or holds a line of text where roles would not take turns without
    it. Results that stand behind other blocks come first. A server's own tools are left alone.
    Messages with nothing wrong are the same objects.
    """
    # The API reads neighbouring messages of one role as one turn.
    runs = [list(run) for _, run in groupby(messages, key=lambda message: message["role"])]
    mended: list[Message] = []
    end: list[Message] = []
    calls: Mapping[str, Block] = {}
    for run, following in zip_longest(runs, runs[1:], fillvalue=end):
        if run[0]["role"] == "user":
            mended += _user_turn(run, calls)
            calls = {}
            continue
        calls, last = _calls(run), run
        if not calls.keys() & {_call_id(block) for block in _results(following)}:
            # None of them is answered: each message with calls gets its answer at once.
            for message in run[:-1]:
                mended += [message, *_answers(_calls([message]))]
            last = run[-1:]
            calls = _calls(last)
        mended += last
        if not following or following[0]["role"] != "user":
            mended += _answers(calls)
    return mended


def _user_turn(run: Sequence[Message], calls: Mapping[str, Block]) -> Sequence[Message]:
    """Neighbouring user messages, as they may follow an assistant's that made these calls."""
    results = _results(run)
    blocks = [block for message in run for block in content_blocks(message)]
    if sorted(map(_call_id, results)) == sorted(calls) and blocks[: len(results)] == results:
        return run
    found: dict[str, Block] = {}
    for block in results:
        if _call_id(block) in calls:
            found.setdefault(_call_id(block), block)
    opening = [no_result(call) for i, call in calls.items() if i not in found]
    opening += found.values()
    return list(_rebuilt(run, opening)) or [{"role": "user", "content": _NO_CALL}]


def _rebuilt(run: Sequence[Message], opening: Sequence[Block]) -> Iterator[Message]:
    """The messages with `opening` first and no other results; those left empty are dropped."""
    for message in run:
        blocks = content_blocks(message)
        others = [block for block in blocks if block.get("type") != "tool_result"]
        if len(others) == len(blocks) and not opening:
            yield message
        elif opening or others:
            yield {"role": "user", "content": [*opening, *others]}
        opening = ()


def _calls(run: Iterable[Message]) -> dict[str, Block]:
    """The calls in an assistant's messages by their ids."""
    return {
        str(block.get("id")): block
        for message in run
        for block in content_blocks(message)
        if block.get("type") == "tool_use"
    }


def _results(run: Iterable[Message]) -> list[Block]:
    blocks = (block for message in run for block in content_blocks(message))
    return [block for block in blocks if block.get("type") == "tool_result"]


def _call_id(result: Block) -> str:
    return str(result.get("tool_use_id"))


def _answers(calls: Mapping[str, Block]) -> list[Message]:
    """A user message with a result for each call; none where there are no calls."""
    blocks = [no_result(call) for call in calls.values()]
    return [{"role": "user", "content": blocks}] if blocks else []


def no_result(call: Block) -> Block:
    """The result of a call that was interrupted."""
    result = {
        "type": "tool_result",
        "tool_use_id": call.get("id"),
        "content": [text(_NO_RESULT)],
        "is_error": True,
    }
    # A toolset's result echoes the name that its call carries.
    toolset = call.get("toolset_name")
    return result if toolset is None else {**result, "toolset_name": toolset}
