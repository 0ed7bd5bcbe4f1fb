"""Areas between two curves, as `fill_between`, `stackplot` and pandas draw them."""

from __future__ import annotations

import sys
from typing import Any

from ...messages.plain_text import count
from .chart_numbers import tell_apart, thinned
from .chart_values import named
from .matplotlib_axes import AxisReader, Panel

_MOST_LISTED = 24


def area_text(panel: Panel, artist: Any, label: str) -> str | None:
    """Where an area goes from and to at each place, and how thick it is; None for other shapes."""
    if panel.in_data(artist) != (True, True):
        return f"{named('area', label)}: not where data stand: values not told"
    np = sys.modules["numpy"]
    found = [_between(path, at) for path in artist.get_paths() for at in _directions(artist)]
    parts = [part for part in found if part is not None]
    if not parts or len(parts) != len(artist.get_paths()):
        return None
    at = parts[0][0]
    places, ones, others = (np.concatenate([part[i] for part in parts]) for i in (1, 2, 3))
    along, across = (panel.x, panel.y) if at == 0 else (panel.y, panel.x)
    low, high = np.minimum(ones, others), np.maximum(ones, others)
    shown = panel.overlap(along, places, places) & panel.overlap(across, low, high)
    outside = len(places) - int(shown.sum())
    places, low, high = places[shown], low[shown], high[shown]
    head = f"{named('area', label)}: {count(len(places), 'point')}"
    head += "".join(f" ({said})" for said in panel.outside(outside))
    if not len(places):
        return head
    middle = (low + high) / 2
    if at == 1 and np.ptp(middle) <= 1e-9 * float(np.ptp(high - low)):  # as of a violin
        where = f"mirrored about {across.middle(float(low.min()), float(high.max()))}"
        return f"{head}; {where}; {along.span(places)}; {_thickness(along, places, high - low)}"
    listed = _listed(along, across, places, low, high)
    return f"{head}; {_thickness(along, places, high - low)}; {listed}"


def area_edges(artist: Any, line: Any) -> bool:
    """Whether a line is the far edge of an area that stands on another one: a sum, no value."""
    np = sys.modules["numpy"]
    paths = artist.get_paths()
    part = _between(paths[0], 0) if len(paths) == 1 else None
    if part is None:
        return False
    _, places, ones, others = part
    data = line.get_xydata()
    if len(data) != len(places) or (ones == 0).all() or (others == 0).all():
        return False
    return any(np.array_equal(data, np.column_stack((places, edge))) for edge in (ones, others))


def _directions(artist: Any) -> tuple[int, ...]:
    """Along which coordinate an area may go: as it says itself, where it does."""
    given = getattr(artist, "t_direction", None)
    return (0,) if given == "x" else (1,) if given == "y" else (0, 1)


def _between(path: Any, at: int) -> tuple[int, Any, Any, Any] | None:
    """Places and both edges of one area: a start, there along one edge, an end, and back."""
    np = sys.modules["numpy"]
    corners = path.vertices
    if len(corners) > 1 and (corners[0] == corners[-1]).all():
        corners = corners[:-1]
    size, odd = divmod(len(corners) - 2, 2)
    if size < 1 or odd:
        return None
    there, back = corners[1 : size + 1], corners[size + 2 :][::-1]
    if not np.array_equal(there[:, at], back[:, at]):
        return None
    return at, there[:, at], there[:, 1 - at], back[:, 1 - at]


def _thickness(along: AxisReader, places: Any, thick: Any) -> str:
    low, high = int(thick.argmin()), int(thick.argmax())
    told = tell_apart([float(thick[low]), float(thick[high])])
    at = along.tell(float(places[low]), float(places[high]))
    return f"thinnest {told[0]} at {at[0]}, thickest {told[1]} at {at[1]}"


def _listed(along: AxisReader, across: AxisReader, places: Any, low: Any, high: Any) -> str:
    picked = thinned(len(places), _MOST_LISTED)
    at = along.tell(*places[picked].tolist())
    ends = across.tell(*low[picked].tolist(), *high[picked].tolist())
    thick = tell_apart((high - low)[picked].tolist())
    items = zip(at, ends[: len(picked)], ends[len(picked) :], thick, strict=True)
    which = "points" if len(picked) == len(places) else f"{len(picked)} of them"
    names = f"({along.letter}, from, to, thickness)"
    return f"{which} {names}: {' '.join(f'({a}, {b}, {c}, {d})' for a, b, c, d in items)}"
