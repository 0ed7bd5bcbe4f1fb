"""Values of a few named fields that cost little to define and to make.

A frozen dataclass takes a third of a millisecond to define: too much for each of many values that
stand on the way of the first question.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, dataclass_transform


@dataclass_transform(frozen_default=True)
class Frozen(tuple[Any, ...]):
    """A value with the fields that its class annotates, given in their order.

    It equals a value of the same class with equal fields. Each class says `__slots__ = ()`, so that
    its values hold nothing else.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        names = tuple(cls.__annotations__)
        fields = {name: property(itemgetter(place)) for place, name in enumerate(names)}
        for name, value in {"__match_args__": names, **fields}.items():
            setattr(cls, name, value)

    def __new__(cls, *fields: Any) -> Frozen:
        return tuple.__new__(cls, fields)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and tuple.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self), tuple(self)))

    def __repr__(self) -> str:
        fields = zip(type(self).__annotations__, self, strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"
