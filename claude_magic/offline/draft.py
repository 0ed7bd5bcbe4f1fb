"""What a reply would say and call with no limit on its length."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..messages.blocks import Block
from .asked import Asked
from .calling import CALLS, Calling, calling
from .desktop import at_desktop
from .orders import Order
from .passages import Passage, joined
from .prose import answer_text, introduction, summary
from .reading import paused, read
from .schema_values import value_for
from .server_tool_call import Part
from .server_tools import ServerTools, is_server_tool

SERVER_TOOL_BEHAVIOURS = ("pause_turn", "server_tool_error")
"""The behaviours that call one of the server's tools, if one is offered."""
BAD_JSON = "bad_json"
"""The behaviour that leaves the last character of a reply in JSON out."""
_MAKES_UP = (
    "This is the **offline server**: no model has read your question, and what the server's own "
    "tools return is made up.\n\n"
)


@dataclass(frozen=True)
class Draft:
    """Passages and the blocks of the server's tools in their order, then what is to be called."""

    parts: Sequence[Part]
    calls: Sequence[Block] = ()
    thought: bool = False
    stop_reason: str = "end_turn"


def draft(asked: Asked, number: int, behaviour: str | None = None) -> Draft:
    """The draft of the `number`-th reply of a server."""
    reading = read(asked)
    goes_on = paused(asked.turns[-1])
    desktop = None if behaviour else at_desktop(asked, reading, number)
    if desktop is not None:
        ending = "tool_use" if desktop.calls else "end_turn"
        return Draft([Passage(desktop.text)], desktop.calls, _thinks(asked), ending)
    wanted = calling(asked, reading, number, behaviour)
    # Thinking is bound to where it stands, and a client may put both parts of a reply together.
    thought = _thinks(asked) and not goes_on and not wanted.unfinished
    if behaviour in SERVER_TOOL_BEHAVIOURS:
        wanted = _with_a_server_call(wanted, asked)
    tools = ServerTools(asked, number, fails=behaviour == "server_tool_error")
    parts = [part for call in wanted.unfinished for part in tools.finish(call)]
    parts += [part for order in wanted.server for part in tools.call(order)]
    if wanted.server and not goes_on:
        parts.insert(0, Passage(_MAKES_UP))
    if behaviour == "pause_turn" and wanted.server:
        return Draft(joined(_until_last_call(parts)), (), thought, "pause_turn")
    if wanted.client:
        waiting = [block for order in wanted.waiting for block in tools.open(order)]
        parts.append(Passage(_why(wanted, asked, behaviour)))
        return Draft(joined(parts), [*waiting, *wanted.client], thought, _ending(behaviour))
    if asked.schema is not None:
        value = json.dumps(value_for(asked.schema, choices=reading.choices), ensure_ascii=False)
        if behaviour == BAD_JSON:
            value = value[:-1]
        blocks = [part for part in parts if not isinstance(part, Passage)]
        return Draft([*blocks, Passage(value)], thought=thought)
    if parts and reading.results:
        parts.append(Passage(introduction(reading)))
    parts += summary(asked, reading, called=True) if parts else answer_text(asked, reading)
    return Draft(joined(parts), thought=thought)


def _thinks(asked: Asked) -> bool:
    if asked.thinking is None:
        return asked.model.thinking_default
    return asked.thinking in ("adaptive", "enabled")


def _with_a_server_call(wanted: Calling, asked: Asked) -> Calling:
    """At least one call of a server's tool, if one is offered."""
    offered = [Order(tool["name"]) for tool in asked.body.get("tools", []) if is_server_tool(tool)]
    return replace(wanted, server=wanted.server or offered[:1])


def _until_last_call(parts: Sequence[Part]) -> list[Part]:
    calls = [
        place
        for place, part in enumerate(parts)
        if not isinstance(part, Passage) and part["type"] == "server_tool_use"
    ]
    return list(parts[: calls[-1] + 1])


def _why(wanted: Calling, asked: Asked, behaviour: str | None) -> str:
    names = list(dict.fromkeys(f"`{call['name']}`" for call in wanted.client))
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    forced = asked.body.get("tool_choice", {}).get("type") in ("any", "tool")
    why = "the question names it"
    if behaviour in CALLS:
        why = "it was told to"
    elif forced:
        why = "the request demands it"
    return f"The offline server calls {listed}, because {why}."


def _ending(behaviour: str | None) -> str:
    return {"cut_tool_input": "max_tokens", "refused_call": "refusal"}.get(
        behaviour or "", "tool_use"
    )
