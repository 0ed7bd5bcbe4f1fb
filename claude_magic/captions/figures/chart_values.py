"""What is worth saying of the values that a mark of a chart stands for, in a line each.

Extremes and where they are, direction, correlation: what published guidance on describing charts
calls statistics and trends (Lundgard and Satyanarayan 2021, levels 2 and 3). Long series go along
thinned, and it is said.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeAlias

from ...messages.plain_text import count

Value: TypeAlias = "float | str"
"""A number; or a category or a date, as the axis shows it."""

_MOST_LISTED = 24
_MOST_BARS = 40
_MOST_CELLS = 64
# More points than this are thinned before they are correlated: the figure is the same to 2 digits.
_MOST_CORRELATED = 100_000


def number(value: Value) -> str:
    """A value in at most six digits; text as it is."""
    return value if isinstance(value, str) else f"{value:.6g}"


def shown(item: object) -> str:
    """A category as it is; a date without a time of day that says nothing."""
    words = str(item)
    day, separator, moment = words[:10], words[10:11], words[11:]
    midnight = moment.rstrip("0.").rstrip(":0") == "" and moment.startswith("00:00")
    return day if separator in ("T", " ") and midnight else words


def named(mark: str, label: str) -> str:
    """`line "control"`; the mark alone where it has no label of its own."""
    return f'{mark} "{" ".join(label.split())}"' if label and not label.startswith("_") else mark


def points_text(mark: str, label: str, x: Sequence[Value], y: Sequence[Value]) -> str:
    """A line on points: how many, their extremes, how y goes with x, and some of them."""
    pairs = [(a, b) for a, b in zip(x, y, strict=False) if _is_there(a) and _is_there(b)]
    gaps = min(len(x), len(y)) - len(pairs)
    head = f"{named(mark, label)}: {count(len(pairs), 'point')}"
    if gaps:
        head += f" ({gaps} more without a value)"
    if not pairs:
        return head
    facts = [_extremes(pairs), *_along(mark, pairs)]
    shown = _thinned(pairs, _MOST_LISTED)
    which = "points" if len(shown) == len(pairs) else f"{len(shown)} of them"
    listed = " ".join(f"({number(a)}, {number(b)})" for a, b in shown)
    return f"{head}; {'; '.join(fact for fact in facts if fact)}; {which}: {listed}"


def bars_text(mark: str, label: str, names: Sequence[Value], heights: Sequence[float]) -> str:
    """A line on bars, wedges and the like: each with its value, the highest and the lowest."""
    pairs = [(n, h) for n, h in zip(names, heights, strict=False) if _is_there(h)]
    head = f"{named(mark, label)}: {len(pairs)}"
    if not pairs:
        return head
    listed = ", ".join(f"{number(name)} {number(height)}" for name, height in pairs[:_MOST_BARS])
    rest = len(pairs) - _MOST_BARS
    more = f", and {rest} more" if rest > 0 else ""
    low = min(pairs, key=lambda pair: pair[1])
    high = max(pairs, key=lambda pair: pair[1])
    ends = ""
    if len(pairs) > 2:
        ends = f"; highest {number(high[0])}, lowest {number(low[0])}"
    return f"{head}: {listed}{more}{ends}"


def histogram_text(label: str, edges: Sequence[float], counts: Sequence[float]) -> str:
    """A line on a histogram: its bins, where it peaks, where its middle is."""
    total = math.fsum(counts)
    head = f"{named('histogram', label)}: {count(len(counts), 'bin')} from {number(edges[0])} to "
    head += f"{number(edges[-1])}, {number(total)} in all"
    if not total:
        return head
    peak = max(range(len(counts)), key=counts.__getitem__)
    running = list(accumulate(counts))
    middle = next(place for place, sum_ in enumerate(running) if sum_ >= total / 2)
    listed = " ".join(number(count) for count in counts[:_MOST_BARS])
    return (
        f"{head}; most, {number(counts[peak])}, in {_bin(edges, peak)}; the middle value in "
        f"{_bin(edges, middle)}; counts: {listed}{' …' if len(counts) > _MOST_BARS else ''}"
    )


def grid_text(mark: str, rows: Sequence[Sequence[float]], names: Sequence[Sequence[str]]) -> str:
    """A line on a heat map or an image of numbers: its size, extremes and where they are.

    `names` are those of the rows and of the columns, empty where they have none.
    """
    cells = [
        (value, r, c)
        for r, row in enumerate(rows)
        for c, value in enumerate(row)
        if _is_there(value)
    ]
    width = len(rows[0]) if rows else 0
    head = f"{mark}: {len(rows)} rows x {width} columns"
    if not cells:
        return head
    low, high = min(cells), max(cells)
    where = [f"{number(value)} at {_place(names, r, c)}" for value, r, c in (low, high)]
    said = f"{head}; lowest {where[0]}, highest {where[1]}"
    said += f", mean {number(_mean([value for value, _, _ in cells]))}"
    if len(cells) <= _MOST_CELLS:
        said += "; rows: " + " / ".join(" ".join(number(value) for value in row) for row in rows)
    return said


def range_text(values: Sequence[Value]) -> str:
    """`4 to 16`, the first and the last of categories; empty without values."""
    there = [value for value in values if _is_there(value)]
    if not there:
        return ""
    numbers = [value for value in there if not isinstance(value, str)]
    ends = (min(numbers), max(numbers)) if len(numbers) == len(there) else (there[0], there[-1])
    return f"{number(ends[0])} to {number(ends[1])}"


def _extremes(pairs: Sequence[tuple[Value, Value]]) -> str:
    """The lowest and the highest y and where they are; the range of x."""
    said = f"x {range_text([x for x, _ in pairs])}"
    heights = [(y, x) for x, y in pairs if not isinstance(y, str)]
    if len(heights) < len(pairs):
        return f"{said}; y {range_text([y for _, y in pairs])}"
    low = min(heights, key=lambda pair: pair[0])
    high = max(heights, key=lambda pair: pair[0])
    return (
        f"{said}; y lowest {number(low[0])} at {number(low[1])}, highest {number(high[0])} at "
        f"{number(high[1])}"
    )


def _along(mark: str, pairs: Sequence[tuple[Value, Value]]) -> list[str]:
    """How y goes with x: start and end of a line, correlation of points."""
    facts = []
    if mark == "line" and len(pairs) > 1:
        facts.append(f"starts at {number(pairs[0][1])}, ends at {number(pairs[-1][1])}")
    thin = _thinned(pairs, _MOST_CORRELATED)
    xs = [x for x, y in thin if not isinstance(x, str) and not isinstance(y, str)]
    ys = [y for x, y in thin if not isinstance(x, str) and not isinstance(y, str)]
    if len(xs) == len(thin) and len(xs) > 2:
        try:
            facts.append(f"correlation {statistics.correlation(xs, ys):.2f}")
            slope, intercept = statistics.linear_regression(xs, ys)
            sign = "-" if slope < 0 else "+"
            facts.append(f"straight line {number(intercept)} {sign} {number(abs(slope))} x")
        except (ValueError, OverflowError):  # all of one value, or too large
            pass
    return facts


def _thinned(pairs: Sequence[tuple[Value, Value]], most: int) -> list[tuple[Value, Value]]:
    """At most so many of the pairs, evenly apart, the first and the last among them."""
    if len(pairs) <= most:
        return list(pairs)
    step = (len(pairs) - 1) / (most - 1)
    return [pairs[round(i * step)] for i in range(most)]


def _mean(values: Sequence[float]) -> float:
    try:
        return statistics.fmean(values)
    except OverflowError:  # the sum is beyond what a float holds, the mean is not
        return statistics.fmean(value / len(values) for value in values)


def _is_there(value: Value) -> bool:
    return isinstance(value, str) or math.isfinite(value)


def _bin(edges: Sequence[float], at: int) -> str:
    return f"{number(edges[at])} to {number(edges[at + 1])}"


def _place(names: Sequence[Sequence[str]], row: int, column: int) -> str:
    rows, columns = names
    shown_row = rows[row] if row < len(rows) else f"row {row + 1}"
    shown_column = columns[column] if column < len(columns) else f"column {column + 1}"
    return f"{shown_row}, {shown_column}"


_BINS = 20


def raw_histogram_text(label: str, values: Sequence[Value]) -> str:
    """A histogram of the values themselves, in twenty bins; of categories, how often each is."""
    numbers = [v for v in values if not isinstance(v, str) and math.isfinite(v)]
    if any(isinstance(value, str) for value in values):
        counts = Counter(number(value) for value in values)
        return bars_text("counts", label, list(counts), [float(n) for n in counts.values()])
    if not numbers:
        return f"{named('histogram', label)}: no values"
    low, high = min(numbers), max(numbers)
    width = (high - low) / _BINS or 1.0
    found = Counter(min(int((value - low) / width), _BINS - 1) for value in numbers)
    edges = [low + place * width for place in range(_BINS + 1)]
    return histogram_text(label, edges, [float(found[place]) for place in range(_BINS)])


def box_text(mark: str, name: str, values: Sequence[float]) -> str:
    """Median, quartiles and range of one group of values."""
    there = sorted(value for value in values if math.isfinite(value))
    head = f"{mark} of {name}" if name else mark
    if len(there) < 2:
        return f"{head}: {len(there)} values"
    low, middle, high = statistics.quantiles(there, method="inclusive")
    return (
        f"{head}: {len(there):,} values, median {number(middle)}, quartiles {number(low)} and "
        f"{number(high)}, range {number(there[0])} to {number(there[-1])}"
    )


def grouped(groups: Sequence[Value], values: Sequence[Value]) -> dict[str, list[float]]:
    """The numbers among `values` by group, groups in the order in which they first come."""
    found: dict[str, list[float]] = {}
    for group, value in zip(groups, values, strict=False):
        if not isinstance(value, str):
            found.setdefault(number(group), []).append(value)
    return found
