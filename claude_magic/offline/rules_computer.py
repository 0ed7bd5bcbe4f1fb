"""The computer tool: which form a model takes, what its entry may hold, what its results hold.

Source: the computer use tool's page. It does not give the words of most refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..messages.models import Model
from ..messages.sniff import size_of_base64
from ..messages.usage import scaled_size
from .asked import Asked, Placed
from .refusal import bad
from .shape import Check, boolean, integer, list_of, mapping, nullable, one_of, record, string

MEMBERS = (
    *("screenshot", "zoom", "cursor_position", "wait", "type", "key", "hold_key", "scroll"),
    *("left_click", "right_click", "middle_click", "double_click", "triple_click"),
    *("left_click_drag", "mouse_move", "left_mouse_down", "left_mouse_up"),
)
"""The names of the toolset's tools."""

# By the start of a model's id. The newest models refuse the older forms.
_TAKEN_BY = {
    "computer_toolset_20260801": (
        *("claude-opus-4-8", "claude-opus-5", "claude-sonnet-5", "claude-haiku-5"),
        *("claude-fable-5", "claude-mythos-5"),
    ),
    "computer_20251124": (
        *("claude-opus-4-5", "claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-8"),
        *("claude-sonnet-4-6", "claude-opus-5", "claude-sonnet-5"),
        *("claude-fable-5", "claude-mythos-5", "claude-mythos-preview"),
    ),
    "computer_20250124": ("claude-sonnet-4-5", "claude-haiku-4-5"),
}
_TOOLSET_ONLY = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")

_MEMBER = nullable(record(optional={"enabled": nullable(boolean), "defer_loading": boolean}))
_CONFIGS = nullable(record(optional=dict.fromkeys(MEMBERS, _MEMBER)))
_OLDER: Mapping[str, Check] = {
    "cache_control": nullable(mapping),
    "display_number": nullable(integer(0)),
    "allowed_callers": list_of(string),
    "defer_loading": boolean,
    "input_examples": list_of(mapping),
    "strict": boolean,
}
_ENTRY = {
    kind: record(
        {
            "type": string,
            "name": one_of("computer"),
            "display_width_px": integer(1),
            "display_height_px": integer(1),
        },
        {**_OLDER, **({"enable_zoom": boolean} if kind == "computer_20251124" else {})},
    )
    for kind in ("computer_20251124", "computer_20250124")
}


def check_computer(asked: Asked, tool: Mapping[str, Any], index: int) -> None:
    """Raises Refusal for an entry of the computer tool that the model or the request refuses."""
    kind, model = tool["type"], asked.model.id
    older = kind in _ENTRY
    known = model.startswith(_TAKEN_BY.get(kind, _TAKEN_BY["computer_toolset_20260801"]))
    if not known or (older and model in _TOOLSET_ONLY):
        raise bad(f"'{asked.body['model']}' does not support tool types: {kind}.")
    path = f"tools.{index}.{kind}"
    if older:
        version = kind.rpartition("_")[2]
        beta = f"computer-use-{version[:4]}-{version[4:6]}-{version[6:]}"
        if beta not in asked.betas:
            raise bad(f"tools.{index}: {kind} needs the beta header {beta}")
        _ENTRY[kind](tool, path)
    elif kind == "computer_toolset_20260801":
        _CONFIGS(tool.get("configs"), f"{path}.configs")
        others = [t for t in asked.body["tools"] if t.get("name") == "computer"]
        if others:
            raise bad("tools: the computer toolset cannot stand beside a tool named 'computer'")


def check_toolset_results(asked: Asked) -> None:
    """Raises Refusal for a result of a toolset's call that holds what the model cannot see."""
    for turn in asked.turns:
        for placed in turn.of("tool_result"):
            content = placed.block.get("content")
            if placed.block.get("toolset_name") is None or not isinstance(content, list):
                continue
            for number, block in enumerate(content):
                part = Placed(f"{placed.path}.tool_result.content.{number}", block)
                _check_part(part, asked.model, failed=bool(placed.block.get("is_error")))


def _check_part(part: Placed, model: Model, *, failed: bool) -> None:
    kind = part.block["type"]
    if kind not in ("text", "image"):
        raise bad(f"{part.path}: results of a toolset may hold text and images only")
    if failed and kind != "text":
        raise bad(f"{part.path}: all content must be type 'text' if 'is_error' is true")
    source = part.block.get("source", {})
    size = size_of_base64(str(source.get("data", ""))) if source.get("type") == "base64" else None
    if size is not None and scaled_size(*size, model) != size:
        width, height = scaled_size(*size, model)
        raise bad(
            f"{part.path}.image: {size[0]}x{size[1]} pixels are more than this model sees in a "
            f"result of a toolset; the largest size of this shape is {width}x{height} pixels"
        )
