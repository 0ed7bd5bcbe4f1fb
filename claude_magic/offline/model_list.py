"""The answers of /v1/models, from the table of models, and pages of any list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..messages.models import MODELS, Model
from .referee.request_checks import Refusal, bad

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


# The API gives the epoch where a date is not known. Source: model overview and release notes.
_EPOCH = "1970-01-01"
_RELEASED = {
    "claude-fable-5-2": "2026-11-09",
    "claude-mythos-5-2": "2026-11-09",
    "claude-haiku-5-5": "2026-10-07",
    "claude-sonnet-5-5": "2026-09-28",
    "claude-opus-5-5": "2026-09-22",
    "claude-fable-5-1": "2026-09-01",
    "claude-mythos-5-1": "2026-09-01",
    "claude-opus-5": "2026-07-24",
    "claude-sonnet-5": "2026-06-30",
    "claude-fable-5": "2026-06-09",
    "claude-mythos-5": "2026-06-09",
    "claude-opus-4-8": "2026-05-28",
    "claude-opus-4-7": "2026-04-16",
    "claude-opus-4-6": "2026-02-05",
    "claude-sonnet-4-6": "2026-02-17",
    "claude-opus-4-5": "2025-11-24",
    "claude-haiku-4-5": "2025-10-15",
    "claude-sonnet-4-5": "2025-09-29",
}
_LINES = ("haiku", "sonnet", "opus", "fable", "mythos")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")


def model_info(model: Model) -> dict[str, Any]:
    """A model as the API lists it. Source: the model type of the `anthropic` package 2.12."""
    off = {model.thinking_off} & {"disabled", "between_tools"}
    if model.thinking_off == "default":
        off = {"disabled"}
    types = {
        "adaptive": _supported(model.thinking == "adaptive"),
        "enabled": _supported(not model.high_resolution),
        "disabled": _supported("disabled" in off),
        "between_tools": _supported("between_tools" in off),
    }
    efforts = {name: _supported(name in model.efforts) for name in _EFFORTS}
    return {
        "type": "model",
        "id": model.id,
        "display_name": f"Claude {model.name}",
        "created_at": f"{_RELEASED.get(model.id, _EPOCH)}T00:00:00Z",
        "max_input_tokens": model.context,
        "max_tokens": model.max_output,
        "lifecycle": "deprecated" if model.deprecated else "active",
        "deprecated_at": None,
        "retires_at": f"{model.retires}T00:00:00Z" if model.retires else None,
        "line": next((line for line in _LINES if line in model.id), None),
        "capabilities": {
            "batch": _supported(True),
            "citations": _supported(True),
            "code_execution": _supported(True),
            "context_management": _supported(False),
            "effort": {**_supported(bool(model.efforts)), **efforts},
            "image_input": _supported(True),
            "pdf_input": _supported(True),
            "server_tools": {
                **_supported(True),
                "web_search": _supported(True),
                "code_execution": _supported(True),
            },
            "structured_outputs": _supported(True),
            "thinking": {**_supported(True), "types": types},
        },
    }


def models_page(query: Mapping[str, str]) -> dict[str, Any]:
    """One page of the list, newest first; `query` may hold limit, after_id, before_id, lifecycle.

    Raises Refusal for a limit that is not between 1 and 1000 and for an unknown id.
    """
    listed = [model_info(model) for model in MODELS.values()]
    if "lifecycle" in query:
        listed = [item for item in listed if item["lifecycle"] == query["lifecycle"]]
    return page(listed, query, "model")


def _supported(value: bool) -> dict[str, Any]:
    return {"supported": value}
