"""A call that needs leave is run only with the user's, which holds as long as was said."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from claude_magic.conversation.asking.question import CallEvent
from claude_magic.messages.errors import InputError
from claude_magic.tools.approval import Always, Decision
from claude_magic.tools.tool import Approve, tool
from tests.tools.boxes_and_calls import Answering, box, call, half, noted, ran, said


def test_a_denied_call_is_not_run_and_its_result_says_the_reason() -> None:
    approver = Answering(Decision(False, "use the other table"), Decision(True))
    events: list[CallEvent] = []
    made = box(half, approver=approver, rule="ask")
    denied, run = ran(made, call("half", 1, x=1), call("half", 2, x=1), tell=events.append)
    assert said(denied) == "This call was not allowed by the user: use the other table"
    assert denied["is_error"] is True
    assert said(run) == "0.5"
    assert noted(events)[:2] == ["calling toolu_1", "called toolu_1"]


def test_always_holds_for_the_tool_until_its_function_is_another_one() -> None:
    always = Always()
    approver = Answering(Decision(True, always=True))
    for _ in range(2):
        ran(box(half, approver=approver, rule="ask", always=always), call("half", x=1))
    assert len(approver.asked) == 1

    def half_again(x: float) -> float:
        return x / 2

    half_again.__name__ = "half"
    other = Answering(Decision(False))
    ran(box(half_again, approver=other, rule="ask", always=always), call("half", x=1))
    assert len(other.asked) == 1


def test_always_ends_where_a_functions_code_is_replaced_in_place() -> None:
    def changing() -> int:
        return 1

    def changed() -> int:
        return 2

    always = Always()
    ran(
        box(changing, approver=Answering(Decision(True, always=True)), rule="ask", always=always),
        call("changing"),
    )
    changing.__code__ = changed.__code__
    approver = Answering(Decision(False))
    ran(box(changing, approver=approver, rule="ask", always=always), call("changing"))
    assert len(approver.asked) == 1


def test_always_holds_for_a_method_looked_up_again() -> None:
    class Table:
        def row(self) -> int:
            return 1

    table, always = Table(), Always()
    approver = Answering(Decision(True, always=True))
    for _ in range(2):
        ran(box(table.row, approver=approver, rule="ask", always=always), call("row"))
    with pytest.raises(IndexError):
        ran(box(Table().row, approver=approver, rule="ask", always=always), call("row"))


# By the question's rule: which of the tools that say auto, never and ask themselves is run.
RUN: Mapping[Approve, str] = {"auto": "free asks", "ask": "free asks", "never": ""}


@pytest.mark.parametrize("rule", RUN)
def test_a_tools_own_word_counts_before_the_question_s_unless_that_is_never(rule: Approve) -> None:
    done: list[str] = []

    @tool(approve="auto")
    def free() -> None:
        done.append("free")

    @tool(approve="never")
    def closed() -> None:
        done.append("closed")

    @tool(approve="ask")
    def asks() -> None:
        done.append("asks")

    made = box(free, closed, asks, rule=rule, approver=Answering(Decision(True)))
    results = ran(made, call("free"), call("closed", 2), call("asks", 3))
    assert done == RUN[rule].split()
    assert sum(r.get("is_error", False) for r in results) == 3 - len(done)


def test_what_runs_at_the_server_cannot_be_denied_and_is_refused_beforehand() -> None:
    with pytest.raises(InputError, match="leave out web and code"):
        box(half, rule="never", at_server=("web", "code")).check()
    box(half, rule="ask", at_server=("web",), approver=Answering()).check()


def test_a_question_is_refused_beforehand_where_nobody_can_be_asked() -> None:
    with pytest.raises(InputError, match='approve="auto"'):
        box(half, rule="ask").check()
    box(half, rule="auto").check()
    box(half, rule="never").check()
