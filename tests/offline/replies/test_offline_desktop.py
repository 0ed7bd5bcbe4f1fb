"""The offline server at a desktop: what it reads in a question, calls, and says in the end."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from claude_magic.offline.referee.referee import check
from claude_magic.offline.referee.request_checks import CheckedRequest
from claude_magic.offline.replies.desktop_calls import at_desktop
from claude_magic.offline.replies.reading import read
from tests.offline.offline_samples import body, image, picture, text, user

TOOLSET = {"type": "computer_toolset_20260801"}
OLDER = {
    "type": "computer_20251124",
    "name": "computer",
    "display_width_px": 1280,
    "display_height_px": 800,
}
BETA = "computer-use-2025-11-24"


def asked(*messages: Any, **more: Any) -> CheckedRequest:
    headers = {"anthropic-version": "2023-06-01", "anthropic-beta": BETA}
    return check(body(*messages, **{"tools": [TOOLSET], **more}), headers)


def says(request: CheckedRequest) -> Any:
    return at_desktop(request, read(request), 7)


def looked(question: str, **more: Any) -> list[dict[str, Any]]:
    """The messages once the server has its first screenshot."""
    call = {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "screenshot",
        "toolset_name": "computer",
        "input": {},
    }
    result = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "toolset_name": "computer",
        "content": [image(picture(640, 400))],
        **more,
    }
    return [user(question), {"role": "assistant", "content": [call]}, user(result)]


ORDERS: dict[str, tuple[str, list[tuple[str, dict[str, Any]]]]] = {
    "a click": ("Click at 120, 80.", [("left_click", {"coordinate": [120, 80]})]),
    "in brackets": ("click on (120,80)", [("left_click", {"coordinate": [120, 80]})]),
    "in the middle": ("Click.", [("left_click", {"coordinate": [320, 200]})]),
    "other clicks": (
        "Double-click at 1, 2, right click 3, 4 and triple-click at 5, 6; middle click at 7, 8",
        [
            ("double_click", {"coordinate": [1, 2]}),
            ("right_click", {"coordinate": [3, 4]}),
            ("triple_click", {"coordinate": [5, 6]}),
            ("middle_click", {"coordinate": [7, 8]}),
        ],
    ),
    "a drag": (
        "drag from 1, 2 to 30, 40",
        [("left_click_drag", {"start_coordinate": [1, 2], "coordinate": [30, 40]})],
    ),
    "a move": ("move the pointer to 3, 4", [("mouse_move", {"coordinate": [3, 4]})]),
    "scrolling": (
        "scroll down by 5 at 9, 8, then scroll up, scroll left 2",
        [
            ("scroll", {"scroll_direction": "down", "scroll_amount": 5, "coordinate": [9, 8]}),
            ("scroll", {"scroll_direction": "up", "scroll_amount": 3}),
            ("scroll", {"scroll_direction": "left", "scroll_amount": 2}),
        ],
    ),
    "typing": (
        "type `6*7`, type \"a, 'b'\" and type “c d”",
        [("type", {"text": "6*7"}), ("type", {"text": "a, 'b'"}), ("type", {"text": "c d"})],
    ),
    "keys": (
        "press `ctrl+s`, press `Tab` 4 times",
        [("key", {"text": "ctrl+s"}), ("key", {"text": "Tab", "repeat": 4})],
    ),
    "a held key": ("hold `shift` for 2", [("hold_key", {"text": "shift", "duration": 2})]),
    "a wait": ("wait for 2 seconds", [("wait", {"duration": 2})]),
    "a zoom": ("zoom into 0, 0 to 100, 50", [("zoom", {"region": [0, 0, 100, 50]})]),
    "words that are no orders": ("The type of the clicks is unclear, press on.", []),
}


@pytest.mark.parametrize(("question", "expected"), ORDERS.values(), ids=ORDERS)
def test_the_orders_of_a_question_are_carried_out_and_looked_at_again(
    question: str, expected: list[tuple[str, dict[str, Any]]]
) -> None:
    said = says(asked(*looked(f"On the desktop: {question}")))
    called = [(call["name"], call["input"]) for call in said.calls]
    assert called == ([*expected, ("screenshot", {})] if expected else [])
    assert all(call["toolset_name"] == "computer" for call in said.calls)
    assert len({call["id"] for call in said.calls}) == len(said.calls)


def test_the_desktop_is_looked_at_first() -> None:
    said = says(asked(user("Click at 1, 2 on the desktop.")))
    assert [call["name"] for call in said.calls] == ["screenshot"]


def test_the_older_tool_is_called_in_its_own_form() -> None:
    request = asked(user("Look at the desktop."), model="claude-opus-4-6", tools=[OLDER])
    (call,) = says(request).calls
    assert (call["name"], call["input"]) == ("computer", {"action": "screenshot"})
    assert "toolset_name" not in call


def test_nothing_is_called_where_it_may_not_be() -> None:
    question = user("Click on the desktop.")
    assert says(asked(question, tools=...)) is None
    assert says(asked(question, tool_choice={"type": "none"})) is None


def test_a_question_for_something_else_is_answered_as_ever() -> None:
    assert says(asked(user("Click at 1, 2."))) is None


def test_a_failed_screenshot_ends_it() -> None:
    failed = {"content": [text("The desktop is gone.")], "is_error": True}
    said = says(asked(*looked("Click at 1, 2 on the desktop.", **failed)))
    assert said.calls == ()
    assert "1. `screenshot`: an error, The desktop is gone." in said.text


def test_a_question_without_orders_is_told_which_there_are() -> None:
    said = says(asked(*looked("What is on the desktop?")))
    assert "no model has looked at the desktop" in said.text
    assert "gives no orders" in said.text
    assert "1. `screenshot`: PNG, 640 x 400 pixels, all white; 345 tokens" in said.text


def test_a_later_question_begins_anew() -> None:
    first = looked("What is on the desktop?")
    again = [*first, {"role": "assistant", "content": "It is white."}]
    said = says(asked(*again, user("And now? Press `Tab` on the desktop.")))
    assert [call["name"] for call in said.calls] == ["screenshot"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_whole_dialogue_over_http_ends_with_what_was_done(
    client: anthropic.Anthropic, stream: bool
) -> None:
    messages: list[Any] = [user("On the desktop click at 5, 6, type `hi` and press `Return`.")]
    seen: list[list[str]] = []
    for _ in range(4):
        request: dict[str, Any] = body(*messages, tools=[TOOLSET])
        if stream:
            with client.messages.stream(**request) as streamed:
                reply = streamed.get_final_message().to_dict()
        else:
            reply = client.messages.create(**request).to_dict()
        content: list[Any] = reply["content"]  # type: ignore[assignment]
        calls = [block for block in content if block["type"] == "tool_use"]
        if not calls:
            break
        assert reply["stop_reason"] == "tool_use"
        seen.append([call["name"] for call in calls])
        messages += [{"role": "assistant", "content": content}, user(*map(result_of, calls))]
    assert seen == [["screenshot"], ["left_click", "type", "key", "screenshot"]]
    said = content[-1]["text"]
    assert '3. `type` `{"text": "hi"}`: OK' in said
    assert "5. `screenshot`: PNG, 64 x 40 pixels, all white" in said
    assert reply["stop_reason"] == "end_turn"


def result_of(call: dict[str, Any]) -> dict[str, Any]:
    content = image(picture(64, 40)) if call["name"] == "screenshot" else text("OK")
    return {
        "type": "tool_result",
        "tool_use_id": call["id"],
        "toolset_name": "computer",
        "content": [content],
    }
