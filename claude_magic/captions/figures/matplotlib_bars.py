"""The containers of a Matplotlib panel: bars, error bars, stems; and wedges.

A histogram that `hist` drew as bars cannot be told from bars that touch: they are told as bars,
with their edges.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from .chart_numbers import tell_apart, thinned
from .chart_values import bars_text, named, points_text, steps_text
from .matplotlib_axes import AxisReader, Panel
from .matplotlib_names import LegendNames, colour_of, is_drawn, label_of

_MOST_LISTED = 24


class ContainerReader:
    """Reads what Matplotlib itself keeps together."""

    def __init__(self, panel: Panel, names: LegendNames) -> None:
        self._panel = panel
        self._names = names
        # They are told with their bars.
        self._of_bars = {id(c.errorbar) for c in panel.axes.containers if hasattr(c, "errorbar")}
        self._touching: dict[str, list[tuple[float, float, int]]] = {}

    def read(self, container: Any) -> str | None:
        """What a container says; None for one that is no series by itself."""
        panel = self._panel
        match type(container).__name__:
            case "BarContainer":
                panel.tell_of(*container.patches)
                said = self._bars(container) if len(container.patches) else None
                return said and said + self._errors_of(container.errorbar)
            case "ErrorbarContainer":
                data, caps, ranges = container.lines
                if id(container) in self._of_bars:
                    return None
                panel.tell_of(data, *caps, *ranges)
                label = self._names.of(container, *([data] if data is not None else []))
                if data is None or not is_drawn(data):
                    return f"{named('error bars', label)}{self._errors_of(container)}"
                return points_of_line(panel, data, label) + self._errors_of(container)
            case "StemContainer":
                marks, stems, base = container
                several = stems if isinstance(stems, list | tuple) else [stems]
                panel.tell_of(marks, base, *several)
                label = self._names.of(container, marks)
                return points_of_line(panel, marks, label, "stems")
        return None

    def _bars(self, container: Any) -> str | None:
        panel = self._panel
        upright = getattr(container, "orientation", "vertical") != "horizontal"
        along, across = (panel.x, panel.y) if upright else (panel.y, panel.x)
        label = self._label(container)
        mark = "bars" if upright else "bars lying"
        drawn = [patch for patch in container.patches if is_drawn(patch)]
        if not drawn:
            return None
        if panel.in_data(drawn[0]) != (True, True):
            return f"{named(mark, label)}: {len(drawn)}, not where data stand: values not told"
        ends = [_ends(patch, upright) for patch in drawn]
        kept = [
            (patch, *both)
            for patch, both in zip(drawn, ends, strict=True)
            if panel.meets(*both[0], along) and (panel.meets(*both[1], across) or _is_gap(both[1]))
        ]
        hidden = len(container.patches) - len(drawn)
        besides = panel.outside(len(drawn) - len(kept))
        besides += [f"{hidden} more hidden"] if hidden else []
        if not kept:
            return f"{named(mark, label)}: 0" + "".join(f" ({said})" for said in besides)
        heights = [float(p.get_height() if upright else p.get_width()) for p, _, _ in kept]
        bases = [near for _, _, (near, _) in kept]
        edges = _edges([along_ for _, along_, _ in kept])
        if edges and along.plain and not along.labels and not any(bases):
            return steps_text(
                f"{mark} side by side", label, edges, heights, scale=along.scale, besides=besides
            )
        return bars_text(
            mark,
            label,
            [self._place(along, *ends_) + self._own(patch, label) for patch, ends_, _ in kept],
            heights,
            bases=bases,
            besides=besides,
        )

    def _label(self, container: Any) -> str:
        """Of the container; of its first patch, where `hist` puts it; by its one colour."""
        first = container.patches[0]
        if label := self._names.of(container):
            return label
        labels = {label_of(patch) for patch in container.patches} - {""}
        if len(labels) == 1 and label_of(first):
            return labels.pop()
        colours = {colour_of(patch) for patch in container.patches}
        return self._names.of(colour=colours.pop()) if len(colours) == 1 else ""

    @staticmethod
    def _own(patch: Any, label: str) -> str:
        """What a bar is labelled by itself, as `bar(label=[...])` does."""
        own = label_of(patch)
        return f" {own!r}" if own and own != label else ""

    def _place(self, along: AxisReader, start: float, end: float) -> str:
        """The name of what a bar stands for: its own, or that of the group that it is in.

        Of a group on an axis of dates, the middle.
        """
        dates = along.scale.ordered and not along.plain
        if not dates and not along.categories and not along.labels:
            return along.middle(start, end)
        if along.within(start, end) is None:
            for low, high, size in self._clusters(along):
                if not low <= start <= end <= high or size < 2:
                    continue
                if dates and size <= len(self._panel.axes.containers):
                    return f"group around {along.middle(low, high)}"
                if (name := along.within(low, high)) is not None:
                    return name
        return along.middle(start, end)

    def _clusters(self, along: AxisReader) -> list[tuple[float, float, int]]:
        """Where bars of any container touch each other: from where to where, and how many."""
        if along.letter in self._touching:
            return self._touching[along.letter]
        upright = along.letter == "x"
        # As sets: stacked bars stand at one place.
        ends = sorted(
            {
                (min(_ends(patch, upright)[0]), max(_ends(patch, upright)[0]))
                for container in self._panel.axes.containers
                if type(container).__name__ == "BarContainer"
                and (getattr(container, "orientation", "vertical") != "horizontal") == upright
                for patch in container.patches
            }
        )
        found: list[tuple[float, float, int]] = []
        for low, high in ends:
            if found and low <= found[-1][1] + 1e-6 * (high - low):
                found[-1] = found[-1][0], max(found[-1][1], high), found[-1][2] + 1
            else:
                found.append((low, high, 1))
        return self._touching.setdefault(along.letter, found)

    def _errors_of(self, container: Any) -> str:
        """`; error bars along y: 2.9 to 3.1 at 1, …`, with all their sizes where they are few."""
        if container is None:
            return ""
        panel = self._panel
        data, caps, ranges = container.lines
        panel.tell_of(data, *caps, *ranges)
        letters = ["x"] * bool(container.has_xerr) + ["y"] * bool(container.has_yerr)
        said = ""
        for letter, artist in zip(letters, ranges, strict=False):
            if is_drawn(artist):
                along, across = (panel.x, panel.y) if letter == "x" else (panel.y, panel.x)
                said += f"; error bars along {letter}: {_ranges(panel, artist, along, across)}"
        return said


def _ranges(panel: Panel, artist: Any, along: AxisReader, across: AxisReader) -> str:
    """From where to where each of these segments goes, and at which place."""
    np = sys.modules["numpy"]
    at = 0 if along.letter == "x" else 1
    ends = np.array([segment for segment in artist.get_segments() if len(segment) == 2], float)
    ends = ends.reshape(-1, 2, 2)
    there = np.isfinite(ends).all(axis=(1, 2))
    places = ends[:, 0, 1 - at]
    shown = there & panel.overlap(across, places, places)
    shown &= panel.overlap(along, ends[:, :, at].min(axis=1), ends[:, :, at].max(axis=1))
    kept = ends[shown]
    outside = panel.outside(int(there.sum() - shown.sum()))
    picked = kept[thinned(len(kept), _MOST_LISTED)] if len(kept) else kept
    told = along.tell(*picked[:, :, at].ravel().tolist())
    named_places = across.tell(*picked[:, 0, 1 - at].tolist())
    listed = [
        f"{low} to {high} at {place}"
        for low, high, place in zip(told[::2], told[1::2], named_places, strict=True)
    ]
    rest = len(kept) - len(picked)
    more = f" ({rest:,} more)" if rest else ""
    return ", ".join(listed) + more + "".join(f" ({said})" for said in outside)


def _ends(patch: Any, upright: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """From where to where a bar goes, along its axis and upwards."""
    x, y = float(patch.get_x()), float(patch.get_y())
    width = x, x + float(patch.get_width())
    height = y, y + float(patch.get_height())
    return (width, height) if upright else (height, width)


def _is_gap(ends: tuple[float, float]) -> bool:
    return math.isnan(ends[1])


def _edges(ends: list[tuple[float, float]]) -> list[float]:
    """The edges of bars that stand side by side without gaps, from low to high; else none."""
    if len(ends) < 2 or any(high <= low for low, high in ends):
        return []
    touching = all(
        abs(after[0] - before[1]) <= 1e-6 * (before[1] - before[0])
        for before, after in pairwise(ends)
    )
    return [*(low for low, _ in ends), ends[-1][1]] if touching else []


def points_of_line(panel: Panel, line: Any, label: str, mark: str = "") -> str:
    """What the points of a line say that lie within the view, and how many lie outside."""
    data = line.get_xydata()
    bare = str(line.get_linestyle()) in ("None", "none", " ", "")
    besides = ["drawn as steps"] if str(line.get_drawstyle()).startswith("steps") else []
    mark = mark or ("points" if bare else "line")
    return points_in_view(panel, (mark, label), data[:, 0], data[:, 1], besides)


def points_in_view(
    panel: Panel, named_as: tuple[str, str], xs: Any, ys: Any, besides: list[str]
) -> str:
    """What points say that lie within the view, and how many lie outside."""
    np = sys.modules["numpy"]
    there = np.isfinite(xs) & np.isfinite(ys)
    shown = panel.shown(xs, ys)
    outside = there & ~shown
    return points_text(
        *named_as,
        xs[~outside],
        ys[~outside],
        scales=(panel.x.scale, panel.y.scale),
        besides=[*panel.outside(int(outside.sum())), *besides],
    )


def wedges(axes: Any, names: LegendNames) -> Iterator[tuple[list[Any], str]]:
    """The wedges about one centre, ring by ring, and what they say."""
    rings: dict[tuple[float, ...], list[Any]] = {}
    for patch in axes.patches:
        if type(patch).__name__ == "Wedge":
            rings.setdefault((float(patch.r), float(patch.width or 0)), []).append(patch)
    for ring in rings.values():
        shown = [wedge for wedge in ring if is_drawn(wedge)]
        labels = [names.of(wedge, colour=colour_of(wedge)) for wedge in shown]
        shares = [100 * (wedge.theta2 - wedge.theta1) / 360 for wedge in shown]
        told = tell_apart([float(f"{share:.6g}") for share in shares])
        items = [f"{name or 'unnamed'} {t}" for name, t in zip(labels, told, strict=True)]
        yield ring, f"pie, shares in per cent: {len(shown)}: {', '.join(items)}"
