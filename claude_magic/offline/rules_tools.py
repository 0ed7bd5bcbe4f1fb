"""Tools: names that differ, what strict ones may ask for, which computer tool a model takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from .asked import Asked
from .refusal import bad
from .rules_schema import check_schema

MAX_STRICT = 20
_NEW_COMPUTER = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")
_TOOLSET_MODELS = (
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-sonnet-5",
    "claude-haiku-5",
    "claude-fable-5",
    "claude-mythos-5",
)


def check_tools(asked: Asked) -> None:
    """Raises Refusal for tools that cannot stand together or that the model does not take."""
    tools = asked.body.get("tools", [])
    names = Counter(tool["name"] for tool in tools if "name" in tool)
    if any(count > 1 for count in names.values()):
        raise bad("tools: Tool names must be unique.")
    for index, tool in enumerate(tools):
        kind = tool.get("type") or "custom"
        if kind.startswith(("computer_", "browser_")):
            _check_computer(asked, tool, index)
        if kind == "custom" and tool.get("strict"):
            check_schema(tool["input_schema"], f"tools.{index}.custom.input_schema")
    if sum(bool(tool.get("strict")) for tool in tools) > MAX_STRICT:
        raise bad(f"tools: at most {MAX_STRICT} strict tools are allowed")


def _check_computer(asked: Asked, tool: Mapping[str, Any], index: int) -> None:
    kind, model = tool["type"], asked.model.id
    toolset = "_toolset_" in kind
    known = model.startswith(_TOOLSET_MODELS) if toolset else model not in _NEW_COMPUTER
    if not known:
        raise bad(f"'{asked.body['model']}' does not support tool types: {kind}.")
    version = kind.rpartition("_")[2]
    beta = f"computer-use-{version[:4]}-{version[4:6]}-{version[6:]}"
    if not toolset and beta not in asked.betas:
        raise bad(f"tools.{index}: {kind} needs the beta header {beta}")
