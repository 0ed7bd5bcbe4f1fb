"""Bars, histograms and waterfalls of Plotly: what plotly.js stacks, counts and divides."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from ....messages.plain_text import count
from ..chart_values import Value, bars_text, histogram_text, named, number
from ..json_values import NO_VALUE, Spec, as_date, as_number, is_there, listed, mapping
from .axes import Axis, lies

_MOST_BINS = 100_000
_TOLERANCE = 1e-9  # of plotly.js' findBin: a value this close below an edge is above it


def along(trace: Spec, letter: str, axis: Axis, length: int) -> list[Value]:
    """The values of one side of a trace; evenly apart where only the other side is given."""
    items = listed(trace.get(letter))
    if items:
        return axis.values(items)
    start, step = trace.get(f"{letter}0", 0), trace.get(f"d{letter}", 1)
    if axis.kind == "date":
        raise ValueError("dates that are counted from a start")
    first, gap = as_number(start), as_number(step)
    return axis.values([first + place * gap for place in range(length)])


def bars(trace: Spec, axes: tuple[Axis, Axis], mode: str, norm: str) -> str:
    """Bars and funnels, those of one place and sign added up where plotly.js stacks them."""
    lying = lies(trace)
    across, up = axes[::-1] if lying else axes
    if trace.get(f"{across.name[0]}period") or not up.is_measure:
        return base_text(trace, axes)
    heights = along(trace, up.name[0], up, len(listed(trace.get(across.name[0]))))
    places = along(trace, across.name[0], across, len(heights))
    if trace.get("base") is not None:
        return base_text(trace, axes)
    kind = str(trace.get("type"))
    added = mode != "overlay"
    totals: dict[tuple[Value, bool] | int, tuple[Value, list[float]]] = {}
    outside = 0
    for at, (place, height) in enumerate(zip(places, heights, strict=False)):
        if isinstance(height, str) or not is_there(place) or not is_there(height):
            continue
        if not across.shows(place):
            outside += 1
            continue
        key = (place, height >= 0) if added else at
        totals.setdefault(key, (place, []))[1].append(height)
    mark = {"bar": "bars lying" if lying else "bars"}.get(kind, kind)
    if norm:
        share = "per cent" if norm == "percent" else "fractions"
        mark += f", drawn as {share} of the total of their place, here before that"
    said = bars_text(
        mark,
        str(trace.get("name") or ""),
        [place for place, _ in totals.values()],
        [math.fsum(found) for _, found in totals.values()],
    )
    summed = sum(len(found) for _, found in totals.values())
    if summed > len(totals):
        said += f"; each the sum of what is stacked at its place, {count(summed, 'bar')} in all"
    return said + outside_text(outside)


def base_text(trace: Spec, axes: tuple[Axis, Axis]) -> str:
    """Bars that begin elsewhere than at zero, as a timeline's: from where to where each lasts."""
    across, up = axes[::-1] if lies(trace) else axes
    label = str(trace.get("name") or "")
    sizes = [as_number(item) for item in listed(trace.get(up.name[0]))]
    bases = listed(trace.get("base"))
    places = across.values(listed(trace.get(across.name[0])))
    if len(bases) != len(sizes) or len(places) != len(sizes) or up.kind not in ("linear", "date"):
        return unread("bars", label)
    said = []
    for place, base, size in zip(places, bases, sizes, strict=True):
        ends = _ends(base, size, up)
        if ends is not None:
            said.append(f"{number(place)} from {number(ends[0])} to {number(ends[1])}")
    more = f", and {len(said) - 40} more" if len(said) > 40 else ""
    return f"{named('bars', label)}: {len(said)}: {', '.join(said[:40])}{more}"


def _ends(base: object, size: float, up: Axis) -> tuple[Value, Value] | None:
    if not is_there(size):
        return None
    if up.kind == "linear":
        start = as_number(base)
        return None if not is_there(start) else (start, start + size)
    first = as_date(base)
    if not isinstance(first, str):
        return None
    from datetime import UTC, datetime

    moment = datetime.fromisoformat(first).replace(tzinfo=UTC)
    return first, as_date(moment.timestamp() * 1000 + size)


def waterfall(trace: Spec, axes: tuple[Axis, Axis]) -> str:
    """The steps of a waterfall, and the level after each."""
    across, up = axes[::-1] if lies(trace) else axes
    steps = [as_number(item) for item in listed(trace.get(up.name[0]))]
    places = along(trace, across.name[0], across, len(steps))
    measures = listed(trace.get("measure"))
    level = as_number(trace.get("base") or 0)
    names, levels = [], []
    for at, (place, step) in enumerate(zip(places, steps, strict=False)):
        measure = str(measures[at]) if at < len(measures) else "relative"
        if measure in ("a", "absolute"):
            level = step if is_there(step) else level
        elif measure not in ("t", "total"):
            level += step if is_there(step) else 0.0
        names.append(place)
        levels.append(level)
    return bars_text(
        "waterfall, the level after each step", str(trace.get("name") or ""), names, levels
    )


def outside_text(outside: int) -> str:
    """What is said of values that lie outside the axes' ranges; empty where there are none."""
    return f"; {outside:,} more outside the view" if outside else ""


def unread(kind: str, label: str, why: str = "") -> str:
    """`sankey "flows": its values were not read`."""
    return f"{named(kind, label)}: its values were not read{f' ({why})' if why else ''}"


_Reduce = Callable[[Sequence[float]], float]
_FUNCTIONS: Mapping[str, _Reduce] = {
    "sum": math.fsum,
    "avg": lambda found: math.fsum(found) / len(found),
    "min": min,
    "max": max,
}


def histogram(trace: Spec, axes: tuple[Axis, Axis], alike: Sequence[Spec]) -> str:
    """What each bar of a histogram stands for; without bins where plotly.js chooses them.

    `alike` are the histograms that stand on the same axis, itself among them: they may share bins.
    """
    lying = lies(trace)
    across, up = axes[::-1] if lying else axes
    label = str(trace.get("name") or "")
    places = across.values(listed(trace.get(across.name[0])))
    func = str(trace.get("histfunc") or "count")
    values = [1.0] * len(places)
    weighed = func in _FUNCTIONS and bool(listed(trace.get(up.name[0])))
    if weighed:
        values = [as_number(item) for item in listed(trace.get(up.name[0]))]
    norm, cumulative = str(trace.get("histnorm") or ""), mapping(trace.get("cumulative"))
    what = [f"{func} of {up.name[0]}"] if weighed else []
    what += [norm] if norm else []
    what += ["cumulative"] if cumulative.get("enabled") else []
    if across.kind in ("category", "multicategory"):
        if cumulative.get("enabled"):
            return unread("histogram", label)
        mark = "bars, " + (", ".join(what) if what else "counts")
        return _of_categories(mark, label, places, values, (func if weighed else "sum", norm))
    edges = _edges(trace, across, alike)
    if edges is None or (cumulative.get("enabled") and set(cumulative) != {"enabled"}):
        return _without_bins(label, across, places, (up.name[0], func, values), what)
    sizes, taken = _binned(places, values, edges, func if weighed else "sum")
    if not taken:
        return f"{named('histogram', label)}: no values"
    drawn = _normed(sizes, norm, edges[1] - edges[0])
    if cumulative.get("enabled"):
        drawn = _running(drawn, norm, edges[1] - edges[0])
    if not what:
        return histogram_text(label, edges, drawn)
    names = [f"{number(low)} to {number(high)}" for low, high in pairwise(edges)]
    return bars_text(f"histogram, {', '.join(what)}", label, names, drawn)


def _of_categories(
    mark: str, label: str, places: Sequence[Value], values: Sequence[float], how: tuple[str, str]
) -> str:
    groups: dict[Value, list[float]] = {}
    for place, value in zip(places, values, strict=False):
        if is_there(place) and is_there(value):
            groups.setdefault(place, []).append(value)
    sizes = [float(_FUNCTIONS[how[0]](found)) for found in groups.values()]
    return bars_text(mark, label, list(groups), _normed(sizes, how[1], 1.0))


def _edges(trace: Spec, across: Axis, alike: Sequence[Spec]) -> list[float] | None:
    """The edges of bins that the figure gives as numbers, all its histograms the same."""
    letter = across.name[0]
    given = [mapping(other.get(f"{letter}bins")) for other in alike]
    bins = mapping(trace.get(f"{letter}bins"))
    whole = [tuple(each.get(name) for name in ("start", "end", "size")) for each in given]
    if trace.get(f"autobin{letter}") or across.kind != "linear" or len(set(map(str, whole))) != 1:
        return None
    start, end, size = (as_number(bins.get(name)) for name in ("start", "end", "size"))
    if isinstance(bins.get("size"), str) or not size > 0 or not (end - start) / size < _MOST_BINS:
        return None
    number_of_bins = math.ceil(round((end - start) / size, 9))
    return [start + place * size for place in range(max(number_of_bins, 1) + 1)]


def _binned(
    places: Sequence[Value], values: Sequence[float], edges: Sequence[float], func: str
) -> tuple[list[float], int]:
    """What each bin amounts to, NaN where nothing is drawn, and how many values are in one."""
    start, size = edges[0], edges[1] - edges[0]
    found: list[list[float]] = [[] for _ in edges[1:]]
    for place, value in zip(places, values, strict=False):
        if (
            isinstance(place, str)
            or not is_there(place)
            or not is_there(value)
            or math.isinf(place)
        ):
            continue
        at = math.floor((place - start) / size + _TOLERANCE)
        if 0 <= at < len(found):
            found[at].append(value)
    empty = 0.0 if func == "sum" else NO_VALUE
    sizes = [float(_FUNCTIONS[func](part)) if part else empty for part in found]
    return sizes, sum(map(len, found))


def _normed(sizes: Sequence[float], norm: str, width: float) -> list[float]:
    total = math.fsum(size for size in sizes if is_there(size)) or 1.0
    factor = {
        "percent": 100 / total,
        "probability": 1 / total,
        "density": 1 / width,
        "probability density": 1 / (total * width),
    }.get(norm, 1.0)
    return [size * factor for size in sizes]


def _running(sizes: Sequence[float], norm: str, width: float) -> list[float]:
    total, found = 0.0, []
    for size in sizes:
        total += size * (width if "density" in norm else 1.0) if is_there(size) else 0.0
        found.append(total)
    return found


def _without_bins(
    label: str,
    across: Axis,
    places: Sequence[Value],
    weighed: tuple[str, str, Sequence[float]],
    what: Sequence[str],
) -> str:
    """The values themselves, where the bins are plotly.js' own."""
    said = f"{named('histogram', label)} of {across.name[0]}, bins not read"
    if what:
        said += f"; bars show {', '.join(what)}"
    said += f"; {across.name[0]}: {spread_text(places)}"
    letter, func, values = weighed
    if what and func in _FUNCTIONS and func in what[0]:
        said += f"; {letter}: {spread_text(list(values))}"
    return said


def spread_text(values: Sequence[Value]) -> str:
    """How many values, and the lowest, quartiles and the highest of them; dates in their order."""
    there: list[Value] = [value for value in values if is_there(value)]
    if not there:
        return "no values"
    head = count(len(there), "value")
    numbers = sorted(value for value in there if not isinstance(value, str))
    if len(numbers) < len(there):
        dates = sorted(map(str, there))
        return f"{head}, {dates[0]} to {dates[-1]}"
    low, middle, high = (quantile(numbers, part) for part in (0.25, 0.5, 0.75))
    return (
        f"{head}, median {number(middle)}, quartiles {number(low)} and {number(high)}, range "
        f"{number(numbers[0])} to {number(numbers[-1])}"
    )


def quantile(ordered: Sequence[float], part: float) -> float:
    """A quantile of values in order, as plotly.js takes it: by the 10th of Langford's methods."""
    at = min(max(part * len(ordered) - 0.5, 0.0), len(ordered) - 1.0)
    low = math.floor(at)
    rest = at - low
    if not rest:
        return ordered[low]
    return ordered[low] * (1 - rest) + ordered[low + 1] * rest
