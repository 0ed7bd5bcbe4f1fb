"""What a reply in JSON has to be like: a type of Python, or a JSON schema.

A reply is checked against what was asked for as it was, not as the API takes it.
"""

from __future__ import annotations

import json
import math
import re
import sys
import types
import typing
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, NewType, get_origin

from ..messages.errors import InputError
from ..messages.schema import as_meant, in_object, plain_json, supported
from .json_text import json_value
from .toolbox import Shape

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_HOW = (
    "Give a pydantic model, a dataclass, a TypedDict, a type such as list[Model] or int, "
    "or a JSON schema as a dict."
)
_KEYWORDS = frozenset(
    {"type", "properties", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"}
)
# What a key has to look like that is a text in JSON and something else in Python: pydantic leaves
# that out.
_KEYS: Mapping[str, Mapping[str, str]] = {
    "int": {"pattern": "^-?[0-9]+$"},
    "date": {"format": "date"},
    "datetime": {"format": "date-time"},
    "uuid": {"format": "uuid"},
}
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

    try:
        with warnings.catch_warnings(action="ignore"):  # of defaults that are no JSON
            adapter = TypeAdapter(_with_keys_said(wanted))
            original = _schema_of(adapter)
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
    with _named_in_faults(name):
        original = plain_json(wanted)
    return _made(name, original, validator(original, name))


def _made(name: str, original: Mapping[str, Any], check: Callable[[Any], Any]) -> JsonShape:
    with _named_in_faults(name):
        schema, key = in_object(supported(original))
    return JsonShape(name, schema, key, original, check)


@contextmanager
def _named_in_faults(name: str) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _schema_of(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The JSON schema of a type, with what the keys of its dicts have to look like.

    Without a default that JSON does not have.
    """
    from pydantic.json_schema import GenerateJsonSchema
    from pydantic_core import PydanticSerializationError

    class WithKeys(GenerateJsonSchema):
        def encode_default(self, dft: Any) -> Any:
            if isinstance(dft, float) and not math.isfinite(dft):
                raise PydanticSerializationError("no number of JSON")  # it is left out then
            return super().encode_default(dft)

        def dict_schema(self, schema: Any) -> dict[str, Any]:
            found = super().dict_schema(schema)
            kind = schema.get("keys_schema", {}).get("type")
            names = _KEYS.get(kind)
            return {"propertyNames": dict(names), **found} if names else found

    return adapter.json_schema(schema_generator=WithKeys)


def _with_keys_said(wanted: Any) -> Any:
    """`wanted` with each `typing.TypedDict` in it as one of `typing_extensions`.

    Before Python 3.12 the standard ones do not say which of their keys are required, so pydantic
    refuses them. Those within a dataclass or a model stay as they are.
    """
    if sys.version_info >= (3, 12):
        return wanted
    if typing.is_typeddict(wanted):
        return _typed_dict(wanted)
    arguments = typing.get_args(wanted)
    origin = typing.get_origin(wanted)
    if origin in (typing.Literal, None) or not arguments:
        return wanted
    changed = [_with_keys_said(one) for one in arguments]
    if all(new is old for new, old in zip(changed, arguments, strict=True)):
        return wanted
    if origin is types.UnionType or origin is typing.Union:
        return reduce(or_, changed)
    if origin is typing.Annotated:
        return typing.Annotated[tuple(changed)]
    return (
        types.GenericAlias(origin, tuple(changed))
        if isinstance(origin, type)
        else origin[tuple(changed)]
    )


def _typed_dict(wanted: Any) -> Any:
    import typing_extensions

    fields = {
        name: (
            typing_extensions.Required
            if name in wanted.__required_keys__
            else typing_extensions.NotRequired
        )[_with_keys_said(_bare(hint))]
        for name, hint in typing_extensions.get_type_hints(wanted, include_extras=True).items()
    }
    made: Any = typing_extensions.TypedDict(wanted.__name__, fields)  # type: ignore[misc]
    made.__doc__ = wanted.__doc__
    return made


def _bare(hint: Any) -> Any:
    """A hint without `Required` or `NotRequired`, which the class has read already."""
    import typing_extensions

    marks = (typing_extensions.Required, typing_extensions.NotRequired)
    return typing.get_args(hint)[0] if typing.get_origin(hint) in marks else hint


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
