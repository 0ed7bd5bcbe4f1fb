"""Keys by name and characters as keysyms."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.computer.actions import UnknownKeyError, character, characters, strokes

CTRL, SHIFT, ALT, SUPER, RETURN, TAB = 0xFFE3, 0xFFE1, 0xFFE9, 0xFFEB, 0xFF0D, 0xFF09
STROKES = {
    "a key": ("Return", [(RETURN,)]),
    "in any case": ("rEtUrN", [(RETURN,)]),
    "by a short name": ("enter", [(RETURN,)]),
    "a combination": ("ctrl+s", [(CTRL, ord("s"))]),
    "three keys": ("ctrl+shift+Tab", [(CTRL, SHIFT, TAB)]),
    "a modifier alone": ("super", [(SUPER,)]),
    "as a menu writes it": ("Ctrl+S", [(CTRL, ord("s"))]),
    "a small letter": ("a", [(ord("a"),)]),
    "a capital": ("A", [(ord("A"),)]),
    "shift and a capital": ("shift+A", [(SHIFT, ord("A"))]),
    "a digit": ("7", [(ord("7"),)]),
    "a plus": ("+", [(ord("+"),)]),
    "a combination with a plus": ("ctrl++", [(CTRL, ord("+"))]),
    "a plus by name": ("ctrl+plus", [(CTRL, ord("+"))]),
    "a minus": ("ctrl+-", [(CTRL, ord("-"))]),
    "a space": (" ", [(ord(" "),)]),
    "a line's end": ("\n", [(RETURN,)]),
    "a space by name": ("space", [(ord(" "),)]),
    "page up in three ways": ("Page_Up pageup PgUp", [(0xFF55,)] * 3),
    "a function key": ("alt+F4", [(ALT, 0xFFC1)]),
    "one after another": ("ctrl+k ctrl+s", [(CTRL, ord("k")), (CTRL, ord("s"))]),
    "a letter with an accent by name": ("eacute Eacute", [(0xE9,), (0xC9,)]),
    "a foreign letter": ("ж", [(0x1000436,)]),
    "a key of the keypad": ("KP_Enter", [(0xFF8D,)]),
}


@pytest.mark.parametrize(("text", "expected"), STROKES.values(), ids=STROKES)
def test_keys_are_named_as_people_and_models_name_them(
    text: str, expected: list[tuple[int, ...]]
) -> None:
    assert strokes(text) == expected


UNKNOWN = {
    "nothing": ("", "no key is named"),
    "no such key": ("ctrl+foo", "there is no key 'foo'"),
    "no key after the plus": ("ctrl+", "there is no key ''"),
    "a control character": ("ctrl+\x01", "U+0001"),
}


@pytest.mark.parametrize(("text", "message"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_key_is_named(text: str, message: str) -> None:
    with pytest.raises(UnknownKeyError, match=re.escape(message)):
        strokes(text)


@given(st.characters(exclude_categories=("Cc", "Cs")))
def test_every_character_that_is_no_control_character_can_be_typed(value: str) -> None:
    symbol = character(value)
    assert symbol == (ord(value) if ord(value) < 0x100 else 0x1000000 + ord(value))


@pytest.mark.parametrize("value", ["\x00", "\x07", "\x7f", "\x9b", "\ud800"])
def test_a_control_character_cannot_be_typed(value: str) -> None:
    with pytest.raises(UnknownKeyError, match="control character"):
        character(value)


def test_every_kind_of_line_end_is_one_return() -> None:
    assert list(characters("a\r\nb\rc\nd\te")) == [
        *(ord("a"), RETURN, ord("b"), RETURN, ord("c"), RETURN, ord("d"), TAB, ord("e"))
    ]
