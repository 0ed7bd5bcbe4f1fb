"""Types as pydantic takes them on every Python that is supported."""

from __future__ import annotations

import math
import sys
import types
import typing
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import TypeAdapter


# What a key has to look like that is a text in JSON and something else in Python: pydantic leaves
# that out.
_KEYS: Mapping[str, Mapping[str, str]] = {
    "int": {"pattern": "^-?[0-9]+$"},
    "date": {"format": "date"},
    "datetime": {"format": "date-time"},
    "uuid": {"format": "uuid"},
}


def schema_of(adapter: TypeAdapter[Any]) -> dict[str, Any]:
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


def current(wanted: Any) -> Any:
    """`wanted` with each `typing.TypedDict` in it as one of `typing_extensions`.

    Before Python 3.12 the standard ones do not say which of their keys are required, so pydantic
    refuses them. Those within a dataclass or a model stay as they are.
    """
    return wanted if sys.version_info >= (3, 12) else _current(wanted)


def _current(wanted: Any) -> Any:
    if typing.is_typeddict(wanted):
        return _typed_dict(wanted)
    arguments = typing.get_args(wanted)
    origin = typing.get_origin(wanted)
    if origin in (typing.Literal, None) or not arguments:
        return wanted
    changed = [_current(one) for one in arguments]
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
        )[_current(_bare(hint))]
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
