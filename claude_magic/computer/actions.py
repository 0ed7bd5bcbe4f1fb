"""What a call of the computer tool asks for, checked, as an `Action`; and a call in words.

Source: the names are those of the X protocol's keysyms, in any case, and the short ones that
people and models use.

Source: the computer use tool's page, for the toolset's members and for the older single tool.

What the model wrote stands in them as it is, so they are text to be escaped, never markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..messages.blocks import Block
from ..value_classes import frozen
from .interface import WHEEL
from .screen_pictures import Box, Scale, ScreenPoint

_SHORT = {
    "ctrl": "Control_L",
    "control": "Control_L",
    "shift": "Shift_L",
    "alt": "Alt_L",
    "option": "Alt_L",
    "meta": "Alt_L",
    "altgr": "ISO_Level3_Shift",
    "super": "Super_L",
    "win": "Super_L",
    "windows": "Super_L",
    "cmd": "Super_L",
    "command": "Super_L",
    "enter": "Return",
    "esc": "Escape",
    "del": "Delete",
    "ins": "Insert",
    "back_space": "BackSpace",
    "pageup": "Page_Up",
    "pgup": "Page_Up",
    "pagedown": "Page_Down",
    "pgdn": "Page_Down",
    "arrowup": "Up",
    "arrowdown": "Down",
    "arrowleft": "Left",
    "arrowright": "Right",
    "capslock": "Caps_Lock",
    "numlock": "Num_Lock",
    "scrolllock": "Scroll_Lock",
    "printscreen": "Print",
    "spacebar": "space",
}
_GROUPS = ("latin1", "latin2", "miscellany", "greek", "xf86", "xkb")
_TYPED = {"\n": "Return", "\t": "Tab", "\b": "BackSpace", "\x1b": "Escape"}
_UNICODE = 0x0100_0000
_MODIFIERS = ("ctrl", "control", "alt", "option", "meta", "super", "win", "windows", "cmd")


class UnknownKeyError(ValueError):
    """There is no such key; the text says which."""


def strokes(text: str) -> list[tuple[int, ...]]:
    """The keysyms of each key or combination in `text`: "ctrl+s", "Return", "ctrl+k ctrl+s".

    Those of one combination are pressed in their order. Raises UnknownKeyError.
    """
    parts = text.split() or list(text[:1])  # a space, or a line's end, is a key as well
    if not parts:
        raise UnknownKeyError("no key is named")
    return [chord(part) for part in parts]


def chord(text: str) -> tuple[int, ...]:
    """The keysyms of one key or combination. Raises UnknownKeyError."""
    # "+" joins, and is a key: "ctrl++", "+".
    if text == "+":
        names = ["+"]
    elif text.endswith("++"):
        names = [*text[:-2].split("+"), "+"]
    else:
        names = text.split("+")
    with_modifier = any(name.lower() in _MODIFIERS for name in names)
    return tuple(_keysym(name, alone=not with_modifier) for name in names)


def _keysym(name: str, *, alone: bool) -> int:
    if len(name) == 1:
        # "ctrl+S" is the key S with ctrl, as menus write it, not shift as well.
        return character(name if alone else name.lower())
    known = _by_name()
    found = known.get(name) or known.get(_SHORT.get(name.lower(), name).lower())
    if found is None:
        raise UnknownKeyError(f"there is no key {name!r}")
    return found


@lru_cache(maxsize=1)
def _by_name() -> dict[str, int]:
    """Keysyms by their names as they are, and in lower case where that means no other one."""
    from Xlib import XK

    for group in _GROUPS:
        XK.load_keysym_group(group)
    named = {
        name.removeprefix("XK_").replace("XF86_", "XF86"): value
        for name, value in vars(XK).items()
        if name.startswith("XK_")
    }
    return {name.lower(): value for name, value in reversed(named.items())} | named


def character(value: str) -> int:
    """The keysym of one character. Raises UnknownKeyError for a control character."""
    if value in _TYPED:
        return _by_name()[_TYPED[value]]
    code = ord(value)
    if code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000:
        raise UnknownKeyError(f"U+{code:04X} is a control character, which no key types")
    # Source: appendix A of the X protocol. Latin-1 is itself, the rest an offset away.
    return code if code < 0x100 else _UNICODE + code


def characters(text: str) -> Sequence[int]:
    """The keysym of each character, Return for any line end. Raises UnknownKeyError."""
    return [character(value) for value in text.replace("\r\n", "\n").replace("\r", "\n")]


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


@frozen
class Action:
    """One action. Places are pixels of the screen; keys are X keysyms.

    `strokes` are combinations pressed one after another, `held` keys that are down meanwhile.
    """

    name: str
    at: ScreenPoint | None = None
    start: ScreenPoint | None = None
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
        return {"typed": _keys(lambda: tuple(characters(value)))}
    if name == "key":
        return {"strokes": _keys(lambda: tuple(strokes(value)))}
    # "" is what a model writes for no modifier.
    return {"held": _keys(lambda: chord(value)) if value or name == "hold_key" else ()}


def _keys(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except UnknownKeyError as fault:
        raise WrongInputError(f"text: {fault}.") from None


def _point(name: str, value: Any, scale: Scale) -> ScreenPoint:
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


_LONGEST = 160


def line(call: Block) -> str:
    """One line for a call: "left_click at 120, 80", "type: 'text'"; cut to 160 characters."""
    name, given = named(call)
    parts = [_where(given)]
    match name:
        case "type" | "key" | "hold_key":
            parts = [f": {given.get('text')!r}", _times(given), _for_seconds(given)]
        case "scroll":
            amount, direction = given.get("scroll_amount"), given.get("scroll_direction")
            parts = [f" {_plain(direction)} by {_plain(amount)}", *parts, _holding(given)]
        case "zoom":
            parts = [f" into {_plain(given.get('region'))}"]
        case "left_click_drag":
            start = given.get("start_coordinate")
            begin = f" from {_plain(start)}" if start is not None else ""
            parts = [f"{begin} to {_plain(given.get('coordinate'))}", _holding(given)]
        case "wait":
            parts = [_for_seconds(given)]
        case _:
            parts.append(_holding(given))
    text = "".join([_plain(name), *parts])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def describe(call: Block) -> str:
    """The whole call, exactly, one parameter a line: what a person is asked to allow."""
    name, given = named(call)
    parameters = [f"{_plain(key)} = {value!r}" for key, value in given.items()]
    return "\n".join([f"On the virtual desktop: {_plain(name)}", *parameters])


def _where(given: Mapping[str, Any]) -> str:
    at = given.get("coordinate")
    return f" at {_plain(at)}" if at is not None else ""


def _holding(given: Mapping[str, Any]) -> str:
    return f" holding {_plain(given['text'])}" if given.get("text") else ""


def _times(given: Mapping[str, Any]) -> str:
    repeat = given.get("repeat")
    return f", {_plain(repeat)} times" if repeat not in (None, 1) else ""


def _for_seconds(given: Mapping[str, Any]) -> str:
    seconds = given.get("duration")
    return f" for {_plain(seconds)} s" if seconds is not None else ""


def _plain(value: Any) -> str:
    """Numbers and places without brackets, words without quotes; anything else as Python has it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    # What is no word shows its control and direction characters.
    return value if isinstance(value, str) and value.isprintable() else repr(value)
