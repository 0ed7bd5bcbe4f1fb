"""Who allows a call: the words that a rule is given in, whom it asks, how long an answer holds."""

from __future__ import annotations

import functools
import os
import pty
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import Any, TextIO

import pytest

from claude_magic.messages.errors import InputError
from claude_magic.messages.transport.cancel import Cancel
from claude_magic.tools.approval import (
    DENIED,
    Always,
    Approval,
    ByFunction,
    Decision,
    Nobody,
    drop_typed_ahead,
    rule_of,
)
from claude_magic.tools.function import function_tool
from claude_magic.tools.tool import Arguments, Tool
from tests.tools.boxes_and_calls import Answering, call, half

YES, ALWAYS = Decision(True), Decision(True, always=True)


def of(function: Any, name: str = "f", **said: Any) -> Tool:
    return Tool(name, "", {}, function, lambda _: Arguments(), **said)


class Table:
    def row(self) -> int:
        return 1

    def column(self) -> int:
        return 2

    def __call__(self) -> int:
        return 3


def one() -> int:
    return 1


def two() -> int:
    return 2


def with_code_of(other: Callable[[], int], function: Any) -> Any:
    """The same function object, whose code was replaced in place."""
    function.__code__ = other.__code__
    return function


def fresh() -> Any:
    def made() -> int:
        return 1

    return made


TABLE, OTHER_TABLE, LENGTH = Table(), Table(), len


def attributed() -> Any:
    """A function that has an attribute `func`, as a partial has."""
    made = fresh()
    made.func = one
    return made


# What was allowed, and what comes of it that has the same name.
HOLDS: dict[str, tuple[Any, Callable[[Any], Any], bool]] = {
    "the same function": (one, lambda f: f, True),
    "another function": (one, lambda _: two, False),
    "its code replaced": (fresh(), lambda f: with_code_of(two, f), False),
    "a method": (TABLE.row, lambda _: TABLE.row, True),
    "another method": (TABLE.row, lambda _: TABLE.column, False),
    "a method of another object": (TABLE.row, lambda _: OTHER_TABLE.row, False),
    "a function, then a method": (one, lambda _: TABLE.row, False),
    "a method, then a function": (TABLE.row, lambda _: one, False),
    "a partial": (PARTIAL := functools.partial(one), lambda f: f, True),
    "another partial of the same": (PARTIAL, lambda _: functools.partial(one), False),
    "a partial whose function's code was replaced": (
        functools.partial(functools.partial(fresh())),
        lambda f: with_code_of(two, f.func) and f,
        False,
    ),
    "a function that has an attribute func": (
        attributed(),
        lambda f: with_code_of(two, f),
        False,
    ),
    "an object that is called": (TABLE, lambda f: f, True),
    "another object that is called": (TABLE, lambda _: OTHER_TABLE, False),
    "a function of C": (LENGTH, lambda f: f, True),
}


@pytest.mark.parametrize("case", HOLDS)
def test_always_holds_for_the_very_same_function_with_the_very_same_code(case: str) -> None:
    allowed, become, holds = HOLDS[case]
    always = Always()
    assert of(allowed) not in always
    always.add(of(allowed))
    assert (of(become(allowed)) in always) is holds
    assert of(allowed, "another name") not in always


@pytest.mark.parametrize(
    ("rule", "own", "answers", "objection", "asked"),
    [
        ("auto", None, [], None, 0),
        ("ask", None, [YES], None, 1),
        ("ask", None, [Decision(False, "not now")], "not now", 1),
        ("ask", None, [Decision(False)], "", 1),
        ("ask", None, [Decision(False, always=True)], "", 1),
        ("never", None, [], DENIED, 0),
        ("auto", "ask", [YES], None, 1),
        ("auto", "never", [], DENIED, 0),
        ("ask", "auto", [], None, 0),
        ("ask", "never", [], DENIED, 0),
        ("never", "auto", [], DENIED, 0),
        ("never", "ask", [], DENIED, 0),
    ],
)
def test_a_call_is_objected_to_by_the_tools_word_the_rule_or_the_user(
    rule: Any, own: Any, answers: list[Decision], objection: str | None, asked: int
) -> None:
    approver, cancel = Answering(*answers), Cancel()
    approval = Approval(rule, approver, Always())
    tool = of(half, "half", approve=own)
    assert approval.denies_all is (rule == "never")
    assert approval.objection(call("half", x=1), tool, cancel) == objection
    assert approver.asked == [call("half", x=1)] * asked


def test_whoever_is_asked_gets_the_call_the_tool_and_what_stops_it() -> None:
    got: list[object] = []

    class Notes(Nobody):
        def approve(self, *said: object) -> Decision:
            got.extend(said)
            return YES

    tool, cancel = of(half), Cancel()
    Approval("ask", Notes(), Always()).objection(call("half"), tool, cancel)
    assert got == [call("half"), tool, cancel]


# Whether the kernel's or the question's memory has it, and how often two questions with two calls
# each ask: one that lasts once, one that does not once a question, one not said to hold each time.
@pytest.mark.parametrize(
    ("lasting", "answer", "asked"), [(True, ALWAYS, 1), (False, ALWAYS, 2), (True, YES, 4)]
)
def test_always_holds_for_the_kernel_or_else_for_the_question(
    lasting: bool, answer: Decision, asked: int
) -> None:
    approver, always, tool = Answering(*[answer] * 4), Always(), of(half, lasting=lasting)
    for _ in range(2):
        approval = Approval("ask", approver, always)
        for _ in range(2):
            assert approval.objection(call("half"), tool, None) is None
    assert len(approver.asked) == asked
    assert (tool in always) is (lasting and answer.always)


@pytest.mark.parametrize(
    ("rule", "own", "refused"),
    [
        ("ask", [None], True),
        ("auto", [None, "ask"], True),
        ("ask", ["auto", "never"], False),
        ("auto", [None], False),
        ("never", ["ask"], False),
        ("ask", [], False),
    ],
)
def test_a_question_is_refused_where_one_of_its_tools_would_ask_and_nobody_is_there(
    rule: Any, own: list[Any], refused: bool
) -> None:
    approval = Approval(rule, Nobody(), Always())
    tools = [of(half, f"f{number}", approve=word) for number, word in enumerate(own)]
    if not refused:
        approval.check(tools)
        return
    with pytest.raises(InputError, match=r'^Nobody .*=a function .*="auto" .*="never"\.$'):
        approval.check(tools)


@pytest.mark.parametrize(
    ("says", "decision"),
    [
        (True, Decision(True)),
        (False, Decision(False)),
        ("too dear", Decision(False, "too dear")),
        ("", Decision(False)),
        # What is no word of the user's allows nothing.
        (None, Decision(False)),
        (1, Decision(False)),
        ("yes", Decision(False, "yes")),
        ([True], Decision(False)),
    ],
)
def test_a_function_of_the_users_allows_a_call_by_true_alone(says: Any, decision: Decision) -> None:
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def answer(name: str, arguments: Mapping[str, Any]) -> Any:
        asked.append((name, dict(arguments)))
        arguments.pop("x")  # type: ignore[attr-defined]
        return says

    made = call("half", x=1)
    approver = ByFunction(answer)
    approver.check()
    assert approver.approve(made, function_tool(half), None) == decision
    assert asked == [("half", {"x": 1})]
    assert made["input"] == {"x": 1}  # what is run is what the model gave


def test_nobody_allows_nothing() -> None:
    said = Nobody().approve(call("half"), of(half), None)
    assert said == Decision(False, "nobody can be asked here")


@pytest.mark.parametrize(
    ("given", "rule"),
    [("ask", "ask"), ("auto", "auto"), ("never", "never"), (lambda name, arguments: True, "ask")],
)
def test_a_rule_is_a_word_or_a_function_that_is_asked(given: object, rule: str) -> None:
    assert rule_of(given) == rule


@pytest.mark.parametrize("given", [None, True, False, "", "ASK", "yes", "always", 1])
def test_another_word_is_refused_and_the_words_are_named(given: object) -> None:
    with pytest.raises(InputError) as fault:
        rule_of(given)
    assert f"approve={given!r}:" in str(fault.value)
    assert "ask, auto, never" in str(fault.value)


@contextmanager
def read_from(stream: TextIO | None) -> Iterator[None]:
    """The program reads from `stream`."""
    before, sys.stdin = sys.stdin, stream  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stdin = before


@pytest.mark.parametrize("typed", ["y\n", "yes", "no\nye", ""])
def test_what_was_typed_before_the_question_is_no_answer_to_it(typed: str) -> None:
    keyboard, terminal = pty.openpty()
    with open(keyboard, "wb", buffering=0) as hand, open(terminal) as screen:  # noqa: PTH123
        hand.write(typed.encode())
        with read_from(screen):
            drop_typed_ahead()
        hand.write(b"later\n")
        assert screen.readline() == "later\n"


def test_where_no_terminal_is_read_nothing_is_dropped() -> None:
    with read_from(None):
        drop_typed_ahead()
    answers = StringIO("yes\n")
    with read_from(answers):
        drop_typed_ahead()
    assert answers.readline() == "yes\n"
    ours, its = os.pipe()
    with open(its, "w") as says, open(ours) as pipe, read_from(pipe):  # noqa: PTH123
        says.write("yes\n")
        says.flush()
        drop_typed_ahead()
        assert pipe.readline() == "yes\n"
