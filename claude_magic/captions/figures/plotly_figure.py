"""A Plotly figure, as its JSON, as the data that it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...messages.images.plots import decoded_array
from .chart_values import (
    Value,
    bars_text,
    box_text,
    grid_text,
    grouped,
    named,
    number,
    points_text,
    range_text,
    raw_histogram_text,
    shown,
)

_MOST_TRACES = 24


def plotly_text(spec: Mapping[str, Any]) -> str:
    """Title, axes and traces of a figure's JSON; empty where it has no traces."""
    traces = [trace for trace in _list(spec.get("data")) if isinstance(trace, Mapping)]
    layout = spec.get("layout")
    lines = list(_layout(layout if isinstance(layout, Mapping) else {}))
    for trace in traces[:_MOST_TRACES]:
        lines.append(_trace(trace))
    if len(traces) > _MOST_TRACES:
        lines.append(f"… {len(traces) - _MOST_TRACES} more traces")
    return "\n".join(lines) if traces else ""


def _layout(layout: Mapping[str, Any]) -> Iterator[str]:
    title = _title(layout)
    if title:
        yield f'title "{title}"'
    for name, axis in layout.items():
        if name[:5] not in ("xaxis", "yaxis") or not isinstance(axis, Mapping):
            continue
        said = [f'"{_title(axis)}"'] if _title(axis) else []
        said += [str(axis["type"])] if isinstance(axis.get("type"), str) else []
        if isinstance(axis.get("range"), list | tuple):
            said.append(range_text(_values(axis["range"])))
        if said:
            yield f"{name[0]} axis{name[5:]}: {', '.join(said)}"
    for annotation in _list(layout.get("annotations"))[:12]:
        if isinstance(annotation, Mapping) and annotation.get("text"):
            yield f'written in it: "{" ".join(str(annotation["text"]).split())[:120]}"'


def _title(part: Mapping[str, Any]) -> str:
    title = part.get("title")
    words = title.get("text") if isinstance(title, Mapping) else title
    return " ".join(str(words or "").split())


def _trace(trace: Mapping[str, Any]) -> str:
    kind = str(trace.get("type") or "scatter")
    label = str(trace.get("name") or "")
    x, y = _values(trace.get("x")), _values(trace.get("y"))
    match kind:
        case "scatter" | "scattergl":
            if not x:  # numbered from 0 where only y is given
                x = [float(place) for place in range(len(y))]
            mode = str(trace.get("mode") or "lines")
            return points_text("line" if "lines" in mode else "points", label, x, y)
        case "bar" | "funnel" | "waterfall":
            lying = trace.get("orientation") == "h"
            names, heights = (y, x) if lying else (x, y)
            return bars_text("bars lying" if lying else "bars", label, names, _numbers(heights))
        case "histogram":
            return raw_histogram_text(label, x or y)
        case "box" | "violin":
            groups = grouped(x, y) if x and y else {"": _numbers(y or x)}
            return "; ".join(
                box_text(label or kind, name, values) for name, values in groups.items()
            )
        case "pie":
            names = _values(trace.get("labels"))
            return bars_text("pie", label, names, _numbers(_values(trace.get("values"))))
        case "heatmap" | "contour" | "surface":
            sides = [[number(value) for value in values] for values in (y, x)]
            return grid_text(named(kind, label), _rows(trace.get("z")), sides)
    return f"{named(kind, label)}: {_extent(trace)}"


def _extent(trace: Mapping[str, Any]) -> str:
    """The ranges of whatever values a trace of another kind has."""
    names = ("x", "y", "z", "lat", "lon", "locations", "labels", "values", "r", "theta")
    found = {name: _values(trace.get(name)) for name in names}
    said = [f"{n} {range_text(v)} ({len(v):,})" for n, v in found.items() if v]
    return ", ".join(said) or "no values"


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else []


def _values(value: Any) -> list[Value]:
    """The values of an array in any of the forms that Plotly writes."""
    if isinstance(value, Mapping):
        return list(decoded_array(value) or [])
    if hasattr(value, "tolist"):  # numpy, in a figure that was not written as JSON
        value = value.tolist()
    return [_value(item) for item in value] if isinstance(value, list | tuple) else []


def _value(item: Any) -> Value:
    if isinstance(item, bool) or item is None:
        return float("nan") if item is None else str(item)
    return float(item) if isinstance(item, int | float) else shown(item)


def _numbers(values: Sequence[Value]) -> list[float]:
    return [float("nan") if isinstance(value, str) else value for value in values]


def _rows(value: Any) -> list[list[float]]:
    if isinstance(value, Mapping):
        flat = decoded_array(value) or []
        _, _, columns = str(value.get("shape", "")).partition(",")
        width = int(columns) if columns.strip().isdecimal() else len(flat)
        return [flat[start : start + width] for start in range(0, len(flat), max(width, 1))]
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [_numbers(_values(row)) for row in _list(value)]
