"""What a chart makes of raw values: bins, quartiles, values by group."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence

from .values import Value, bars_text, histogram_text, named, number

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
