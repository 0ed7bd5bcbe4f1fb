"""A typed value as what it is made of: records, lists, and what stands in a cell by itself."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping, Sequence, Set
from enum import Enum
from itertools import islice
from typing import Any

from ..messages.plain_text import count

LONGEST_TEXT = 500
_LONGEST_LIST = 200
_MOST = 50
_DEEPEST = 12
"""Levels that are taken apart; what is below is written as Python shows it."""


def parts_of(value: Any, depth: int = 0) -> Any:
    """`value` of dicts, lists, texts, numbers, truth values and None only.

    Models, dataclasses and named tuples become dicts of their fields, an enum's member its value,
    sets lists in order; anything else its text. Never raises.
    """
    if isinstance(value, Enum):
        return parts_of(value.value, depth)
    pydantic = sys.modules.get("pydantic")  # a value of its kind means that it is loaded
    if pydantic and isinstance(value, pydantic.RootModel):
        return parts_of(value.root, depth)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if depth == _DEEPEST:
        return _text(value)
    try:
        fields = _fields(value)
        if fields is not None:
            return {_text(name): parts_of(held, depth + 1) for name, held in fields.items()}
        if isinstance(value, Set):
            value = sorted(value, key=_text)
        if isinstance(value, list | tuple):
            return [parts_of(held, depth + 1) for held in value]
    except Exception:  # a field of the user's own class may be computed, and raise anything
        return _text(value)
    return _text(value)


def is_plain(part: Any) -> bool:
    """Whether it stands in a cell by itself: no record, no list."""
    return not isinstance(part, dict | list)


def in_one_line(part: Any) -> str | None:
    """A plain part, a short list of such or an empty part as one text; None for any other."""
    if is_plain(part):
        return word(part)
    if not part:
        return "empty"
    if isinstance(part, dict) or not all(map(is_plain, part)):
        return None
    text = ", ".join([*map(word, first(part)), *more(part)])
    return text if len(text) <= _LONGEST_LIST else None


def word(part: Any, longest: int = LONGEST_TEXT) -> str:
    """A plain part as a text: floats to 10 digits, long texts cut."""
    text = f"{part:.10g}" if isinstance(part, float) else str(part)
    rest = len(text) - longest
    return text if rest <= 0 else f"{text[:longest]}… {rest:,} characters more"


def first(items: Iterable[Any]) -> list[Any]:
    """Those that are shown: a long list is cut."""
    return list(islice(items, _MOST))


def more(part: Any) -> list[str]:
    """What is said of those that are not shown, if there are any."""
    rest = len(part) - _MOST
    return [f"… {rest:,} more of {len(part):,}"] if rest > 0 else []


def size(part: Any) -> str:
    """What a record or a list is called where it is folded: "3 records"."""
    if isinstance(part, dict):
        return count(len(part), "field")
    return count(len(part), "record" if _are_records(part) else "item")


def columns(part: Any) -> list[str]:
    """The names of all fields of a list of records; none where there are other things in it."""
    return list(dict.fromkeys(n for r in part for n in r)) if _are_records(part) else []


def numeric(part: Any, names: Sequence[str]) -> set[int]:
    """Which of these columns hold numbers, and nothing else but None."""
    return {i for i, name in enumerate(names) if are_numbers(r[name] for r in part if name in r)}


def are_numbers(held: Iterable[Any]) -> bool:
    """Whether all of them are numbers or None."""
    return all(
        one is None or (isinstance(one, int | float) and not isinstance(one, bool)) for one in held
    )


def _are_records(part: Any) -> bool:
    return isinstance(part, list) and all(isinstance(held, dict) and held for held in part)


def _fields(value: Any) -> Mapping[Any, Any] | None:
    pydantic = sys.modules.get("pydantic")
    if pydantic and isinstance(value, pydantic.BaseModel):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    return value if isinstance(value, Mapping) else None


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # a foreign __str__ may raise anything
        return f"<{type(value).__name__}>"
