"""Calls of the computer tool as a model makes them, in both forms, and whole requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from claude_magic.computer import ComputerTool
from claude_magic.messages.blocks import Block
from claude_magic.messages.models import MODELS, Model
from claude_magic.offline.referee.referee import check

NEWEST = MODELS["claude-sonnet-5-5"]
OLDER = MODELS["claude-opus-4-6"]
OLDEST = MODELS["claude-haiku-4-5"]
FORMS = {"the toolset": NEWEST, "the older tool": OLDER, "the oldest tool": OLDEST}

_numbers = count(1)


def call(name: str, *, model: Model = NEWEST, **given: Any) -> dict[str, Any]:
    """A `tool_use` block for this action, in the form that the model knows."""
    block: dict[str, Any] = {"type": "tool_use", "id": f"toolu_{next(_numbers)}"}
    if model.computer == "computer_toolset_20260801":
        return {**block, "name": name, "toolset_name": "computer", "input": given}
    return {**block, "name": "computer", "input": {"action": name, **given}}


def words(result: Block) -> str:
    """The text of a result."""
    return "".join(part["text"] for part in result["content"] if part["type"] == "text")


def images(result: Block) -> list[Block]:
    """The images of a result."""
    return [part for part in result["content"] if part["type"] == "image"]


def accepted(
    tool: ComputerTool, model: Model, calls: Sequence[Block], results: Sequence[Block]
) -> None:
    """Nothing; the API's rules are applied to the request that sends these results."""
    body: Mapping[str, Any] = {
        "model": model.id,
        "max_tokens": 1000,
        "tools": tool.definitions(model, anthropic=True),
        "messages": [
            {"role": "user", "content": "Look at the desktop."},
            {"role": "assistant", "content": list(calls)},
            {"role": "user", "content": list(results)},
        ],
    }
    headers = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
    betas = ",".join(tool.betas(model))
    check(body, {**headers, "anthropic-beta": betas} if betas else headers)
