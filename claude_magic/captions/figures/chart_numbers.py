"""Numbers as they are told, and what is computed from all of them before some are told.

A number has as few digits as tell it apart from its neighbours; statistics are those of every
value, with numpy where a plotting library has loaded it, since a figure may hold a million.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from ...value_classes import frozen

Value: TypeAlias = "float | str"
"""A number; or a category or a date, as the axis shows it."""

_FEWEST_DIGITS = 4
_MOST_DIGITS = 17
_LONE_DIGITS = 6
# Differences up to this part of a number are of its arithmetic, not of the data.
_NOISE = 1e-14
_LARGEST_WHOLE = 1e16


def number(value: Value) -> str:
    """A value by itself in at most six digits, integers whole; text as it is."""
    return value if isinstance(value, str) else _digits(value, _LONE_DIGITS)


def tell_apart(values: Sequence[Value]) -> list[str]:
    """The values as text, each so precise that distinct ones stay distinct.

    The error is at most a hundredth of the smallest gap between them; integers are whole. No
    value has less than four digits, unless it needs fewer.
    """
    decimals = _decimals([v for v in values if not isinstance(v, str) and math.isfinite(v)])
    return [v if isinstance(v, str) else _told(v, decimals) for v in values]


def _decimals(values: Iterable[float]) -> int | None:
    """Places behind the point that tell the values apart; None where there is nothing to."""
    ordered = sorted(set(values))
    largest = max(map(abs, ordered), default=0.0)
    gaps = (high - low for low, high in pairwise(ordered))
    smallest = min((gap for gap in gaps if gap > _NOISE * largest), default=None)
    if smallest is None or not math.isfinite(smallest):
        return None
    return math.ceil(math.log10(50) - math.log10(smallest))


def _told(value: float, decimals: int | None) -> str:
    if decimals is None or value == 0 or not math.isfinite(value):
        return _digits(value, _LONE_DIGITS)
    before = math.floor(math.log10(abs(value))) + 1
    whole = before if abs(value) < _LARGEST_WHOLE else 0
    wanted = max(_FEWEST_DIGITS, whole, before + decimals)
    return _digits(value, min(wanted, _MOST_DIGITS))


def _digits(value: float, digits: int) -> str:
    if math.isfinite(value) and value == int(value) and abs(value) < _LARGEST_WHOLE:
        return str(int(value))
    said = f"{value:.{digits}g}"
    if "e+" in said and abs(value) < _LARGEST_WHOLE:
        return f"{value:.0f}"
    return said


Tell: TypeAlias = Callable[[Sequence[Value]], Sequence[str]]


@frozen
class ValueScale:
    """How the values along an axis are told. `numeric`: one can count with what is told;
    `ordered`: the lowest and the highest say something (dates, not categories).
    """

    tell: Tell = tell_apart
    numeric: bool = True
    ordered: bool = True


@frozen
class PointFacts:
    """What is so of all points: places are indexes into the points that have both values."""

    count: int
    without: int = 0
    lowest: int = 0
    highest: int = 0
    quartiles: tuple[float, ...] = ()
    correlation: float | None = None
    line: tuple[float, float] | None = None


@frozen
class Points:
    """The points that have both values, and what is so of them."""

    x: Sequence[Value]
    y: Sequence[Value]
    facts: PointFacts


def points(x: Sequence[Value], y: Sequence[Value]) -> Points:
    """The points of two columns, of numbers (arrays too) or with text among them."""
    np: Any = sys.modules.get("numpy")
    if np is not None and _is_numbers(np, x) and _is_numbers(np, y):
        return _points_of_arrays(np, x, y)
    pairs = [(a, b) for a, b in zip(x, y, strict=False) if _is_there(a) and _is_there(b)]
    xs, ys = [a for a, _ in pairs], [b for _, b in pairs]
    without = min(len(x), len(y)) - len(pairs)
    if not pairs or any(isinstance(b, str) for b in ys):
        return Points(xs, ys, PointFacts(len(pairs), without))
    heights = [b for b in ys if not isinstance(b, str)]
    across = [a for a in xs if not isinstance(a, str)]
    correlation, line = _along(across, heights) if len(across) == len(xs) else (None, None)
    facts = PointFacts(
        len(pairs),
        without,
        min(range(len(heights)), key=heights.__getitem__),
        max(range(len(heights)), key=heights.__getitem__),
        tuple(statistics.quantiles(heights, method="inclusive")) if len(heights) > 1 else (),
        correlation,
        line,
    )
    return Points(xs, ys, facts)


def _is_numbers(np: Any, values: Sequence[Value]) -> bool:
    if isinstance(values, np.ndarray):
        return bool(np.issubdtype(values.dtype, np.number))
    return all(type(value) in (int, float) for value in values)


def _points_of_arrays(np: Any, x: Sequence[Value], y: Sequence[Value]) -> Points:
    size = min(len(x), len(y))
    xs, ys = np.asarray(x[:size], dtype=float), np.asarray(y[:size], dtype=float)
    there = np.isfinite(xs) & np.isfinite(ys)
    xs, ys = xs[there], ys[there]
    if not len(xs):
        return Points((), (), PointFacts(0, size))
    with np.errstate(all="ignore"):
        facts = PointFacts(
            len(xs),
            size - len(xs),
            int(ys.argmin()),
            int(ys.argmax()),
            tuple(map(float, np.quantile(ys, (0.25, 0.5, 0.75)))) if len(xs) > 1 else (),
            *_along_arrays(xs, ys),
        )
    return Points(xs, ys, facts)


def _along(
    x: Sequence[float], y: Sequence[float]
) -> tuple[float | None, tuple[float, float] | None]:
    """How y goes with x: the correlation; intercept and slope of the straight line."""
    if len(x) < 3:
        return None, None
    try:
        middle_x, middle_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    except OverflowError:
        return None, None
    apart_x, apart_y = [a - middle_x for a in x], [b - middle_y for b in y]
    return _fitted(
        (middle_x, middle_y),
        sum(a * a for a in apart_x),
        sum(b * b for b in apart_y),
        sum(a * b for a, b in zip(apart_x, apart_y, strict=True)),
    )


def _along_arrays(xs: Any, ys: Any) -> tuple[float | None, tuple[float, float] | None]:
    if len(xs) < 3:
        return None, None
    middle = float(xs.mean()), float(ys.mean())
    xs, ys = xs - middle[0], ys - middle[1]
    return _fitted(middle, float(xs @ xs), float(ys @ ys), float(xs @ ys))


def _fitted(
    middle: tuple[float, float], xx: float, yy: float, xy: float
) -> tuple[float | None, tuple[float, float] | None]:
    """From the sums of squares and of products; None where all is one value, or too large."""
    least = [_NOISE * _NOISE * part * part for part in middle]
    below = math.sqrt(xx) * math.sqrt(yy) if math.isfinite(xx) and math.isfinite(yy) else 0.0
    if xx <= least[0] or yy <= least[1] or not below or not math.isfinite(xy):
        return None, None
    slope = xy / xx
    line = middle[1] - slope * middle[0], slope
    told = line if all(map(math.isfinite, line)) else None
    return max(-1.0, min(1.0, xy / below)), told


def _is_there(value: Value) -> bool:
    return isinstance(value, str) or math.isfinite(value)


def thinned(size: int, most: int) -> list[int]:
    """At most so many places of `size`, evenly apart, the first and the last among them."""
    if size <= most:
        return list(range(size))
    step = (size - 1) / (most - 1)
    return [round(place * step) for place in range(most)]
