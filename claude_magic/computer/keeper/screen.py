"""A display, driven: pictures of it, pointer, buttons and keys, which windows there are.

A program looks a key's symbol up when it comes to the key press, which may be long after it was
sent. So a key that was lent is given to another symbol only once the programs have caught up:
this is why text typed with one spare key for all foreign characters comes out wrong.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.error import XError
from Xlib.protocol import event

from ...value_classes import frozen

SHIFT = 0xFFE1
# Keys of this range (play, mail, volume) do nothing on a virtual desktop.
_MULTIMEDIA = range(0x1008FF00, 0x10090000)


@frozen
class KeyboardKey:
    """A key by its X keycode, and whether Shift goes with it."""

    code: int
    shift: bool = False


class Keyboard:
    """The keys of `display` (of python-xlib). `caught_up` returns once the programs have."""

    def __init__(self, display: Any, caught_up: Callable[[], None]) -> None:
        self._display = display
        self._caught_up = caught_up
        first = display.display.info.min_keycode
        last = display.display.info.max_keycode
        rows = dict(enumerate(display.get_keyboard_mapping(first, last - first + 1), first))
        # Whole runs of neighbours first: one request then changes many keys.
        spare = [code for code, row in rows.items() if all(k == 0 or k in _MULTIMEDIA for k in row)]
        self._spare = [code for run in sorted(_runs(spare), key=len, reverse=True) for code in run]
        self._own: dict[int, KeyboardKey] = {}
        for code, row in rows.items():
            if code not in self._spare:
                for symbol, shift in zip(row[:2], (False, True), strict=True):
                    self._own.setdefault(symbol, KeyboardKey(code, shift))
        self._lent: dict[int, KeyboardKey] = {}
        self._next = 0

    def keys(self, symbols: Sequence[int]) -> list[KeyboardKey]:
        """The key of each symbol. Lends keys to symbols that have none, of which 100 at most."""
        foreign = list(dict.fromkeys(s for s in symbols if s not in self._own))
        missing = [symbol for symbol in foreign if symbol not in self._lent]
        if self._next + len(missing) > len(self._spare):
            self._caught_up()
            self._lent.clear()
            self._next, missing = 0, foreign
        if missing:
            self._lend(missing)
        return [self._own.get(symbol) or self._lent[symbol] for symbol in symbols]

    def _lend(self, symbols: Sequence[int]) -> None:
        codes = self._spare[self._next : self._next + len(symbols)]
        self._next += len(symbols)
        lent = dict(zip(codes, symbols, strict=True))
        for run in _runs(codes):
            # The same with Shift: otherwise the server would make a capital of it.
            self._display.change_keyboard_mapping(run[0], [[lent[code]] * 2 for code in run])
        self._lent.update({symbol: KeyboardKey(code) for code, symbol in lent.items()})


def _runs(codes: Iterable[int]) -> list[list[int]]:
    """The numbers as runs of neighbours, in their order."""
    numbered = groupby(enumerate(codes), key=lambda item: item[1] - item[0])
    return [[code for _, code in run] for _, run in numbered]


__all__ = ["Screen", "XError"]

# Pixels fetched at once: the X library copies what it has with each piece that comes.
_STRIP = 300_000
# Seconds for a program to come to the end of its events, and for one that cannot say when it has.
_CATCH_UP, _CATCH_UP_BLINDLY = 3.0, 0.5
_CAPS_LOCK = 0xFFE5
_BUTTONS = 5


class Screen:
    """The display of this number, whose cookie is in `XAUTHORITY`."""

    def __init__(self, number: int) -> None:
        self._display = Display(f"unix:{number}")
        self._root = self._display.screen().root
        # The answers to `_ping` are sent to the root window.
        self._root.change_attributes(event_mask=X.SubstructureNotifyMask)
        self._display.xfixes_query_version()
        self._ping_number = 0
        self._keyboard = Keyboard(self._display, self._caught_up)
        # The first input switches the server from its own keyboard to ours, and programs read the
        # keys anew: better before there are any.
        self._shift = self._keyboard.keys([SHIFT])[0].code
        self.strike([SHIFT])

    def picture(self) -> tuple[dict[str, Any], bytes]:
        """Sizes and places, and the bytes of the screen and then of the pointer.

        Both are four bytes a pixel: blue, green, red, and alpha (premultiplied) or nothing.
        """
        size = self._root.get_geometry()
        rows = max(1, _STRIP // size.width)
        strips = []
        for top in range(0, size.height, rows):
            height = min(rows, size.height - top)
            strip = self._root.get_image(0, top, size.width, height, X.ZPixmap, 0xFFFFFFFF)
            strips.append(strip.data)
        told, shape = self._shape()
        told["size"] = [size.width, size.height]
        return told, b"".join([*strips, shape])

    def _shape(self) -> tuple[dict[str, Any], bytes]:
        """Where the pointer is, and how it looks: no pixels where the server does not tell."""
        try:
            cursor = self._display.xfixes_get_cursor_image(self._root)
        except XError:
            # The program that made this pointer has ended: the server refuses to show it.
            return {"pointer": self.pointer(), "shape": [0, 0], "hot": [0, 0]}, b""
        told = {
            "pointer": [cursor.x, cursor.y],
            "shape": [cursor.width, cursor.height],
            "hot": [cursor.xhot, cursor.yhot],
        }
        return told, b"".join(int(pixel).to_bytes(4, "little") for pixel in cursor.cursor_image)

    def pointer(self) -> tuple[int, int]:
        """Where the pointer is."""
        found = self._root.query_pointer()
        return found.root_x, found.root_y

    def move(self, x: int, y: int) -> None:
        """Moves the pointer there."""
        self._display.xtest_fake_input(X.MotionNotify, x=x, y=y)
        self._display.sync()

    def button(self, number: int, down: bool) -> None:
        """Presses or releases a button; 4 to 7 are the wheel: up, down, left, right."""
        self._display.xtest_fake_input(X.ButtonPress if down else X.ButtonRelease, number)
        self._display.sync()

    def keys(self, symbols: Sequence[int], down: bool) -> None:
        """Presses the keys of these X keysyms in their order, or releases them in reverse."""
        codes = self._chord(symbols)
        self._send(codes if down else codes[::-1], down)
        self._display.sync()

    def strike(self, symbols: Sequence[int]) -> None:
        """Presses these keys in their order and releases them in reverse."""
        # In one piece: apart, a busy machine could make them repeat.
        codes = self._chord(symbols)
        self._send(codes, True)
        self._send(codes[::-1], False)
        self._display.sync()

    def type(self, symbols: Sequence[int]) -> None:
        """Presses and releases the key of each X keysym, whatever Caps Lock is."""
        keys = self._keyboard.keys(symbols)
        lock = self._keyboard.keys([_CAPS_LOCK])
        around = lock if self._root.query_pointer().mask & X.LockMask else []
        for key in (*around, *keys, *around):
            codes = [self._shift, key.code] if key.shift else [key.code]
            self._send(codes, True)
            self._send(codes[::-1], False)
        self._display.sync()

    def _chord(self, symbols: Sequence[int]) -> list[int]:
        """The keycodes for these keysyms, with Shift first where one of them needs it."""
        keys = self._keyboard.keys(symbols)
        codes = [self._shift] if any(key.shift for key in keys) else []
        return list(dict.fromkeys([*codes, *(key.code for key in keys)]))

    def _send(self, codes: Sequence[int], down: bool) -> None:
        for code in codes:
            self._display.xtest_fake_input(X.KeyPress if down else X.KeyRelease, code)

    def let_go(self) -> None:
        """Releases every key and button that is pressed."""
        for index, byte in enumerate(self._display.query_keymap()):
            for bit in range(8):
                if byte >> bit & 1:
                    self._display.xtest_fake_input(X.KeyRelease, index * 8 + bit)
        mask = self._root.query_pointer().mask
        for number in range(1, _BUTTONS + 1):
            if mask & (X.Button1Mask << (number - 1)):
                self._display.xtest_fake_input(X.ButtonRelease, number)
        self._display.sync()

    def pressed(self) -> bool:
        """Whether any key or button is down."""
        buttons = self._root.query_pointer().mask >> 8 & 0x1F
        return bool(buttons) or any(self._display.query_keymap())

    def managed(self) -> bool:
        """Whether a window manager is at work."""
        return bool(self._property(self._root, "_NET_SUPPORTING_WM_CHECK"))

    def windows(self) -> int:
        """How many windows are open."""
        return len(self._property(self._root, "_NET_CLIENT_LIST"))

    def _property(self, window: Any, name: str) -> Sequence[int]:
        found = window.get_full_property(self._display.intern_atom(name), X.AnyPropertyType)
        return found.value if found else ()

    def _caught_up(self) -> None:
        """Returns once the program that has the focus has come to the events sent so far."""
        try:
            window = self._focused()
            answered = window is not None and self._ping(window)
        except XError:
            answered = False  # it closed just now
        if not answered:
            time.sleep(_CATCH_UP_BLINDLY)

    def _focused(self) -> Any:
        """The window with the focus, or the one around it, that answers pings; None without."""
        ping = self._display.intern_atom("_NET_WM_PING")
        window = self._display.get_input_focus().focus
        while hasattr(window, "query_tree") and window != self._root:
            if ping in self._property(window, "WM_PROTOCOLS"):
                return window
            window = window.query_tree().parent
        return None

    def _ping(self, window: Any) -> bool:
        """Whether the program answered. Source: _NET_WM_PING of the EWMH specification.

        It answers when it comes to the message in the order of its events.
        """
        self._ping_number += 1
        protocols = self._display.intern_atom("WM_PROTOCOLS")
        ping = self._display.intern_atom("_NET_WM_PING")
        sent = (32, [ping, self._ping_number, window.id, 0, 0])
        message = event.ClientMessage(window=window, client_type=protocols, data=sent)
        window.send_event(message)
        self._display.flush()
        until = time.monotonic() + _CATCH_UP
        while time.monotonic() < until:
            while self._display.pending_events():
                answer = self._display.next_event()
                if answer.type == X.ClientMessage and list(answer.data[1][:2]) == sent[1][:2]:
                    return True
            select.select([self._display], [], [], 0.05)
        return False
