"""What a request body may look like, field by field: names, types and ranges.

Source: the request types of the `anthropic` package 2.12 and the Messages API's reference pages.
Rules that look at more than one field, or at the model, stand in the `rules_` modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .block_shape import CACHE, CACHED, TEXT, TOOL_NAME, TYPE, message_shape, spoken
from .refusal import bad
from .server_tool_shape import server_tools
from .shape import (
    Check,
    anything,
    boolean,
    integer,
    list_of,
    mapping,
    nullable,
    number,
    one_of,
    record,
    string,
    string_or,
    tagged,
)

STRICT_VERSION = "2026-10-21"
"""The API version that refuses sampling parameters and some misplaced blocks."""

_DISPLAY: Mapping[str, Check] = {"display": nullable(one_of("summarized", "omitted", "updates"))}
_BINDING: Mapping[str, Check] = {"block_binding": mapping}
_PARALLEL: Mapping[str, Check] = {"disable_parallel_tool_use": boolean}
_CUSTOM_TOOL = record(
    {"name": TOOL_NAME, "input_schema": mapping},
    {
        **CACHED,
        "type": nullable(one_of("custom")),
        "description": string,
        "strict": boolean,
        "defer_loading": boolean,
        "allowed_callers": list_of(string),
        "input_examples": list_of(mapping),
        "eager_input_streaming": nullable(boolean),
    },
)
_TOOLSET = record(TYPE, {**CACHED, "configs": nullable(mapping)})
# The other tools that Anthropic defines, with the name that each must carry.
_NAMED_TOOLS = {
    "bash": ("20250124",),
    "memory": ("20250818",),
    "computer": ("20251124", "20250124"),
    "tool_search_tool_regex": ("20251119",),
    "tool_search_tool_bm25": ("20251119",),
    "text_editor": ("20250728", "20250429", "20250124"),
    "advisor": ("20260301",),
}


def _named_tool(name: str) -> Check:
    def check(value: Any, path: str) -> None:
        if value.get("name") != name:
            raise bad(f"{path}.name: Input should be '{name}'")

    return check


def _typed_tools() -> dict[str, Check]:
    checks: dict[str, Check] = {
        "computer_toolset_20260801": _TOOLSET,
        "browser_toolset_20260801": _TOOLSET,
        "mcp_toolset": mapping,
        **server_tools(CACHE),
    }
    for kind, versions in _NAMED_TOOLS.items():
        for version in versions:
            name = kind
            if kind == "text_editor":
                old = version == "20250124"
                name = "str_replace_editor" if old else "str_replace_based_edit_tool"
            checks[f"{kind}_{version}"] = _named_tool(name)
    return checks


_TYPED_TOOL = tagged(_typed_tools())


def _tool(value: Any, path: str) -> None:
    mapping(value, path)
    if value.get("type") in (None, "custom"):
        _CUSTOM_TOOL(value, f"{path}.custom")
        schema = value["input_schema"]
        if schema.get("type") != "object":
            raise bad(f"{path}.custom.input_schema.type: Input should be 'object'")
        if not isinstance(schema.get("properties") or {}, Mapping):
            raise bad(f"{path}.custom.input_schema.properties: Input should be a valid dictionary")
    else:
        _TYPED_TOOL(value, path)


_COMMON: Mapping[str, Check] = {
    "system": string_or(list_of(tagged({"text": TEXT}))),
    "tools": list_of(_tool),
    "tool_choice": tagged(
        {
            "auto": record(TYPE, _PARALLEL),
            "any": record(TYPE, _PARALLEL),
            "tool": record({**TYPE, "name": string}, _PARALLEL),
            "none": record(TYPE),
        }
    ),
    "thinking": tagged(
        {
            "adaptive": record(TYPE, {**_DISPLAY, **_BINDING}),
            "enabled": record({**TYPE, "budget_tokens": integer(1024)}, _DISPLAY),
            "disabled": record(TYPE),
            "between_tools": record(TYPE),
        }
    ),
    "output_config": record(
        optional={
            "effort": nullable(one_of("low", "medium", "high", "xhigh", "max")),
            "format": nullable(record({"type": one_of("json_schema"), "schema": mapping})),
            "task_budget": mapping,
        }
    ),
    "cache_control": CACHE,
    "speed": nullable(one_of("standard", "fast")),
}


def _stop_sequence(value: Any, path: str) -> None:
    string(value, path)
    if not value.strip():
        raise bad(f"{path}: each stop sequence must contain non-whitespace")


_CREATE: Mapping[str, Check] = {
    "stream": boolean,
    "stop_sequences": list_of(_stop_sequence),
    "metadata": record(optional={"user_id": nullable(string)}),
    "service_tier": one_of("auto", "standard_only"),
    "inference_geo": nullable(one_of("us", "global")),
    "container": nullable(string_or(record(optional={"id": nullable(string), "skills": anything}))),
    "diagnostics": nullable(record(optional={"previous_message_id": nullable(string)})),
    "temperature": number(0, 1),
    "top_p": number(0, 1),
    "top_k": integer(0),
}
_BETA_FIELDS: Mapping[str, tuple[str, ...]] = {
    "context_management": ("context-management-", "compact-2026-01-12"),
    "compaction": ("compact-2026-09-04",),
    "mcp_servers": ("mcp-client-",),
    "fallbacks": ("server-side-fallback-",),
    "fallback_credit_token": ("fallback-credit-",),
    "thread": ("message-threads-",),
}


def check_shape(body: Mapping[str, Any], betas: frozenset[str], *, counting: bool) -> None:
    """Raises Refusal where a field is missing, unknown or of a wrong type or range.

    `counting` is for /v1/messages/count_tokens, which takes fewer fields.
    """
    required: dict[str, Check] = {"model": string, "messages": list_of(message_shape(bool(betas)))}
    optional: dict[str, Check] = dict(_COMMON)
    if not counting:
        required["max_tokens"] = integer(0)
        optional.update(_CREATE)
    for name, prefixes in _BETA_FIELDS.items():
        if any(beta.startswith(prefixes) for beta in betas):
            optional[name] = anything
    record(required, optional)(body, "")
    if isinstance(body.get("system"), str):
        spoken(body["system"], "system")
