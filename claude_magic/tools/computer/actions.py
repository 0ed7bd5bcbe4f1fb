"""Actions carried out on a computer, one step of the pointer or the keyboard after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .calls import Action
from .protocol import LEFT, MIDDLE, RIGHT, WHEEL, Computer, Shot

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
