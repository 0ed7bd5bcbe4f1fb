"""A Plotly figure's JSON as text: its panels, their axes, and what each trace draws in them.

A value is read from the figure as plotly.js draws it, or it is said that it was not read. The
tests hold this to what plotly.js itself computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ....value_classes import frozen
from ..chart_values import named, number, range_text
from ..json_values import Spec, as_date, as_number, is_there, listed, mapping, merged, words
from .axes import Axis, axes_of
from .bars import bars, histogram, unread, waterfall
from .boxes import boxes
from .points import COLUMNS, beside, by_columns, candles, dimensions, grid, in_space, points
from .shares import indicator, label_of, pie, sankey, table, tree

_MOST_TRACES = 24
_MOST_NOTES = 12
_ON_AXES = {
    *("scatter", "scattergl", "bar", "funnel", "waterfall", "histogram", "box", "violin"),
    *("heatmap", "contour", "histogram2d", "histogram2dcontour", "candlestick", "ohlc", "image"),
}
_STACKED = {
    "stack": "stand on each other",
    "relative": "stand on each other",
    "group": "stand side by side",
    "overlay": "lie over each other",
}


def plotly_text(spec: Spec) -> str:
    """Title, panels, axes and traces of a figure's JSON; empty where it has no traces."""
    figure = _read(spec)
    if not figure.traces:
        return ""
    lines = list(_head(figure))
    told = 0
    panels = _panels(figure)
    places = _grid_places(panels)
    for at, panel in enumerate(panels, 1):
        if len(panels) > 1:
            lines.append(_heading(at, len(panels), panel, places, figure))
        lines += [text for axis in panel.axes if (text := axis.text())]
        for trace in panel.traces:
            if told < _MOST_TRACES:
                lines.append(_told(trace, panel, figure))
            told += 1
        lines += _together(panel, figure)
    if told > _MOST_TRACES:
        lines.append(f"… {told - _MOST_TRACES} more traces")
    return "\n".join([*lines, *_notes(figure, panels)])


@frozen
class _Figure:
    traces: Sequence[Spec]
    layout: Spec
    axes: Mapping[str, Axis]
    frames: int

    def set_(self, name: str) -> Any:
        """What the layout or its theme says."""
        theme = mapping(mapping(self.layout.get("template")).get("layout"))
        return self.layout.get(name, theme.get(name))


@frozen
class _Panel:
    """Traces that are drawn in one place. `where` is its domain: left, right, bottom, top."""

    key: str
    where: tuple[float, float, float, float]
    axes: Sequence[Axis]
    traces: Sequence[Spec]


def _read(spec: Spec) -> _Figure:
    layout = mapping(spec.get("layout"))
    themes = mapping(mapping(layout.get("template")).get("data"))
    traces = []
    seen: dict[str, int] = {}
    for item in listed(spec.get("data")):
        if not isinstance(item, Mapping):
            continue
        kind = str(item.get("type") or "scatter")
        theme = listed(themes.get(kind))
        place = seen.get(kind, 0)
        seen[kind] = place + 1
        trace = merged(theme[place % len(theme)] if theme else {}, item)
        if item.get("visible", True) is not False:
            traces.append({**trace, "type": kind})
    on_axes = [trace for trace in traces if trace["type"] in _ON_AXES]
    return _Figure(traces, layout, axes_of(layout, on_axes), len(listed(spec.get("frames"))))


def _head(figure: _Figure) -> Iterator[str]:
    title = mapping(figure.layout.get("title"))
    if said := words(figure.layout.get("title")):
        yield f'title "{said}"'
    if said := words(title.get("subtitle")):
        yield f'subtitle "{said}"'
    if said := words(mapping(figure.layout.get("legend")).get("title")):
        yield f'legend "{said}"'
    if figure.frames:
        yield f"an animation of {figure.frames} frames: what it shows before it is played"
    for name, axis in figure.layout.items():
        if name.startswith("coloraxis") and (said := _colours(mapping(axis))):
            yield said


def _colours(axis: Spec) -> str:
    said = words(mapping(axis.get("colorbar")).get("title"))
    ends = [as_number(axis.get(name)) for name in ("cmin", "cmax")]
    parts = [f'"{said}"'] if said else []
    parts += [range_text(list(ends))] if all(is_there(end) for end in ends) else []
    return f"colours: {', '.join(parts)}" if parts else ""


def _panels(figure: _Figure) -> list[_Panel]:
    found: dict[str, list[Spec]] = {}
    axes: dict[str, dict[str, Axis]] = {}
    where: dict[str, tuple[float, float, float, float]] = {}
    for trace in figure.traces:
        key, box, on = _place(trace, figure)
        found.setdefault(key, []).append(trace)
        axes.setdefault(key, {}).update({axis.name: axis for axis in on})
        where.setdefault(key, box)
    return [_Panel(key, where[key], list(axes[key].values()), found[key]) for key in found]


def _place(
    trace: Spec, figure: _Figure
) -> tuple[str, tuple[float, float, float, float], tuple[Axis, ...]]:
    """The panel that a trace is drawn in, where it lies, and the trace's axes."""
    if trace["type"] in _ON_AXES:
        pair = _axes_of(trace, figure)
        roots = [_under(axis, figure) for axis in pair]
        x, y = (listed(root.get("domain")) or [0.0, 1.0] for root in roots)
        return f"{x} {y}", (x[0], x[1], y[0], y[1]), pair
    kind = str(trace["type"])
    names = {"scatterternary": "ternary", "scattersmith": "smith", "barpolar": "polar"}
    subplot = names.get(kind, "polar" if "polar" in kind else "scene")
    subplot = str(trace.get("subplot") or trace.get("scene") or trace.get("geo") or subplot)
    box = mapping(trace.get("domain"))
    if not box:
        box = mapping(mapping(figure.layout.get(subplot)).get("domain"))
    x, y = (listed(box.get(letter)) or [0.0, 1.0] for letter in "xy")
    return f"{x} {y}", (x[0], x[1], y[0], y[1]), ()


def _axes_of(trace: Spec, figure: _Figure) -> tuple[Axis, Axis]:
    x, y = (figure.axes[str(trace.get(f"{letter}axis") or letter)] for letter in "xy")
    return x, y


def _under(axis: Axis, figure: _Figure) -> Spec:
    """What the layout says of the axis that this one lies over, or of itself."""
    over = str(axis.given.get("overlaying") or "")
    if over[:1] in ("x", "y"):
        return mapping(figure.layout.get(f"{over[0]}axis{over[1:]}"))
    return axis.given


def _grid_places(panels: Sequence[_Panel]) -> Mapping[str, tuple[int, int]]:
    """Row and column of each panel, where they lie in a grid without overlap."""
    columns = sorted({round(panel.where[0], 4) for panel in panels})
    rows = sorted({round(panel.where[3], 4) for panel in panels}, reverse=True)
    return {
        panel.key: (
            rows.index(round(panel.where[3], 4)) + 1,
            columns.index(round(panel.where[0], 4)) + 1,
        )
        for panel in panels
    }


def _heading(
    at: int, most: int, panel: _Panel, places: Mapping[str, tuple[int, int]], figure: _Figure
) -> str:
    row, column = places[panel.key]
    said = f"panel {at} of {most} (row {row}, column {column})"
    left, right, bottom, top = panel.where
    for note in _paper_notes(figure):
        x, y = as_number(note.get("x")), as_number(note.get("y"))
        title = words(note)
        if abs(x - (left + right) / 2) < 1e-4 and abs(y - top) < 1e-4:
            said += f', titled "{title}"'
        elif abs(x - (left + right) / 2) < 1e-4 and y > top and y >= places_top(figure):
            said += f', in the column headed "{title}"'
        elif note.get("textangle") and abs(y - (bottom + top) / 2) < 1e-4 and x >= right:
            said += f', in the row headed "{title}"'
    return said


def places_top(figure: _Figure) -> float:
    """How high the highest panel on axes reaches, as a part of the whole."""
    ends = [
        listed(axis.given.get("domain")) for axis in figure.axes.values() if axis.name[0] == "y"
    ]
    return max((float(end[1]) for end in ends if len(end) == 2), default=1.0) - 1e-4


def _paper_notes(figure: _Figure) -> list[Spec]:
    """The texts that stand by the figure's paper, as headings of panels do."""
    notes = [mapping(note) for note in listed(figure.layout.get("annotations"))]
    return [
        note
        for note in notes
        if note.get("xref") == "paper" and note.get("yref") == "paper" and words(note)
    ]


def _told(trace: Spec, panel: _Panel, figure: _Figure) -> str:
    kind, label = str(trace["type"]), words(trace.get("name"))
    if trace.get("visible") == "legendonly":
        return f"{named(kind, label)}: in the legend only, not shown"
    if trace.get("transforms"):
        return unread(kind, label, "it is transformed before it is drawn")
    try:
        said = _values_text(trace, figure)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
        return unread(kind, label)  # a figure's JSON may hold anything
    over = [axis for axis in panel.axes if axis.given.get("overlaying")]
    own = [a for a in over if a.name == str(trace.get(f"{a.name[0]}axis") or a.name[0])]
    return said + "".join(f"; on {a.name[0]} axis{a.name[1:]}" for a in own)


def _values_text(trace: Spec, figure: _Figure) -> str:  # noqa: PLR0912 - one line a kind
    kind = str(trace["type"])
    if kind in _ON_AXES:
        axes = _axes_of(trace, figure)
        match kind:
            case "scatter" | "scattergl":
                return points(trace, axes)
            case "bar":
                said = bars(trace, axes, _mode(figure, kind), str(figure.set_("barnorm") or ""))
                return said + beside(trace)
            case "funnel":
                return bars(trace, axes, "stack", "")
            case "waterfall":
                return waterfall(trace, axes)
            case "histogram":
                return histogram(trace, axes, _alike(figure))
            case "box" | "violin":
                return boxes(trace, axes)
            case "heatmap" | "contour":
                return grid(trace, axes)
            case "candlestick" | "ohlc":
                return candles(trace, axes)
    match kind:
        case "pie" | "funnelarea":
            hidden = [str(name) for name in listed(figure.layout.get("hiddenlabels"))]
            return pie(trace, hidden)
        case "sunburst" | "treemap" | "icicle":
            return tree(trace)
        case "sankey":
            return sankey(trace)
        case "table":
            return table(trace)
        case "indicator":
            return indicator(trace)
        case "surface":
            return grid(trace, (None, None))
        case "scatter3d":
            return in_space(trace)
        case "parcoords" | "parcats" | "splom":
            return dimensions(trace)
    return by_columns(trace) if kind in COLUMNS else unread(kind, label_of(trace))


def _mode(figure: _Figure, kind: str) -> str:
    return str(figure.set_("barmode") or "group") if kind in ("bar", "histogram") else "stack"


def _alike(figure: _Figure) -> list[Spec]:
    """The histograms of a figure: each may share its bins with the others."""
    return [other for other in figure.traces if other["type"] == "histogram"]


def _together(panel: _Panel, figure: _Figure) -> list[str]:
    """How the bars of several traces stand by each other."""
    several = [t for t in panel.traces if t["type"] in ("bar", "histogram")]
    shown = [trace for trace in several if trace.get("visible") != "legendonly"]
    how = _STACKED.get(_mode(figure, "bar"))
    return [f"the bars of one place {how}"] if len(shown) > 1 and how else []


def _notes(figure: _Figure, panels: Sequence[_Panel]) -> Iterator[str]:
    titles = {words(note) for note in _paper_notes(figure)} if len(panels) > 1 else set()
    notes = [words(note) for note in map(mapping, listed(figure.layout.get("annotations")))]
    for note in [note for note in notes if note and note not in titles][:_MOST_NOTES]:
        yield f'written in it: "{note[:120]}"'
    for shape in listed(figure.layout.get("shapes"))[:_MOST_NOTES]:
        if said := _shape(mapping(shape), figure):
            yield said


def _shape(shape: Spec, figure: _Figure) -> str:
    kind = str(shape.get("type") or "rect")
    if kind not in ("line", "rect") or shape.get("visible") is False:
        return ""
    sides = {}
    for letter in "xy":
        name = str(shape.get(f"{letter}ref") or letter)
        axis = figure.axes.get(name)
        ends = [shape.get(f"{letter}{end}") for end in (0, 1)]
        if axis is None:
            sides[letter] = ""
        elif axis.kind == "date":
            sides[letter] = " to ".join(dict.fromkeys(number(as_date(end)) for end in ends))
        elif axis.kind == "category":
            return ""
        else:
            sides[letter] = " to ".join(dict.fromkeys(number(as_number(end)) for end in ends))
    said = [f"{letter} = {ends}" for letter, ends in sides.items() if ends]
    if not said:
        return ""
    words_for = {"line": "a line", "rect": "a shaded rectangle"}
    return f"{words_for[kind]} at {', '.join(said)}"
