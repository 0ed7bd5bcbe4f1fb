"""Whether the real service would take a request, as far as that can be known without it.

Source: the pages of the server tools, of web search, web fetch and code execution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...messages.models import Model, lookup, resolve
from ...messages.usage import estimate_input
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
from .media_rules import check_media, check_toolset_results
from .message_rules import check_messages, check_thinking_blocks
from .model_rules import check_model_rules, check_schema, check_tools
from .request_checks import CheckedRequest, PlacedBlock, Refusal, RequestTurn, bad
from .request_shape import SERVER_BLOCKS, STRICT_VERSION, check_shape

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


BETAS = frozenset(
    (
        "advisor-tool-2026-03-01",
        "agent-memory-2026-07-22",
        "cache-diagnosis-2026-04-07",
        "code-execution-2025-05-22",
        "compact-2026-01-12",
        "compact-2026-09-04",
        "computer-use-2024-10-22",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dev-full-thinking-2025-05-14",
        "dreaming-2026-04-21",
        "extended-cache-ttl-2025-04-11",
        "fallback-credit-2026-06-01",
        "fallback-credit-2026-07-01",
        "fast-mode-2026-02-01",
        "files-api-2025-04-14",
        "inline-tools-2026-09-15",
        "interleaved-thinking-2025-05-14",
        "managed-agents-2026-04-01",
        "mcp-client-2025-04-04",
        "mcp-client-2025-11-20",
        "mcp-client-2026-09-15",
        "mcp-tunnels-2026-06-22",
        "message-batches-2024-09-24",
        "message-threads-2026-08-12",
        "mid-conversation-output-config-2026-07-01",
        "mid-conversation-system-clear-at-2026-08-21",
        "mid-conversation-tool-changes-2026-07-01",
        "model-context-window-exceeded-2025-08-26",
        "output-128k-2025-02-19",
        "output-300k-2026-03-24",
        "pdfs-2024-09-25",
        "prompt-caching-2024-07-31",
        "server-side-fallback-2026-06-01",
        "server-side-fallback-2026-07-01",
        "skills-2025-10-02",
        "structured-outputs-2025-11-13",
        "task-budgets-2026-03-13",
        "thinking-binding-controls-2026-08-01",
        "thinking-display-updates-2026-08-18",
        "thinking-token-count-2026-05-13",
        "token-counting-2024-11-01",
        "token-efficient-tools-2025-02-19",
    )
)


MAX_BODY = 32 * 1024 * 1024
VERSIONS = ("2023-06-01", STRICT_VERSION)
REFUSED_KEY = "invalid"
"""The one key that this server does not take, so that a client's 401 can be tried."""


def check(
    body: Mapping[str, Any], headers: Mapping[str, str], *, counting: bool = False
) -> CheckedRequest:
    """The request, found good; header names are in lower case.

    `counting` applies the rules of /v1/messages/count_tokens. Raises Refusal with the API's own
    status, type and, where it is known, message.
    """
    check_headers(headers)
    betas = _betas(headers)
    check_shape(body, betas, counting=counting)
    asked = CheckedRequest(
        body, known_model(body["model"]), headers["anthropic-version"], betas, counting
    )
    check_messages(asked)
    check_tools(asked)
    check_server_tools(asked)
    check_model_rules(asked)
    if asked.schema is not None:
        check_schema(asked.schema, "output_config.format.schema")
    check_thinking_blocks(asked)
    check_media(asked)
    check_toolset_results(asked)
    tokens = estimate_input(body, asked.model)
    if tokens > asked.model.context:
        raise bad(f"prompt is too long: {tokens} tokens > {asked.model.context} maximum")
    return asked


def check_headers(headers: Mapping[str, str]) -> None:
    """Raises Refusal for a refused key, a missing or unknown version, an unknown beta."""
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    if headers.get("x-api-key", bearer) == REFUSED_KEY:
        raise Refusal(401, "authentication_error", "invalid x-api-key")
    version = headers.get("anthropic-version")
    if version is None:
        raise bad("anthropic-version: header is required")
    if version not in VERSIONS:
        raise bad(f'anthropic-version: "{version}" is not a valid version')
    unknown = sorted(_betas(headers) - BETAS)
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown)
        raise bad(
            f"Unexpected value(s) {listed} for the `anthropic-beta` header. Please consult our "
            "documentation or try again without the header."
        )


def known_model(name: str) -> Model:
    """The model with this id. Raises Refusal for any other name; our aliases are other names."""
    model = lookup(name) if resolve(name) == name else None
    if model is None:
        raise Refusal(404, "not_found_error", f"model: {name}")
    return model


def _betas(headers: Mapping[str, str]) -> frozenset[str]:
    listed = headers.get("anthropic-beta", "").split(",")
    return frozenset(name.strip() for name in listed if name.strip())
