"""Pages of a list, as the API gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .refusal import Refusal, bad

QUERY = ("limit", "after_id", "before_id")


def page(
    listed: Sequence[Mapping[str, Any]], query: Mapping[str, str], kind: str
) -> dict[str, Any]:
    """One page of `listed`; `query` may hold limit, after_id, before_id.

    `kind` is what an unknown id is called. Raises Refusal for one, and for a limit that is not
    between 1 and 1000.
    """
    limit = _limit(query.get("limit", "20"))
    ids = [item["id"] for item in listed]
    if "before_id" in query:
        candidates = listed[: _position(ids, query["before_id"], kind)]
        found, more = candidates[-limit:], len(candidates) > limit
    else:
        start = _position(ids, query["after_id"], kind) + 1 if "after_id" in query else 0
        found, more = listed[start : start + limit], len(listed) > start + limit
    return {
        "data": list(found),
        "has_more": more,
        "first_id": found[0]["id"] if found else None,
        "last_id": found[-1]["id"] if found else None,
    }


def _limit(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 1000:
        raise bad("limit: Input should be between 1 and 1000")
    return int(value)


def _position(ids: Sequence[str], name: str, kind: str) -> int:
    if name not in ids:
        raise Refusal(404, "not_found_error", f"{kind}: {name}")
    return ids.index(name)
