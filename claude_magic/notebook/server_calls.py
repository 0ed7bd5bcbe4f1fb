"""Calls of the server's own tools as they come in a stream, each as a folded line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..messages.blocks import Block
from ..rendering import Fold, server_tool_lines

_CALLS = ("server_tool_use", "mcp_tool_use")


class ServerCalls:
    """The calls of one question's replies; a result may come in the reply after its call's."""

    def __init__(self) -> None:
        self._calls: dict[str, Block] = {}
        self._open: dict[int, tuple[Block, list[str]]] = {}

    def feed(self, event: Mapping[str, Any]) -> Fold | None:
        """The fold that an event begins or ends; None for other events."""
        block, index = event.get("content_block"), event.get("index")
        match event.get("type"):
            case "content_block_start" if isinstance(block, Mapping):
                return self._begun(block, index)
            case "content_block_delta" if index in self._open:
                piece = event["delta"].get("partial_json")
                self._open[index][1].append(piece if isinstance(piece, str) else "")
            case "content_block_stop" if index in self._open:
                block, pieces = self._open.pop(index)
                return self._called(block, "".join(pieces))
        return None

    def _begun(self, block: Block, index: Any) -> Fold | None:
        if block.get("type") in _CALLS:
            self._open[index] = block, []
            return None
        call = self._calls.get(str(block.get("tool_use_id")))
        if call is None or not str(block.get("type")).endswith("_result"):
            return None
        return server_tool_lines([call, block])[0]

    def _called(self, block: Block, raw: str) -> Fold:
        """The fold of a call whose input has come; what is no JSON is shown by its name alone."""
        try:
            given = json.loads(raw) if raw else block.get("input")
        except ValueError:
            given = None
        call = {**block, "input": given}
        self._calls[str(block.get("id"))] = call
        return server_tool_lines([call])[0]
