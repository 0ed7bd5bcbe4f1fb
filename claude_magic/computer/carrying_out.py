"""The calls of one reply, carried out in their order, one step of pointer or keyboard each."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..messages.blocks import NOT_ALLOWED, Block, content_blocks, text
from ..messages.errors import DesktopError
from ..value_classes import frozen
from . import actions
from .actions import Action, WrongInputError, action, named
from .interface import LEFT, MIDDLE, RIGHT, WHEEL, Computer, Shot
from .screen_pictures import Scale

if TYPE_CHECKING:
    from PIL import Image

# Seconds. Programs take the pointer to be where it was until they have seen it move; two clicks in
# no time at all are one to some of them.
_AFTER_MOVE, _BETWEEN_CLICKS, _PRESSED = 0.03, 0.06, 0.03
_DRAG_STEPS, _DRAG_STEP = 12, 0.015
_BETWEEN_TURNS, _BETWEEN_STROKES = 0.02, 0.03
# How many characters go at once, and the pause after them: some 300 a second.
_TYPED_AT_ONCE, _AFTER_TYPED = 10, 0.03
# A screenshot waits for programs to begin with what they were told, and then until two pictures
# are alike, or as many have been compared (a clock or an animation never rests).
_BEFORE_LOOKING, _BETWEEN_LOOKS, _LOOKS = 0.4, 0.15, 12

_BUTTONS = {
    "left_click": (LEFT, 1),
    "right_click": (RIGHT, 1),
    "middle_click": (MIDDLE, 1),
    "double_click": (LEFT, 2),
    "triple_click": (LEFT, 3),
}


def carry_out(action: Action, computer: Computer) -> None:
    """Does what the action asks for; those that only look are `look_again` and the caller's.

    Leaves keys and buttons pressed if it is interrupted: `Computer.let_go` releases them.
    """
    match action.name:
        case "mouse_move":
            _move(action, computer)
        case "left_mouse_down":
            computer.press(LEFT)
        case "left_mouse_up":
            computer.release(LEFT)
        case "left_click_drag":
            _drag(action, computer)
        case "scroll":
            _turn(action, computer)
        case "type":
            _type(action, computer)
        case "key":
            _strike(action, computer)
        case "hold_key":
            with _held(action.held, computer):
                computer.wait(action.seconds)
        case "wait":
            computer.wait(action.seconds)
        case name if name in _BUTTONS:
            _click(action, computer)


def look_again(computer: Computer) -> Shot:
    """The screen once it has come to rest, or after two seconds."""
    computer.wait(_BEFORE_LOOKING)
    shot = computer.screenshot()
    for _ in range(_LOOKS):
        computer.wait(_BETWEEN_LOOKS)
        last, shot = shot, computer.screenshot()
        if last.image == shot.image:
            break
    return shot


def _move(action: Action, computer: Computer) -> None:
    if action.at is not None:
        computer.move(*action.at)
        computer.wait(_AFTER_MOVE)


def _click(action: Action, computer: Computer) -> None:
    button, count = _BUTTONS[action.name]
    with _held(action.held, computer):
        _move(action, computer)
        for nth in range(count):
            if nth:
                computer.wait(_BETWEEN_CLICKS)
            computer.press(button)
            computer.wait(_PRESSED)
            computer.release(button)


def _drag(action: Action, computer: Computer) -> None:
    start = action.start or computer.pointer()
    end = action.at or start
    with _held(action.held, computer):
        computer.move(*start)
        computer.wait(_AFTER_MOVE)
        computer.press(LEFT)
        computer.wait(_PRESSED)
        # On the way, as a hand would: programs begin a drag only after some of it.
        for step in range(1, _DRAG_STEPS + 1):
            x, y = (a + (b - a) * step // _DRAG_STEPS for a, b in zip(start, end, strict=True))
            computer.move(x, y)
            computer.wait(_DRAG_STEP)
        computer.wait(_AFTER_MOVE)
        computer.release(LEFT)


def _turn(action: Action, computer: Computer) -> None:
    wheel = WHEEL[action.direction]
    with _held(action.held, computer):
        _move(action, computer)
        for _ in range(action.amount):
            computer.press(wheel)
            computer.release(wheel)
            computer.wait(_BETWEEN_TURNS)


def _type(action: Action, computer: Computer) -> None:
    for start in range(0, len(action.typed), _TYPED_AT_ONCE):
        computer.type(action.typed[start : start + _TYPED_AT_ONCE])
        computer.wait(_AFTER_TYPED)


def _strike(action: Action, computer: Computer) -> None:
    for _ in range(action.repeat):
        for stroke in action.strokes:
            computer.strike(stroke)
            computer.wait(_BETWEEN_STROKES)


@contextmanager
def _held(symbols: tuple[int, ...], computer: Computer) -> Iterator[None]:
    """Holds the keys meanwhile. Not in a `finally`: after an interrupt all is let go at once."""
    if symbols:
        computer.keys_down(symbols)
    yield
    if symbols:
        computer.keys_up(symbols)


NOT_EXECUTED = "Not executed: an earlier computer action in this turn failed."
"""What the API wants for the calls after a failed one. Source: the computer use tool's page."""

_BEFORE_SHOWING = 0.2

AllowAction = Callable[[Block], str | None]
"""Asks about one call: None allows it, a text says why not."""


@frozen
class DesktopStep:
    """One call: in words, a PNG of the screen after it with the pointer marked, and what failed."""

    line: str
    picture: bytes | None = None
    error: str = ""


def recorded(call: Block, result: Block) -> DesktopStep:
    """The step of a call that is in the record: its picture is the one that the model saw."""
    parts = content_blocks(result) if result.get("content") else []
    words = "\n".join(str(part["text"]) for part in parts if part.get("type") == "text")
    image = next((part for part in parts if part.get("type") == "image"), None)
    picture = None if image is None else _recorded_picture(call, image)
    return DesktopStep(actions.line(call), picture, words if result.get("is_error") else "")


def _recorded_picture(call: Block, block: Block) -> bytes | None:
    """A screenshot with the place marked that the call names; None for one that is damaged."""
    from ..messages.errors import ImageError
    from ..messages.images.prepare import prepare
    from .screen_pictures import marked, opened, png

    try:
        source = prepare(block).block["source"]
        image = opened(b64decode(str(source.get("data", ""))))
    except ImageError:
        return None
    match named(call)[1].get("coordinate"):
        case [int(x), int(y)]:
            return marked(image, (x, y))
    return png(image)


class CallBatch:
    """The calls of one reply, carried out one after another until one fails."""

    def __init__(
        self,
        computer: Computer,
        scale: Scale,
        show: Callable[[DesktopStep], None],
        approve: AllowAction,
    ) -> None:
        self._computer = computer
        self._scale = scale
        self._show = show
        self._approve = approve
        self._failed = False
        self._changed = False

    def answer(self, call: Block, *, last: bool) -> Block:
        """The call's result."""
        if self._failed:
            return self._error(call, NOT_EXECUTED)
        try:
            asked = action(call, self._scale)
            refused = self._approve(call)
            if refused is not None:
                return self._error(
                    call, f"{NOT_ALLOWED}: {refused}" if refused else NOT_ALLOWED + "."
                )
            content, picture = self._outcome(asked, last=last)
        except (WrongInputError, DesktopError) as fault:
            return self._error(call, str(fault))
        self._show(DesktopStep(actions.line(call), picture))
        return _result(call, content)

    def _error(self, call: Block, words: str) -> Block:
        self._failed = True
        self._show(DesktopStep(actions.line(call), error=words))
        return {**_result(call, [text(words)]), "is_error": True}

    def _outcome(self, asked: Action, *, last: bool) -> tuple[list[Block], bytes]:
        """The content of the result, and the picture for the step."""
        computer, scale = self._computer, self._scale
        if asked.name == "zoom" and asked.box is not None:
            image = look_again(computer).image.crop(asked.box)
            image = _resized(image, scale.fitted(image.size))
            return [_image(image)], _png(image)
        if asked.name == "cursor_position":
            x, y = scale.to_sent(computer.pointer())
            content: list[Block] = [text(f"X={x}, Y={y}")]
        elif asked.name == "screenshot":
            content = []
        else:
            carry_out(asked, computer)
            content = [text("OK")]
            self._changed = True
        seen = asked.name == "screenshot" or (last and self._changed)
        if seen:
            shot, self._changed = look_again(computer), False
        else:
            computer.wait(_BEFORE_SHOWING)
            shot = computer.screenshot()
        image = _resized(shot.image, scale.sent)
        if seen:
            content.append(_image(image))
        return content, _marked(image, shot, scale)


def _result(call: Mapping[str, Any], content: Sequence[Block]) -> dict[str, Any]:
    result = {"type": "tool_result", "tool_use_id": call.get("id"), "content": list(content)}
    toolset = call.get("toolset_name")
    return result if toolset is None else {**result, "toolset_name": toolset}


def _image(image: Image.Image) -> Block:
    from ..messages.images.prepare import prepare

    return prepare(image, long_edge=max(image.size)).block


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    from PIL import Image

    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _png(image: Image.Image) -> bytes:
    from .screen_pictures import png

    return png(image)


def _marked(image: Image.Image, shot: Shot, scale: Scale) -> bytes:
    from .screen_pictures import marked

    return marked(image, scale.to_sent(shot.pointer))
