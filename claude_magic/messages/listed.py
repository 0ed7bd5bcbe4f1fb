"""What a server says of its models, read as text from elsewhere: any part of it may be anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from .models import EFFORTS, Model, Off, Thinking, unknown

MOST_LISTED = 1_000
"""More models than that are passed over."""

_LONGEST_ID = 200
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def model_ids(items: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The items of a list by their id, in its order; those without a usable id are left out."""
    found: dict[str, Mapping[str, Any]] = {}
    for item in items:
        model_id = item.get("id")
        if _usable(model_id) and len(found) < MOST_LISTED:
            found.setdefault(model_id, item)
    return found


def _usable(model_id: object) -> TypeGuard[str]:
    if not isinstance(model_id, str):
        return False
    plain = model_id.isprintable() and model_id == model_id.strip()
    return plain and 0 < len(model_id) <= _LONGEST_ID


def listed_model(model_id: str, item: Mapping[str, Any], known: Model | None) -> Model:
    """What is `known` of a model, with what its server says laid over it.

    The list has limits, efforts, kinds of thinking and dates. It has no prices, and nothing of
    prefill and forced tools.
    """
    model = known or unknown(model_id)
    context = _count(item, "max_input_tokens") or _count(item, "max_model_len")
    model = replace(
        model,
        context=context or model.context,
        max_output=_count(item, "max_tokens") or model.max_output,
        deprecated=model.deprecated or item.get("lifecycle") in ("deprecated", "retired"),
        retires=_date(item.get("retires_at")) or model.retires,
    )
    can = _part(item, "capabilities")
    if "effort" in can:
        model = _with_efforts(model, _part(can, "effort"))
    if "thinking" in can:
        model = _with_thinking(model, _part(can, "thinking"))
    if "structured_outputs" in can:
        model = replace(model, structured_outputs=_supported(can, "structured_outputs"))
    return model


def _with_efforts(model: Model, effort: Mapping[str, Any]) -> Model:
    levels = tuple(level for level in EFFORTS if _supported(effort, level))
    if effort.get("supported") is False:
        levels = ()
    default = model.default_effort if model.default_effort in levels else None
    return replace(model, efforts=levels, default_effort=default)


def _with_thinking(model: Model, thinking: Mapping[str, Any]) -> Model:
    types = _part(thinking, "types")
    kind: Thinking = "none" if thinking.get("supported") is False else model.thinking
    if _supported(types, "adaptive"):
        kind = "adaptive"
    elif _supported(types, "enabled"):
        kind = "manual"
    off: Off = "none"
    if not model.thinking_default and model.thinking_off == "default":
        off = "default"
    elif _supported(types, "between_tools"):
        off = "between_tools"
    elif _supported(types, "disabled"):
        off = "disabled"
    return replace(model, thinking=kind, thinking_off=off)


def _part(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = value.get(name)
    return part if isinstance(part, Mapping) else {}


def _supported(value: Mapping[str, Any], name: str) -> bool:
    return _part(value, name).get("supported") is True


def _count(item: Mapping[str, Any], name: str) -> int | None:
    value = item.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _date(value: object) -> str | None:
    found = _DATE.match(value) if isinstance(value, str) else None
    return found[0] if found else None
