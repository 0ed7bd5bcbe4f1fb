"""Classes of values that cost next to nothing to define.

`dataclasses.dataclass` writes and compiles up to six methods for each class, a third of a
millisecond: some sixty of them stand between a first question and its request. What `frozen` makes
behaves as `dataclass(frozen=True)` does, and what `mutable` makes as `dataclass` does, with methods
that all classes share. Both are dataclasses to who asks: `field`, `fields`, `replace` and `asdict`
are those of `dataclasses`.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, field
from functools import cache
from typing import Any, TypeVar, dataclass_transform

Class = TypeVar("Class", bound=type)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: Class) -> Class:
    """The class, with the fields that it annotates, its parents' first. No `__post_init__`."""
    _prepare(cls, _METHODS | _FROZEN)
    return cls


@dataclass_transform(field_specifiers=(field,))
def mutable(cls: Class) -> Class:
    """As `frozen`, with fields that can be assigned; it has no hash."""
    _prepare(cls, _METHODS | {"__hash__": None})
    return cls


def _prepare(cls: Any, methods: Mapping[str, object]) -> None:
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__}: __post_init__ would never be called")
    made: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        made.update(getattr(base, "_frozen_fields", {}))
    for name, hint in inspect.get_annotations(cls).items():
        if "ClassVar" not in str(hint):
            given = made[name] = cls.__dict__.get(name, MISSING)
            if isinstance(given, Field):
                if given.default is MISSING:
                    delattr(cls, name)
                else:
                    setattr(cls, name, given.default)
    cls._frozen_fields = made
    for name, given in {**methods, "__match_args__": tuple(made)}.items():
        if name not in cls.__dict__:
            setattr(cls, name, given)


class _Fields:
    """What `dataclasses` looks at, made when it does."""

    def __get__(self, value: object, cls: Any) -> Any:
        kind = _kind_of_field()
        made: dict[str, Any] = {}
        for name, given in cls._frozen_fields.items():
            made[name] = given if isinstance(given, Field) else field(default=given)
            made[name].name = name
            made[name].type = Any
            made[name]._field_type = kind
        cls.__dataclass_fields__ = made
        return made


@cache
def _kind_of_field() -> Any:
    """What tells fields from class variables; it has no public name."""
    sample: Any = dataclasses.make_dataclass("Sample", ["field"])
    return dataclasses.fields(sample)[0]._field_type  # type: ignore[attr-defined]


def _init(self: Any, *values: Any, **named: Any) -> None:
    cls = type(self)
    names = cls.__match_args__
    state = self.__dict__
    if len(values) > len(names):
        raise TypeError(f"{cls.__name__} takes {len(names)} values, not {len(values)}")
    state.update(zip(names, values, strict=False))
    for name, value in named.items():
        if name in state or name not in cls._frozen_fields:
            raise TypeError(f"{cls.__name__}: {name!r} is given twice, or is no field of it")
        state[name] = value
    if len(state) < len(names):
        # Those in order were given: what is left are the last.
        for name in names[len(values) :]:
            if name not in state:
                default = cls._frozen_fields[name]
                if default is MISSING or isinstance(default, Field):
                    default = _default(cls, name, default)
                state[name] = default


def _default(cls: type, name: str, default: Any) -> Any:
    if isinstance(default, Field):
        if default.default_factory is not MISSING:
            return default.default_factory()
        default = default.default
    if default is MISSING:
        raise TypeError(f"{cls.__name__} needs {name!r}")
    return default


def _compared(value: Any) -> tuple[Any, ...]:
    fields = type(value)._frozen_fields
    return tuple(
        getattr(value, name)
        for name, given in fields.items()
        if not isinstance(given, Field) or given.compare
    )


def _eq(self: Any, other: object) -> Any:
    if type(self) is not type(other):
        return NotImplemented
    return _compared(self) == _compared(other)


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    shown = (
        f"{name}={getattr(self, name)!r}"
        for name, given in type(self)._frozen_fields.items()
        if not isinstance(given, Field) or given.repr
    )
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _setattr(_: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"{name!r} cannot be assigned {value!r}")


def _delattr(_: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


_METHODS: dict[str, object] = {
    "__init__": _init,
    "__eq__": _eq,
    "__repr__": _repr,
    "__dataclass_fields__": _Fields(),
}
_FROZEN: dict[str, object] = {
    "__hash__": _hash,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
}
