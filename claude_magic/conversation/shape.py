"""What a reply in JSON has to be like: a type of Python, or a JSON schema.

A reply is checked against what was asked for as it was, not as the API takes it.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NewType, get_origin

from ..messages.errors import InputError
from ..messages.schema import as_meant, in_object, supported
from .json_text import json_value
from .shape_types import current, schema_of
from .toolbox import Shape

_HOW = (
    "Give a pydantic model, a dataclass, a TypedDict, a type such as list[Model] or int, "
    "or a JSON schema as a dict."
)
_KEYWORDS = frozenset(
    {"type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"}
)
_MODULE = re.compile(r"\b(?:\w+\.|<locals>\.)+(?=\w)")


@dataclass(frozen=True)
class JsonShape:
    """A shape. `key` is where the value stands that was asked for, "" where it is the whole;
    `original` is its schema as it was; `check` gives the typed value, or raises.
    """

    name: str
    schema: Mapping[str, Any]
    key: str
    original: Mapping[str, Any]
    check: Callable[[Any], Any]

    def read(self, text: str) -> Any:
        """The value that the reply's text stands for: an instance of the type, or plain JSON.

        Raises ValueError, and nothing else, whatever the text and whatever the user's own checks
        do: where it does not fit, and why, in a line each.
        """
        from .shape_faults import MisfitError, of_exception

        try:
            value = json_value(text)
            if self.key and isinstance(value, dict) and value.keys() == {self.key}:
                value = value[self.key]
            value = as_meant(value, self.original)
        except RecursionError:
            raise ValueError("its JSON is nested too deeply.") from None
        try:
            return self.check(value)
        except MisfitError:
            raise
        except Exception as error:  # a check of the user's own may raise anything
            raise of_exception(error) from error


def shape_of(wanted: object, name: str = "") -> Shape:
    """The shape that asks for `wanted`: a pydantic model, dataclass, TypedDict, Enum, any type
    that is made of such and of Python's own, or a JSON schema as a dict.

    `name` is what the user called it. What is no object becomes one on its way, and is itself
    again when it is read. `dict[str, ...]` is asked for as a list of keys and values.

    Raises InputError for what is no shape, and for one that the API cannot take.
    """
    if isinstance(wanted, Mapping):
        return _of_schema(wanted, name)
    if not _is_type(wanted):
        raise InputError(f"{name or _shown(wanted)} is no shape for a reply. {_HOW}")
    return _of_type(wanted, name or _named(wanted))


def read_own(shape: Shape, text: str) -> Any:
    """The value of a reply that the user wrote. Raises InputError where it does not fit."""
    try:
        return shape.read(text)
    except ValueError as error:
        raise InputError(f"--reply is no {shape.name}: {error}") from None


def is_schema(wanted: Mapping[Any, Any]) -> bool:
    """Whether a dict looks like a JSON schema, and not like an example of what is wanted."""
    return bool(_KEYWORDS & wanted.keys())


def _of_type(wanted: Any, name: str) -> JsonShape:
    from pydantic import TypeAdapter, ValidationError

    from .shape_faults import of_pydantic

    adapter: TypeAdapter[Any]
    try:
        with warnings.catch_warnings(action="ignore"):  # of defaults that are no JSON
            adapter = TypeAdapter(current(wanted))
            original = schema_of(adapter)
    except Exception as error:  # the types are the user's; pydantic's own errors have many classes
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(f"{name} is no shape for a reply: {said.rstrip('.')}. {_HOW}") from error

    def check(value: Any) -> Any:
        try:
            # As JSON, since pydantic reads that by its own rules: a date is a text, a tuple a list.
            return adapter.validate_json(json.dumps(value))
        except ValidationError as error:
            raise of_pydantic(error.errors(include_url=False), value) from None

    return _made(name, original, check)


def _of_schema(wanted: Mapping[str, Any], name: str) -> JsonShape:
    from .shape_faults import validator

    if not is_schema(wanted):
        raise InputError(
            f"{name or 'This dict'} is no JSON schema: it has none of type, properties, items, "
            f"enum, anyOf, $ref. {_HOW}"
        )
    title = wanted.get("title")
    name = name or (title if isinstance(title, str) and title else "JSON of this schema")
    try:
        original = json.loads(json.dumps(wanted, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{name} is no JSON schema: {error}.") from None
    return _made(name, original, validator(original, name))


def _made(name: str, original: Mapping[str, Any], check: Callable[[Any], Any]) -> JsonShape:
    try:
        schema, key = in_object(supported(original))
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    return JsonShape(name, schema, key, original, check)


def _is_type(wanted: Any) -> bool:
    """Whether it is a type, and not an object of one; only types have schemas."""
    if isinstance(wanted, type) or get_origin(wanted) is not None:
        return True
    return isinstance(wanted, NewType) or type(wanted).__name__ == "TypeAliasType"


def _named(wanted: Any) -> str:
    """What a type is called where it was not named: without the modules."""
    name = wanted.__name__ if isinstance(wanted, type) and not get_origin(wanted) else str(wanted)
    return _MODULE.sub("", name)


def _shown(wanted: object) -> str:
    try:
        shown = repr(wanted)
    except Exception:  # a foreign repr may raise anything
        shown = f"a {type(wanted).__name__}"
    return shown if len(shown) <= 60 else shown[:59] + "…"
