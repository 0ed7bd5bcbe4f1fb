"""Classes of values that cost next to nothing to define.

`dataclasses.dataclass` writes and compiles up to six methods for each class, a third of a
millisecond: some sixty of them stand between a first question and its request. What `frozen` makes
behaves as `dataclass(frozen=True)` does, and what `mutable` makes as `dataclass` does, with methods
that all classes share; a class of which many values are made gets an `__init__` of its own. Both
are dataclasses to who asks: `field`, `fields`, `replace` and `asdict` are those of `dataclasses`.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections import defaultdict
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
    needed = [name for name, given in made.items() if _is_needed(given)]
    if needed != list(made)[: len(needed)]:
        raise TypeError(f"{cls.__name__}: {needed[-1]!r} without a default follows one that has it")
    cls._frozen_fields = made
    cls._frozen_defaults = _defaults(made)
    for name, given in {**methods, "__match_args__": tuple(made)}.items():
        if name not in cls.__dict__:
            setattr(cls, name, given)


def _is_needed(given: Any) -> bool:
    """Whether a value has to be given for a field that stands like this in the class."""
    if isinstance(given, Field):
        return given.default is MISSING and given.default_factory is MISSING
    return given is MISSING


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


# So many values pay for a written `__init__`, which takes a third of the time for each.
_MANY = 50
_made: defaultdict[Any, int] = defaultdict(int)


def _init(self: Any, *values: Any, **named: Any) -> None:
    cls = type(self)
    _made[cls] += 1
    if _made[cls] == _MANY:
        cls.__init__ = _written(cls._frozen_fields, cls._frozen_defaults)
    names = cls.__match_args__
    state = self.__dict__
    if len(values) > len(names):
        raise TypeError(f"{cls.__name__} takes {len(names)} values, not {len(values)}")
    state.update(cls._frozen_defaults)
    state.update(zip(names, values, strict=False))
    if named:
        unfit = [name for name in named if name not in cls._frozen_fields]
        if unfit or not named.keys().isdisjoint(names[: len(values)]):
            name = (unfit or [name for name in names if name in named])[0]
            raise TypeError(f"{cls.__name__}: {name!r} is given twice, or is no field of it")
        state.update(named)
    for name, value in state.items():
        if value is MISSING:
            state[name] = _made_anew(cls, name)


def _made_anew(cls: Any, name: str) -> Any:
    given = cls._frozen_fields[name]
    if not isinstance(given, Field) or given.default_factory is MISSING:
        raise TypeError(f"{cls.__name__} needs {name!r}")
    return given.default_factory()


def _written(fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> Any:
    """An `__init__` of one class: what it does is what `_init` does."""
    scope: dict[str, Any] = {"_frozen_missing": MISSING}
    # Names that no field has, which may have any other.
    said, lines = ["_frozen_self"], ["_frozen_state = _frozen_self.__dict__"]
    for name, given in fields.items():
        value = name
        if defaults[name] is not MISSING:
            said.append(f"{name}=_frozen_default_{name}")
            scope[f"_frozen_default_{name}"] = defaults[name]
        elif isinstance(given, Field) and given.default_factory is not MISSING:
            said.append(f"{name}=_frozen_missing")
            scope[f"_frozen_make_{name}"] = given.default_factory
            value = f"_frozen_make_{name}() if {name} is _frozen_missing else {name}"
        else:
            said.append(name)
        lines.append(f"_frozen_state[{name!r}] = {value}")
    exec(f"def __init__({', '.join(said)}):\n  " + "\n  ".join(lines), scope)  # noqa: S102
    return scope["__init__"]


def _defaults(fields: Mapping[str, Any]) -> dict[str, Any]:
    """By field the default that all values of a class share; MISSING where there is none."""
    return {n: g.default if isinstance(g, Field) else g for n, g in fields.items()}


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
