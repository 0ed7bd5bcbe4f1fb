"""The boxes of a box plot, put together again from the lines and patches that Matplotlib drew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .matplotlib_axis import AxisReader
from .values import number

Point = tuple[float, float]


@dataclass(frozen=True)
class Boxes:
    """What boxes say, a line each, and the ids of the artists that they were made of."""

    lines: tuple[str, ...] = ()
    artists: frozenset[int] = frozenset()


@dataclass(frozen=True)
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


def _points(data: Any, turned: bool) -> Sequence[Point]:
    return tuple(_pairs(data, turned))


def _pairs(data: Any, turned: bool) -> Iterator[Point]:
    for first, second in data.tolist():
        yield (second, first) if turned else (first, second)


def _spans(box: _Box, points: Sequence[Point]) -> bool:
    """Whether a level line goes through the box; in a notched one it is shorter."""
    return abs(points[1][0] - points[0][0]) >= 0.4 * (box.end - box.start)


def _is_markers(line: Any) -> bool:
    return str(line.get_linestyle()) in ("None", "none", " ", "")
