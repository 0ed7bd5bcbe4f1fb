"""Values as a figure's JSON holds them: arrays in each of their forms, numbers, dates, names.

The rules are those of plotly.js (lib/clean_number.js, lib/dates.js).
"""

from __future__ import annotations

import math
import re
from array import array
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .chart_values import Value

Spec = Mapping[str, Any]

NO_VALUE = float("nan")
# What plotly.js takes away from a text before it looks whether it is a number: "$1,000" is one.
_JUNK = re.compile(r"^['\"%,$#\s]+|[, ]|['\"%,$#\s]+$")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(
    r"\s*(-?\d{4}|\d\d)(?:-(\d?\d)(?:-(\d?\d)(?:[ Tt]([01]?\d|2[0-3])"
    r"(?::([0-5]\d)(?::([0-5]\d)(\.\d+)?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?)?)?)?)?\s*"
)
_TYPECODES = {
    "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q",
    "f4": "f", "f8": "d", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i",
    "uint32": "I", "float32": "f", "float64": "d",
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def mapping(value: Any) -> Spec:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def merged(under: Any, over: Any) -> Spec:
    """`over`, and what `under` says that it does not, mappings within them too."""
    found = dict(mapping(under))
    for name, value in mapping(over).items():
        both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = merged(found[name], value) if both and "bdata" not in value else value
    return found


def listed(value: Any) -> list[Any]:
    """The items of an array in any of the forms that Plotly writes; rows where it has two sides.

    Raises: ValueError for an encoded array of a kind that is not known.
    """
    if isinstance(value, Mapping) and "bdata" in value:
        code = _TYPECODES.get(str(value.get("dtype")).lstrip("<|"))
        if code is None:
            raise ValueError(f"an array of {value.get('dtype')}")
        flat: list[Any] = list(array(code, b64decode(value["bdata"])))
        sides = [int(side) for side in re.findall(r"\d+", str(value.get("shape", "")))]
        for side in reversed(sides[1:]):
            flat = [flat[start : start + side] for start in range(0, len(flat), side or 1)]
        return flat
    return list(value) if isinstance(value, list | tuple) else []


def words(value: Any) -> str:
    """A title, a name or a note in one line, without the tags and breaks that Plotly knows."""
    text = value.get("text") if isinstance(value, Mapping) else value
    plain = re.sub(r"</?(?:b|i|u|s|em|sup|sub|span|a|br)\b[^>]*>", " ", str(text or ""))
    return " ".join(plain.split())


def name_of(item: Any) -> str:
    """A category as plotly.js writes it: 5 for 5.0, true for True."""
    if isinstance(item, bool):
        return str(item).lower()
    if isinstance(item, float) and item.is_integer() and abs(item) < 1e21:
        return str(int(item))
    return str(item)


def as_number(item: Any) -> float:
    """The number that an item is on a linear axis; NaN where it is none."""
    if isinstance(item, str):
        text = _JUNK.sub("", item)
        return float(text) if _NUMBER.fullmatch(text) else NO_VALUE
    finite = isinstance(item, int | float) and not isinstance(item, bool) and math.isfinite(item)
    return float(item) if finite else NO_VALUE


def is_number(item: Any) -> bool:
    """Whether an item is a number, or a text that is one and nothing more."""
    if isinstance(item, str):
        return _NUMBER.fullmatch(item.strip()) is not None
    return isinstance(item, int | float) and not isinstance(item, bool)


def is_there(value: Value) -> bool:
    """Whether it is a value at all: text, or a finite number."""
    return isinstance(value, str) or math.isfinite(value)


def is_date(item: Any) -> bool:
    """Whether a text is a date to plotly.js."""
    return isinstance(item, str) and _DATE.fullmatch(item) is not None


def as_date(item: Any) -> Value:
    """`2024-01-30`, or with a time of day where there is one; NaN for what is no date.

    A zone is dropped, as plotly.js does. A number is milliseconds since 1970, but for one that
    could be a year: 2024 is one.

    Raises: ValueError for a year of two digits, whose century depends on today.
    """
    if isinstance(item, int | float) and not isinstance(item, bool):
        if _DATE.fullmatch(name_of(item)):
            return as_date(name_of(item))
        if not math.isfinite(item):
            return NO_VALUE
        try:
            return _written(_EPOCH + timedelta(milliseconds=item))
        except OverflowError:
            return NO_VALUE
    text = str(item)
    if len(text) == 10 and text[4] == "-" == text[7] and text.replace("-", "").isdecimal():
        return text
    found = _DATE.fullmatch(text)
    if found is None:
        return NO_VALUE
    year, month, day, hour, minute, second, rest = found.groups()
    if len(year) == 2:
        raise ValueError("a year of two digits")
    date = f"{year}-{int(month or 1):02}-{int(day or 1):02}"
    rest = (rest or "").rstrip("0").rstrip(".")
    moment = f"{int(hour or 0):02}:{minute or '00'}:{second or '00'}{rest}"
    return date if moment == "00:00:00" else f"{date} {moment}"


def _written(moment: datetime) -> str:
    text = moment.replace(tzinfo=None).isoformat(" ")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.removesuffix(" 00:00:00")
