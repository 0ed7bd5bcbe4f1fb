"""What a Message Batch may be, and what a request in one may not.

Source: the batch-processing page and the request types of the `anthropic` package. The API looks at
`params` only when their turn comes: what is wrong with them is the result of that request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .refusal import bad
from .shape import list_of, mapping, record, string

MAX_BATCH = 256 * 1024 * 1024
"""Bytes of a request that creates a batch."""
_MOST_REQUESTS = 100_000
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _custom_id(value: Any, path: str) -> None:
    string(value, path)
    if not _CUSTOM_ID.fullmatch(value):
        raise bad(f"{path}: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")


_SHAPE = record({"requests": list_of(record({"custom_id": _custom_id, "params": mapping}))})


def check_create(body: Mapping[str, Any]) -> None:
    """Raises Refusal where this creates no batch; `params` are not looked into."""
    _SHAPE(body, "")
    count = len(body["requests"])
    if not count:
        raise bad("requests: List should have at least 1 item after validation, not 0")
    if count > _MOST_REQUESTS:
        raise bad(
            f"requests: List should have at most {_MOST_REQUESTS} items after validation, "
            f"not {count}"
        )
    seen: set[str] = set()
    for request in body["requests"]:
        name = request["custom_id"]
        if name in seen:
            raise bad(f"requests: custom_id '{name}' is not unique within the batch")
        seen.add(name)


def check_params(params: Mapping[str, Any]) -> None:
    """Raises Refusal for what an ordinary request may be and one in a batch may not."""
    if params.get("stream"):
        raise bad("stream: streaming is not supported in a batch")
    if params.get("speed") == "fast":
        raise bad("speed: fast mode is not supported in a batch")
    if params.get("fallbacks"):
        raise bad("fallbacks: not supported in a batch")
    if params.get("max_tokens") == 0:
        raise bad("max_tokens: must be greater than 0 in a batch")
