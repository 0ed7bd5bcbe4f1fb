"""The boxes of a box plot in Matplotlib: lines, or lines and patches, of a box's shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...value_classes import frozen
from .chart_numbers import tell_apart
from .matplotlib_axes import Panel
from .matplotlib_names import Colour, LegendNames, colour_of, is_visible

# A box has at most twelve corners, a whisker and a median two.
_MOST_CORNERS = 12

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


def boxes(panel: Panel, names: LegendNames) -> Boxes:
    """The boxes of one panel, upright or lying; none where no line has a box's shape."""
    for turned in (False, True):
        found = _upright(panel, names, turned=turned)
        if found.lines:
            return found
    return Boxes()


def _upright(panel: Panel, names: LegendNames, *, turned: bool) -> Boxes:
    along = panel.y if turned else panel.x
    drawn = [a for a in (*panel.axes.lines, *panel.axes.patches) if _is_small(a)]
    shapes = {id(a): (a, box) for a in drawn if (box := _box(a, turned))}
    others = [
        (a, _points(a.get_xydata(), turned))
        for a in drawn
        if id(a) not in shapes and hasattr(a, "get_xydata")
    ]
    used: set[int] = set()
    lines = []
    outside = 0
    for key, (artist, box) in shapes.items():
        near = [(a, p) for a, p in others if p and all(box.holds(place) for place, _ in p)]
        plain = [(a, p) for a, p in near if len(p) == 2 and not _is_markers(a)]
        level = [(a, p) for a, p in plain if p[0][1] == p[1][1]]
        medians = _medians(box, [p for _, p in level])
        upright = [(a, p) for a, p in plain if p[0][0] == p[1][0]]
        if not medians or not upright:
            continue  # a rectangle, but no box of a box plot
        low, high = _ends([height for _, p in upright for _, height in p])
        marks = [(a, p) for a, p in near if _is_markers(a)]
        used |= {key, *(id(a) for a, _ in (*level, *upright, *marks))}
        if not is_visible(artist):
            continue
        if not panel.meets(box.start, box.end, along):
            outside += 1
            continue
        heights = [height for _, p in marks for _, height in p]
        beyond = [height for height in heights if not low <= height <= high]
        middle = medians[0]
        told = tell_apart([middle, box.low, box.high, low, high, *sorted(beyond)])
        name = names.of(artist, colour=_face(artist))
        line = (
            f"box{f' of {name}' if name else ''} at {along.middle(box.start, box.end)}: "
            f"median {told[0]}, quartiles {told[1]} and {told[2]}, whiskers {told[3]} to "
            f"{told[4]}, {len(beyond)} beyond them"
        )
        if beyond:
            line += f": {' '.join(told[5:][:_MOST_CORNERS])}"
            line += " …" if len(beyond) > _MOST_CORNERS else ""
        within = [h for h in heights if low <= h <= high] + medians[1:]
        lines.append(line + (f"; marked {' '.join(tell_apart(within))}" if within else ""))
    if outside:
        lines += [f"boxes: {said}" for said in panel.outside(outside)]
    return Boxes(tuple(lines), frozenset(used))


def _medians(box: _Box, level: Sequence[Sequence[DataPoint]]) -> list[float]:
    """The height of the median, then of a line of the mean; none where no line is a median.

    Caps are half as wide as the box and are drawn before its median, which in a notched box is
    no wider; they may stand within the box.
    """
    inside = [points for points in level if box.low <= points[0][1] <= box.high]
    across = [p for p in inside if abs(p[1][0] - p[0][0]) >= 0.9 * (box.end - box.start)]
    return [points[0][1] for points in across or inside[-1:]]


def _face(artist: Any) -> Colour | None:
    """The colour of a box that is filled."""
    return colour_of(artist) if hasattr(artist, "get_facecolor") else None


def _ends(heights: Sequence[float]) -> tuple[float, float]:
    return min(heights), max(heights)


def _is_small(artist: Any) -> bool:
    """Whether an artist may be a part of a box: of few corners, or markers."""
    if hasattr(artist, "get_xydata"):
        size = len(artist.get_xydata())
        return 0 < size <= _MOST_CORNERS or (size > 0 and _is_markers(artist))
    return type(artist).__name__ == "PathPatch"


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


def _is_markers(line: Any) -> bool:
    return str(line.get_linestyle()) in ("None", "none", " ", "")
