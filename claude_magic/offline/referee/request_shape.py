"""What a request may look like, field by field, and its messages and blocks: names, types, ranges.

Source: the request types of the `anthropic` package 2.12 and the Messages API's reference pages.

Source: the request types of the `anthropic` package 2.12 and the Messages API's reference pages.
Rules that look at more than one field, or at the model, stand in the `rules_` modules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .request_checks import (
    Check,
    anything,
    bad,
    boolean,
    filled_string,
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
from .server_tool_shape import CITATION, server_blocks, server_tools

TYPE: Mapping[str, Check] = {"type": string}
CACHE = nullable(
    record({"type": one_of("ephemeral")}, {"ttl": one_of("5m", "1h")}),
)
CACHED: Mapping[str, Check] = {"cache_control": CACHE}
_CITATIONS = nullable(record(optional={"enabled": boolean}))


def spoken(value: Any, path: str) -> None:
    """Text that is not empty and not only whitespace."""
    string(value, path)
    if not value:
        raise bad(f"{path}: text content blocks must be non-empty")
    if not value.strip():
        raise bad(f"{path}: text content blocks must contain non-whitespace text")


def _url(value: Any, path: str) -> None:
    string(value, path)
    if not re.match(r"https?://[^/\s]", value):
        raise bad(f"{path}: Input should be a valid URL with the scheme http or https")


def matching(pattern: str) -> Check:
    """A check for strings that match all of `pattern`."""

    def check(value: Any, path: str) -> None:
        string(value, path)
        if not re.fullmatch(pattern, value):
            raise bad(f"{path}: String should match pattern '^{pattern}$'")

    return check


_ID = matching(r"[a-zA-Z0-9_-]+")
TOOL_NAME = matching(r"[a-zA-Z0-9_-]{1,64}")
TEXT = record({**TYPE, "text": spoken}, {**CACHED, "citations": nullable(list_of(CITATION))})
_URL_SOURCE = record({**TYPE, "url": _url})
_FILE_SOURCE = record({**TYPE, "file_id": filled_string})
_IMAGE = record(
    {
        **TYPE,
        "source": tagged(
            {
                "base64": record(
                    {
                        **TYPE,
                        "media_type": one_of("image/jpeg", "image/png", "image/gif", "image/webp"),
                        "data": filled_string,
                    }
                ),
                "url": _URL_SOURCE,
                "file": _FILE_SOURCE,
            }
        ),
    },
    {
        **CACHED,
        "transformations": nullable(
            record(optional={"oversized_image": one_of("downsize", "error")})
        ),
    },
)
_DOCUMENT = record(
    {
        **TYPE,
        "source": tagged(
            {
                "base64": record(
                    {**TYPE, "media_type": one_of("application/pdf"), "data": filled_string}
                ),
                "text": record({**TYPE, "media_type": one_of("text/plain"), "data": spoken}),
                "content": record(
                    {
                        **TYPE,
                        "content": string_or(list_of(tagged({"text": TEXT, "image": _IMAGE}))),
                    }
                ),
                "url": _URL_SOURCE,
                "file": _FILE_SOURCE,
            }
        ),
    },
    {
        **CACHED,
        "title": nullable(string),
        "context": nullable(string),
        "citations": _CITATIONS,
    },
)
_SEARCH_RESULT = record(
    {**TYPE, "source": string, "title": string, "content": list_of(tagged({"text": TEXT}))},
    {**CACHED, "citations": _CITATIONS},
)
_TOOL_RESULT = record(
    {**TYPE, "tool_use_id": _ID},
    {
        **CACHED,
        "content": string_or(
            list_of(
                tagged(
                    {
                        "text": TEXT,
                        "image": _IMAGE,
                        "document": _DOCUMENT,
                        "search_result": _SEARCH_RESULT,
                        "tool_reference": record({**TYPE, "tool_name": string}, CACHED),
                        "browser_state": mapping,
                    }
                )
            )
        ),
        "is_error": boolean,
        "toolset_name": nullable(string),
    },
)
_TOOL_USE = record(
    {**TYPE, "id": _ID, "name": TOOL_NAME, "input": mapping},
    {**CACHED, "caller": nullable(mapping), "toolset_name": nullable(string)},
)
_SERVER_BLOCKS = server_blocks(_ID, _DOCUMENT, CACHED)
SERVER_BLOCKS = tuple(_SERVER_BLOCKS)
"""Blocks that the server's own tools make: they are sent back as they came."""
_BETA_BLOCKS = (
    "mcp_tool_use",
    "mcp_tool_result",
    "compaction",
    "fallback",
    "advisor_tool_result",
    "tool_addition",
    "tool_removal",
    "mcp_tool_listing",
)
_BLOCKS: Mapping[str, Check] = {
    "text": TEXT,
    "image": _IMAGE,
    "document": _DOCUMENT,
    "search_result": _SEARCH_RESULT,
    "tool_use": _TOOL_USE,
    "tool_result": _TOOL_RESULT,
    "thinking": record({**TYPE, "thinking": string, "signature": filled_string}),
    "redacted_thinking": record({**TYPE, "data": filled_string}),
    "container_upload": record({**TYPE, "file_id": filled_string}, CACHED),
    **_SERVER_BLOCKS,
}


def message_shape(beta: bool) -> Check:
    """The check of one message; with a beta header its blocks are taken as well."""
    blocks = {**_BLOCKS, **(dict.fromkeys(_BETA_BLOCKS, mapping) if beta else {})}
    return record(
        {
            "role": one_of("user", "assistant", "system"),
            "content": string_or(list_of(tagged(blocks))),
        }
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
