"""What a content block and a message may look like: names, types and ranges of their fields.

Source: the request types of the `anthropic` package 2.12 and the Messages API's reference pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .refusal import bad
from .server_tool_shape import CITATION, server_blocks
from .shape import (
    Check,
    boolean,
    filled_string,
    list_of,
    mapping,
    nullable,
    one_of,
    record,
    string,
    string_or,
    tagged,
)

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
