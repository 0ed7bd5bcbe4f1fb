"""Segments, events, arrows, tables, and what stands in space, of a Matplotlib panel."""

from __future__ import annotations

import sys
from typing import Any

from .chart_numbers import tell_apart, thinned
from .chart_values import named, range_text
from .matplotlib_axes import Panel
from .matplotlib_names import LegendNames, colour_of, label_of

_MOST_LISTED = 24
_MOST_CELLS = 60


def segments_text(panel: Panel, names: LegendNames, artist: Any) -> str | None:
    """Segments: upright and level ones each with its ends, others by where they are in all."""
    np = sys.modules["numpy"]
    label = names.of(artist, colour=colour_of(artist))
    along_x, along_y = panel.in_data(artist)
    segments = [segment for segment in artist.get_segments() if len(segment)]
    if not segments:
        return None
    if not along_x or not along_y:
        return f"{named('segments', label)}: {len(segments)}, not where data stand: not told"
    points = np.concatenate([np.asarray(segment, float) for segment in segments])
    if all(len(segment) == 2 for segment in segments):
        ends = points.reshape(-1, 2, 2)
        for at, mark in ((0, "upright segments"), (1, "level segments")):
            if (ends[:, 0, at] == ends[:, 1, at]).all():
                return f"{named(mark, label)}: {_straight(panel, ends, at)}"
    where = f"{panel.x.span(points[:, 0])}, {panel.y.span(points[:, 1])}"
    return f"{named('segments', label)}: {len(segments)}; {where}"


def _straight(panel: Panel, ends: Any, at: int) -> str:
    place, span = (panel.x, panel.y) if at == 0 else (panel.y, panel.x)
    places = ends[:, 0, at]
    low, high = ends[:, :, 1 - at].min(axis=1), ends[:, :, 1 - at].max(axis=1)
    shown = panel.overlap(place, places, places) & panel.overlap(span, low, high)
    outside = panel.outside(len(places) - int(shown.sum()))
    places, low, high = places[shown], low[shown], high[shown]
    picked = thinned(len(places), _MOST_LISTED)
    told = place.tell(*places[picked].tolist())
    froms = span.tell(*low[picked].tolist(), *high[picked].tolist())
    items = [
        f"{a} to {b} at {c}"
        for a, b, c in zip(froms[: len(picked)], froms[len(picked) :], told, strict=True)
    ]
    more = "" if len(picked) == len(places) else f" ({len(picked)} of them)"
    said = "".join(f" ({words})" for words in outside)
    return f"{len(places)}{said}: {', '.join(items)}{more}"


def events_text(panel: Panel, names: LegendNames, artist: Any) -> str:
    """Events in a row: at which height it stands, and where they are."""
    level = artist.get_orientation() == "horizontal"
    along, across = (panel.x, panel.y) if level else (panel.y, panel.x)
    places = sorted(float(place) for place in artist.get_positions())
    shown = [place for place in places if panel.meets(place, place, along)]
    label = names.of(artist, colour=colour_of(artist))
    (row,) = across.tell(float(artist.get_lineoffset()))
    head = f"{named('events', label)} at {across.letter} = {row}: {len(shown)}"
    head += "".join(f" ({said})" for said in panel.outside(len(places) - len(shown)))
    if not shown:
        return head
    listed = [shown[at] for at in thinned(len(shown), _MOST_LISTED)]
    more = "" if len(listed) == len(shown) else f" ({len(listed)} of them)"
    return f"{head}: {', '.join(along.tell(*listed))}{more}"


def arrows_text(panel: Panel, names: LegendNames, artist: Any) -> str:
    """Arrows of a field: where they stand and what they point to, some of them."""
    np = sys.modules["numpy"]
    name = type(artist).__name__
    columns = [("X", "Y", "U", "V"), ("x", "y", "u", "v")][name == "Barbs"]
    x, y, u, v = (np.ma.asarray(getattr(artist, c), float).filled(np.nan) for c in columns)
    x, y, u, v = np.broadcast_arrays(*(part.ravel() for part in (x, y, u, v)))
    there = np.isfinite(u) & np.isfinite(v)
    shown = there & panel.shown(x, y)
    head = f"{named('arrows' if name == 'Quiver' else 'wind barbs', names.of(artist))}: "
    head += f"{int(shown.sum())}"
    head += "".join(f" ({s})" for s in panel.outside(int(there.sum() - shown.sum())))
    x, y, u, v = x[shown], y[shown], u[shown], v[shown]
    if not len(x):
        return head
    picked = thinned(len(x), _MOST_LISTED)
    at_x, at_y = panel.x.tell(*x[picked].tolist()), panel.y.tell(*y[picked].tolist())
    along = [tell_apart(part[picked].tolist()) for part in (u, v)]
    items = " ".join(f"({a}, {b}, {c}, {d})" for a, b, c, d in zip(at_x, at_y, *along, strict=True))
    spans = f"u {range_text(u.tolist())}, v {range_text(v.tolist())}"
    which = "all" if len(picked) == len(x) else f"{len(picked)} of them"
    return f"{head}; {spans}; {which} (x, y, u, v): {items}"


def table_text(artist: Any) -> str:
    """The cells of a table, row by row."""
    rows: dict[int, list[str]] = {}
    for (row, _), cell in sorted(artist.get_celld().items()):
        rows.setdefault(row, []).append(" ".join(str(cell.get_text().get_text()).split()))
    lines = [" | ".join(row) for row in rows.values()]
    more = f" … and {len(lines) - _MOST_CELLS} more rows" if len(lines) > _MOST_CELLS else ""
    return f"a table of {len(lines)} rows: {' / '.join(lines[:_MOST_CELLS])}{more}"


def space_text(names: LegendNames, artist: Any) -> str:
    """What stands in space: how many points or corners, and the range of each coordinate."""
    np = sys.modules["numpy"]
    label = names.of(artist)
    if hasattr(artist, "get_data_3d"):
        mark, parts = "line in space", artist.get_data_3d()
    elif hasattr(artist, "_offsets3d"):
        mark, parts = "points in space", artist._offsets3d
    elif hasattr(artist, "_segments3d"):
        segments = [np.asarray(segment, float) for segment in artist._segments3d]
        mark, parts = "segments in space", np.concatenate(segments).T
        return f"{named(mark, label)}: {len(segments)}; {_ranges(parts)}"
    elif hasattr(artist, "_faces"):
        faces = np.ma.asarray(artist._faces, float).filled(np.nan)
        parts = faces.reshape(-1, 3).T
        return f"{named('surface in space', label)}: {len(faces)} faces; {_ranges(parts)}"
    else:
        return f"{named(type(artist).__name__, label_of(artist))}: values not read"
    return f"{named(mark, label)}: {len(parts[0])}; {_ranges(parts)}"


def _ranges(parts: Any) -> str:
    np = sys.modules["numpy"]
    said = []
    for name, part in zip("xyz", parts, strict=False):
        values = np.ma.asarray(part, float).filled(np.nan)
        there = values[np.isfinite(values)]
        said.append(f"{name} {range_text([float(there.min()), float(there.max())])}")
    return ", ".join(said)
