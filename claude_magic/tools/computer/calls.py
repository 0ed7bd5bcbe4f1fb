"""What a call of the computer tool asks for, checked: an `Action`, or what is wrong with it.

Source: the computer use tool's page, for the toolset's members and for the older single tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...messages.blocks import Block
from . import keys
from .protocol import WHEEL
from .scale import Box, Point, Scale

_CLICK = ((), ("coordinate", "text"))
# The parameters that each action must have, and those that it may have.
_PARAMETERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "screenshot": ((), ()),
    "zoom": (("region",), ()),
    "left_click": _CLICK,
    "right_click": _CLICK,
    "middle_click": _CLICK,
    "double_click": _CLICK,
    "triple_click": _CLICK,
    "left_click_drag": (("start_coordinate", "coordinate"), ("text",)),
    "mouse_move": (("coordinate",), ()),
    "left_mouse_down": ((), ()),
    "left_mouse_up": ((), ()),
    "cursor_position": ((), ()),
    "scroll": (("scroll_direction", "scroll_amount"), ("coordinate", "text")),
    "type": (("text",), ()),
    "key": (("text",), ("repeat",)),
    "hold_key": (("text", "duration"), ()),
    "wait": (("duration",), ()),
}
ACTIONS = tuple(_PARAMETERS)
"""The names of all actions."""
LOOKING = ("screenshot", "zoom", "cursor_position", "wait")
"""Actions that change nothing on the screen."""

MOST_SECONDS, MOST_SECONDS_BEFORE = 300, 100
"""The longest that `wait` and `hold_key` last: in the toolset, and in the older tool."""
_MOST_REPEATS = 100
_MOST_CLICKS = 100


class WrongInputError(ValueError):
    """The call cannot be carried out as it stands; the text is for the model."""


@dataclass(frozen=True)
class Action:
    """One action. Places are pixels of the screen; keys are X keysyms.

    `strokes` are combinations pressed one after another, `held` keys that are down meanwhile.
    """

    name: str
    at: Point | None = None
    start: Point | None = None
    box: Box | None = None
    typed: tuple[int, ...] = ()
    strokes: tuple[tuple[int, ...], ...] = ()
    held: tuple[int, ...] = ()
    direction: str = ""
    amount: int = 0
    seconds: float = 0.0
    repeat: int = 1


def named(call: Block) -> tuple[str, Mapping[str, Any]]:
    """The action's name and its parameters, however wrong, in both forms of the tool."""
    given = call.get("input")
    parameters: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if call.get("toolset_name") is not None:
        return str(call.get("name")), parameters
    others = {name: value for name, value in parameters.items() if name != "action"}
    # The oldest form of the tool had another name for the keys held during a click.
    if "key" in others and "text" not in others:
        others["text"] = others.pop("key")
    return str(parameters.get("action")), others


def action(call: Block, scale: Scale) -> Action:
    """The action that the call asks for. Raises WrongInputError."""
    name, given = named(call)
    if name not in _PARAMETERS:
        raise WrongInputError(f"There is no action {name!r}: use one of {', '.join(ACTIONS)}.")
    required, optional = _PARAMETERS[name]
    older = call.get("toolset_name") is None
    if older and name == "left_click_drag":
        required, optional = ("coordinate",), ("start_coordinate", "text")
    # The older tool has one schema for all actions, and models fill what they do not use with null.
    parameters = {key: value for key, value in given.items() if value is not None}
    for key in parameters:
        if key not in (*required, *optional):
            raise WrongInputError(f"{name} takes no {key}: leave it out.")
    for key in required:
        if key not in parameters:
            raise WrongInputError(f"{name} needs {key}.")
    most = MOST_SECONDS_BEFORE if older else MOST_SECONDS
    return Action(name, **_read(name, parameters, scale, most))


def _read(
    name: str, parameters: Mapping[str, Any], scale: Scale, most_seconds: int
) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for key, value in parameters.items():
        match key:
            case "coordinate":
                read["at"] = scale.to_screen(_point(key, value, scale))
            case "start_coordinate":
                read["start"] = scale.to_screen(_point(key, value, scale))
            case "region":
                read["box"] = scale.box_to_screen(_box(value, scale))
            case "scroll_direction":
                if not isinstance(value, str) or value not in WHEEL:
                    raise WrongInputError(f"scroll_direction is one of {', '.join(WHEEL)}.")
                read["direction"] = value
            case "scroll_amount":
                read["amount"] = _whole(key, value, 0, _MOST_CLICKS)
            case "repeat":
                read["repeat"] = _whole(key, value, 1, _MOST_REPEATS)
            case "duration":
                read["seconds"] = _seconds(value, most_seconds)
            case "text":
                read.update(_text(name, value))
    return read


def _text(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        raise WrongInputError("text is a string.")
    if name == "type":
        return {"typed": _keys(lambda: tuple(keys.characters(value)))}
    if name == "key":
        return {"strokes": _keys(lambda: tuple(keys.strokes(value)))}
    # "" is what a model writes for no modifier.
    return {"held": _keys(lambda: keys.chord(value)) if value or name == "hold_key" else ()}


def _keys(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except keys.UnknownKeyError as fault:
        raise WrongInputError(f"text: {fault}.") from None


def _point(name: str, value: Any, scale: Scale) -> Point:
    width, height = scale.sent
    x, y = _numbers(name, value, ("x", "y"))
    if not (0 <= x < width and 0 <= y < height):
        raise WrongInputError(
            f"{name} {x}, {y} is outside the screenshot: x is 0 to {width - 1}, "
            f"y is 0 to {height - 1}."
        )
    return x, y


def _box(value: Any, scale: Scale) -> Box:
    width, height = scale.sent
    left, top, right, bottom = _numbers("region", value, ("x0", "y0", "x1", "y1"))
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise WrongInputError(
            f"region {left}, {top}, {right}, {bottom} is no part of the screenshot: it needs "
            f"0 <= x0 < x1 <= {width} and 0 <= y0 < y1 <= {height}."
        )
    return left, top, right, bottom


def _numbers(name: str, value: Any, names: tuple[str, ...]) -> list[int]:
    fits = isinstance(value, list | tuple) and len(value) == len(names)
    if not fits or not all(_is_whole(part) for part in value):
        raise WrongInputError(f"{name} is [{', '.join(names)}], whole numbers of pixels.")
    return [int(part) for part in value]


def _whole(name: str, value: Any, least: int, most: int) -> int:
    if not _is_whole(value) or not least <= value <= most:
        raise WrongInputError(f"{name} is a whole number from {least} to {most}.")
    return int(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1


def _seconds(value: Any, most: int) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= most:
        raise WrongInputError(f"duration is a number of seconds from 0 to {most}.")
    return float(value)
