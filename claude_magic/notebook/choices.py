"""What `-i` and `-f` name: a file, or else a Python expression of the notebook."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ..messages.errors import InputError
from ..messages.plain_text import in_a_line

Evaluate = Callable[[str], object]
"""Gives the value of an expression. Only the user's own words are any: see `no_name`."""

_ADDRESS = re.compile(r"(?i)https?://\S+")


def is_address(choice: str) -> bool:
    """Whether a choice is a web address."""
    return _ADDRESS.fullmatch(choice) is not None


def is_file(choice: str) -> bool:
    """Whether a choice is the path of a file that is there."""
    try:
        return Path(choice).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # too long for a path, NUL, no such user
        return False


def no_name(choice: str) -> object:
    """Raises NameError: what Python code gives as a text may be data, and is never evaluated."""
    short = choice if len(choice) <= 80 else f"{choice[:60]}..."
    raise NameError(f"{short!r} is no address; give the object itself, not its name")


def value_of(option: str, choice: str, evaluate: Evaluate, hint: str) -> object:
    """The value of a choice that is no file; `hint` says what else can be given.

    Raises InputError that says why it is neither.
    """
    try:
        return evaluate(choice)
    except SyntaxError:
        problem = f"{_no_file(choice)}, and not a Python expression"
    except NameError as error:
        problem = f"{_no_file(choice)}, and {error}"
    except Exception as error:  # whatever the user's own expression raises
        problem = in_a_line(error)
    raise InputError(f"{option} {choice}: {problem}. {hint}") from None


def _no_file(choice: str) -> str:
    try:
        there = Path(choice).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        there = False
    return "not a file" if there else "no such file"
