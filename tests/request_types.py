"""Whether a value is what a type of the `anthropic` package says: no key more, none less.

Its request types are TypedDicts. pydantic reads them too, but lets unknown keys pass and does not
look into its Iterables.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import typing_extensions


def misfit(value: Any, wanted: Any, path: str = "body") -> str | None:
    """The first thing about `value` that `wanted` does not allow; None where it fits."""
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted in (Any, object):
        return None
    if origin in _WRAPPERS:
        return misfit(value, inner[0], path)
    if origin in (typing.Union, types.UnionType):
        return _none_of(value, inner, path)
    if origin is typing.Literal:
        return None if value in inner else f"{path}: {value!r} is none of {inner}"
    if typing_extensions.is_typeddict(wanted):
        return _of_fields(value, wanted, path)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            return f"{path}: no object"
        return _first(misfit(part, inner[1], f"{path}.{key}") for key, part in value.items())
    if origin is not None and issubclass(origin, Iterable):
        if isinstance(value, str) or not isinstance(value, Sequence):
            return f"{path}: no list"
        return _first(misfit(part, inner[0], f"{path}.{n}") for n, part in enumerate(value))
    return None if _is(value, wanted) else f"{path}: {str(value)[:60]!r} is no {wanted}"


_REQUIRED = (typing.Required, typing_extensions.Required)
_WRAPPERS = (*_REQUIRED, typing.Annotated, typing.NotRequired, typing_extensions.NotRequired)


def _is(value: Any, kind: Any) -> bool:
    if kind is None or kind is type(None):
        return value is None
    if not isinstance(kind, type):
        return False
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _none_of(value: Any, kinds: Sequence[Any], path: str) -> str | None:
    """None if one of the kinds fits; else what is wrong with the one that was meant."""
    found = [misfit(value, kind, path) for kind in kinds]
    if None in found:
        return None
    # The kind with the same `type` fails further in, so its path is the longest.
    return max((f for f in found if f), key=lambda said: said.partition(": ")[0].count("."))


def _of_fields(value: Any, wanted: Any, path: str) -> str | None:
    if not isinstance(value, Mapping):
        return f"{path}: no object"
    fields = _hints(wanted)
    # Not `__required_keys__`: that does not see what stands in annotations that are strings.
    needed = {k for k, kind in fields.items() if typing.get_origin(kind) in _REQUIRED}
    if missing := needed - value.keys():
        return f"{path}: lacks {sorted(missing)}"
    if unknown := value.keys() - fields.keys():
        return f"{path}: has {sorted(unknown)}, which {wanted.__name__} does not know"
    return _first(misfit(part, fields[key], f"{path}.{key}") for key, part in value.items())


@cache
def _hints(wanted: Any) -> Mapping[str, Any]:
    return typing_extensions.get_type_hints(wanted, include_extras=True)


def _first(found: Iterable[str | None]) -> str | None:
    return next((said for said in found if said), None)
