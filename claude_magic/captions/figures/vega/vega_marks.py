"""The marks of a Vega figure, with the values that Vega computed for them, as text.

What is said of a mark follows from which channels draw a field: bars are rectangles with a place
on one side and a length on the other, a histogram's have two ends, cells have two places.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ....messages.plain_text import count
from ....value_classes import frozen
from ..chart_values import Value, bars_text, number
from ..columns import columns, xy_text
from ..json_values import NO_VALUE, is_there, name_of

_MOST_SERIES = 24
_MOST_INTERVALS = 24
_MOST_LINES = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DISCRETE = ("band", "point", "ordinal")
_TIMES = ("time", "utc")
_SERIES = ("fill", "stroke", "shape", "strokeDash", "opacity", "xOffset", "yOffset", "xcOffset")
_MEANINGS = {"fill": "colour", "stroke": "colour", "size": "size", "opacity": "opacity"}


def marks_text(drawn: Mapping[str, Any]) -> str:
    """What `vega_child.py` computed: the axes and the marks of each panel."""
    panels = list(dict.fromkeys(each["panel"] for each in drawn["marks"]))
    lines: list[str] = []
    whiskers = _whiskers(drawn["marks"])
    for at, panel in enumerate(panels, 1):
        if len(panels) > 1:
            lines.append(f"drawn in panel {at} of {len(panels)}:")
        axes = [axis for axis in drawn["axes"] if axis["panel"] == panel]
        lines += dict.fromkeys(said for axis in axes if (said := _axis(axis)))
        for mark in drawn["marks"]:
            if mark["panel"] == panel:
                lines += _mark(mark, whiskers)
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES} more lines"]
    return "\n".join(lines)


def _axis(axis: Mapping[str, Any]) -> str:
    letter = "x" if axis["axis"] in ("bottom", "top") else "y"
    kind, ends = str(axis["type"]), axis.get("domain") or []
    said = [f'"{axis["title"]}"'] if axis["title"] else []
    said += [kind] if kind in ("log", "symlog", "pow", "sqrt", "time", "utc") else []
    if len(ends) == 2 and kind not in _TIMES:
        low, high = sorted(ends)
        said.append(f"{number(low)} to {number(high)}")
    said += ["reversed"] if axis["reverse"] or (ends and ends != sorted(ends)) else []
    return f"{letter} axis: {', '.join(said)}" if said else ""


@frozen
class _Series:
    """Marks of one colour and facet: their values by channel, `label` what they have in common."""

    label: str
    channels: Mapping[str, Mapping[str, Any]]
    values: Mapping[str, Sequence[Value]]

    def first(self, *names: str) -> Sequence[Value]:
        """The values of the first of these channels that draws a field; none where none does."""
        return next((self.values[name] for name in names if name in self.values), [])

    def is_discrete(self, *names: str) -> bool:
        """Whether the first of these channels that draws a field has a scale of names."""
        kind = next((self.channels[n]["type"] for n in names if n in self.channels), "")
        return kind in _DISCRETE


def _mark(mark: Mapping[str, Any], whiskers: Mapping[Any, tuple[float, float]]) -> Iterator[str]:
    if not mark["rows"] or not mark["channels"] or "boxplot-rule" in mark["styles"]:
        return
    found = _columns(mark)
    found, outside = _in_view(mark, found)
    series = list(_split(mark, found))
    for one in series[:_MOST_SERIES]:
        said = _told(mark, one, whiskers)
        if said:
            unread = [name for name in mark["computed"] if name[:1] in "xy"]
            yield said + (f"; {', '.join(unread)} computed, not read" if unread else "")
    if len(series) > _MOST_SERIES:
        yield f"… {len(series) - _MOST_SERIES} more series"
    if outside:
        yield f"{outside:,} more outside the view"


def _columns(mark: Mapping[str, Any]) -> dict[str, list[Value]]:
    return {
        name: [_value(row[at], channel) for row in mark["rows"]]
        for at, (name, channel) in enumerate(mark["channels"].items())
    }


def _value(item: Any, channel: Mapping[str, Any]) -> Value:
    kind, units = channel["type"], channel.get("units")
    if isinstance(item, Mapping):
        return _moment(item["time"], units)
    if isinstance(item, float) and (kind in _TIMES or units):
        return _moment(item, units)
    if isinstance(item, float):
        return name_of(item) if kind in _DISCRETE else item
    if item is None:
        return "null" if kind in _DISCRETE else NO_VALUE
    return str(item)


def _moment(milliseconds: float, units: Sequence[str] | None) -> Value:
    """A date to the precision of its time units: `2024-03`, `Mar`, `Mon`, `14:00`."""
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return NO_VALUE
    known = " ".join(sorted(units or ()))
    if "quarter" in known:
        quarter = f"Q{(moment.month + 2) // 3}"
        return {"quarter": quarter, "quarter year": f"{moment.year} {quarter}"}.get(known, NO_VALUE)
    if known in _UNITS:
        return moment.strftime(_UNITS[known])
    if known and "year" not in known:
        return NO_VALUE  # how such a part of a date is written is not known here
    text = moment.replace(tzinfo=None).isoformat(" ")
    text = text.rstrip("0") if "." in text else text
    return text.removesuffix(" 00:00:00")


# Time units of Vega, in the order of the alphabet, and how they are written.
_UNITS = {
    "year": "%Y",
    "month year": "%Y-%m",
    "date month year": "%Y-%m-%d",
    "date month": "%b %d",
    "month": "%b",
    "date": "%d",
    "day": "%a",
    "week": "W%U",
    "dayofyear": "%j",
    "hours": "%H:00",
    "hours minutes": "%H:%M",
    "hours minutes seconds": "%H:%M:%S",
    "minutes": "%M",
    "seconds": "%S",
}


def _in_view(
    mark: Mapping[str, Any], found: dict[str, list[Value]]
) -> tuple[dict[str, list[Value]], int]:
    """The values of marks within the domains that the figure sets, where it cuts at them."""
    if not mark["clip"]:
        return found, 0
    kept = list(range(len(mark["rows"])))
    for name in ("x", "xc", "y", "yc"):
        ends = mark["channels"].get(name, {}).get("domain") or []
        if len(ends) == 2 and mark["type"] in ("symbol", "text", "line", "trail"):
            low, high = sorted(ends)
            values = found[name]
            kept = [at for at in kept if not _is_outside(values[at], low, high)]
    outside = len(mark["rows"]) - len(kept)
    return {name: [values[at] for at in kept] for name, values in found.items()}, outside


def _is_outside(value: Value, low: float, high: float) -> bool:
    return not isinstance(value, str) and not low <= value <= high and is_there(value)


def _split(mark: Mapping[str, Any], found: Mapping[str, list[Value]]) -> Iterator[_Series]:
    """The marks by colour, shape and facet, but where these only repeat the place."""
    channels = mark["channels"]
    placed = {channels[name]["field"] for name in ("x", "xc", "y", "yc") if name in channels}
    by = [name for name in channels if name.startswith("facet ")]
    for name in _SERIES:
        channel = channels.get(name)
        if channel and channel["type"] in _DISCRETE and channel["field"] not in placed:
            by.append(name)
    one_each = {channels[name]["field"]: name for name in reversed(by)}
    by = list(reversed(one_each.values()))
    if mark["type"] == "arc":  # each is named by its colour
        by = [name for name in by if name.startswith("facet ")]
    groups: dict[tuple[Value, ...], list[int]] = {}
    for at in range(len(next(iter(found.values()), []))):
        groups.setdefault(tuple(found[name][at] for name in by), []).append(at)
    for key, places in groups.items():
        label = ", ".join(
            f"{channels[name]['field']} {number(value)}"
            if name.startswith("facet ")
            else number(value)
            for name, value in zip(by, key, strict=True)
        )
        values = {n: [found[n][at] for at in places] for n in found if n not in by}
        yield _Series(label, channels, values)


def _told(
    mark: Mapping[str, Any], one: _Series, whiskers: Mapping[Any, tuple[float, float]]
) -> str:
    kind, styles = str(mark["type"]), mark["styles"]
    if "boxplot-median" in styles:
        return ""
    if "boxplot-box" in styles:
        return _boxes(one, whiskers)
    x, y = one.first("x", "xc"), one.first("y", "yc")
    match kind:
        case "rect":
            return _rectangles(one, "ticks" if "tick" in styles else "bars")
        case "symbol" if x and y:
            mark_of = "outliers" if "boxplot-outliers" in styles else "points"
            return xy_text(mark_of, one.label, x, y) + _meanings(one)
        case "line" | "trail" if x and y:
            return xy_text("line", one.label, x, y)
        case "area" if x and y:
            return _area(one, x, y)
        case "arc":
            return _arcs(one)
        case "rule" if "x2" in one.values or "y2" in one.values:
            return _intervals(one, "rules")
        case "text" if "text" in one.values:
            kept = {name: v for name, v in (("x", x), ("y", y)) if v}
            return columns("texts", one.label, {**kept, "text": one.first("text")}, "text")
    return columns(kind, one.label, _rest(one), "mark")


def _rest(one: _Series) -> dict[str, Sequence[Value]]:
    """The values of the channels that the series still has, by what each stands for."""
    return {
        {"xc": "x", "yc": "y"}.get(name, _MEANINGS.get(name, name)): values
        for name, values in one.values.items()
        if not name.startswith(("part ", "facet "))
    }


def _meanings(one: _Series) -> str:
    said = ""
    for name, word in _MEANINGS.items():
        values = [v for v in one.values.get(name, []) if not isinstance(v, str) and is_there(v)]
        if values:
            said += f"; {word} stands for {number(min(values))} to {number(max(values))}"
    return said


def _rectangles(one: _Series, mark: str) -> str:
    """Bars of a place and a length, of a histogram, from one end to another, or cells."""
    sizes = one.first("value")
    across, along = _sides(one)
    names = _places(one, across, stacked=bool(sizes) and along == across)
    lengths = sizes or one.first(along, f"{along}c")
    if along != across and names and lengths:
        if not sizes and f"{along}2" in one.values:
            return _intervals(one, mark)
        lying = " lying" if across == "y" and mark == "bars" else ""
        numbers = [NO_VALUE if isinstance(value, str) else value for value in lengths]
        if not one.is_discrete(along, f"{along}c"):
            if sizes:
                return _stacked(f"{mark}{lying}", one, names, numbers)
            return bars_text(f"{mark}{lying}", one.label, names, numbers)
    cells: dict[str, Sequence[Value]] = {}
    for letter in "xy":
        if there := _places(one, letter, stacked=False):
            cells[letter] = there
    for name, word in _MEANINGS.items():
        if name in one.values:
            cells[word] = one.values[name]
    kind = "ticks" if mark == "ticks" else "cells"
    return columns(kind, one.label, cells, kind[:-1])


def _stacked(mark: str, one: _Series, names: Sequence[Value], sizes: Sequence[float]) -> str:
    """Bars of which those of one place and sign stand on each other, added up."""
    totals: dict[tuple[Value, bool], list[float]] = {}
    for name, size in zip(names, sizes, strict=False):
        if is_there(size):
            totals.setdefault((name, size >= 0), []).append(size)
    sums = [math.fsum(parts) for parts in totals.values()]
    said = bars_text(mark, one.label, [name for name, _ in totals], sums)
    parts = sum(map(len, totals.values()))
    if parts > len(totals):
        said += f"; each the sum of what is stacked at its place, {count(parts, 'bar')} in all"
    # Rows without a colour are stacked too: one a place is just a bar.
    return said + (_share(one) if one.label else "")


def _share(one: _Series) -> str:
    offset = one.channels.get("value", {}).get("offset")
    shares = "; drawn as shares of all at their place"
    return {"normalize": shares, "zero": "; stacked", "center": "; stacked"}.get(str(offset), "")


def _sides(one: _Series) -> tuple[str, str]:
    """The side on which a rectangle has its place, and the one along which it is long."""
    raw = [name for name in ("x", "y") if f"{name}2" in one.channels]
    if "value" in one.channels:  # stacked along the side whose ends the stack computed
        field = one.channels["value"]["field"]
        for letter in "xy":
            ends = [one.channels.get(f"{letter}{end}", {}).get("field", "") for end in ("", "2")]
            if all(name.endswith(("_start", "_end")) for name in ends) and _of_stack(ends, field):
                return ("y" if letter == "x" else "x"), letter
    for letter, other in (("x", "y"), ("y", "x")):
        if f"{letter}c" in one.channels and f"{other}c" not in one.channels:
            return letter, other
        if one.is_discrete(letter) and not one.is_discrete(other, f"{other}c"):
            return letter, other
    if raw == ["x"]:
        return "x", "y"
    if raw == ["y"]:
        return "y", "x"
    return "x", "x"


def _of_stack(ends: Sequence[str], field: str) -> bool:
    return {end.removesuffix("_start").removesuffix("_end") for end in ends} == {field}


def _places(one: _Series, letter: str, *, stacked: bool) -> list[Value]:
    """Where each rectangle stands on one side: a name, or from where to where."""
    first, second = one.first(letter, f"{letter}c"), one.first(f"{letter}2")
    if not first or not second or stacked:
        return list(first)
    if one.channels[f"{letter}2"].get("units"):  # the unit's own name says where it ends
        return list(second if str(one.channels[letter]["field"]).endswith("_end") else first)
    found: list[Value] = []
    for ends in zip(first, second, strict=True):
        if all(is_there(end) for end in ends):
            low, high = sorted(ends, key=_order)
            found.append(f"{number(low)} to {number(high)}")
        else:
            found.append("null")
    return found


def _order(value: Value) -> tuple[bool, float, str]:
    text = isinstance(value, str)
    return text, 0.0 if isinstance(value, str) else value, str(value)


def _intervals(one: _Series, mark: str) -> str:
    """Marks that reach from one value to another, each by its place where it has one."""
    along = "y" if "y2" in one.values else "x"
    other = "x" if along == "y" else "y"
    places = one.first(other, f"{other}c")
    ends = list(zip(one.first(along), one.first(f"{along}2"), strict=False))
    said = []
    for at, pair in enumerate(ends):
        if all(is_there(end) for end in pair):
            low, high = sorted(pair, key=_order)
            place = f"{number(places[at])} " if at < len(places) else ""
            said.append(f"{place}from {number(low)} to {number(high)}")
    if not said:
        return columns(mark, one.label, _rest(one), "mark")
    more = f", and {len(said) - _MOST_INTERVALS} more" if len(said) > _MOST_INTERVALS else ""
    head = f'{mark} "{one.label}"' if one.label else mark
    return f"{head}: {len(said)}: {', '.join(said[:_MOST_INTERVALS])}{more}"


def _area(one: _Series, x: Sequence[Value], y: Sequence[Value]) -> str:
    sizes = one.first("value")
    if sizes:
        upright = "y2" in one.values
        pair = (x, sizes) if upright else (sizes, y)
        return xy_text("area", one.label, *pair) + _share(one)
    if "y2" in one.values or "x2" in one.values:
        letter = "y" if "y2" in one.values else "x"
        ends = {f"{letter} from": one.first(letter), f"{letter} to": one.first(f"{letter}2")}
        place = {"x": x} if letter == "y" else {"y": y}
        return columns("band", one.label, {**place, **ends})
    return xy_text("area", one.label, x, y)


def _arcs(one: _Series) -> str:
    names = one.first("fill", "stroke")
    starts, ends = one.first("startAngle", "theta"), one.first("endAngle", "theta2")
    sizes = list(one.first("value"))
    if not sizes:
        sizes = [
            abs(a - b) if not isinstance(a, str) and not isinstance(b, str) else NO_VALUE
            for a, b in zip(starts, ends, strict=False)
        ]
    if not sizes or "outerRadius" in one.values:
        return columns("arcs", one.label, _rest(one), "arc")
    labels = list(names) or [f"arc {at + 1}" for at in range(len(sizes))]
    return bars_text(
        "arcs", one.label, labels, [NO_VALUE if isinstance(v, str) else v for v in sizes]
    )


def _whiskers(marks: Sequence[Mapping[str, Any]]) -> dict[Any, tuple[float, float]]:
    """The ends of the whiskers of a box plot, by the panel and the place of its box."""
    found: dict[Any, list[float]] = {}
    boxes = Counter(mark["panel"] for mark in marks if "boxplot-box" in mark["styles"])
    for mark in marks:
        # Of two box plots in one panel it is not known whose whiskers they are.
        if "boxplot-rule" not in mark["styles"] or boxes[mark["panel"]] > 1:
            continue
        for one in _split(mark, _columns(mark)):
            along = _box_side(one)
            for at, place in enumerate(_box_places(one, along)):
                for end in (along, f"{along}2"):
                    value = one.values.get(end, [])[at : at + 1]
                    if value and not isinstance(value[0], str) and is_there(value[0]):
                        found.setdefault((mark["panel"], one.label, place), []).append(value[0])
    return {key: (min(ends), max(ends)) for key, ends in found.items()}


def _box_side(one: _Series) -> str:
    field = str(one.channels.get("x", {}).get("field", ""))
    return "x" if "_box_" in field or "_whisker_" in field or "x2" in one.channels else "y"


def _box_places(one: _Series, along: str) -> list[Value]:
    other = "x" if along == "y" else "y"
    there = list(one.first(other, f"{other}c"))
    return there or [""] * len(next(iter(one.values.values()), []))


def _boxes(one: _Series, whiskers: Mapping[Any, tuple[float, float]]) -> str:
    along = _box_side(one)
    parts = {
        name.split()[1].split("_box_")[0]: values
        for name, values in one.values.items()
        if name.startswith("part ") and "_box_" in name
    }
    said = []
    for at, place in enumerate(_box_places(one, along)):
        ends = [
            parts[name][at] if name in parts else NO_VALUE for name in ("mid", "lower", "upper")
        ]
        head = f'box "{one.label}"' if one.label else "box"
        head += f" of {number(place)}" if place != "" else ""
        text = (
            f"{head}: median {number(ends[0])}, quartiles {number(ends[1])} and {number(ends[2])}"
        )
        reach = [found for key, found in whiskers.items() if key[1:] == (one.label, place)]
        if len(reach) == 1:
            text += f", whiskers {number(reach[0][0])} to {number(reach[0][1])}"
        said.append(text)
    return "; ".join(said)
