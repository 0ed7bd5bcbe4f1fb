"""What is worth saying of the values that a mark of a chart stands for, in a line each.

Extremes and where they are, direction, correlation: what published guidance on describing charts
calls statistics and trends (Lundgard and Satyanarayan 2021, levels 2 and 3), of all values. Long
series go along thinned, and it is said.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from operator import itemgetter
from typing import Any

from ...messages.plain_text import count
from ...value_classes import frozen
from .chart_numbers import Value, ValueScale, number, points, tell_apart, thinned

__all__ = [
    "Value",
    "bars_text",
    "box_text",
    "grid_text",
    "grouped",
    "histogram_text",
    "named",
    "number",
    "points_text",
    "range_text",
    "raw_histogram_text",
    "shown",
    "steps_text",
]

_MOST_LISTED = 24
_MOST_BARS = 40
_MOST_CELLS = 64
_PLAIN = ValueScale()


def shown(item: object) -> str:
    """A category as it is; a date without a time of day that says nothing."""
    words = str(item)
    day, separator, moment = words[:10], words[10:11], words[11:]
    midnight = moment.rstrip("0.").rstrip(":0") == "" and moment.startswith("00:00")
    return day if separator in ("T", " ") and midnight else words


def named(mark: str, label: str) -> str:
    """`line "control"`; the mark alone where it has no label of its own."""
    return f'{mark} "{" ".join(label.split())}"' if label and not label.startswith("_") else mark


def points_text(
    mark: str,
    label: str,
    x: Sequence[Value],
    y: Sequence[Value],
    *,
    scales: tuple[ValueScale, ValueScale] = (_PLAIN, _PLAIN),
    besides: Sequence[str] = (),
) -> str:
    """A line on points: how many, their extremes, how y goes with x, and some of them.

    `besides` says what else there is, such as points outside of the view.
    """
    found = points(x, y)
    facts = found.facts
    gaps = (f"{facts.without:,} more without a value",) if facts.without else ()
    head = f"{named(mark, label)}: {count(facts.count, 'point')}"
    head += "".join(f" ({said})" for said in (*gaps, *besides))
    if not facts.count:
        return head
    listed = thinned(facts.count, _MOST_LISTED)
    places = [*listed, facts.lowest, facts.highest]
    across = [found.x[place] for place in places]
    along = [found.y[place] for place in places]
    told_x, told_y = scales[0].tell(across), scales[1].tell(along)
    low, high = -2, -1
    said = [f"x {_range(found.x, scales[0])}"]
    if scales[1].ordered and not any(isinstance(value, str) for value in along):
        said[0] += f"; y lowest {told_y[low]} at {told_x[low]}"
        said[0] += f", highest {told_y[high]} at {told_x[high]}"
        if facts.count > _MOST_LISTED and facts.quartiles:
            first, middle, third = scales[1].tell(facts.quartiles)
            said.append(f"median {middle}, quartiles {first} and {third}")
    else:
        said[0] += f"; y {_range(found.y, scales[1])}"
    if mark == "line" and facts.count > 1:
        said.append(f"starts at {told_y[0]}, ends at {told_y[len(listed) - 1]}")
    if scales[0].numeric and scales[1].numeric and facts.correlation is not None:
        said.append(f"correlation {facts.correlation:.2f}")
        if facts.line is not None:
            sign = "-" if facts.line[1] < 0 else "+"
            said.append(
                f"straight line {number(facts.line[0])} {sign} {number(abs(facts.line[1]))} x"
            )
    which = "points" if len(listed) == facts.count else f"{len(listed)} of them"
    pairs = zip(told_x[: len(listed)], told_y[: len(listed)], strict=True)
    return f"{head}; {'; '.join(said)}; {which}: {' '.join(f'({a}, {b})' for a, b in pairs)}"


def bars_text(
    mark: str,
    label: str,
    names: Sequence[Value],
    heights: Sequence[float],
    *,
    bases: Sequence[float] = (),
    besides: Sequence[str] = (),
) -> str:
    """A line on bars, wedges and the like: each with its value, the highest and the lowest.

    `bases` are where bars start that do not start at nought. `besides` as for points.
    """
    there = [
        place
        for place, height in enumerate(heights[: len(names)])
        if isinstance(height, str) or math.isfinite(height)
    ]
    gaps = len(heights[: len(names)]) - len(there)
    head = f"{named(mark, label)}: {len(there)}"
    head += "".join(
        f" ({said})" for said in (*((f"{gaps} more without a value",) if gaps else ()), *besides)
    )
    if not there:
        return head
    told_names = tell_apart([names[place] for place in there])
    told = tell_apart([heights[place] for place in there])
    starts = [bases[place] for place in there] if any(bases) else []
    froms = tell_apart(starts)
    tops = tell_apart([s + heights[p] for s, p in zip(starts, there, strict=False)])
    items = [f"{name} {value}" for name, value in zip(told_names, told, strict=True)]
    if starts:
        items = [f"{i} (from {a} to {b})" for i, a, b in zip(items, froms, tops, strict=True)]
    rest = len(there) - _MOST_BARS
    more = f", and {rest} more" if rest > 0 else ""
    ends = ""
    if len(there) > 2:
        low = min(range(len(there)), key=lambda i: heights[there[i]])
        high = max(range(len(there)), key=lambda i: heights[there[i]])
        ends = f"; highest {told_names[high]}, lowest {told_names[low]}"
        if rest > 0:
            ends = (
                f"; highest {told_names[high]} {told[high]}, lowest {told_names[low]} {told[low]}"
            )
    return f"{head}: {', '.join(items[:_MOST_BARS])}{more}{ends}"


def histogram_text(label: str, edges: Sequence[float], counts: Sequence[float]) -> str:
    """A line on a histogram: its bins, where it peaks, where its middle is."""
    total = math.fsum(counts)
    ends = tell_apart(edges)
    told = tell_apart(counts)
    head = f"{named('histogram', label)}: {count(len(counts), 'bin')} from {ends[0]} to "
    head += f"{ends[-1]}, {number(total)} in all"
    if not total:
        return head
    peak = max(range(len(counts)), key=counts.__getitem__)
    running = list(accumulate(counts))
    middle = next(place for place, sum_ in enumerate(running) if sum_ >= total / 2)
    return (
        f"{head}; most, {told[peak]}, in {ends[peak]} to {ends[peak + 1]}; the middle value in "
        f"{ends[middle]} to {ends[middle + 1]}; "
        f"counts: {' '.join(told[:_MOST_BARS])}{' …' if len(counts) > _MOST_BARS else ''}"
    )


def steps_text(
    mark: str,
    label: str,
    edges: Sequence[float],
    heights: Sequence[float],
    *,
    scale: ValueScale = _PLAIN,
    besides: Sequence[str] = (),
) -> str:
    """A line on bars that touch: their edges and heights, the highest and the lowest."""
    ends, told = scale.tell(edges), tell_apart(heights)
    head = f"{named(mark, label)}: {len(heights)} from {ends[0]} to {ends[-1]}"
    head += "".join(f" ({said})" for said in besides)
    there = [place for place, height in enumerate(heights) if math.isfinite(height)]
    if not there:
        return head
    low = min(there, key=heights.__getitem__)
    high = max(there, key=heights.__getitem__)
    cut = " …" if len(heights) > _MOST_BARS else ""
    return (
        f"{head}; highest {told[high]}, from {ends[high]} to {ends[high + 1]}; "
        f"lowest {told[low]}, from {ends[low]} to {ends[low + 1]}; "
        f"edges: {', '.join(ends[: _MOST_BARS + 1])}{cut}; "
        f"heights: {' '.join(told[:_MOST_BARS])}{cut}"
    )


def grid_text(
    mark: str,
    rows: Sequence[Sequence[float]],
    names: Sequence[Sequence[str]],
    besides: Sequence[str] = (),
) -> str:
    """A line on a heat map or an image of numbers: its size, extremes and where they are.

    `names` are those of the rows and of the columns, empty where they have none.
    """
    shape, cells = _cells(rows)
    head = f"{mark}: {shape[0]} rows x {shape[1]} columns"
    head += "".join(f" ({said})" for said in besides)
    if not cells.count:
        return head
    few = shape[0] * shape[1] <= _MOST_CELLS
    each = [float(value) for row in rows for value in row] if few else []
    ends = [float(rows[r][c]) for r, c in (cells.lowest, cells.highest)]
    told = tell_apart([*ends, *each])
    where = [
        f"{value} at {_place(names, *place)}"
        for value, place in zip(told, (cells.lowest, cells.highest), strict=False)
    ]
    said = f"{head}; lowest {where[0]}, highest {where[1]}, mean {number(cells.mean)}"
    if few:
        lines = (told[at : at + shape[1]] for at in range(2, len(told), shape[1]))
        said += "; rows: " + " / ".join(" ".join(line) for line in lines)
    return said


@frozen
class _Cells:
    """What is so of all cells of a grid that have a value; places are row and column."""

    count: int
    lowest: tuple[int, int] = (0, 0)
    highest: tuple[int, int] = (0, 0)
    mean: float = math.nan


def _cells(rows: Any) -> tuple[tuple[int, int], _Cells]:
    """The number of rows and columns of a grid, and what is so of its cells."""
    if hasattr(rows, "shape"):  # an array, of numbers
        np = sys.modules["numpy"]
        there = np.isfinite(rows)
        if not there.any():
            return rows.shape, _Cells(0)
        at = [
            np.unravel_index(int(find(np.where(there, rows, fill))), rows.shape)
            for find, fill in ((np.argmin, np.inf), (np.argmax, -np.inf))
        ]
        low, high = ((int(r), int(c)) for r, c in at)
        return rows.shape, _Cells(int(there.sum()), low, high, float(rows[there].mean()))
    found = [
        (value, (r, c))
        for r, row in enumerate(rows)
        for c, value in enumerate(row)
        if math.isfinite(value)
    ]
    shape = len(rows), len(rows[0]) if rows else 0
    if not found:
        return shape, _Cells(0)
    mean = _mean([value for value, _ in found])
    low, high = (end(found, key=itemgetter(0))[1] for end in (min, max))
    return shape, _Cells(len(found), low, high, mean)


def range_text(values: Sequence[Value]) -> str:
    """`4 to 16`, the first and the last of categories; empty without values."""
    there = [value for value in values if isinstance(value, str) or math.isfinite(value)]
    if not there:
        return ""
    numbers = [value for value in there if not isinstance(value, str)]
    ends = (min(numbers), max(numbers)) if len(numbers) == len(there) else (there[0], there[-1])
    return " to ".join(tell_apart(ends))


def _range(values: Sequence[Value], scale: ValueScale) -> str:
    """The lowest and the highest; of text the first and the last."""
    ends: list[Value]
    if hasattr(values, "dtype"):  # an array
        low, high = (getattr(values, end)() for end in ("min", "max"))
        ends = [float(low), float(high)]
    elif any(isinstance(value, str) for value in values):
        ends = [values[0], values[-1]]
    else:
        numbers = [value for value in values if not isinstance(value, str)]
        ends = [min(numbers), max(numbers)]
    return " to ".join(scale.tell(ends))


def _mean(values: Sequence[float]) -> float:
    try:
        return statistics.fmean(values)
    except OverflowError:  # the sum is beyond what a float holds, the mean is not
        return statistics.fmean(value / len(values) for value in values)


def _place(names: Sequence[Sequence[str]], row: int, column: int) -> str:
    rows, columns = names
    shown_row = (rows[row] if row < len(rows) else "") or f"row {row + 1}"
    shown_column = (columns[column] if column < len(columns) else "") or f"column {column + 1}"
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
    quartiles = statistics.quantiles(there, method="inclusive")
    low, middle, high, first, last = tell_apart([*quartiles, there[0], there[-1]])
    return (
        f"{head}: {len(there):,} values, median {middle}, quartiles {low} and {high}, "
        f"range {first} to {last}"
    )


def grouped(groups: Sequence[Value], values: Sequence[Value]) -> dict[str, list[float]]:
    """The numbers among `values` by group, groups in the order in which they first come."""
    found: dict[str, list[float]] = {}
    for group, value in zip(groups, values, strict=False):
        if not isinstance(value, str):
            found.setdefault(number(group), []).append(value)
    return found
