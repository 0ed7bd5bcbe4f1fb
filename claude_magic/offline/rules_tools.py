"""Tools: names that differ, what strict ones may ask for."""

from __future__ import annotations

from collections import Counter

from .asked import Asked
from .refusal import bad
from .rules_computer import check_computer
from .rules_schema import check_schema

MAX_STRICT = 20


def check_tools(asked: Asked) -> None:
    """Raises Refusal for tools that cannot stand together or that the model does not take."""
    tools = asked.body.get("tools", [])
    names = Counter(tool["name"] for tool in tools if "name" in tool)
    if any(count > 1 for count in names.values()):
        raise bad("tools: Tool names must be unique.")
    for index, tool in enumerate(tools):
        kind = tool.get("type") or "custom"
        if kind.startswith(("computer_", "browser_")):
            check_computer(asked, tool, index)
        if kind == "custom" and tool.get("strict"):
            check_schema(tool["input_schema"], f"tools.{index}.custom.input_schema")
    if sum(bool(tool.get("strict")) for tool in tools) > MAX_STRICT:
        raise bad(f"tools: at most {MAX_STRICT} strict tools are allowed")
