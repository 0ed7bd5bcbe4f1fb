"""An error in one line, as it may be shown to the user."""

from __future__ import annotations

from claude_magic.messages.credentials import Secret
from claude_magic.messages.errors import InputError, Interrupted
from claude_magic.messages.plain_text import in_a_line


class Mute(Exception):  # noqa: N818 - a user's class
    def __str__(self) -> str:
        raise RuntimeError


def test_errors_of_ours_are_shown_as_they_are() -> None:
    assert in_a_line(InputError("Give a number.")) == "Give a number."
    assert in_a_line(Interrupted("you stopped it.")) == "you stopped it."


def test_others_are_shown_by_their_kind_and_the_start_of_their_message() -> None:
    assert in_a_line(ValueError("no\n  such  thing")) == "ValueError: no such thing"
    assert in_a_line(KeyError()) == "KeyError"
    assert in_a_line(ValueError("x" * 5_000)) == f"ValueError: {'x' * 199}…"


def test_a_message_that_raises_is_passed_over() -> None:
    assert in_a_line(Mute()) == "Mute: (no message)"


def test_no_key_is_in_it_even_where_it_would_be_cut() -> None:
    assert in_a_line(ValueError("not a number: 'sk-ant-api03-abc'")).endswith("'[key]'")
    said = in_a_line(ValueError("x" * 190 + " gateway-key-1"), Secret("gateway-key-1"))
    assert said.endswith("x [key]") and "gateway" not in said
