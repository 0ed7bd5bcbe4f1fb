"""A Vega-Lite chart, as its specification, as the data that it shows.

Vega-Lite computes in the browser; of its transforms only plain aggregates are done here. Where a
chart does more, the fields that it starts from are told.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .chart_values import (
    Value,
    bars_text,
    box_text,
    grouped,
    named,
    number,
    points_text,
    range_text,
    raw_histogram_text,
    shown,
)

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
    return [_value(row.get(field), channel.get("type")) for row in rows]


def _value(item: Any, kind: Any) -> Value:
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
