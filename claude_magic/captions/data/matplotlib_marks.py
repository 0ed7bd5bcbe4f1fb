"""The marks of one Axes of a Matplotlib figure, a line of text each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from .matplotlib_axis import AxisReader
from .matplotlib_boxes import boxes
from .values import bars_text, grid_text, histogram_text, named, number, points_text, range_text

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
