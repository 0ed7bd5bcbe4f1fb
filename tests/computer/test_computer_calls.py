"""What a call asks for, in both forms of the tool, and what is said to one that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.computer.actions import ACTIONS, Action, WrongInputError, action
from claude_magic.computer.screen_pictures import Scale
from claude_magic.messages.blocks import is_call
from claude_magic.messages.models import Model
from tests.computer.calls_as_sent import FORMS, NEWEST, OLDER, OLDEST, call

PLAIN = Scale((1280, 800), (1280, 800))
HALVED = Scale((1280, 800), (640, 400))
CTRL, SHIFT, RETURN = 0xFFE3, 0xFFE1, 0xFF0D

RIGHT: dict[str, tuple[str, dict[str, Any], Action]] = {
    "a screenshot": ("screenshot", {}, Action("screenshot")),
    "a region": ("zoom", {"region": [0, 0, 100, 50]}, Action("zoom", box=(0, 0, 100, 50))),
    "the whole screen as a region": (
        "zoom",
        {"region": [0, 0, 1280, 800]},
        Action("zoom", box=(0, 0, 1280, 800)),
    ),
    "a click": ("left_click", {"coordinate": [5, 7]}, Action("left_click", at=(5, 7))),
    "a click where the pointer is": ("left_click", {}, Action("left_click")),
    "a click with keys": (
        "right_click",
        {"coordinate": [5, 7], "text": "ctrl+shift"},
        Action("right_click", at=(5, 7), held=(CTRL, SHIFT)),
    ),
    "a click with no keys": ("middle_click", {"text": ""}, Action("middle_click")),
    "a place in halves": (
        "double_click",
        {"coordinate": [5.0, 7]},
        Action("double_click", at=(5, 7)),
    ),
    "the last pixel": (
        "triple_click",
        {"coordinate": [1279, 799]},
        Action("triple_click", at=(1279, 799)),
    ),
    "a drag": (
        "left_click_drag",
        {"start_coordinate": [1, 2], "coordinate": [3, 4], "text": "shift"},
        Action("left_click_drag", at=(3, 4), start=(1, 2), held=(SHIFT,)),
    ),
    "a move": ("mouse_move", {"coordinate": [3, 4]}, Action("mouse_move", at=(3, 4))),
    "a button down": ("left_mouse_down", {}, Action("left_mouse_down")),
    "a button up": ("left_mouse_up", {}, Action("left_mouse_up")),
    "where the pointer is": ("cursor_position", {}, Action("cursor_position")),
    "a turn of the wheel": (
        "scroll",
        {"scroll_direction": "left", "scroll_amount": 3, "coordinate": [3, 4], "text": "ctrl"},
        Action("scroll", at=(3, 4), direction="left", amount=3, held=(CTRL,)),
    ),
    "text": ("type", {"text": "a\n"}, Action("type", typed=(ord("a"), RETURN))),
    "a key": ("key", {"text": "ctrl+a"}, Action("key", strokes=((CTRL, ord("a")),))),
    "a key again": (
        "key",
        {"text": "Return", "repeat": 100},
        Action("key", strokes=((RETURN,),), repeat=100),
    ),
    "a held key": (
        "hold_key",
        {"text": "shift", "duration": 2},
        Action("hold_key", held=(SHIFT,), seconds=2),
    ),
    "a wait": ("wait", {"duration": 0.5}, Action("wait", seconds=0.5)),
}


@pytest.mark.parametrize("model", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("name", "given", "expected"), RIGHT.values(), ids=RIGHT)
def test_every_action_is_read_in_every_form(
    name: str, given: dict[str, Any], expected: Action, model: Model
) -> None:
    assert action(call(name, model=model, **given), PLAIN) == expected


def test_all_seventeen_actions_are_among_these() -> None:
    assert {name for name, _, _ in RIGHT.values()} == set(ACTIONS)
    assert len(ACTIONS) == 17


def test_places_are_scaled_to_the_screen() -> None:
    asked = call("left_click_drag", start_coordinate=[0, 0], coordinate=[639, 399])
    assert action(asked, HALVED).start == (1, 1)
    assert action(asked, HALVED).at == (1279, 799)
    assert action(call("zoom", region=[0, 0, 320, 200]), HALVED).box == (0, 0, 640, 400)


def test_the_older_tool_drags_from_where_the_pointer_is() -> None:
    assert action(call("left_click_drag", model=OLDER, coordinate=[3, 4]), PLAIN).start is None
    with pytest.raises(WrongInputError, match="needs start_coordinate"):
        action(call("left_click_drag", coordinate=[3, 4]), PLAIN)


def test_the_oldest_tool_has_another_name_for_the_keys_held() -> None:
    asked = call("left_click", model=OLDEST, coordinate=[3, 4], key="ctrl")
    assert action(asked, PLAIN).held == (CTRL,)


def test_what_the_older_tool_does_not_use_may_be_null() -> None:
    asked = call("left_click", model=OLDER, coordinate=[3, 4], text=None, duration=None)
    assert action(asked, PLAIN) == Action("left_click", at=(3, 4))


WRONG: dict[str, tuple[str, Any, str]] = {
    "no such action": ("jump", {}, "There is no action 'jump': use one of screenshot,"),
    "a parameter that is none": (
        "left_mouse_down",
        {"coordinate": [1, 2]},
        "left_mouse_down takes no coordinate",
    ),
    "a click with a wait": ("left_click", {"duration": 1}, "left_click takes no duration"),
    "a move to nowhere": ("mouse_move", {}, "mouse_move needs coordinate"),
    "a region that is missing": ("zoom", {}, "zoom needs region"),
    "one number": ("left_click", {"coordinate": [1]}, r"coordinate is [x, y]"),
    "three numbers": ("left_click", {"coordinate": [1, 2, 3]}, r"coordinate is [x, y]"),
    "numbers in a string": ("left_click", {"coordinate": "1, 2"}, r"coordinate is [x, y]"),
    "strings": ("left_click", {"coordinate": ["1", "2"]}, r"coordinate is [x, y]"),
    "half a pixel": ("left_click", {"coordinate": [1.5, 2]}, r"coordinate is [x, y]"),
    "true": ("left_click", {"coordinate": [True, 2]}, r"coordinate is [x, y]"),
    "no number": ("left_click", {"coordinate": [float("nan"), 2]}, r"coordinate is [x, y]"),
    "endless": ("left_click", {"coordinate": [float("inf"), 2]}, r"coordinate is [x, y]"),
    "left of the screen": ("left_click", {"coordinate": [-1, 2]}, "x is 0 to 1279, y is 0 to 799"),
    "right of the screen": (
        "left_click",
        {"coordinate": [1280, 2]},
        "coordinate 1280, 2 is outside",
    ),
    "below the screen": ("left_click", {"coordinate": [1, 800]}, "outside the screenshot"),
    "far away": ("left_click", {"coordinate": [10**40, 2]}, "outside the screenshot"),
    "a drag from outside": (
        "left_click_drag",
        {"start_coordinate": [0, 900], "coordinate": [1, 1]},
        "start_coordinate 0, 900",
    ),
    "a region of three": ("zoom", {"region": [1, 2, 3]}, r"region is [x0, y0, x1, y1]"),
    "a region of nothing": ("zoom", {"region": [5, 5, 5, 9]}, "x0 < x1"),
    "a region upside down": ("zoom", {"region": [5, 9, 7, 5]}, "y0 < y1"),
    "a region beyond": ("zoom", {"region": [5, 5, 1281, 9]}, "x1 <= 1280"),
    "a direction that is none": (
        "scroll",
        {"scroll_direction": "away", "scroll_amount": 1},
        "up, down, left, right",
    ),
    "a direction that is a list": (
        "scroll",
        {"scroll_direction": ["up"], "scroll_amount": 1},
        "up, down, left, right",
    ),
    "less than no scrolling": (
        "scroll",
        {"scroll_direction": "up", "scroll_amount": -1},
        "from 0 to 100",
    ),
    "too much scrolling": (
        "scroll",
        {"scroll_direction": "up", "scroll_amount": 101},
        "from 0 to 100",
    ),
    "no amount": ("scroll", {"scroll_direction": "up"}, "scroll needs scroll_amount"),
    "no text": ("type", {}, "type needs text"),
    "a number as text": ("type", {"text": 5}, "text is a string"),
    "a control character": ("type", {"text": "a\x00b"}, "U+0000"),
    "no such key": ("key", {"text": "ctrl+nokey"}, "there is no key 'nokey'"),
    "an empty key": ("key", {"text": ""}, "no key is named"),
    "an empty held key": ("hold_key", {"text": "", "duration": 1}, "there is no key ''"),
    "no such modifier": ("left_click", {"text": "hyperdrive"}, "there is no key 'hyperdrive'"),
    "never": ("key", {"text": "a", "repeat": 0}, "repeat is a whole number from 1 to 100"),
    "too often": ("key", {"text": "a", "repeat": 101}, "repeat is a whole number from 1 to 100"),
    "a wait into the past": ("wait", {"duration": -1}, "from 0 to 300"),
    "too long a wait": ("wait", {"duration": 301}, "from 0 to 300"),
    "an endless wait": ("wait", {"duration": float("inf")}, "from 0 to 300"),
    "a wait for no number": ("wait", {"duration": "long"}, "a number of seconds"),
    "a key held too long": ("hold_key", {"text": "a", "duration": 301}, "from 0 to 300"),
}


@pytest.mark.parametrize(("name", "given", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_call_is_said(name: str, given: Any, message: str) -> None:
    with pytest.raises(WrongInputError) as raised:
        action(call(name, **given), PLAIN)
    assert message in str(raised.value)


@pytest.mark.parametrize("given", [None, [], "screenshot", 5], ids=repr)
@pytest.mark.parametrize("model", FORMS.values(), ids=FORMS)
def test_an_input_that_is_no_object_has_no_parameters(given: Any, model: Model) -> None:
    block = {**call("wait", model=model), "input": given}
    with pytest.raises(WrongInputError, match=r"wait needs duration|no action 'None'"):
        action(block, PLAIN)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
parameters = st.sampled_from(
    [
        *("coordinate", "start_coordinate", "region", "text", "key", "repeat", "duration"),
        *("scroll_direction", "scroll_amount"),
    ]
)


@given(st.sampled_from(ACTIONS), st.dictionaries(parameters, json_values), st.booleans())
def test_whatever_a_model_sends_is_an_action_or_said_to_be_wrong(
    name: str, sent: dict[str, Any], older: bool
) -> None:
    try:
        assert action(call(name, model=OLDER if older else NEWEST, **sent), PLAIN).name == name
    except WrongInputError as fault:
        assert str(fault)


def test_the_older_tool_waits_less() -> None:
    assert action(call("wait", model=OLDER, duration=100), PLAIN).seconds == 100
    with pytest.raises(WrongInputError, match="from 0 to 100"):
        action(call("wait", model=OLDER, duration=101), PLAIN)


def test_only_the_computer_s_own_calls_are_taken() -> None:
    assert is_call(call("screenshot", model=NEWEST))
    assert is_call(call("screenshot", model=OLDER))
    # A function may have the name of an action, and another toolset too.
    assert not is_call({"type": "tool_use", "id": "t", "name": "screenshot", "input": {}})
    browser = {"type": "tool_use", "id": "t", "name": "screenshot", "toolset_name": "browser"}
    assert not is_call(browser)
