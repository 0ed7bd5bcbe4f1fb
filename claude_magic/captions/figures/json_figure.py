"""A figure that comes as JSON, Plotly's or Vega-Lite's, as the data that it shows.

Vega-Lite computes in the browser; of its transforms only plain aggregates are done here. Where a
chart does more, the fields that it starts from are told.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
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
        if value.dtype.kind == "M":  # what pandas 2 holds, nanoseconds, would be numbers in a list
            value = value.astype("datetime64[us]")
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


DataRow = Mapping[str, Any]

_MOST_VIEWS = 16
_MOST_GROUPS = 12
_COMPOSED = ("layer", "hconcat", "vconcat", "concat")
_AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": statistics.fmean,
    "average": statistics.fmean,
    "median": statistics.median,
    "sum": sum,
    "min": min,
    "max": max,
}


def vega_text(spec: Mapping[str, Any]) -> str:
    """Title, encodings and values of each view of a Vega-Lite specification."""
    datasets = spec.get("datasets")
    reader = _Reader(datasets if isinstance(datasets, Mapping) else {})
    return "\n".join(list(reader.lines(spec, {}, []))[: 4 * _MOST_VIEWS])


class _Reader:
    """Reads views; what a view does not say itself it has from those around it."""

    def __init__(self, datasets: Mapping[str, Any]) -> None:
        self._datasets = datasets

    def lines(
        self, view: Mapping[str, Any], encoding: DataRow, rows: list[DataRow]
    ) -> Iterator[str]:
        """What `view` says, within views with this encoding and these rows."""
        title = view.get("title")
        words = title.get("text") if isinstance(title, Mapping) else title
        if words:
            yield f'title "{" ".join(str(words).split())}"'
        rows = self._rows(view.get("data")) or rows
        encoding = {**encoding, **_mapping(view.get("encoding"))}
        for name in _COMPOSED:
            parts = [part for part in view.get(name) or () if isinstance(part, Mapping)]
            for place, part in enumerate(parts, 1):
                if name != "layer":
                    yield f"panel {place} of {len(parts)}"
                yield from self.lines(part, encoding, rows)
        if isinstance(view.get("spec"), Mapping):
            yield f"repeated for each {_facets(view)}"
            yield from self.lines(view["spec"], encoding, rows)
        if view.get("mark"):
            yield from _mark(view, encoding, rows)

    def _rows(self, data: Any) -> list[DataRow]:
        found = _mapping(data)
        values = found.get("values", self._datasets.get(str(found.get("name"))))
        return [row for row in values or () if isinstance(row, Mapping)]


def _mark(view: Mapping[str, Any], encoding: DataRow, rows: list[DataRow]) -> Iterator[str]:
    mark = view["mark"]
    kind = str(mark.get("type") if isinstance(mark, Mapping) else mark)
    channels = {name: _mapping(given) for name, given in encoding.items()}
    for name, channel in channels.items():
        if said := _channel(channel):
            yield f"{name}: {said}"
    if view.get("transform"):
        yield f"{kind}, after transforms that are not computed here; {len(rows):,} rows before them"
        return
    colour = str(_mapping(channels.get("color")).get("field") or "")
    groups: dict[str, list[DataRow]] = {}
    for row in rows:
        groups.setdefault(str(row.get(colour, "")), []).append(row)
    for name, part in list(groups.items())[:_MOST_GROUPS]:
        yield _values_text(kind, name, channels, part)
    if len(groups) > _MOST_GROUPS:
        yield f"… {len(groups) - _MOST_GROUPS} more groups"


def _channel(channel: DataRow) -> str:
    """`mean of "mpg" (quantitative)`, with its own title if it has one."""
    field = channel.get("field")
    if not isinstance(field, str) and channel.get("aggregate") != "count":
        return ""
    what = f'"{field}"' if isinstance(field, str) else "rows"
    if isinstance(channel.get("aggregate"), str):
        what = f"{channel['aggregate']} of {what}"
    if channel.get("bin"):
        what = f"bins of {what}"
    if isinstance(channel.get("timeUnit"), str):
        what = f"{channel['timeUnit']} of {what}"
    axis = _mapping(channel.get("axis"))
    title = channel.get("title") or axis.get("title")
    said = f'{what}, titled "{title}"' if title else what
    kind = channel.get("type")
    return f"{said} ({kind})" if isinstance(kind, str) else said


def _values_text(
    kind: str, label: str, channels: Mapping[str, DataRow], rows: list[DataRow]
) -> str:
    x, y = (_mapping(channels.get(name)) for name in "xy")
    xs, ys = _column(rows, x), _column(rows, y)
    if kind == "boxplot":
        across, along = (xs, ys) if y.get("type") == "quantitative" else (ys, xs)
        found = grouped(across or [""] * len(along), along)
        return "; ".join(box_text("box", name, values) for name, values in found.items())
    binned = x if x.get("bin") else y if y.get("bin") else None
    if binned is not None:
        return raw_histogram_text(label, _column(rows, binned))
    summed, names = (y, xs) if y.get("aggregate") else (x, ys)
    if summed.get("aggregate"):
        return _aggregated(kind, label, str(summed["aggregate"]), names, _column(rows, summed))
    if kind == "bar":
        lying = x.get("type") == "quantitative" and y.get("type") != "quantitative"
        across, along = (ys, xs) if lying else (xs, ys)
        heights = [float("nan") if isinstance(value, str) else value for value in along]
        return bars_text("bars lying" if lying else "bars", label, across, heights)
    if xs and ys:
        return points_text("line" if kind in ("line", "area", "trail") else "points", label, xs, ys)
    ranges = [f"{name} {range_text(values)}" for name, values in (("x", xs), ("y", ys)) if values]
    return f"{named(kind, label)}: {len(rows):,} rows{''.join(f', {said}' for said in ranges)}"


def _aggregated(
    kind: str, label: str, how: str, names: Sequence[Value], values: Sequence[Value]
) -> str:
    mark = {"bar": "bars", "line": "line"}.get(kind, kind)
    if how == "count":
        return raw_histogram_text(label, [number(name) for name in names])
    if how not in _AGGREGATES:
        return f"{named(mark, label)}: {how} of {len(values):,} values"
    groups = grouped(names or ["all"] * len(values), values)
    summed = [float(_AGGREGATES[how](found)) for found in groups.values()]
    if mark == "line":
        return points_text(mark, label, list(groups), summed)
    return bars_text(f"{mark}, {how}", label, list(groups), summed)


def _column(rows: list[DataRow], channel: DataRow) -> list[Value]:
    field = channel.get("field")
    if not isinstance(field, str):
        return []
    return [_vega_value(row.get(field), channel.get("type")) for row in rows]


def _vega_value(item: Any, kind: Any) -> Value:
    if item is None:
        return float("nan")
    numeric = isinstance(item, int | float) and not isinstance(item, bool)
    return float(item) if numeric and kind not in ("nominal", "ordinal") else shown(item)


def _facets(view: Mapping[str, Any]) -> str:
    for name in ("facet", "repeat"):
        given = view.get(name)
        if isinstance(given, Mapping):
            parts = [given] if "field" in given else list(given.values())
            fields = [part.get("field") if isinstance(part, Mapping) else part for part in parts]
            return ", ".join(str(field) for field in fields if field)
        if isinstance(given, list):
            return ", ".join(map(str, given))
    return "part"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
