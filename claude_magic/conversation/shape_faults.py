"""Why a value does not fit, in a few words: where, what was expected, what stands there."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, time
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..messages.errors import InputError
from ..messages.plain_text import in_a_line
from ..messages.schema import in_words
from ..rendering import plain

if TYPE_CHECKING:
    from jsonschema import FormatChecker
    from jsonschema.exceptions import ValidationError

_MOST = 3
_LONGEST_VALUE = 60
_LONGEST_FAULT = 240


class MisfitError(ValueError):
    """A value does not fit; the text says why, in a line for each fault."""


def of_pydantic(errors: Sequence[Mapping[str, Any]], value: Any) -> MisfitError:
    """What errors of pydantic say of `value`."""
    return MisfitError(_lines(_of_one(error, value) for error in errors))


def of_exception(error: Exception) -> MisfitError:
    """What a check of the user's own says by raising."""
    return MisfitError(f"the reply: its own check raised {_cut(in_a_line(error))}.")


def validator(schema: Mapping[str, Any], name: str) -> Callable[[Any], Any]:
    """A check that gives a value back which fits `schema`, and raises MisfitError for another.

    Raises InputError where `schema`, which is JSON, is no JSON schema, and without jsonschema.
    """
    try:  # it comes with JupyterLab and nbformat, and brings four more packages
        import jsonschema
        from referencing import Registry
    except ImportError:
        raise InputError(
            f"{name}: jsonschema, which checks replies by a JSON schema, is not installed: "
            "pip install 'claude-magic[schema]', or ask for a type of Python."
        ) from None

    with warnings.catch_warnings(action="ignore"):  # of a `$schema` that is not known
        kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
        named = schema.get("$defs")  # which drafts until 2018 do not look into
        for part in named.values() if isinstance(named, dict) else ():
            kind.check_schema(part)
    except jsonschema.SchemaError as error:
        where = _path(error.absolute_path)
        raise InputError(
            f"{name}: at {where} it is no JSON schema: {_cut(error.message)}"
        ) from None
    except RecursionError:
        raise InputError(f"{name} is nested too deeply: flatten it.") from None
    checker = kind(schema, registry=Registry(), format_checker=_formats())

    def check(value: Any) -> Any:
        faults = list(islice(checker.iter_errors(value), 20))
        if faults:
            raise MisfitError(_lines(map(_of_schema_error, faults)))
        return value

    return check


def _lines(faults: Iterable[str]) -> str:
    different = list(dict.fromkeys(faults))
    more = len(different) - _MOST
    told = [f"{_cut(fault)}." for fault in different[:_MOST]]
    return "\n".join([*told, f"And {more} more."] if more > 0 else told)


def _of_one(error: Mapping[str, Any], value: Any) -> str:
    place, found = _place(error["loc"], value)
    said = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if error["type"] == "missing":
        return f"{place}: it is missing"
    return f"{place}: {said.rstrip('.')}, not {_shown(found)}"


def _place(steps: Sequence[Any], value: Any) -> tuple[str, Any]:
    """The path in the JSON, and what stands there; pydantic also names branches of a union."""
    path: list[Any] = []
    for index, step in enumerate(steps):
        items = range(len(value)) if isinstance(value, list) else value
        if isinstance(items, range | dict) and step in items:
            path.append(step)
            value = value[step]
        elif isinstance(value, dict) and isinstance(step, str) and index == len(steps) - 1:
            path.append(step)
    return _path(path), value


def _of_schema_error(error: ValidationError) -> str:
    from jsonschema.exceptions import best_match

    error = best_match([error]) or error
    keyword, asked = str(error.validator), error.validator_value
    place, value = _path(error.absolute_path), error.instance
    if keyword == "required" and isinstance(value, dict):
        name = next((name for name in asked if name not in value), "")
        return f"{_path([*error.absolute_path, name])}: it is missing"
    return f"{place}: expected {_expected(keyword, asked, error)}, not {_shown(value)}"


def _expected(keyword: str, asked: Any, error: ValidationError) -> str:
    match keyword:
        case "type":
            return " or ".join(asked) if isinstance(asked, list) else str(asked)
        case "enum":
            return f"one of {', '.join(map(_shown, asked))}"
        case "const":
            return _shown(asked)
        case "additionalProperties" | "unevaluatedProperties":
            return "no other properties than those asked for"
        case "anyOf":
            return "one of the forms asked for"
        case "oneOf":
            return "exactly one of the forms asked for"
        case "None":  # the schema `false`
            return "nothing here"
    return in_words({keyword: asked}) or str(error.message)


def _path(steps: Iterable[Any]) -> str:
    """`bands[2].weight`; the reply itself by that name."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return _cut(path, 100) if path else "the reply"


def _shown(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False, default=str), _LONGEST_VALUE)


def _cut(text: str, most: int = _LONGEST_FAULT) -> str:
    text = " ".join(plain(text).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _formats() -> FormatChecker:
    """The formats that are checked: those of `jsonschema` itself, and points in time."""
    from jsonschema import FormatChecker

    checker = FormatChecker()
    checker.checks("date-time", raises=ValueError)(
        lambda value: not isinstance(value, str) or _has_time(value)
    )
    checker.checks("time", raises=ValueError)(
        lambda value: not isinstance(value, str) or time.fromisoformat(value) is not None
    )
    return checker


def _has_time(value: str) -> bool:
    datetime.fromisoformat(value)
    return len(value) > 10
