"""Points, lines, grids and what else has a value in each of several columns, of Plotly."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ....messages.plain_text import count
from ..chart_values import Value, grid_text, named, number, range_text
from ..columns import columns, xy_text
from ..json_values import NO_VALUE, Spec, as_number, is_there, listed, mapping, name_of, words
from .axes import Axis
from .bars import along, outside_text, unread

_MOST_LISTED = 12
_FEW_POINTS = 20  # fewer than this are drawn as markers and a line


def points(trace: Spec, axes: tuple[Axis, Axis]) -> str:
    """A line or points: those within the view, their errors, what their colours stand for."""
    label = words(trace.get("name"))
    if trace.get("xperiod") or trace.get("yperiod"):
        return unread("points", label, "its dates are moved within a period")
    given = len(listed(trace.get("x"))) or len(listed(trace.get("y")))
    xs, ys = (along(trace, axis.name[0], axis, given) for axis in axes)
    outside = 0
    if axes[0].is_cut or axes[1].is_cut:
        given = min(len(xs), len(ys))
        inside = [
            (x, y)
            for x, y in zip(xs, ys, strict=False)
            if not is_there(x) or not is_there(y) or (axes[0].shows(x) and axes[1].shows(y))
        ]
        outside = given - len(inside)
        xs, ys = [x for x, _ in inside], [y for _, y in inside]
    mode = str(trace.get("mode") or ("lines+markers" if given < _FEW_POINTS else "lines"))
    mark = "line" if "lines" in mode or mode == "none" else "points"
    said = xy_text(mark, label, xs, ys)
    said += outside_text(outside)
    if trace.get("stackgroup"):
        said += "; as an area that is stacked, its own values told"
        said += ", drawn as shares of all at their place" if trace.get("groupnorm") else ""
    elif trace.get("fill") not in (None, "none"):
        said += "; the area at it is filled"
    return said + beside(trace) + _texts(trace, mode)


def beside(trace: Spec) -> str:
    """What is said of the error bars and the colours and sizes of points and bars."""
    return "".join(_errors(trace, letter) for letter in "xy") + _meanings(trace)


def _errors(trace: Spec, letter: str) -> str:
    """The sizes of error bars, as the figure gives them."""
    bars = mapping(trace.get(f"error_{letter}"))
    there = bars.get("array") is not None or bars.get("value") is not None
    kind = str(bars.get("type") or ("data" if bars.get("array") is not None else "percent"))
    if bars.get("visible", there or kind == "sqrt") is False or not (there or kind == "sqrt"):
        return ""
    head = f"; error bars of {letter}"
    if kind == "data":
        sides = [("", "array")] if bars.get("symmetric", bars.get("arrayminus") is None) else []
        sides = sides or [("up ", "array"), ("down ", "arrayminus")]
        said = []
        for word, name in sides:
            sizes = [as_number(item) for item in listed(bars.get(name))]
            if there_are := [size for size in sizes if is_there(size)]:
                said.append(f"{word}{range_text(there_are)}")
        return f"{head}: sizes {', '.join(said)}" if said else ""
    if kind == "sqrt":
        return f"{head}: the square root of each value"
    size = as_number(bars.get("value", 10))
    unit = " per cent of each value" if kind == "percent" else ""
    return f"{head}: {number(size)}{unit}"


def _meanings(trace: Spec) -> str:
    """What the colours and the sizes of markers stand for, where each has its own."""
    marker, said = mapping(trace.get("marker")), ""
    for name in ("color", "size"):
        values = [as_number(item) for item in listed(marker.get(name))]
        if values and all(is_there(value) for value in values):
            word = "colours" if name == "color" else "sizes"
            said += f"; {word} stand for {range_text(list(values))}"
    return said


def _texts(trace: Spec, mode: str) -> str:
    text = trace.get("text")
    items = [words(item) for item in listed(text) or ([text] if isinstance(text, str) else [])]
    if "text" not in mode or not any(items):
        return ""
    more = f" … {len(items) - _MOST_LISTED} more" if len(items) > _MOST_LISTED else ""
    return f'; written at them: "{" | ".join(items[:_MOST_LISTED])}"{more}'


def plain(items: Sequence[Any]) -> list[Value]:
    """Items without an axis of their own: numbers where all are, else names."""
    numbers = [as_number(item) for item in items]
    if all(is_there(n) or item is None for n, item in zip(numbers, items, strict=True)):
        return list(numbers)
    return [NO_VALUE if item is None else name_of(item) for item in items]


def in_space(trace: Spec) -> str:
    """Points in three dimensions."""
    mode = str(trace.get("mode") or "lines+markers")
    kind = "line in space" if "lines" in mode else "points in space"
    found = {name: plain(listed(trace.get(name))) for name in "xyz"}
    return columns(kind, words(trace.get("name")), found) + _meanings(trace)


# The columns of kinds that are told by them, in the order in which they are told.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "scatterpolar": ("theta", "r"),
    "scatterpolargl": ("theta", "r"),
    "barpolar": ("theta", "r"),
    "scatterternary": ("a", "b", "c"),
    "scattersmith": ("real", "imag"),
    "scattergeo": ("locations", "lat", "lon"),
    "scattermap": ("lat", "lon"),
    "scattermapbox": ("lat", "lon"),
    "densitymap": ("lat", "lon", "z"),
    "densitymapbox": ("lat", "lon", "z"),
    "choropleth": ("locations", "z"),
    "choroplethmap": ("locations", "z"),
    "choroplethmapbox": ("locations", "z"),
}


def by_columns(trace: Spec) -> str:
    """Points of a polar, ternary or Smith chart, or on a map."""
    kind = str(trace.get("type"))
    found = {name: plain(listed(trace.get(name))) for name in COLUMNS[kind]}
    if kind.startswith(("scatterpolar", "barpolar")) and not (found["theta"] and found["r"]):
        return unread(kind, words(trace.get("name")))
    return columns(kind, words(trace.get("name")), found) + _meanings(trace)


def dimensions(trace: Spec) -> str:
    """Parallel coordinates or a matrix of scatter plots: what each dimension holds."""
    kind, said = str(trace.get("type")), []
    for place, item in enumerate(listed(trace.get("dimensions")), 1):
        part = mapping(item)
        if part.get("visible") is False:
            continue
        values = [v for v in plain(listed(part.get("values"))) if is_there(v)]
        names = {value for value in values if isinstance(value, str)}
        what = count(len(names), "name") if names else range_text(values)
        said.append(f"{words(part.get('label')) or place} {what} ({len(values):,})")
    return f"{named(kind, words(trace.get('name')))}: {'; '.join(said)}"


def candles(trace: Spec, axes: tuple[Axis, Axis]) -> str:
    """Opening, highest, lowest and closing values, each by its date."""
    label = words(trace.get("name"))
    parts = {
        name: [as_number(item) for item in listed(trace.get(name))]
        for name in ("open", "high", "low", "close")
    }
    length = min(len(values) for values in parts.values())
    found = {"x": along(trace, "x", axes[0], length), **parts}
    kept = [row for row in zip(*found.values(), strict=False) if axes[0].shows(row[0])]
    inside = {name: [row[at] for row in kept] for at, name in enumerate(found)}
    said = columns(str(trace.get("type")), label, inside)
    return said + outside_text(length - len(kept))


def grid(trace: Spec, axes: tuple[Axis | None, Axis | None]) -> str:
    """A heat map, contours or a surface: its cells by row and column."""
    kind, label = str(trace.get("type")), words(trace.get("name"))
    rows = [listed(row) for row in listed(trace.get("z"))]
    flat = listed(trace.get("z"))
    names = [_sides(trace, letter, axis) for letter, axis in zip("yx", axes[::-1], strict=True)]
    if (
        trace.get("transpose")
        or None in names
        or any(len(set(n or [])) < len(n or []) for n in names)
    ):
        return unread(kind, label)
    if flat and not any(isinstance(row, list | tuple | Mapping) for row in flat):
        return unread(kind, label, "it is given by columns")
    width = max((len(row) for row in rows), default=0)
    cells = [[as_number(item) for item in row] + [NO_VALUE] * (width - len(row)) for row in rows]
    sides = [
        _between(side or [], size) for side, size in zip(names, (len(rows), width), strict=True)
    ]
    if None in sides:
        return unread(kind, label)
    said = grid_text(named(kind, label), cells, [side or [] for side in sides])
    contours = mapping(trace.get("contours"))
    steps = [as_number(contours.get(name)) for name in ("start", "end", "size")]
    if kind == "contour" and all(map(math.isfinite, steps)) and not trace.get("autocontour"):
        said += f"; contours from {number(steps[0])} to {number(steps[1])} by {number(steps[2])}"
    ends = [as_number(trace.get(name)) for name in ("zmin", "zmax")]
    if all(map(math.isfinite, ends)):
        said += f"; colours from {number(ends[0])} to {number(ends[1])}"
    return said


def _sides(trace: Spec, letter: str, axis: Axis | None) -> list[str] | None:
    """The names of rows or columns; None where they are not in a line."""
    items = listed(trace.get(letter))
    if not items and any(trace.get(name) is not None for name in (f"{letter}0", f"d{letter}")):
        return None
    if axis is None:
        return None if any(isinstance(item, list) for item in items) else list(map(name_of, items))
    values = axis.values(items)
    if any(not is_there(value) for value in values):
        return None
    return [number(value) for value in values]


def _between(names: list[str], size: int) -> list[str] | None:
    """Names of cells, of which each lies between two edges where there is one edge more."""
    if len(names) == size + 1:
        return [f"{low} to {high}" for low, high in pairwise(names)]
    return names if len(names) in (0, size) else None
