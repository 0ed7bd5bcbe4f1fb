"""A call in words: for the person who allows it, and for the list of steps.

What the model wrote stands in them as it is, so they are text to be escaped, never markup.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...messages.blocks import Block
from .calls import named

_LONGEST = 160


def line(call: Block) -> str:
    """One line for a call: "left_click at 120, 80", "type: 'text'"; cut to 160 characters."""
    name, given = named(call)
    parts = [_where(given)]
    match name:
        case "type" | "key" | "hold_key":
            parts = [f": {given.get('text')!r}", _times(given), _seconds(given)]
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
            parts = [_seconds(given)]
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


def _seconds(given: Mapping[str, Any]) -> str:
    seconds = given.get("duration")
    return f" for {_plain(seconds)} s" if seconds is not None else ""


def _plain(value: Any) -> str:
    """Numbers and places without brackets, words without quotes; anything else as Python has it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    # What is no word shows its control and direction characters.
    return value if isinstance(value, str) and value.isprintable() else repr(value)
