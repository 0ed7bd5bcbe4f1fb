"""What `frozen` and `mutable` make behaves as what `dataclass` makes."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from claude_magic.value_classes import frozen, mutable

Any_ = TypeVar("Any_")


def classes(decorate: Callable[[Any], Any]) -> tuple[Any, Any]:
    """A class with one field of each kind, and one that inherits from it."""

    class Parent(Generic[Any_]):
        shared: ClassVar[int] = 5
        first: int
        second: str = "b"
        third: Mapping[str, int] = field(default_factory=dict)
        quiet: int = field(default=3, compare=False, repr=False)
        state: str = "named as a local variable may be"

        @property
        def double(self) -> int:
            return 2 * self.first

    parent: Any = decorate(Parent)

    class Child(parent):  # type: ignore[misc]
        second: str = "c"
        last: tuple[int, ...] = ()

        def __repr__(self) -> str:
            return "its own"

    return parent, decorate(Child)


OURS = [*classes(frozen), *classes(mutable)]
THEIRS = [*classes(dataclass(frozen=True)), *classes(dataclass)]
OFTEN = [*classes(frozen), *classes(mutable)]
for often in OFTEN:  # of which so many values were made that it got an `__init__` of its own
    assert len([often(n) for n in range(100)]) == 100
    assert often.__init__ is not OURS[0].__init__

GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, "x"), {}),
    ((1,), {"third": {"a": 1}}),
    ((), {"second": "y", "first": 2}),
    ((1, "x", {}, 9), {}),
    ((), {}),
    ((1,), {"first": 2}),
    ((1,), {"other": 2}),
    ((1, 2, 3, 4, 5, 6), {}),
    ((), {"second": "y"}),
]


def what_becomes(make: Callable[[], Any], say: Callable[[Any], object]) -> object:
    try:
        return say(make())
    except (TypeError, FrozenInstanceError) as error:
        return type(error)


SAYINGS: dict[str, Callable[[Any], object]] = {
    "its fields": lambda value: [getattr(value, f.name) for f in fields(value)],
    "its text": lambda value: repr(value).replace("classes.<locals>.", ""),
    "as a dict": asdict,
    "changed": lambda value: asdict(replace(value, first=7)),
    "changed by a name that is no field": lambda value: replace(value, other=7),
    "equal to itself": lambda value: value == replace(value),
    "what is not compared": lambda value: value == replace(value, quiet=8),
    "not equal": lambda value: value == replace(value, first=8),
    "of another type": lambda value: value == asdict(value),
    "hash": lambda value: hash(replace(value, third=())) == hash(replace(value, third=())),
    "hash of what has none": lambda value: hash(replace(value, third={})),
    "copied": lambda value: copy.deepcopy(value) == value,
    "assigned": lambda value: setattr(value, "first", 1),
    "deleted": lambda value: delattr(value, "first"),
    "matched": lambda value: type(value).__match_args__,
    "a dataclass": lambda value: (is_dataclass(value), is_dataclass(type(value))),
    "of the class": lambda value: (type(value).shared, value.double, type(value).second),
    "without a default": lambda value: hasattr(type(value), "first"),
}


@pytest.mark.parametrize(
    "which", range(4), ids=["parent", "child", "mutable parent", "mutable child"]
)
@pytest.mark.parametrize("saying", SAYINGS)
@pytest.mark.parametrize("given", range(len(GIVEN)))
@pytest.mark.parametrize("made", [OURS, OFTEN], ids=["few", "many"])
def test_it_does_what_a_dataclass_does(
    made: list[Any], which: int, saying: str, given: int
) -> None:
    values, named = GIVEN[given]
    ours, theirs = made[which], THEIRS[which]
    expected = what_becomes(lambda: theirs(*values, **named), SAYINGS[saying])
    assert what_becomes(lambda: ours(*values, **named), SAYINGS[saying]) == expected


@frozen
class Pickled:
    """At the top of a module, where pickle finds it."""

    name: str
    size: int = 0


def test_it_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(Pickled("a", 2))) == Pickled("a", 2)  # noqa: S301


def test_parents_and_children_do_not_equal_each_other() -> None:
    parent, child, *_ = OURS
    assert parent(1, "c") != child(1, "c")


def test_a_default_factory_gives_each_value_its_own() -> None:
    parent = OURS[0]
    assert parent(1).third is not parent(1).third


def test_the_error_of_a_missing_value_names_it() -> None:
    with pytest.raises(TypeError, match="Pickled needs 'name'"):
        Pickled()  # type: ignore[call-arg]


@pytest.mark.parametrize("decorate", [frozen, mutable])
def test_a_class_with_a_post_init_is_refused_as_it_would_not_be_called(
    decorate: Callable[[Any], Any],
) -> None:
    class Checked:
        size: int

        def __post_init__(self) -> None: ...

    with pytest.raises(TypeError, match="Checked: __post_init__"):
        decorate(Checked)


def test_what_dataclasses_shows_of_it_is_made_once() -> None:
    assert dataclasses.fields(Pickled) == dataclasses.fields(Pickled)


@pytest.mark.parametrize("decorate", [frozen, dataclass(frozen=True)], ids=["ours", "theirs"])
def test_a_field_that_is_described_may_have_no_default_and_stand_anywhere(decorate: Any) -> None:
    @decorate
    class Figure:
        cell: int
        source: object = field(repr=False)
        alt: str
        place: int = 1

    for _ in range(100):  # it gets an `__init__` of its own on the way
        assert repr(Figure(4, b"png", "A line.")).endswith("Figure(cell=4, alt='A line.', place=1)")
    for values in ((), (4,), (4, b"png")):
        with pytest.raises(TypeError):
            Figure(*values)


@pytest.mark.parametrize("decorate", [frozen, dataclass(frozen=True)], ids=["ours", "theirs"])
def test_a_described_field_without_a_default_does_not_follow_one_that_has_it(decorate: Any) -> None:
    class Figure:
        place: int = 1
        source: object = field(repr=False)

    with pytest.raises(TypeError, match="source"):
        decorate(Figure)
