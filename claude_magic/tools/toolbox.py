"""The tools of one question, and the calls of the model run with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block
from ..messages.errors import InputError
from ..messages.models import Model
from .approval import Approval
from .calling import Calls, Surroundings, Toolset, as_tool
from .tool import Tool

if TYPE_CHECKING:
    from ..conversation.asking.question import Tell
    from ..messages.transport.cancel import Cancel

SERVER_TOOLS: Mapping[str, str] = {
    "web": "search the web and read pages, at Anthropic's servers",
    "code": "run code in a sandbox of Anthropic's servers, without the notebook",
}
"""What each does, by the name that `--tools` takes."""

# The versions that each generation takes (Messages API reference, tools, November 2026). Models
# that are not in the table of models are given the older ones, which all take.
_OLD = frozenset({"claude-opus-4-5", "claude-haiku-4-5", "claude-sonnet-4-5"})
_VERSIONS = {
    "web_search": ("20260318", "20250305"),
    "web_fetch": ("20260318", "20250910"),
    "code_execution": ("20260521", "20250825"),
}
# A search costs a cent: of one question not more than these, whatever a page tells the model.
_MOST_USES = 10


def server_tools(names: Sequence[str], model: Model, *, anthropic: bool) -> list[dict[str, Any]]:
    """The tools called `names` in wire form, as `model` takes them.

    Raises InputError where the server is not Anthropic's: others do not have them.
    """
    if names and not anthropic:
        raise InputError(
            f"--tools {names[0]} runs at Anthropic's servers, and this server is another: leave it "
            "out, or give a function of the notebook."
        )
    tools: list[dict[str, Any]] = []
    if "code" in names:
        tools.append(_tool("code_execution", model))
    if "web" in names:
        tools.append(_tool("web_fetch", model, max_uses=_MOST_USES, citations={"enabled": True}))
        tools.append(_tool("web_search", model, max_uses=_MOST_USES))
    return tools


def _tool(name: str, model: Model, **settings: Any) -> dict[str, Any]:
    # A dated id stands for its model; the table says which generation.
    old = model.thinking == "unknown" or model.id.startswith(tuple(_OLD))
    return {"type": f"{name}_{_VERSIONS[name][old]}", "name": name, **settings}


MOST_STEPS = 20


class FunctionToolbox:
    """Functions of the user's, server tools by name, and toolsets, as a question offers them.

    Calls of one reply are run in their order, one after the other; those of async functions that
    stand next to each other run at the same time. Raises InputError where two functions go by one
    name.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        approval: Approval,
        surroundings: Surroundings,
        *,
        at_server: Sequence[str] = (),
        toolsets: Sequence[Toolset] = (),
        most_steps: int = MOST_STEPS,
    ) -> None:
        self.most_steps = most_steps
        self._tools = _by_name(tools)
        self._approval = approval
        self._calls = Calls(self._tools, approval, surroundings)
        self._at_server = tuple(at_server)
        self._toolsets = tuple(toolsets)

    @property
    def once(self) -> bool:
        """Whether there is a toolset: what was done on a desktop is not done again."""
        return bool(self._toolsets)

    def definitions(self, model: Model, *, anthropic: bool) -> Sequence[Mapping[str, Any]]:
        """The tools in wire form, always in the same order; see `Toolbox.definitions`."""
        functions = [self._tools[name].definition for name in sorted(self._tools)]
        sets = [t for s in self._toolsets for t in s.definitions(model, anthropic=anthropic)]
        return [*functions, *server_tools(self._at_server, model, anthropic=anthropic), *sets]

    @property
    def ours(self) -> frozenset[str]:
        """The names of the tools whose descriptions are words of ours."""
        return frozenset(name for name, tool in self._tools.items() if tool.ours)

    def betas(self, model: Model) -> tuple[str, ...]:
        """The names that the header `anthropic-beta` needs."""
        return tuple(beta for toolset in self._toolsets for beta in toolset.betas(model))

    def check(self) -> None:
        """Nothing. Raises InputError where a call could not be run, or could not be denied."""
        if self._at_server and self._approval.denies_all:
            names = " and ".join(self._at_server)
            raise InputError(
                f'approve "never" runs nothing, and what {names} does runs at the server, where no '
                f"call can be denied: leave out {names}, or give --approve ask."
            )
        for toolset in self._toolsets:
            toolset.check()
        sets = (as_tool(toolset, {}) for toolset in self._toolsets)
        self._approval.check([*self._tools.values(), *sets])

    def run(self, calls: Sequence[Block], tell: Tell, cancel: Cancel | None) -> Iterator[Block]:
        """The `tool_result` of each call, in their order; see `Toolbox.run`."""
        for (toolset, together), found in groupby(calls, self._kind):
            batch = list(found)
            if toolset is not None:
                yield from self._calls.of_toolset(toolset, batch, tell, cancel)
            elif together:
                yield from self._calls.together(batch, tell, cancel)
            else:
                for call in batch:
                    yield from self._calls.alone(call, tell, cancel)

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[Any]:
        """What the calls leave to look at; see `Toolbox.ended`."""
        return [made for toolset in self._toolsets for made in toolset.ended(answered)]

    def _kind(self, call: Block) -> tuple[Toolset | None, bool]:
        """What a call is run with: a toolset, or, if not, whether beside others of its kind."""
        toolset = next((s for s in self._toolsets if s.takes(call)), None)
        return toolset, toolset is None and self._calls.is_async(call)


def _by_name(tools: Sequence[Tool]) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for tool in tools:
        other = found.setdefault(tool.name, tool)
        if other is not tool and other.function is not tool.function:
            raise InputError(
                f"Two tools are called {tool.name}: give one of them another name with "
                '@claude_magic.tool(name="...").'
            )
    return found
