"""A Matplotlib figure as the data that it was drawn from, a line of text for each mark.

Matplotlib is never imported here: an axis of its means that it is loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from ...value_classes import frozen
from .chart_values import (
    Value,
    bars_text,
    grid_text,
    histogram_text,
    named,
    number,
    points_text,
    range_text,
)

_DATES = {"DateConverter", "ConciseDateConverter", "_SwitchableDateConverter", "DatetimeConverter"}


class AxisReader:
    """Reads one axis; `letter` is x, y or z."""

    def __init__(self, axis: Any, letter: str) -> None:
        self._axis = axis
        self.letter = letter

    @property
    def label(self) -> str:
        return " ".join(str(self._axis.get_label_text()).split())

    @property
    def line(self) -> str:
        """`x axis "light (h)": linear, 4 to 16`; of categories, what they are."""
        title = f'{self.letter} axis "{self.label}"' if self.label else f"{self.letter} axis"
        if self.names:
            return f"{title}: categories {', '.join(list(self.names.values())[:40])}"
        low, high = (self.value(float(end)) for end in self._axis.get_view_interval())
        shown = range_text([low, high])
        return f"{title}: {self._axis.get_scale()}, {shown or f'{number(low)} to {number(high)}'}"

    @cached_property
    def names(self) -> dict[float, str]:
        """The categories by their place: of a categorical axis, or as somebody set the ticks."""
        units = getattr(self._axis, "units", None)
        mapping = getattr(units, "_mapping", None)
        if mapping:
            return {float(place): str(name) for name, place in mapping.items()}
        if type(self._axis.get_major_locator()).__name__ != "FixedLocator":
            return {}
        places = [float(place) for place in self._axis.get_majorticklocs()]
        labels = self._axis.get_major_formatter().format_ticks(places)
        found = {p: str(n) for p, n in zip(places, labels, strict=False) if n}
        # Numbers set by hand are a numeric axis still.
        return {} if all(map(_is_number, found.values())) else found

    def value(self, place: float) -> Value:
        """A value as the axis shows it: a number, a date, a category."""
        if self.names:
            return self.name(place)
        kind = type(self._converter).__name__
        if kind in _DATES:
            return _date(place)
        if kind == "PeriodConverter":
            return self._period(place)
        return place

    def name(self, place: float) -> Value:
        """The category whose place is nearest, within half a step; else the number."""
        nearest = min(self.names, key=lambda known: abs(known - place), default=None)
        return place if nearest is None or abs(nearest - place) > 0.5 else self.names[nearest]

    @property
    def _converter(self) -> Any:
        get = getattr(self._axis, "get_converter", None)
        return get() if get is not None else getattr(self._axis, "converter", None)

    def _period(self, place: float) -> Value:
        pandas = sys.modules.get("pandas")
        freq = getattr(self._axis, "freq", None)
        if pandas is None or freq is None:
            return place
        return str(pandas.Period(ordinal=round(place), freq=freq))


def _date(place: float) -> str:
    from matplotlib.dates import num2date

    moment: datetime = num2date(place)  # type: ignore[no-untyped-call]
    at_midnight = (moment.hour, moment.minute) == (0, 0)
    return f"{moment:%Y-%m-%d}" if at_midnight else f"{moment:%Y-%m-%d %H:%M}"


def _is_number(text: str) -> bool:
    try:
        float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))
    except ValueError:
        return False
    return True


DataPoint = tuple[float, float]


@frozen
class Boxes:
    """What boxes say, a line each, and the ids of the artists that they were made of."""

    lines: tuple[str, ...] = ()
    artists: frozenset[int] = frozenset()


@frozen
class _Box:
    """A rectangle: `along` is where it stands, `low` and `high` are its quartiles."""

    start: float
    end: float
    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2

    def holds(self, place: float) -> bool:
        return self.start <= place <= self.end


def boxes(axes: Any, x: AxisReader, y: AxisReader) -> Boxes:
    """The boxes of one Axes, upright or lying; none where no line has a box's shape."""
    for turned in (False, True):
        along = y if turned else x
        found = _upright(axes, turned=turned, along=along)
        if found.lines:
            return found
    return Boxes()


def _upright(axes: Any, *, turned: bool, along: AxisReader) -> Boxes:
    shapes = {id(a): box for a in (*axes.lines, *axes.patches) if (box := _box(a, turned))}
    others = [(a, _points(a.get_xydata(), turned)) for a in axes.lines if id(a) not in shapes]
    used: set[int] = set()
    lines = []
    for key, box in shapes.items():
        near = [(a, p) for a, p in others if p and all(box.holds(place) for place, _ in p)]
        level = [(a, p) for a, p in near if len(p) == 2 and p[0][1] == p[1][1]]
        medians = [(a, p) for a, p in level if box.low <= p[0][1] <= box.high and _spans(box, p)]
        upright = [(a, p) for a, p in near if len(p) == 2 and p[0][0] == p[1][0]]
        if not medians or not upright:
            continue  # a rectangle, but no box of a box plot
        ends = [height for _, p in upright for _, height in p]
        fliers = [(a, p) for a, p in near if _is_markers(a)]
        used |= {key, *(id(a) for a, _ in (*level, *upright, *fliers))}
        outliers = sum(len(p) for _, p in fliers)
        lines.append(
            f"box at {number(along.value(box.middle))}: median {number(medians[0][1][0][1])}, "
            f"quartiles {number(box.low)} and {number(box.high)}, whiskers {number(min(ends))} to "
            f"{number(max(ends))}, {outliers} beyond them"
        )
    return Boxes(tuple(lines), frozenset(used))


def _box(artist: Any, turned: bool) -> _Box | None:
    """The rectangle that an artist draws; notched boxes have more corners."""
    if hasattr(artist, "get_xydata"):
        points = _points(artist.get_xydata(), turned)
    elif type(artist).__name__ == "PathPatch":
        points = _points(artist.get_path().vertices, turned)
    else:
        return None
    if len(points) not in (5, 6, 11, 12) or points[0] not in (points[-1], points[-2]):
        return None
    places, heights = [p for p, _ in points], [h for _, h in points]
    return _Box(min(places), max(places), min(heights), max(heights))


def _points(data: Any, turned: bool) -> Sequence[DataPoint]:
    return tuple(_pairs(data, turned))


def _pairs(data: Any, turned: bool) -> Iterator[DataPoint]:
    for first, second in data.tolist():
        yield (second, first) if turned else (first, second)


def _spans(box: _Box, points: Sequence[DataPoint]) -> bool:
    """Whether a level line goes through the box; in a notched one it is shorter."""
    return abs(points[1][0] - points[0][0]) >= 0.4 * (box.end - box.start)


def _is_markers(line: Any) -> bool:
    return str(line.get_linestyle()) in ("None", "none", " ", "")


_MOST_TEXTS = 12
_LONGEST_TEXT = 120
_MOST_GRID = 250_000


class MarkReader:
    """Reads what was drawn in `axes`."""

    def __init__(self, axes: Any) -> None:
        self._axes = axes
        self.x = AxisReader(axes.xaxis, "x")
        self.y = AxisReader(axes.yaxis, "y")
        # What was told of already, as a part of something larger.
        self._told: set[int] = set()

    def lines(self) -> Iterator[str]:
        """What each mark says. An artist of a kind that is not known says nothing."""
        axes = self._axes
        yield from self._attempt(self._containers)
        yield from self._attempt(self._boxes)
        kinds: list[tuple[Any, Callable[[Any], str | None]]] = [
            *((artist, self._line) for artist in axes.lines),
            *((artist, self._collection) for artist in axes.collections),
            *((artist, self._image) for artist in axes.images),
            *((artist, self._patch) for artist in axes.patches),
        ]
        yield from self._attempt(self._wedges)
        for artist, read in kinds:
            if id(artist) not in self._told and artist.get_visible():
                yield from self._attempt(partial(_one, read, artist))
        yield from self._attempt(self._texts)

    @staticmethod
    def _attempt(read: Callable[[], Any]) -> Iterator[str]:
        try:
            found = [line for line in read() if line]
        except Exception:  # artists are of any class: one that reads otherwise is left out
            return
        yield from found

    def _containers(self) -> Iterator[str]:
        for container in self._axes.containers:
            match type(container).__name__:
                case "BarContainer":
                    yield self._bars(container)
                    self._tell(*container.patches, container.errorbar)
                case "ErrorbarContainer":
                    data, caps, ranges = container.lines
                    if data is not None:
                        label = _label(container) or _label(data)
                        yield f"{self._points(data, label)}; with error bars"
                    self._tell(data, *caps, *ranges)
                case "StemContainer":
                    yield self._points(container.markerline, _label(container), "stems")
                    stems = container.stemlines
                    several = stems if isinstance(stems, list | tuple) else [stems]
                    self._tell(container.markerline, container.baseline, *several)

    def _tell(self, *artists: Any) -> None:
        self._told |= {id(artist) for artist in artists if artist is not None}

    def _bars(self, container: Any) -> str:
        label, patches = _label(container), container.patches
        upright = getattr(container, "orientation", "vertical") != "horizontal"
        along = self.x if upright else self.y
        starts = [float(p.get_x() if upright else p.get_y()) for p in patches]
        widths = [float(p.get_width() if upright else p.get_height()) for p in patches]
        heights = [float(p.get_height() if upright else p.get_width()) for p in patches]
        if not along.names and _are_bins(starts, widths):
            return histogram_text(label, [*starts, starts[-1] + widths[-1]], heights)
        middles = [along.value(s + w / 2) for s, w in zip(starts, widths, strict=True)]
        base = [float(p.get_y() if upright else p.get_x()) for p in patches]
        stacked = ", stacked on others" if any(base) else ""
        return bars_text(
            f"bars{stacked}" if upright else f"bars lying{stacked}", label, middles, heights
        )

    def _boxes(self) -> Iterator[str]:
        found = boxes(self._axes, self.x, self.y)
        self._told |= found.artists
        yield from found.lines

    def _line(self, line: Any) -> str | None:
        if hasattr(line, "get_data_3d"):
            return self._solid(_label(line), [list(values) for values in line.get_data_3d()])
        if type(line).__name__ == "AxLine":
            return self._reference(line)
        along_x, along_y = line.get_transform().contains_branch_seperately(self._axes.transData)
        if along_x and along_y:
            return self._points(line, _label(line))
        data = line.get_xydata()
        if along_y:
            return f"{named('level line', _label(line))} at {self._shown(self.y, data[0][1])}"
        if along_x:
            return f"{named('upright line', _label(line))} at {self._shown(self.x, data[0][0])}"
        return None

    def _points(self, line: Any, label: str, mark: str = "") -> str:
        bare = str(line.get_linestyle()) in ("None", "none", " ", "")
        data = line.get_xydata()
        xs = [self.x.value(place) for place in data[:, 0].tolist()]
        ys = [self.y.value(place) for place in data[:, 1].tolist()]
        return points_text(mark or ("points" if bare else "line"), label, xs, ys)

    @staticmethod
    def _reference(line: Any) -> str:
        x, y = map(float, line.get_xy1())
        slope = line.get_slope()
        if slope is None:
            x2, y2 = map(float, line.get_xy2())
            slope = (y2 - y) / (x2 - x) if x2 != x else float("inf")
        mark = named("straight line", _label(line))
        return f"{mark} through ({number(x)}, {number(y)}), slope {number(float(slope))}"

    def _collection(self, artist: Any) -> str | None:
        label = _label(artist)
        if hasattr(artist, "_offsets3d"):
            return self._solid(label, [values.tolist() for values in artist._offsets3d])
        match type(artist).__name__:
            case "PathCollection":
                return self._scatter(artist, label)
            case "QuadMesh":
                return self._grid("heat map", artist)
            case "LineCollection":
                points = [tuple(p) for s in artist.get_segments() for p in s.tolist()]
                count = len(artist.get_segments())
                return f"{named('line segments', label)}: {count}; {self._extent(points)}"
            case "PolyCollection" if artist.get_array() is not None:
                count = len(artist.get_array())
                return f"{named('bins of equal shape', label)}: {count}; {_scale(artist)}"
            case "PolyCollection" | "FillBetweenPolyCollection":
                points = [tuple(p) for path in artist.get_paths() for p in path.vertices.tolist()]
                return f"{named('shaded area', label)}: {self._extent(points)}"
        if hasattr(artist, "levels"):
            levels = [float(level) for level in artist.levels]
            return f"contours at {', '.join(number(level) for level in levels[:20])}"
        return None

    @staticmethod
    def _solid(label: str, values: list[list[float]]) -> str:
        """Points in space: the range of each of their three coordinates."""
        ranges = [f"{name} {range_text(given)}" for name, given in zip("xyz", values, strict=True)]
        return f"{named('points in space', label)}: {len(values[0])}; {', '.join(ranges)}"

    def _scatter(self, artist: Any, label: str) -> str:
        offsets = artist.get_offsets()
        xs = [self.x.value(place) for place in offsets[:, 0].tolist()]
        ys = [self.y.value(place) for place in offsets[:, 1].tolist()]
        said = points_text("points", label, xs, ys)
        colours = artist.get_array()
        if colours is not None and len(colours) == len(xs):
            said += f"; coloured by {_scale(artist)}"
        return said

    def _image(self, artist: Any) -> str:
        array = artist.get_array()
        if array.ndim == 2:
            return self._grid("image of numbers", artist)
        height, width = array.shape[:2]
        return f"a picture of {width} x {height} pixels"

    def _grid(self, mark: str, artist: Any) -> str:
        array = artist.get_array()
        shape = array.shape
        if array.size > _MOST_GRID:
            return f"{mark}: {' x '.join(map(str, shape))} values; {_scale(artist)}"
        rows = [[float(value) for value in row] for row in array.filled(float("nan")).tolist()]
        names = [list(reader.names.values()) for reader in (self.y, self.x)]
        return f"{grid_text(mark, rows, names)}; {_scale(artist)}"

    def _wedges(self) -> Iterator[str]:
        wedges = [p for p in self._axes.patches if type(p).__name__ == "Wedge"]
        if wedges:
            self._tell(*wedges)
            names = [_label(w) for w in wedges]
            shares = [100 * (w.theta2 - w.theta1) / 360 for w in wedges]
            yield bars_text("pie, shares in per cent", "", names, [float(s) for s in shares])

    def _patch(self, artist: Any) -> str | None:
        label = _label(artist)
        if type(artist).__name__ == "StepPatch":
            values, edges, _ = artist.get_data()
            return histogram_text(label, edges.tolist(), values.tolist())
        along_x, along_y = artist.get_transform().contains_branch_seperately(self._axes.transData)
        points = [tuple(p) for p in artist.get_path().vertices.tolist()]
        if type(artist).__name__ == "Rectangle":
            ends = artist.get_bbox().get_points().tolist()
            points = [tuple(p) for p in ends]
        if along_x and along_y:
            return f"{named('shape', label)}: {self._extent(points)}"
        if along_x:
            return f"{named('shaded', label)}: {self._span(self.x, [p[0] for p in points])}"
        if along_y:
            return f"{named('shaded', label)}: {self._span(self.y, [p[1] for p in points])}"
        return None

    def _texts(self) -> Iterator[str]:
        shown = [" ".join(str(t.get_text()).split()) for t in self._axes.texts if t.get_visible()]
        wedges = {_label(patch) for patch in self._axes.patches}
        for words in [w for w in shown if w and w not in wedges][:_MOST_TEXTS]:
            yield f'written in it: "{words[:_LONGEST_TEXT]}"'

    def _extent(self, points: list[tuple[float, ...]]) -> str:
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        return f"{self._span(self.x, xs)}, {self._span(self.y, ys)}"

    def _span(self, axis: AxisReader, places: list[float]) -> str:
        there = [place for place in places if place == place]  # noqa: PLR0124 - not a NaN
        if not there:
            return f"{axis.letter} nowhere"
        return f"{axis.letter} {range_text([axis.value(min(there)), axis.value(max(there))])}"

    @staticmethod
    def _shown(axis: AxisReader, place: Any) -> str:
        return f"{axis.letter} = {number(axis.value(place))}"


def _one(read: Callable[[Any], str | None], artist: Any) -> list[str | None]:
    return [read(artist)]


def _label(artist: Any) -> str:
    label = artist.get_label()
    return str(label) if label is not None else ""


def _are_bins(starts: list[float], widths: list[float]) -> bool:
    """Whether bars stand side by side without gaps, as those of a histogram do."""
    if len(starts) < 3 or min(widths) <= 0:
        return False
    gaps = [starts[i + 1] - starts[i] - widths[i] for i in range(len(starts) - 1)]
    return all(abs(gap) <= 1e-6 * widths[i] for i, gap in enumerate(gaps))


def _scale(artist: Any) -> str:
    """The colour scale of an artist: what it is of, and its ends."""
    low, high = artist.get_clim()
    bar = getattr(artist, "colorbar", None)
    label = ""
    if bar is not None:
        label = str(bar.ax.get_ylabel() or bar.ax.get_xlabel())
    shown = f'"{label}" ' if label else "values "
    return f"{shown}{number(float(low))} to {number(float(high))}"


_MOST_PANELS = 16


def matplotlib_text(figure: Any) -> str:
    """Title, axes and marks of each panel of `figure`; empty where nothing is drawn in it."""
    panels = [axes for axes in figure.axes if not _is_colour_bar(axes) and axes.get_visible()]
    if not panels:
        return ""
    title = str(figure.get_suptitle()).strip() if hasattr(figure, "get_suptitle") else ""
    lines = [f'title of the whole: "{title}"'] if title else []
    for place, axes in enumerate(panels[:_MOST_PANELS], 1):
        if len(panels) > 1:
            lines.append(f"panel {place} of {len(panels)}{_shares(axes, panels[: place - 1])}")
        lines += _panel(axes)
    if len(panels) > _MOST_PANELS:
        lines.append(f"… {len(panels) - _MOST_PANELS} more panels")
    return "\n".join(lines)


def _panel(axes: Any) -> Iterator[str]:
    title = " ".join(str(axes.get_title()).split())
    if title:
        yield f'title "{title}"'
    if axes.name != "rectilinear":
        yield f"{axes.name} axes"
    reader = MarkReader(axes)
    if (axes.axison or axes.name == "3d") and not _is_pie(axes):
        yield reader.x.line
        yield reader.y.line
    if axes.name == "3d":
        yield AxisReader(axes.zaxis, "z").line
    legend = axes.get_legend()
    if legend is not None and legend.get_title().get_text().strip():
        yield f'legend "{" ".join(legend.get_title().get_text().split())}"'
    yield from reader.lines()


def _shares(axes: Any, before: list[Any]) -> str:
    """Said of an Axes that lies over an earlier one, with a y axis of its own."""
    same = [o for o in before if o.get_position().bounds == axes.get_position().bounds]
    return ", over the panel before it with a y axis of its own" if same else ""


def _is_colour_bar(axes: Any) -> bool:
    return axes.get_label() == "<colorbar>" or hasattr(axes, "_colorbar")


def _is_pie(axes: Any) -> bool:
    return any(type(patch).__name__ == "Wedge" for patch in axes.patches)
