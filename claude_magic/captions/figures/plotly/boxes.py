"""Box plots and violins of Plotly, with the quartiles that plotly.js computes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ....messages.plain_text import count
from ..chart_values import Value, named, number
from ..json_values import Spec, as_number, is_there, listed
from .axes import Axis, lies
from .bars import quantile, unread

_MOST_BOXES = 24


def _quartiles(ordered: Sequence[float], method: str) -> tuple[float, float]:
    half, odd = divmod(len(ordered), 2)
    if method not in ("exclusive", "inclusive") or len(ordered) == 1:
        return quantile(ordered, 0.25), quantile(ordered, 0.75)
    middle = odd if method == "inclusive" else 0
    lower, upper = ordered[: half + middle], ordered[half + odd - middle :]
    return quantile(lower, 0.5), quantile(upper, 0.5)


def boxes(trace: Spec, axes: tuple[Axis, Axis]) -> str:
    """Median, quartiles and range of each box or violin of a trace."""
    lying = lies(trace)
    across, up = axes[::-1] if lying else axes
    kind, label = str(trace.get("type")), str(trace.get("name") or "")
    mark = f"{kind} lying" if lying else kind
    if any(trace.get(name) is not None for name in ("q1", "median", "q3")):
        return _given_boxes(trace, mark, label, across)
    if not up.is_measure:
        return unread(kind, label)
    values = up.values(listed(trace.get(up.name[0])))
    items = listed(trace.get(across.name[0]))
    start = trace.get(f"{across.name[0]}0")
    groups: dict[Value, list[float]] = {}
    if not items:
        numbers = [v for v in values if not isinstance(v, str) and math.isfinite(v)]
        groups = {name_at(start): numbers} if numbers else {}
    places = across.values(items)
    for place, value in zip(places, values, strict=False):
        if is_there(place) and not isinstance(value, str) and math.isfinite(value):
            groups.setdefault(place, []).append(value)
    said = [
        _box_text(named(mark, label), place, sorted(found), str(trace.get("quartilemethod")))
        for place, found in list(groups.items())[:_MOST_BOXES]
    ]
    if len(groups) > _MOST_BOXES:
        said.append(f"… {len(groups) - _MOST_BOXES} more")
    return "; ".join(said) or f"{named(mark, label)}: no values"


def name_at(start: object) -> str:
    """The place of a box that has one of its own; empty where it has none."""
    return "" if start is None else str(start)


def _box_text(mark: str, place: Value, ordered: Sequence[float], method: str) -> str:
    head = f"{mark} of {number(place)}" if place != "" else mark
    if method == "exclusive" and len(ordered) == 1:  # without its middle nothing is left
        return f"{head}: 1 value, {number(ordered[0])}"
    low, high = _quartiles(ordered, method)
    return (
        f"{head}: {count(len(ordered), 'value')}, median {number(quantile(ordered, 0.5))}, "
        f"quartiles {number(low)} and {number(high)}, range {number(ordered[0])} to "
        f"{number(ordered[-1])}"
    )


def _given_boxes(trace: Spec, mark: str, label: str, across: Axis) -> str:
    """Boxes whose quartiles the figure gives: they were computed before it was made."""
    columns = {
        name: [as_number(item) for item in listed(trace.get(name))]
        for name in ("lowerfence", "q1", "median", "q3", "upperfence")
    }
    items = listed(trace.get(across.name[0]))
    places = across.values(items) if items else []
    said = []
    for at in range(min(len(columns["median"]), _MOST_BOXES)):
        head = f"{named(mark, label)} of {number(places[at])}" if at < len(places) else mark
        parts = [f"{name} {number(v[at])}" for name, v in columns.items() if at < len(v)]
        said.append(f"{head}: {', '.join(parts)}")
    return "; ".join(said) or unread(mark, label)
