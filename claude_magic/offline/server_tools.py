"""The server's own tools, called one after the other within a reply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from ..messages.blocks import Block
from . import code_tool, web_tools
from .asked import Asked, Turn
from .orders import Order
from .server_tool_call import Called, Part, Setting, version_of

_CALLS: Mapping[str, Callable[[Order, Setting], Called]] = {
    "web_search": web_tools.search,
    "web_fetch": web_tools.fetch,
    "code_execution": code_tool.run,
}
_RESULTS: Mapping[str, Callable[[Block, Setting], Called]] = {
    "web_search": web_tools.found,
    "web_fetch": web_tools.fetched,
    "code_execution": code_tool.ran,
}
SERVER_TOOLS = tuple(_CALLS)


def is_server_tool(tool: Mapping[str, Any]) -> bool:
    """Whether a tool of a request is one that the server runs."""
    return tool.get("name") in SERVER_TOOLS and bool(version_of(tool))


def tool_of(name: str) -> str:
    """The tool that a server's call of this name belongs to."""
    return "code_execution" if name.endswith("code_execution") else name


def server_calls(turn: Turn) -> list[Block]:
    """The calls of the server's tools in a turn, but for those that a call is made from."""
    calls = [placed.block for placed in turn.of("server_tool_use")]
    outer = {(call.get("caller") or {}).get("tool_id") for call in calls}
    written = ("text_editor_code_execution",)  # a file, for the call that follows
    return [call for call in calls if call["id"] not in outer and call["name"] not in written]


class ServerTools:
    """The tools of one request, as the `number`-th reply calls them.

    `fails` makes each result an error.
    """

    def __init__(self, asked: Asked, number: int, *, fails: bool) -> None:
        self._tools = {tool.get("name"): tool for tool in asked.body.get("tools", [])}
        self._number = number
        self._fails = fails
        self._place = 0
        self._documents = sum(_documents(placed.block) for placed in asked.every_block())
        last = asked.turns[-1]
        before = server_calls(last) if last.role == "assistant" else []
        self._uses = Counter(tool_of(str(call["name"])) for call in before)

    def call(self, order: Order) -> list[Part]:
        """A call with its result, and what is said of it."""
        called = self._called(order)
        return [*called.around, called.call, *self._end(called)]

    def open(self, order: Order) -> list[Block]:
        """A call whose result waits for those of other tools."""
        called = self._called(order)
        return [*called.around, called.call]

    def finish(self, call: Block) -> list[Part]:
        """The result of a call that an earlier reply left open."""
        name = tool_of(str(call["name"]))
        before = max(0, self._uses[name] - 1)  # without this one, which was counted already
        called = _RESULTS[name](call, self._setting(name, before))
        outer = (call.get("caller") or {}).get("tool_id")
        return self._end(web_tools.from_code(called, outer) if outer else called)

    def _called(self, order: Order) -> Called:
        called = _CALLS[order.tool](order, self._setting(order.tool, self._uses[order.tool]))
        self._uses[order.tool] += 1
        return called

    def _setting(self, name: str, uses: int) -> Setting:
        self._place += 1
        return Setting(
            self._tools[name],
            self._number,
            self._place,
            uses=uses,
            documents=self._documents,
            fails=self._fails,
        )

    def _end(self, called: Called) -> list[Part]:
        self._documents += sum(map(_documents, called.results))
        return [*called.results, *called.said]


def _documents(block: Block) -> int:
    """How many documents a block is, or holds as the result of a fetch."""
    content = block.get("content")
    fetched = isinstance(content, Mapping) and content.get("type") == "web_fetch_result"
    return int(block["type"] == "document" or fetched)
