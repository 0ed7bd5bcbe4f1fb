"""A toolset gets its calls in batches, and each of them is allowed and answered like others."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from claude_magic.computer import ComputerTool, Workplace
from claude_magic.conversation.asking.question import CallEvent
from claude_magic.messages import models
from claude_magic.messages.blocks import Block, text
from claude_magic.messages.errors import InputError
from claude_magic.messages.transport.cancel import Cancel
from claude_magic.tools.approval import Always, Decision
from claude_magic.tools.calling import Toolset
from tests.tools.boxes_and_calls import KEY, Answering, box, call, half, noted, ran, said


class Desktop:
    """A toolset that notes the batches that it gets; only a screenshot needs no leave."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def definitions(self, model: models.Model, *, anthropic: bool) -> Sequence[Mapping[str, Any]]:
        return [{"type": "computer_toolset_20260801"}]

    def betas(self, model: models.Model) -> tuple[str, ...]:
        return ("desktop-1",)

    def check(self) -> None: ...

    def takes(self, call: Block) -> bool:
        return call.get("toolset_name") == "computer"

    def needs_approval(self, call: Block) -> bool:
        return call["name"] != "screenshot"

    def describe(self, call: Block) -> str:
        return f"click: {call['id']}"

    def run(
        self,
        calls: Sequence[Block],
        *,
        approve: Callable[[Block], str | None] | None = None,
        cancel: Cancel | None = None,
        seen: Callable[[Block, bytes], None] | None = None,
    ) -> Iterator[Block]:
        self.batches.append([str(c["id"]) for c in calls])
        assert approve is not None
        for one in calls:
            refused = approve(one) if self.needs_approval(one) else None
            yield {
                "type": "tool_result",
                "tool_use_id": one["id"],
                "toolset_name": "computer",
                "content": [text(KEY if refused is None else f"no: {refused}")],
            }

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[str]:
        return [str(call["id"]) for call, _ in answered]


def click(number: int, name: str = "left_click") -> Block:
    return {**call(name, number), "toolset_name": "computer"}


def test_a_toolset_gets_its_consecutive_calls_as_a_batch() -> None:
    events: list[CallEvent] = []
    desktop = Desktop()
    made = box(half, toolsets=[desktop])
    calls = [click(1), click(2), call("half", 3, x=1), click(4, "screenshot")]
    results = ran(made, *calls, tell=events.append)
    assert [r["tool_use_id"] for r in results] == ["toolu_1", "toolu_2", "toolu_3", "toolu_4"]
    assert desktop.batches == [["toolu_1", "toolu_2"], ["toolu_4"]]
    assert said(results[0]) == "[key]"
    assert noted(events)[:4] == [
        f"{what} toolu_{n}" for n in (1, 2) for what in ("calling", "called")
    ]
    assert made.betas(models.MODELS["claude-sonnet-5-5"]) == ("desktop-1",)


def test_calls_of_a_toolset_are_allowed_each_or_for_as_long_as_the_question_lasts() -> None:
    approver = Answering(Decision(False, "not there"), Decision(True, always=True))
    always = Always()
    made = box(approver=approver, rule="ask", toolsets=[Desktop()], always=always)
    results = ran(made, click(1), click(2), click(3), click(4, "screenshot"))
    assert [said(r) for r in results] == ["no: not there", "[key]", "[key]", "[key]"]
    assert [asked["id"] for asked in approver.asked] == ["toolu_1", "toolu_2"]
    assert approver.shown == ["click: toolu_1", "click: toolu_2"]
    asked_anew = Answering(Decision(False, "another program"))
    next_one = box(approver=asked_anew, rule="ask", toolsets=[Desktop()], always=always)
    assert said(ran(next_one, click(5))[0]) == "no: another program"
    with pytest.raises(InputError, match="Nobody can be asked"):
        box(rule="ask", toolsets=[Desktop()]).check()


def test_where_no_call_may_run_a_toolset_gets_none_not_even_to_look() -> None:
    desktop = Desktop()
    events: list[CallEvent] = []
    made = box(rule="never", toolsets=[desktop])
    made.check()
    results = ran(made, click(1), click(2, "screenshot"), tell=events.append)
    assert desktop.batches == []
    assert [r["is_error"] for r in results] == [True, True]
    assert [r["toolset_name"] for r in results] == ["computer", "computer"]
    assert said(results[1]).startswith("This call was not allowed by the user")
    assert noted(events)[-1] == "called toolu_2"


def test_the_desktop_is_such_a_toolset() -> None:
    desktop: Toolset = ComputerTool(Workplace())
    needed = [name for name in vars(Toolset) if not name.startswith("_")]
    assert len(needed) == 8
    assert all(callable(getattr(desktop, name)) for name in needed)
    assert list(inspect.signature(ComputerTool.run).parameters) == [
        "self",
        "calls",
        "approve",
        "cancel",
        "seen",
    ]


def test_an_unknown_call_of_a_toolset_gets_its_name_back() -> None:
    (result,) = ran(box(half), {**call("left_click"), "toolset_name": "computer"})
    assert result["toolset_name"] == "computer"
    assert result["is_error"] is True
