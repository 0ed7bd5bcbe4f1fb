"""A call in words: one line for the list of steps, all of it for whoever allows it."""

from __future__ import annotations

from typing import Any

import pytest

from claude_magic.computer.actions import describe, line
from claude_magic.messages.models import Model
from claude_magic.rendering import escape
from tests.computer.calls_as_sent import FORMS, NEWEST, call

LINES: dict[str, tuple[str, dict[str, Any], str]] = {
    "screenshot": ("screenshot", {}, "screenshot"),
    "zoom": ("zoom", {"region": [0, 10, 100, 50]}, "zoom into 0, 10, 100, 50"),
    "click": ("left_click", {"coordinate": [120, 80]}, "left_click at 120, 80"),
    "click where it is": ("right_click", {}, "right_click"),
    "click with a key": (
        "left_click",
        {"coordinate": [1, 2], "text": "ctrl+shift"},
        "left_click at 1, 2 holding ctrl+shift",
    ),
    "drag": (
        "left_click_drag",
        {"start_coordinate": [1, 2], "coordinate": [3, 4]},
        "left_click_drag from 1, 2 to 3, 4",
    ),
    "scroll": (
        "scroll",
        {"scroll_direction": "down", "scroll_amount": 3, "coordinate": [5, 6]},
        "scroll down by 3 at 5, 6",
    ),
    "type": ("type", {"text": "It's ☃\n"}, 'type: "It\'s ☃\\n"'),
    "key": ("key", {"text": "Tab", "repeat": 4}, "key: 'Tab', 4 times"),
    "hold": ("hold_key", {"text": "shift", "duration": 2}, "hold_key: 'shift' for 2 s"),
    "wait": ("wait", {"duration": 1.5}, "wait for 1.5 s"),
}


@pytest.mark.parametrize("model", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("name", "given", "expected"), LINES.values(), ids=LINES)
def test_a_step_is_one_line_the_same_in_every_form(
    name: str, given: dict[str, Any], expected: str, model: Model
) -> None:
    assert line(call(name, model=model, **given)) == expected


WRONG: dict[str, Any] = {
    "no input": None,
    "a list": [1],
    "a place that is none": {"coordinate": {"x": 1}},
    "a text that is none": {"text": ["a", {"b": None}]},
    "nothing fits": {"coordinate": "1,2", "text": 5, "scroll_amount": [], "duration": {}},
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", ["left_click", "type", "scroll", "wait", "zoom", "no such"])
def test_a_call_that_makes_no_sense_has_a_line_too(name: str, given: Any) -> None:
    block = {**call(name), "input": given}
    assert line(block).startswith(name)
    assert "\n" not in line(block)
    assert describe(block).startswith(f"On the virtual desktop: {name}")


def test_a_long_text_is_cut_in_the_line_and_whole_for_whoever_allows_it() -> None:
    asked = call("type", text="x" * 500 + "; rm -rf ~")
    assert len(line(asked)) == 160
    assert describe(asked).endswith("; rm -rf ~'")


def test_what_cannot_be_seen_is_shown() -> None:
    asked = call("type", text="safe\u202eevil\x1b[2J\u200b")
    for words in (line(asked), describe(asked)):
        assert "\\u202e" in words
        assert "\\x1b" in words
        assert "\\u200b" in words


def test_markup_in_a_call_is_text_once_it_is_shown() -> None:
    asked = {**call("<img src=x onerror=alert(1)>"), "input": {"<b>": "<script>$x$</script>"}}
    for words in (line(asked), describe(asked)):
        assert "<img" not in escape(words)
        assert "<script" not in escape(words)
        assert "<b>" not in escape(words)


def test_every_parameter_is_told_to_whoever_allows_it() -> None:
    asked = call("left_click", model=NEWEST, coordinate=[1, 2], text="ctrl", surprise="yes")
    assert describe(asked) == (
        "On the virtual desktop: left_click\ncoordinate = [1, 2]\ntext = 'ctrl'\nsurprise = 'yes'"
    )
