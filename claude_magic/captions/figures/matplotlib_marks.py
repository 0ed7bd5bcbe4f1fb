"""The artists of a Matplotlib panel, a line of text for each: no artist vanishes without a word.

An artist that stands somewhere else than where data stand is said, not told as data; of a kind that
is not known, or that reads otherwise than it should, its name is told.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

from .chart_numbers import number, tell_apart
from .chart_values import grid_text, histogram_text, named, steps_text
from .matplotlib_areas import area_edges, area_text
from .matplotlib_axes import Panel
from .matplotlib_bars import ContainerReader, points_in_view, points_of_line, wedges
from .matplotlib_boxes import boxes
from .matplotlib_names import LegendNames, colour_of, is_drawn, is_visible, label_of, rounded
from .matplotlib_vectors import arrows_text, events_text, segments_text, space_text, table_text

_MOST_TEXTS = 24
_LONGEST_TEXT = 120
_MOST_ALIKE = 12
_MOST_COLOURS = 24
# What every panel has, or is told of elsewhere.
_FURNITURE = {"Spine", "Legend", "Text"}


class MarkReader:
    """Reads what was drawn in a panel."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._axes = panel.axes
        self._names = LegendNames(panel.axes)
        self._containers = ContainerReader(panel, self._names)
        self._unread: Counter[str] = Counter()
        self._readers: dict[str, Callable[[Any], str | None]] = {
            "Line2D": self._line,
            "AxLine": self._reference,
            "PathCollection": self._scatter,
            "FillBetweenPolyCollection": self._area,
            "PolyCollection": self._polygons,
            "QuadMesh": self._mesh,
            "EventCollection": partial(events_text, panel, self._names),
            "LineCollection": partial(segments_text, panel, self._names),
            "Quiver": partial(arrows_text, panel, self._names),
            "Barbs": partial(arrows_text, panel, self._names),
            "ContourSet": self._contours,
            "Collection": self._shapes,
            "AxesImage": self._image,
            "StepPatch": self._steps,
            "Polygon": self._polygon,
            "Rectangle": self._patch,
            "Ellipse": self._patch,
            "PathPatch": self._patch,
            "Table": table_text,
        }

    def lines(self) -> Iterator[str]:
        """What each mark says; of what was not read, what it is."""
        axes = self._axes
        for container in axes.containers:
            yield from self._attempt(self._containers.read, container)
        yield from self._boxes()
        for ring, said in wedges(axes, self._names):
            self._panel.tell_of(*ring)
            yield said
        for artist in self._areas():
            yield from self._attempt(self._stacked, artist)
        yield from self._patches()
        for artist in self._others():
            yield from self._attempt(self._read, artist)
        yield from self._left_out()
        yield from self._texts()

    def _attempt(self, read: Callable[[Any], str | None], artist: Any) -> Iterator[str]:
        try:
            said = read(artist)
        except Exception:  # artists are of any class: one that reads otherwise is named
            self._left(artist)
            return
        if said:
            yield said

    def _boxes(self) -> Iterator[str]:
        try:
            found = boxes(self._panel, self._names)
        except Exception:  # as above; lines that are none of a box are read one by one
            return
        self._panel.told |= found.artists
        yield from found.lines

    def _areas(self) -> list[Any]:
        kinds = ("FillBetweenPolyCollection", "PolyCollection")
        return [c for c in self._axes.collections if type(c).__name__ in kinds and is_drawn(c)]

    def _stacked(self, area: Any) -> None:
        """Leave out the line that is where a stacked area ends: a sum, no value of its own."""
        for line in self._axes.lines:
            if area_edges(area, line):
                self._names.by_label.setdefault(str(area.get_label()), self._names.of(line))
                self._panel.tell_of(line)

    def _others(self) -> Iterator[Any]:
        """What is drawn in the panel besides its furniture and what was told of already."""
        axes = self._axes
        furniture = {id(axes.patch), *map(id, axes.texts), *map(id, axes.child_axes)}
        for artist in axes.get_children():
            name = type(artist).__name__
            if id(artist) in furniture | self._panel.told or name in _FURNITURE:
                continue
            if not hasattr(artist, "get_major_locator") and is_drawn(artist):
                yield artist

    def _read(self, artist: Any) -> str | None:
        if hasattr(artist, "do_3d_projection") or hasattr(artist, "get_data_3d"):
            return space_text(self._names, artist)
        for kind in type(artist).__mro__:
            if kind.__name__ in self._readers:
                return self._readers[kind.__name__](artist)
        self._left(artist)
        return None

    def _left(self, artist: Any) -> None:
        self._unread[named(type(artist).__name__, label_of(artist))] += 1

    def _left_out(self) -> Iterator[str]:
        """What was not read, by its kind and label."""
        for what, times in self._unread.items():
            yield f"{what}: {f'{times} of them, ' if times > 1 else ''}values not read"

    def _line(self, line: Any) -> str | None:
        label = self._names.of(line, colour=colour_of(line))
        data = line.get_xydata()
        if not len(data):
            return None  # of a legend, or nothing yet
        along_x, along_y = self._panel.in_data(line)
        if along_x and along_y:
            return self._straight(line, label) or points_of_line(self._panel, line, label)
        for along, axis, at, mark in (
            (along_y, self._panel.y, 1, "level line"),
            (along_x, self._panel.x, 0, "upright line"),
        ):
            if along and len({float(place) for place in data[:, at]}) == 1:
                (told,) = axis.tell(float(data[0, at]))
                outside = not self._panel.meets(float(data[0, at]), float(data[0, at]), axis)
                seen = " (outside of the view)" if outside else ""
                return f"{named(mark, label)} at {axis.letter} = {told}{seen}"
        return f"{named('line', label)}: not where data stand: values not told"

    def _straight(self, line: Any, label: str) -> str | None:
        """A line from one place straight up or across, as of an error bar; None for others."""
        data = line.get_xydata()
        both = len(data) == 2 and self._panel.shown(data[:, 0], data[:, 1]).all()
        if not both or str(line.get_linestyle()) in ("None", "none", " ", ""):
            return None
        across = ("upright", self._panel.x, self._panel.y), ("level", self._panel.y, self._panel.x)
        for at, (mark, place, span) in enumerate(across):
            if data[0, at] == data[1, at] and data[0, 1 - at] != data[1, 1 - at]:
                (told,) = place.tell(float(data[0, at]))
                return f"{named(f'{mark} line', label)} at {told}: {span.span(data[:, 1 - at])}"
        return None

    def _reference(self, line: Any) -> str:
        if not line._transform.contains_branch(self._axes.transData):
            return f"{named('line', label_of(line))}: not where data stand: values not told"
        x, y = map(float, line.get_xy1())
        slope = line.get_slope()
        if slope is None:
            x2, y2 = map(float, line.get_xy2())
            slope = (y2 - y) / (x2 - x) if x2 != x else float("inf")
        mark = named("straight line", self._names.of(line, colour=colour_of(line)))
        (told_x,), (told_y,) = self._panel.x.tell(x), self._panel.y.tell(y)
        return f"{mark} through ({told_x}, {told_y}), slope {number(float(slope))}"

    def _scatter(self, artist: Any) -> str:
        offsets = artist.get_offsets()
        offsets = offsets.filled(float("nan")) if hasattr(offsets, "filled") else offsets
        label = self._names.of(artist, colour=colour_of(artist))
        if not artist.get_offset_transform().contains_branch(self._axes.transData):
            return f"{named('points', label)}: {len(offsets)}, not where data stand: not told"
        besides = (
            ["sizes differ"] if len({float(s) for s in artist.get_sizes()[:1_000]}) > 1 else []
        )
        groups = self._groups(artist, len(offsets))
        if groups:
            said = [
                points_in_view(
                    self._panel, ("points", name), offsets[rows, 0], offsets[rows, 1], besides
                )
                for name, rows in groups.items()
            ]
            return "\n".join(said)
        told = points_in_view(self._panel, ("points", label), offsets[:, 0], offsets[:, 1], besides)
        colours = artist.get_array()
        if colours is not None and len(colours) == len(offsets):
            told += f"; {scale_of(artist)}"
        elif len(artist.get_facecolor()) == len(offsets) > 1 and colour_of(artist) is None:
            told += "; in several colours: what they stand for was not read"
        return told

    def _groups(self, artist: Any, size: int) -> dict[str, list[int]]:
        """The points by what the legend calls their colour, where it names each; else none."""
        colours = artist.get_facecolor()
        if artist.get_array() is not None or len(colours) != size or size < 2:
            return {}
        np = sys.modules["numpy"]
        kinds, at = np.unique(np.round(colours, 3), axis=0, return_inverse=True)
        if not 1 < len(kinds) <= _MOST_COLOURS:
            return {}
        names = [self._names.by_colour(rounded(kind)) for kind in kinds.tolist()]
        found = {name: np.flatnonzero(at.ravel() == i) for i, name in enumerate(names) if name}
        return found if len(found) == len(kinds) else {}

    def _area(self, artist: Any) -> str | None:
        label = self._names.of(artist, colour=colour_of(artist))
        return area_text(self._panel, artist, label) or self._shapes(artist)

    def _polygons(self, artist: Any) -> str | None:
        offsets, array = artist.get_offsets(), artist.get_array()
        paths = artist.get_paths()
        if array is not None and len(offsets) == len(array) > 1 and len(paths) == 1:
            values = array.filled(float("nan")) if hasattr(array, "filled") else array
            if {self._axes.xaxis.get_scale(), self._axes.yaxis.get_scale()} != {"linear"}:
                # Matplotlib keeps the places of such cells as logarithms.
                return f"cells of equal shape: {self._values(array)}, places not told"
            low, high = int(values.argmin()), int(values.argmax())
            told = tell_apart([float(values[low]), float(values[high])])
            xs = self._panel.x.tell(float(offsets[low][0]), float(offsets[high][0]))
            ys = self._panel.y.tell(float(offsets[low][1]), float(offsets[high][1]))
            return (
                f"{named('cells of equal shape', self._names.of(artist))}: {len(values)}; "
                f"lowest {told[0]} at ({xs[0]}, {ys[0]}), highest {told[1]} at "
                f"({xs[1]}, {ys[1]}), sum {number(float(values.sum()))}; {scale_of(artist)}"
            )
        return self._area(artist) if array is None and len(paths) else self._shapes(artist)

    def _contours(self, artist: Any) -> str:
        levels = tell_apart([float(level) for level in artist.levels])
        between = "filled contours between" if artist.filled else "contours at"
        label = self._names.of(artist)
        head = f"contours {label!r}: {between}" if label else between
        more = f" and {len(levels) - 30} more" if len(levels) > 30 else ""
        return f"{head} {', '.join(levels[:30])}{more}; {self._extent(artist)}"

    def _shapes(self, artist: Any) -> str | None:
        """Shapes at places, or of places: how many, and where."""
        label = self._names.of(artist, colour=colour_of(artist))
        kind = named(_words(type(artist).__name__.removesuffix("Collection")) + " shapes", label)
        offsets, array = artist.get_offsets(), artist.get_array()
        paths = artist.get_paths()
        colours = f"; {scale_of(artist)}" if array is not None else ""
        if artist.get_offset_transform().contains_branch(self._axes.transData):
            said = points_in_view(self._panel, (kind, ""), offsets[:, 0], offsets[:, 1], [])
            return said + colours
        if not paths:
            return None
        if self._panel.in_data(artist) != (True, True):
            return f"{kind}: {len(paths)}, not where data stand: values not told"
        each = ""
        if array is None and 1 < len(paths) <= _MOST_ALIKE:
            each = "; each: " + "; ".join(self._span(path.vertices) for path in paths)
        return f"{kind}: {len(paths)}; {self._extent(artist)}{each}{colours}"

    def _span(self, places: Any) -> str:
        return f"{self._panel.x.span(places[:, 0])}, {self._panel.y.span(places[:, 1])}"

    def _extent(self, artist: Any) -> str:
        np = sys.modules["numpy"]
        corners = [path.vertices for path in artist.get_paths() if len(path.vertices)]
        if not corners:
            return "nowhere"
        return self._span(np.concatenate(corners))

    def _mesh(self, artist: Any) -> str | None:
        corners, array = artist.get_coordinates(), artist.get_array()
        height, width = corners.shape[0] - 1, corners.shape[1] - 1
        if array is None or array.ndim == 3 or self._panel.in_data(artist) != (True, True):
            return f"{named('heat map', label_of(artist))}: values not told"
        if array.size != height * width:  # shaded between the corners, which have the values
            return f"heat map, shaded between its points: {self._values(array)}; {scale_of(artist)}"
        straight = (corners[0, :, 0] == corners[-1, :, 0]).all()
        straight &= (corners[:, 0, 1] == corners[:, -1, 1]).all()
        edges = (corners[0, :, 0], corners[:, 0, 1]) if straight else ((), ())
        return self._grid("heat map", artist, array.reshape(height, width), *edges)

    def _image(self, artist: Any) -> str:
        array = artist.get_array()
        if array.ndim != 2:
            height, width = array.shape[:2]
            return f"a picture of {width} x {height} pixels"
        if self._panel.in_data(artist) != (True, True):
            return f"{named('image of numbers', label_of(artist))}: not where data stand: not told"
        np = sys.modules["numpy"]
        left, right, bottom, top = map(float, artist.get_extent())
        ys = (bottom, top) if artist.origin == "lower" else (top, bottom)
        xs = np.linspace(left, right, array.shape[1] + 1)
        return self._grid(
            "image of numbers", artist, array, xs, np.linspace(*ys, array.shape[0] + 1)
        )

    def _values(self, array: Any) -> str:
        np = sys.modules["numpy"]
        values = array.filled(np.nan) if hasattr(array, "filled") else np.asarray(array, float)
        return f"{values.size} values, {number(float(np.nanmin(values)))} to " + number(
            float(np.nanmax(values))
        )

    def _grid(self, mark: str, artist: Any, array: Any, xs: Any, ys: Any) -> str:
        np = sys.modules["numpy"]
        values = np.ma.asarray(array, dtype=float).filled(np.nan)
        names = [
            self._cells(axis, edges) for axis, edges in ((self._panel.y, ys), (self._panel.x, xs))
        ]
        besides = []
        if len(ys):
            low, high = self._panel.y.limits
            rising = (float(ys[-1]) > float(ys[0])) == (high > low)
            besides = [f"row 1 at the {'bottom' if rising else 'top'}"]
        label = self._names.of(artist)
        return f"{grid_text(named(mark, label), values, names, besides)}; {scale_of(artist)}"

    @staticmethod
    def _cells(axis: Any, edges: Any) -> list[str]:
        """What each row, or column, is called; "" for one without a name.

        Of cells that are not simply counted, where they are.
        """
        np = sys.modules["numpy"]
        if not len(edges):
            return []
        names = [axis.within(a, b) or "" for a, b in pairwise(edges)]
        counted = np.arange(len(edges)) + float(edges[0])
        backwards = float(edges[0]) - np.arange(len(edges))
        if axis.plain and any(np.allclose(edges, c) for c in (counted, backwards)):
            return names
        if axis.categories or axis.labels:
            return names
        told = axis.tell(*map(float, edges))
        return [f"{axis.letter} {a} to {b}" for a, b in pairwise(told)]

    def _steps(self, artist: Any) -> str:
        values, edges, base = artist.get_data()
        label = self._names.of(artist, colour=colour_of(artist))
        heights = values.tolist()
        if (
            artist.orientation == "vertical"
            and not sys.modules["numpy"].any(base)
            and min(heights) >= 0
        ):
            return histogram_text(label, edges.tolist(), heights)
        axis = self._panel.x if artist.orientation == "vertical" else self._panel.y
        bases = (
            {float(place) for place in sys.modules["numpy"].ravel(base)}
            if base is not None
            else {0.0}
        )
        besides = [] if bases == {0.0} else ["from " + " and ".join(map(number, sorted(bases)[:4]))]
        mark = "steps" if artist.orientation == "vertical" else "steps lying"
        return steps_text(mark, label, edges.tolist(), heights, scale=axis.scale, besides=besides)

    def _polygon(self, artist: Any) -> str | None:
        """A polygon; where it is an outline of steps, as `hist` draws one, its steps."""
        stairs = _stairs(artist.get_xy()) if self._panel.in_data(artist) == (True, True) else None
        if stairs is None:
            return self._patch(artist)
        edges, heights = stairs
        label = self._names.of(artist, colour=colour_of(artist))
        return steps_text("steps", label, edges, heights, scale=self._panel.x.scale)

    def _patches(self) -> Iterator[str]:
        """Patches without a name that are many of a kind, as one line."""
        alike: dict[str, list[Any]] = {}
        for patch in self._axes.patches:
            plain = id(patch) not in self._panel.told and not label_of(patch) and is_drawn(patch)
            if plain and type(patch).__name__ in ("Rectangle", "Circle", "Ellipse"):
                alike.setdefault(type(patch).__name__, []).append(patch)
        for kind, patches in alike.items():
            placed = [patch for patch in patches if self._panel.in_data(patch) == (True, True)]
            if len(placed) < 3:
                continue
            self._panel.tell_of(*placed)
            spans = [said for patch in placed if (said := self._where(patch))]
            more = f" and {len(spans) - _MOST_ALIKE} more" if len(spans) > _MOST_ALIKE else ""
            if spans:
                yield f"{_words(kind)} shapes: {len(spans)}: {'; '.join(spans[:_MOST_ALIKE])}{more}"

    def _patch(self, artist: Any) -> str | None:
        label = self._names.of(artist, colour=colour_of(artist))
        along_x, along_y = self._panel.in_data(artist)
        if not along_x and not along_y:
            return f"{named('shape', label)}: not where data stand: values not told"
        if along_x and along_y:
            where = self._where(artist)
            return where and f"{named('shape', label)}: {where}"
        corners = _corners(artist)
        axis, at = (self._panel.x, 0) if along_x else (self._panel.y, 1)
        return f"{named('shaded', label)}: {axis.span(corners[:, at])}"

    def _where(self, artist: Any) -> str:
        """The extent of a patch; "" for one without a size, which is of a legend."""
        corners = _corners(artist)
        if not len(corners) or (corners == corners[0]).all():
            return ""
        inside = all(
            self._panel.meets(float(corners[:, at].min()), float(corners[:, at].max()), axis)
            for at, axis in ((0, self._panel.x), (1, self._panel.y))
        )
        where = self._span(corners)
        return where if inside else f"{where} (outside of the view)"

    def _texts(self) -> Iterator[str]:
        held = [artist.txt for artist in self._axes.artists if hasattr(artist, "txt")]
        shown = [
            " ".join(str(text.get_text()).split())
            for text in (*self._axes.texts, *held)
            if is_visible(text)
        ]
        wedges_of = {label_of(p) for p in self._axes.patches if type(p).__name__ == "Wedge"}
        yield from written(words for words in shown if words not in wedges_of)


def written(texts: Iterable[str]) -> Iterator[str]:
    """What stands in a figure as text, a line for each; of many, how many more."""
    found = [words for words in texts if words]
    for words in found[:_MOST_TEXTS]:
        yield f'written in it: "{words[:_LONGEST_TEXT]}{"…" if len(words) > _LONGEST_TEXT else ""}"'
    if len(found) > _MOST_TEXTS:
        yield f"… and {len(found) - _MOST_TEXTS} more texts"


def scale_of(artist: Any) -> str:
    """The colour scale of an artist: what it is of, and its ends."""
    low, high = artist.get_clim()
    bar = getattr(artist, "colorbar", None)
    label = str(bar.ax.get_ylabel() or bar.ax.get_xlabel()) if bar is not None else ""
    if low is None or high is None:
        return "colours without a scale"
    of = f'colours "{label}"' if label else "colours"
    return f"{of} {' to '.join(tell_apart([low, high]))}"


def _corners(patch: Any) -> Any:
    """The corners of what bounds a patch, in the coordinates that it was given in."""
    path = patch.get_path().transformed(patch.get_patch_transform())
    return path.get_extents().get_points() if len(path.vertices) else path.vertices


def _stairs(corners: Any) -> tuple[list[float], list[float]] | None:
    """Edges and heights of an outline that goes up and down in steps from nought; else None.

    `hist` draws it there, and for a filled one back along its foot.
    """
    size = len(corners) // 2 if len(corners) % 2 == 0 else 0
    points = corners.tolist()
    if not size:  # filled: there and back, closed
        count = (len(points) + 3) // 4
        points, back = points[: 2 * count], points[2 * count :]
        if any(y != 0 for _, y in back):
            return None
    if len(points) < 6 or points[0][1] != 0 or points[-1][1] != 0:
        return None
    if any(points[i][0] != points[i + 1][0] for i in range(0, len(points), 2)):
        return None
    if any(points[i][1] != points[i + 1][1] for i in range(1, len(points) - 1, 2)):
        return None
    edges = [x for x, _ in points[::2]]
    if sorted(edges) != edges:
        return None
    return edges, [y for _, y in points[1:-1:2]]


def _words(name: str) -> str:
    """`Regular Poly` of a class's name, in small letters."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name)
    return spaced.strip()
