"""Things that have a value in each of several columns, as a line of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...messages.plain_text import count
from .chart_values import Value, named, number, points_text, range_text
from .json_values import as_date, is_there

_MOST_LISTED = 12


def columns(
    kind: str, label: str, found: Mapping[str, Sequence[Value]], noun: str = "point"
) -> str:
    """How many things have a value in each column, the ranges, and some of them."""
    there = {name: values for name, values in found.items() if values}
    rows = list(zip(*there.values(), strict=False))
    whole = [row for row in rows if all(is_there(value) for value in row)]
    said = f"{named(kind, label)}: {count(len(whole), noun)}"
    if len(rows) > len(whole):
        said += f" ({len(rows) - len(whole)} more without a value)"
    if not whole:
        return said
    ranges = []
    for at, name in enumerate(there):
        values = [row[at] for row in whole]
        if any(isinstance(value, str) for value in values):
            dates = sorted(map(str, values)) if _are_dates(values) else []
            what = f"{dates[0]} to {dates[-1]}" if dates else count(len(set(values)), "name")
            ranges.append(f"{name} {what}")
        else:
            ranges.append(f"{name} {range_text(values)}")
    step = max(1, (len(whole) - 1) // (_MOST_LISTED - 1)) if len(whole) > _MOST_LISTED else 1
    some = whole[::step][:_MOST_LISTED]
    which = f"{noun}s" if len(some) == len(whole) else f"{len(some)} of them"
    shown = " ".join(f"({', '.join(map(number, row))})" for row in some)
    return f"{said}; {', '.join(ranges)}; {which}: {shown}"


def xy_text(mark: str, label: str, x: Sequence[Value], y: Sequence[Value]) -> str:
    """A line on points of two axes, of which each may hold numbers, dates or names.

    Names that come again, and dates that a line goes back to, have no first and last: of them it is
    said how many there are.
    """
    names = [value for value in x if isinstance(value, str)]
    if any(isinstance(value, str) for value in y):
        return columns(mark, label, {"x": x, "y": y})
    if not names:
        return points_text(mark, label, x, y)
    if not _are_dates(names):
        if len(set(names)) < len(names):
            return columns(mark, label, {"x": x, "y": y})
        return points_text(mark, label, x, y)
    pairs = [pair for pair in zip(x, y, strict=False) if isinstance(pair[0], str)]
    if mark == "line" and names != sorted(names):
        return columns(mark, label, {"x": x, "y": y})
    lost = min(len(x), len(y)) - len(pairs)  # told as points without a value
    pairs.sort(key=lambda pair: str(pair[0]))
    gaps = [float("nan")] * lost
    return points_text(
        mark, label, [*(a for a, _ in pairs), *gaps], [*(b for _, b in pairs), *gaps]
    )


def _are_dates(values: Sequence[Value]) -> bool:
    """Whether all are dates as they are told here, so that their order is that of their text."""
    return all(
        isinstance(value, str)
        and value[:4].isdecimal()
        and value[4:5] == "-"
        and as_date(value) == value
        for value in values
    )
