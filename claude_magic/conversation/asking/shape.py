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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from functools import reduce
from itertools import islice
from operator import or_
from typing import TYPE_CHECKING, Any, NewType, get_origin

from ...messages.blocks import replace_surrogates
from ...messages.dependencies import broken, unmet
from ...messages.errors import InputError
from ...messages.plain_text import in_a_line
from ...messages.schema import as_meant, in_object, in_words, plain_json, supported
from ...rendering import code_blocks, plain
from ...value_classes import frozen
from .question import Shape

if TYPE_CHECKING:
    from jsonschema import FormatChecker
    from jsonschema.exceptions import ValidationError
    from pydantic import TypeAdapter

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
    except ImportError as error:
        raise InputError(
            broken(error, "jsonschema", "referencing")
            or f"{name}: jsonschema, which checks replies by a JSON schema, is not installed: "
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
    return f"{place}: {said.rstrip('.')}, not {_value_shown(found)}"


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
    return f"{place}: expected {_expected(keyword, asked, error)}, not {_value_shown(value)}"


def _expected(keyword: str, asked: Any, error: ValidationError) -> str:
    match keyword:
        case "type":
            return " or ".join(asked) if isinstance(asked, list) else str(asked)
        case "enum":
            return f"one of {', '.join(map(_value_shown, asked))}"
        case "const":
            return _value_shown(asked)
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


def _value_shown(value: Any) -> str:
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


_OPENING = re.compile(r"[{\[]")
_MOST_DIGITS = 300  # a float has no more
_MOST_TRIES = 100
"""Brackets of a text that are looked at: prose may hold some, JSON is not far behind them."""


def json_value(text: str) -> Any:
    """The JSON value that `text` is, or the only one that it holds.

    A server that knows no output formats may put words or a code fence around it. Half of a
    surrogate pair becomes U+FFFD. Raises ValueError, in a few words, where there is no JSON, more
    than one value, a key twice, or a number that JSON does not have.
    """
    text = replace_surrogates(text).removeprefix("\ufeff").strip()
    if not text:
        raise ValueError("it is empty.")
    try:
        return _without_surrogates(_the_value(text), text)
    except RecursionError:
        raise ValueError("its JSON is nested too deeply.") from None


def _the_value(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        fault = error
    found = list(_within(text))
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"it holds {len(found)} JSON values; one was asked for.")
    raise ValueError(f"it is no JSON: {fault.msg} in line {fault.lineno}, column {fault.colno}.")


def _without_surrogates(value: Any, text: str) -> Any:
    """The value with half surrogate pairs, which JSON may write as escapes, replaced."""
    if "\\ud" not in text.lower():
        return value
    return json.loads(replace_surrogates(json.dumps(value, ensure_ascii=False)))


def _within(text: str) -> Iterator[Any]:
    """The objects and lists that stand in the text: the code fences that are one, else all."""
    fenced = []
    for block in code_blocks(text):
        try:
            fenced.append(_DECODER.decode(block.code.strip()))
        except json.JSONDecodeError:
            continue  # other code
    yield from fenced or _values(text)


def _values(text: str) -> Iterator[Any]:
    """The objects and lists of the text; none after one that is cut off at its end."""
    position = 0
    for _ in range(_MOST_TRIES):
        opening = _OPENING.search(text, position)
        if opening is None:
            return
        try:
            value, position = _DECODER.raw_decode(text, opening.start())
        except json.JSONDecodeError as error:
            if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
                return
            position = opening.end()
        else:
            yield value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"its JSON has the key {_text_shown(key)} twice in one object.")
        found[key] = value
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"its JSON has a number of {len(digits)} digits.")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"its JSON has a number that is too large: {digits[:20]}.")
    return number


def _constant(name: str) -> Any:
    raise ValueError(f"its JSON holds {name}, which JSON does not have: null stands for no value.")


def _text_shown(key: str) -> str:
    shown = json.dumps(key, ensure_ascii=True)
    return shown if len(shown) <= 60 else shown[:59] + '…"'


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


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


@frozen
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

    try:
        with warnings.catch_warnings(action="ignore"):  # of defaults that are no JSON
            adapter = TypeAdapter(_with_keys_said(wanted))
            original = _schema_of(adapter)
    except Exception as error:  # the types are the user's; pydantic's own errors have many classes
        if old := unmet("pydantic"):
            raise InputError(old) from error
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
