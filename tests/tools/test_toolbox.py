"""The calls of a reply, run: each gets a result, in order, whatever it asks for or raises."""

from __future__ import annotations

import pytest

from claude_magic.conversation.asking.question import CallEvent
from claude_magic.messages import models
from claude_magic.messages.blocks import text
from claude_magic.messages.errors import InputError
from tests.tools.boxes_and_calls import KEY, Answering, box, call, half, noted, ran, said


def fails(x: int) -> int:
    """Fails."""
    raise ValueError(f"no such row: {x}, {KEY}")


def test_a_call_gets_what_the_function_returned() -> None:
    events: list[CallEvent] = []
    (result,) = ran(box(half), call("half", x=3), tell=events.append)
    assert result == {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("1.5")]}
    assert noted(events) == ["calling toolu_1", "called toolu_1"]


def test_an_exception_is_an_error_result_with_the_users_frames_and_without_the_key() -> None:
    (result,) = ran(box(fails), call("fails", x=3))
    assert result["is_error"] is True
    assert said(result).endswith("ValueError: no such row: 3, [key]")
    assert "in fails" in said(result)
    assert "claude_magic/tools" not in said(result)
    assert KEY not in str(result)


def leaves() -> None:
    raise SystemExit(3)


def test_a_function_that_exits_ends_no_kernel() -> None:
    (result,) = ran(box(leaves), call("leaves"))
    assert said(result).endswith("SystemExit: 3")


NOT_RUN = {
    "an unknown tool": ({"name": "hlaf", "input": {}}, "Did you mean half? There are: half."),
    "a name that is none": ({"name": None, "input": {}}, "There is no tool of this name."),
    "wrong arguments": ({"input": {"x": "many"}}, "Wrong arguments for half: x: Input should be"),
    "arguments that were cut off": ({"input": '{"x": 1'}, "cut off or are no JSON object"),
    "arguments that are a list": ({"input": "[1]"}, "cut off or are no JSON object"),
}


@pytest.mark.parametrize("case", NOT_RUN)
def test_a_call_that_cannot_be_run_gets_a_result_that_says_why(case: str) -> None:
    changed, says = NOT_RUN[case]
    approver = Answering()
    (result,) = ran(box(half, approver=approver, rule="ask"), {**call("half", x=1), **changed})
    assert result["is_error"] is True
    assert says in said(result)
    assert approver.asked == [], "what cannot run is not asked about"


def test_of_three_calls_one_fails_and_all_are_answered_in_their_order() -> None:
    results = ran(
        box(half, fails), call("half", 1, x=2), call("fails", 2, x=1), call("half", 3, x=4)
    )
    assert [r["tool_use_id"] for r in results] == ["toolu_1", "toolu_2", "toolu_3"]
    assert [r.get("is_error", False) for r in results] == [False, True, False]


def test_a_huge_result_goes_through_what_trims_it() -> None:
    def huge() -> str:
        return "a" * 10_000_000 + "z"

    (result,) = ran(box(huge), call("huge"))
    assert len(said(result)) < 1000
    assert said(result).endswith("z")


def test_an_empty_text_is_said_since_the_api_refuses_it() -> None:
    def blank() -> str:
        return " \n"

    (result,) = ran(box(blank), call("blank"))
    assert said(result) == "(an empty text)"


def test_two_functions_of_one_name_are_refused() -> None:
    def other(x: int) -> int:
        return x

    other.__name__ = "half"
    with pytest.raises(InputError, match="Two tools are called half"):
        box(half, other)
    box(half, half)


def test_definitions_are_the_same_in_whatever_order_tools_are_named() -> None:
    model = models.MODELS["claude-sonnet-5-5"]
    one, two = (
        box(half, fails, at_server=["web", "code"]),
        box(fails, half, at_server=["code", "web"]),
    )
    assert one.definitions(model, anthropic=True) == two.definitions(model, anthropic=True)
    names = [d["name"] for d in one.definitions(model, anthropic=True)]
    assert names == ["fails", "half", "code_execution", "web_fetch", "web_search"]


VERSIONS = {
    "claude-sonnet-5-5": ["code_execution_20260521", "web_fetch_20260318", "web_search_20260318"],
    "claude-sonnet-4-5-20250929": [
        "code_execution_20250825",
        "web_fetch_20250910",
        "web_search_20250305",
    ],
}


@pytest.mark.parametrize("name", VERSIONS)
def test_server_tools_come_in_the_version_that_the_model_takes(name: str) -> None:
    model = models.lookup(name)
    assert model is not None
    made = box(at_server=["code", "web"])
    assert [d["type"] for d in made.definitions(model, anthropic=True)] == VERSIONS[name]


def test_server_tools_are_refused_where_the_server_is_another() -> None:
    with pytest.raises(InputError, match="--tools web runs at Anthropic's servers"):
        box(at_server=["web"]).definitions(models.unknown("llama"), anthropic=False)
