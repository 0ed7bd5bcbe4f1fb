"""What the reply calls: the steps of the question that are not done yet, and what a script adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from ..messages.blocks import Block
from .asked import Asked, Turn
from .fitting import arguments
from .orders import Order, orders
from .reading import Reading
from .server_tools import SERVER_TOOLS, is_server_tool, server_calls

UNKNOWN_TOOL = "no_such_tool"
"""The name that a reply calls which was told to call an unknown tool."""
WRONG_ARGUMENTS = {"no_such_argument": "offline server"}
"""The input of a call that was told to have wrong arguments."""
CALLS = {
    "one_call": 1,
    "two_calls": 2,
    "three_calls": 3,
    "endless_calls": 1,
    "unknown_tool": 1,
    "wrong_arguments": 1,
    "cut_tool_input": 1,
    "broken_tool_input": 1,
    "refused_call": 1,
}
"""The behaviours that call a tool whatever the question says, and how many calls they make.

Without a tool to call, or with `tool_choice` none, they change nothing.
"""


@dataclass(frozen=True)
class Calling:
    """What is to be called.

    `unfinished` are the calls of the server's tools that an earlier reply left open, `server` the
    server's next ones, `client` those that the reply ends with. `waiting` are calls of the server's
    tools in the same step as those: they wait for the client's results.
    """

    unfinished: Sequence[Block] = ()
    server: Sequence[Order] = ()
    waiting: Sequence[Order] = ()
    client: Sequence[Mapping[str, Any]] = ()


def calling(asked: Asked, reading: Reading, number: int, behaviour: str | None) -> Calling:
    """The calls of the `number`-th reply."""
    tools = {tool["name"]: tool for tool in asked.body.get("tools", []) if _callable(tool)}
    since = _since_question(asked)
    unfinished = _unfinished(since)
    choice = asked.body.get("tool_choice", {"type": "auto"})
    if choice["type"] == "none":
        return Calling(unfinished)
    steps = orders(reading.question, list(tools))
    client_tools = [name for name in tools if name not in SERVER_TOOLS]
    if behaviour in CALLS and client_tools:
        called = [order for step in steps for order in step if order.tool in client_tools]
        wanted = islice(cycle(called or [Order(client_tools[0])]), CALLS[behaviour])
        return Calling(unfinished, client=_calls(list(wanted), tools, number, behaviour))
    if choice.get("disable_parallel_tool_use"):
        steps = [[order] for step in steps for order in step]
    if choice["type"] == "tool":
        name = choice["name"]
        found = [order for step in steps for order in step if order.tool == name]
        steps = [found[:1] or [Order(name)]] if name in tools else []
    elif choice["type"] == "auto" or steps:
        steps = _to_do(steps, since)
    if choice["type"] == "any" and not steps:
        steps = orders(reading.question, list(tools))[:1] or [[Order(name)] for name in tools][:1]
    server: list[Order] = []
    for step in steps:
        own = [order for order in step if order.tool in SERVER_TOOLS]
        client = [order for order in step if order.tool not in SERVER_TOOLS]
        if client:
            return Calling(unfinished, server, own, _calls(client, tools, number))
        server += own
    return Calling(unfinished, server)


def _callable(tool: Mapping[str, Any]) -> bool:
    return "input_schema" in tool or is_server_tool(tool)


def _since_question(asked: Asked) -> Sequence[Turn]:
    """The turns after the last question: calls of tools and their results."""
    questions = [
        n
        for n, turn in enumerate(asked.turns)
        if turn.role == "user" and not turn.of("tool_result")
    ]
    return asked.turns[questions[-1] + 1 if questions else 1 :]


def _unfinished(since: Sequence[Turn]) -> list[Block]:
    """The calls of the server's tools that the last reply left open."""
    replies = [turn for turn in since if turn.role == "assistant"]
    if not replies:
        return []
    done = {placed.block.get("tool_use_id") for placed in replies[-1].blocks}
    return [call for call in server_calls(replies[-1]) if call["id"] not in done]


def _to_do(steps: Sequence[Sequence[Order]], since: Sequence[Turn]) -> list[list[Order]]:
    """The steps after those that the replies since the question have done."""
    rounds = sum(turn.role == "assistant" and bool(turn.of("tool_use")) for turn in since)
    ends = [n for n, step in enumerate(steps) if any(o.tool not in SERVER_TOOLS for o in step)]
    if rounds > len(ends):
        return []
    rest = [list(step) for step in steps[ends[rounds - 1] + 1 if rounds else 0 :]]
    # A paused reply has done some of them; the server's tools are called one after the other.
    paused = server_calls(since[-1]) if since and since[-1].role == "assistant" else []
    for _ in paused:
        place = (
            next((n for n, o in enumerate(rest[0]) if o.tool in SERVER_TOOLS), None)
            if rest
            else None
        )
        if place is None:
            break
        del rest[0][place]
        rest = [step for step in rest if step]
    return rest


def _calls(
    wanted: Sequence[Order],
    tools: Mapping[str, Mapping[str, Any]],
    number: int,
    behaviour: str | None = None,
) -> list[dict[str, Any]]:
    calls = []
    for index, order in enumerate(wanted, 1):
        name, given = order.tool, arguments(order, tools[order.tool]["input_schema"])
        if behaviour == "unknown_tool":
            name = UNKNOWN_TOOL
        if behaviour == "wrong_arguments":
            given = dict(WRONG_ARGUMENTS)
        identity = f"toolu_offline_{number:06}_{index}"
        calls.append({"type": "tool_use", "id": identity, "name": name, "input": given})
    return calls
