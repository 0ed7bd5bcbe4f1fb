"""Keys by name, and characters, as X keysyms.

Source: the names are those of the X protocol's keysyms, in any case, and the short ones that
people and models use.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

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
