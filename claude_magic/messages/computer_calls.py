"""Which calls are for a computer: those of the toolset, and those of the older single tool."""

from __future__ import annotations

from .blocks import Block

TOOLSET = "computer"
"""The `toolset_name` of a toolset's calls, and the name of the older tool."""


def is_call(block: Block) -> bool:
    """Whether a `tool_use` block calls the computer: a member of the toolset, or the older tool."""
    toolset = block.get("toolset_name")
    return toolset == TOOLSET or (toolset is None and block.get("name") == TOOLSET)
