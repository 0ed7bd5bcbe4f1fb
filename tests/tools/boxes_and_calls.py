"""Toolboxes of plain functions, calls to them, and who watches the calls and allows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from claude_magic.conversation.asking.question import Called, CallEvent, Calling, Tell
from claude_magic.messages.blocks import Block, text
from claude_magic.messages.credentials import Secret
from claude_magic.messages.transport.cancel import Cancel
from claude_magic.tools.approval import Always, Approval, Approver, Decision, Nobody
from claude_magic.tools.calling import AsyncThread, Surroundings, Toolset
from claude_magic.tools.function import function_tool
from claude_magic.tools.tool import Approve, Tool
from claude_magic.tools.toolbox import FunctionToolbox

KEY = "sk-canary-0123456789"


def unheard(_: CallEvent) -> None:
    """Takes note of nothing."""


def noted(events: Sequence[CallEvent]) -> list[str]:
    """What happened to calls, in order, a word and the call's id each."""
    notes = []
    for event in events:
        match event:
            case Calling(call):
                notes.append(f"calling {call['id']}")
            case Called(call, result):
                assert result["tool_use_id"] == call["id"]
                notes.append(f"called {call['id']}")
    return notes


class Answering:
    """Gives its answers in turn, and notes what it was asked."""

    def __init__(self, *answers: Decision | BaseException) -> None:
        self.asked: list[Block] = []
        self.shown: list[str] = []
        self._answers = list(answers)

    def check(self) -> None: ...

    def approve(self, call: Block, tool: Tool, cancel: Cancel | None) -> Decision:
        self.asked.append(call)
        if tool.preview:
            self.shown.append(tool.preview(call["input"])[1])
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def shown(value: object) -> Sequence[Block]:
    words = value if isinstance(value, str) else repr(value)
    return [text(words if len(words) < 1000 else f"{words[:500]} [cut] {words[-400:]}")]


def box(
    *functions: Callable[..., Any],
    approver: Approver | None = None,
    rule: Approve = "auto",
    always: Always | None = None,
    timeout: float = 0,
    loop: AsyncThread | None = None,
    toolsets: Sequence[Toolset] = (),
    at_server: Sequence[str] = (),
) -> FunctionToolbox:
    return FunctionToolbox(
        [function_tool(function) for function in functions],
        Approval(rule, approver or Nobody(), always or Always()),
        Surroundings(shown, lambda: (Secret(KEY),), timeout=timeout, loop=loop or AsyncThread()),
        toolsets=toolsets,
        at_server=at_server,
    )


def call(name: str, number: int = 1, /, **arguments: Any) -> Block:
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}


def ran(made: FunctionToolbox, *calls: Block, tell: Tell = unheard) -> list[Mapping[str, Any]]:
    return list(made.run(calls, tell, None))


def said(result: Mapping[str, Any]) -> str:
    return "\n".join(str(block.get("text")) for block in result["content"])


def half(x: float) -> float:
    """Half of it."""
    return x / 2


async def ends() -> None:
    raise SystemExit
