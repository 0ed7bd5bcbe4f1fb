"""What `-i`, `-f` and `--json` name: a file, or else a Python expression of the notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...conversation.asking.shape import is_schema, shape_of
from ...messages.credentials import Secret, mask
from ...messages.errors import InputError
from ...messages.plain_text import in_a_line

if TYPE_CHECKING:
    from ...conversation.asking.question import Shape

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


_HINT = "Give a type such as Finding or list[Finding], a schema as a dict, or a .json file."
# Of models, dataclasses, TypedDicts and enums.
_MARKS = ("model_json_schema", "__dataclass_fields__", "__required_keys__", "__members__")
_MOST_BYTES = 1_000_000


def wanted_shape(said: object, evaluate: Evaluate | None, *secrets: Secret) -> Shape | None:
    """The shape that the text `said` names, or that `said` itself is; None for None.

    Without `evaluate` a text is a file's path, and no expression.

    Raises InputError for what is no shape, for one that the API cannot take, and for a schema that
    holds one of `secrets`.
    """
    if said is None:
        return None
    if isinstance(said, str):
        try:
            shape = shape_of(_named(said.strip(), evaluate or _no_name), said.strip())
        except InputError as error:
            told = str(error)
            raise InputError(told if told.startswith("--json") else f"--json {told}") from None
    else:
        shape = shape_of(_of_file(said) if isinstance(said, Path) else said)
    text = json.dumps(shape.schema)
    if mask(text, *secrets) != text:
        raise InputError(f"--json {shape.name}: its schema holds your API key: take it out.")
    return shape


def shapes(namespace: Mapping[str, object]) -> list[str]:
    """The names in a namespace that `--json` may take: classes with fields, enums, schemas."""
    return [name for name, value in namespace.items() if name[:1] != "_" and _is_shape(value)]


def _no_name(name: str) -> object:
    raise NameError(f"{name!r} is a text: give the type itself, not its name")


def _named(said: str, evaluate: Evaluate) -> Any:
    if is_file(said) or said.endswith(".json"):
        return _of_file(Path(said))
    value = value_of("--json", said, evaluate, _HINT)
    return _of_file(value) if isinstance(value, Path) else value


def _of_file(path: Path) -> Any:
    try:
        path = path.expanduser()
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"--json {path}: over 1 MB; a schema is smaller.")
        found = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it holds no JSON"
        raise InputError(
            f"--json {path}: {reason}. Give a file that holds a JSON schema."
        ) from None
    if not isinstance(found, dict):
        raise InputError(f"--json {path}: it holds no JSON schema, which is an object.")
    return found


def _is_shape(value: object) -> bool:
    if isinstance(value, dict):
        return is_schema(value)
    try:
        return isinstance(value, type) and any(hasattr(value, name) for name in _MARKS)
    except Exception:  # a foreign class may have attributes that are computed
        return False
