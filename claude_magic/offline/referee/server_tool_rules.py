"""The server's own tools: which versions go together, and calls that come back with their results.

Source: the pages of the server tools, of web search, web fetch and code execution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..replies.server_tools import (
    DYNAMIC,
    WITH_SESSION,
    broken_seal,
    calls_from_code,
    changed_call,
    is_server_tool,
    tool_of,
    version_of,
)
from .checked_request import CheckedRequest, PlacedBlock, RequestTurn
from .json_checks import bad
from .request_shape import SERVER_BLOCKS

_WEB = ("web_search", "web_fetch")
# Code of these models cannot call tools.
_WITHOUT_CALLS_FROM_CODE = ("claude-haiku-4-5",)
_RESULTS = tuple(kind for kind in SERVER_BLOCKS if kind != "server_tool_use")


def check_server_tools(asked: CheckedRequest) -> None:
    """Raises Refusal for tools that do not go together, and for calls without their results."""
    tools = [tool for tool in asked.body.get("tools", []) if is_server_tool(tool)]
    for index, tool in enumerate(asked.body.get("tools", [])):
        if tool in tools:
            _check_tool(asked, tool, f"tools.{index}.{tool['type']}")
    _check_versions(tools)
    _check_calls(asked, tools)
    for turn in asked.turns:
        for placed in turn.blocks:
            _check_unchanged(placed)


def _check_tool(asked: CheckedRequest, tool: Mapping[str, Any], path: str) -> None:
    if tool.get("allowed_domains") is not None and tool.get("blocked_domains") is not None:
        raise bad(f"{path}: only one of `allowed_domains` and `blocked_domains` can be given")
    from_code = tool["name"] in _WEB and calls_from_code(tool)
    if from_code and asked.model.id in _WITHOUT_CALLS_FROM_CODE:
        raise bad(
            f"{path}: '{asked.body['model']}' does not support programmatic tool calling. "
            'Set `allowed_callers` to ["direct"].'
        )


def _check_versions(tools: Sequence[Mapping[str, Any]]) -> None:
    newer = [t for t in tools if t["name"] in _WEB and version_of(t) >= DYNAMIC]
    older = [t for t in tools if t["name"] == "code_execution" and version_of(t) < WITH_SESSION]
    if newer and older:
        raise bad(
            f"tools: {older[0]['type']} cannot be combined with {newer[0]['type']}: it needs "
            f"code_execution_{WITH_SESSION} or later"
        )


def _check_calls(asked: CheckedRequest, tools: Sequence[Mapping[str, Any]]) -> None:
    known: set[str] = set()
    for place, turn in enumerate(asked.turns):
        known |= {placed.block["id"] for placed in turn.of("server_tool_use")}
        for placed in turn.of(*_RESULTS):
            if placed.block["tool_use_id"] not in known:
                raise bad(
                    f"{placed.path}: unexpected `tool_use_id` found in "
                    f"`{placed.block['type']}` blocks: {placed.block['tool_use_id']}"
                )
        for call in _open(turn, asked.turns[place + 1 :]):
            _check_open(call, asked.turns[place:], tools)


def _open(turn: RequestTurn, later: Sequence[RequestTurn]) -> Iterator[PlacedBlock]:
    """The calls of a turn that have no result in it or in the reply that goes on with it."""
    goes_on = later[:2] if _only_results(later[:1]) else ()
    done = {p.block["tool_use_id"] for t in (turn, *goes_on) for p in t.of(*_RESULTS)}
    return (placed for placed in turn.of("server_tool_use") if placed.block["id"] not in done)


def _check_open(
    call: PlacedBlock, turns: Sequence[RequestTurn], tools: Sequence[Mapping[str, Any]]
) -> None:
    """An open call is the server's to end now, or it is a fault."""
    name = str(call.block["name"])
    if len(turns) > 1 and not (len(turns) == 2 and _only_results(turns[1:])):
        raise bad(
            f"{call.path}: `{name}` tool use with id `{call.block['id']}` was found without a "
            f"corresponding `{name}_tool_result` block"
        )
    offered = {tool["name"] for tool in tools}
    # Web tools that are called from code bring their container along.
    brought = any(t["name"] in _WEB and calls_from_code(t) for t in tools)
    if tool_of(name) not in offered and not (tool_of(name) == "code_execution" and brought):
        raise bad(
            f"{call.path}: `{name}` tool use with id `{call.block['id']}` waits for its result, "
            f"but no `{tool_of(name)}` tool was provided"
        )


def _only_results(turns: Sequence[RequestTurn]) -> bool:
    return bool(turns) and all(
        placed.block["type"] == "tool_result" for turn in turns for placed in turn.blocks
    )


def _check_unchanged(placed: PlacedBlock) -> None:
    block = placed.block
    changed = False
    if block["type"] == "server_tool_use":
        changed = changed_call(block["id"], block["name"], block["input"])
    elif block["type"] == "web_search_tool_result" and isinstance(block["content"], list):
        changed = any(
            broken_seal(page["encrypted_content"], page["url"], page["title"])
            for page in block["content"]
        )
    elif block["type"] == "text":
        changed = any(
            broken_seal(cited["encrypted_index"], cited["url"], cited["cited_text"])
            for cited in block.get("citations") or ()
            if cited.get("type") == "web_search_result_location"
        )
    if changed:
        raise bad(
            f"{placed.path}: blocks of server tools, and what cites them, must be sent back as "
            "they came"
        )
