"""The axes of a Matplotlib panel: what a place along one stands for.

Categories, dates and zones are those of the axis's converter and units. A tick's label is no value:
only labels that were set one by one name something, and only what has an extent within which
exactly one of them lies. Matplotlib is never imported here: an axis of its means that it is loaded.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from ...messages.plain_text import count
from .chart_numbers import Value, ValueScale, tell_apart

_MOST_NAMES = 40
_DATES = {"DateConverter", "ConciseDateConverter", "_SwitchableDateConverter", "DatetimeConverter"}
# A converter is of the first of these classes that it comes from: pandas' periods from dates.
_TIMES = _DATES | {"PeriodConverter", "TimeConverter"}
# What arithmetic adds to a date that is kept as days in a float.
_DATE_NOISE = timedelta(microseconds=2)
_DAY = timedelta(days=1)
_MOMENTS = (
    (timedelta(minutes=1), "%Y-%m-%d %H:%M"),
    (timedelta(seconds=1), "%Y-%m-%d %H:%M:%S"),
    (timedelta(milliseconds=1), "%Y-%m-%d %H:%M:%S.%f"),
)


class AxisReader:
    """Reads one axis; `letter` is x, y or z."""

    def __init__(self, axis: Any, letter: str) -> None:
        self._axis = axis
        self.letter = letter

    @cached_property
    def scale(self) -> ValueScale:
        """How values along this axis are told."""
        if self.categories:
            return ValueScale(self._tell_categories, numeric=False, ordered=False)
        if self._kind in _DATES:
            return ValueScale(self._tell_dates, numeric=False)
        if self._kind == "PeriodConverter":
            return ValueScale(self._tell_periods, numeric=False)
        if self._kind == "TimeConverter":
            return ValueScale(_tell_times, numeric=False)
        return ValueScale()

    @property
    def plain(self) -> bool:
        """Whether places are just numbers."""
        return self.scale.numeric

    def tell(self, *places: float) -> list[str]:
        """The places as text, told apart."""
        return list(self.scale.tell(places))

    def span(self, places: Any) -> str:
        """`x 1 to 2`, of the finite ones of an array of places."""
        np = sys.modules["numpy"]
        there = places[np.isfinite(places)]
        if not there.size:
            return f"{self.letter} nowhere"
        low, high = self.tell(float(there.min()), float(there.max()))
        return f"{self.letter} {low} to {high}" if low != high else f"{self.letter} {low}"

    @property
    def line(self) -> str:
        """`x axis "light (h)": linear, 4 to 16`; of categories, what they are."""
        label = " ".join(str(self._axis.get_label_text()).split())
        title = f'{self.letter} axis "{label}"' if label else f"{self.letter} axis"
        low, high = sorted(self.limits)
        scale = str(self._axis.get_scale())
        if self.categories:
            names = [f'"{name}"' if '"' not in name else name for name in self.categories.values()]
            said = f"categories {', '.join(names[:_MOST_NAMES])}"
            if len(names) > _MOST_NAMES:
                said += f" and {len(names) - _MOST_NAMES} more"
            said += f" at 0 to {len(names) - 1}" if len(names) > 1 else " at 0"
        else:
            if self._kind == "PeriodConverter" and math.ceil(low) <= math.floor(high):
                low, high = math.ceil(low), math.floor(high)  # those that are there whole
            said = f"{scale}, {' to '.join(self.tell(low, high))}"
        return f"{title}: {said}{''.join(f', {word}' for word in self._besides())}"

    def _besides(self) -> Iterator[str]:
        if self._axis.get_inverted():
            yield "inverted"
        if self._kind in _DATES:
            yield f"dates in {self._axis.units}" if self._axis.units else "dates"
        elif self._kind == "PeriodConverter":
            yield "periods"
        elif self._kind not in ("NoneType", "StrCategoryConverter", "TimeConverter", ""):
            yield f"in units of {self._kind} {self._axis.units or ''}".strip()
        if type(self._axis.get_major_formatter()).__name__ == "TimeSeries_TimedeltaFormatter":
            yield "in nanoseconds"
        if self.labels:
            written = list(self.labels.items())
            places = self.tell(*(place for place, _ in written))
            pairs = [f'{at} "{words}"' for at, (_, words) in zip(places, written, strict=True)]
            more = f" and {len(pairs) - _MOST_NAMES} more" if len(pairs) > _MOST_NAMES else ""
            yield f"written at its ticks: {', '.join(pairs[:_MOST_NAMES])}{more}"

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The ends of what is shown, as drawn: the first is the larger on an inverted axis."""
        first, last = self._axis.get_view_interval()
        return float(first), float(last)

    @cached_property
    def categories(self) -> dict[float, str]:
        """The categories by their place, of a categorical axis."""
        mapping = getattr(getattr(self._axis, "units", None), "_mapping", None) or {}
        return {float(place): " ".join(str(name).split()) for name, place in mapping.items()}

    @cached_property
    def labels(self) -> dict[float, str]:
        """The labels that were set one by one, by place, of an axis without a converter."""
        if self._converter is not None:
            return {}
        locator, formatter = self._axis.get_major_locator(), self._axis.get_major_formatter()
        if type(locator).__name__ != "FixedLocator":
            return {}
        found: dict[float, str] = {}
        if type(formatter).__name__ == "FixedFormatter" and locator.nbins is None:
            found = dict(zip(map(float, locator.locs), map(str, formatter.seq), strict=False))
        elif type(formatter).__name__ == "FuncFormatter":
            function = formatter.func
            name = getattr(getattr(function, "func", None), "__name__", "")
            if name == "_format_with_dict" and isinstance(function.args[0], dict):
                found = {float(at): str(words) for at, words in function.args[0].items()}
        return {place: " ".join(words.split()) for place, words in found.items() if words.strip()}

    def within(self, start: float, end: float) -> str | None:
        """The one category, or label that was set, that lies between these places; else None."""
        low, high = min(start, end), max(start, end)
        slack = 1e-9 * (high - low)
        known = self.categories or self.labels
        found = [words for at, words in known.items() if low + slack < at < high - slack]
        return quoted(found[0]) if len(found) == 1 else None

    def middle(self, start: float, end: float) -> str:
        """What stands between two places: its name, its date, or `x=3`, the middle."""
        name = self.within(start, end)
        if name is not None:
            return name
        (told,) = self.tell((start + end) / 2)
        return told if self.scale.ordered and not self.plain else f"{self.letter}={told}"

    @cached_property
    def _converter(self) -> Any:
        get = getattr(self._axis, "get_converter", None)
        return get() if get is not None else getattr(self._axis, "converter", None)

    @cached_property
    def _kind(self) -> str:
        return next(
            (kind.__name__ for kind in type(self._converter).__mro__ if kind.__name__ in _TIMES),
            type(self._converter).__name__,
        )

    def _tell_categories(self, places: Sequence[Value]) -> list[str]:
        """The names of places that are a category's own; of others, such as jittered, numbers."""
        told = tell_apart(places)
        names = [self.categories.get(float(place)) for place in places]
        return [quoted(n) if n is not None else t for n, t in zip(names, told, strict=True)]

    def _tell_dates(self, places: Sequence[Value]) -> list[str]:
        from matplotlib.dates import num2date

        moments: list[datetime | None] = []
        for place in places:
            try:
                # Without a zone it is that of Matplotlib's settings.
                moments.append(num2date(float(place), self._axis.units))  # type: ignore[no-untyped-call]
            except (ValueError, OverflowError):  # beyond the years that Python knows
                moments.append(None)
        told = iter(_told_moments([moment for moment in moments if moment is not None]))
        return [
            next(told) if moment is not None else f"day {tell_apart([place])[0]} since 1970"
            for moment, place in zip(moments, places, strict=True)
        ]

    @property
    def _frequency(self) -> Any:
        return getattr(self._axis, "freq", None) or getattr(self._axis.axes, "freq", None)

    def _tell_periods(self, places: Sequence[Value]) -> list[str]:
        pandas = sys.modules.get("pandas")
        if pandas is None or self._frequency is None:
            return tell_apart(places)
        return [
            str(pandas.Period(ordinal=int(place), freq=self._frequency))
            if place == int(place)
            else f"period {plain}"
            for place, plain in zip(map(float, places), tell_apart(places), strict=True)
        ]


def quoted(name: str) -> str:
    """A category's name; between quotation marks where it could be read as something else."""
    return name if name.replace(" ", "").replace("_", "").isalpha() else f'"{name}"'


def _told_moments(moments: Sequence[datetime]) -> list[str]:
    """Dates with as much time of day as tells them apart, and as they have."""
    ordered = sorted(set(moments))
    gap = min((b - a for a, b in pairwise(ordered) if b - a > _DATE_NOISE), default=timedelta(0))
    whole = [_rounded(moment, _DAY) for moment in moments]
    if all(abs(a - b) <= _DATE_NOISE for a, b in zip(whole, moments, strict=True)):
        return [f"{moment:%Y-%m-%d}" for moment in whole]
    for step, form in _MOMENTS:
        near = [_rounded(moment, step) for moment in moments]
        slack = max(_DATE_NOISE, gap / 100)
        if all(abs(a - b) <= slack for a, b in zip(near, moments, strict=True)):
            said = [moment.strftime(form) for moment in near]
            return [words[:-3] for words in said] if form.endswith("f") else said
    return [f"{moment:%Y-%m-%d %H:%M:%S.%f}" for moment in moments]


def _rounded(moment: datetime, step: timedelta) -> datetime:
    """The nearest whole `step` of the day, by the clock of the moment's own zone."""
    start = moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    into = moment.replace(tzinfo=None) - start
    return (start + step * round(into / step)).replace(tzinfo=moment.tzinfo or UTC)


def _tell_times(places: Sequence[Value]) -> list[str]:
    """Times of day, which pandas keeps as seconds since midnight."""
    return [
        str(timedelta(seconds=round(float(place), 6))) if place == place else "nan"  # noqa: PLR0124
        for place in places
    ]


class Panel:
    """One Axes: its two readers, what it shows, and what was told of already."""

    def __init__(self, axes: Any) -> None:
        self.axes = axes
        self.x = AxisReader(axes.xaxis, "x")
        self.y = AxisReader(axes.yaxis, "y")
        self.flat = axes.name == "rectilinear"
        # By id: what was told of as a part of something larger.
        self.told: set[int] = set()

    def tell_of(self, *artists: Any) -> None:
        self.told |= {id(artist) for artist in artists if artist is not None}

    def overlap(self, axis: AxisReader, lows: Any, highs: Any) -> Any:
        """Which of these ranges, arrays or numbers, are at least partly within the view."""
        low, high = sorted(axis.limits)
        slack = 1e-9 * (high - low)
        # Other projections draw all that there is.
        return (highs >= low - slack) & (lows <= high + slack) | (not self.flat)

    def shown(self, xs: Any, ys: Any) -> Any:
        """Which of these points, arrays of the same length, lie within the view."""
        np = sys.modules["numpy"]
        inside = np.isfinite(xs) & np.isfinite(ys)
        return inside & self.overlap(self.x, xs, xs) & self.overlap(self.y, ys, ys)

    def meets(self, start: float, end: float, axis: AxisReader) -> bool:
        """Whether some of what goes from `start` to `end` along an axis is within the view."""
        return bool(self.overlap(axis, min(start, end), max(start, end)))

    def outside(self, number: int, thing: str = "") -> list[str]:
        """What is said of so many that lie outside of the view; nothing of none."""
        words = count(number, thing) if thing else f"{number:,} more"
        return [f"{words} outside of the view"] if number else []

    def in_data(self, artist: Any) -> tuple[bool, bool]:
        """Whether an artist stands where data stand, along x and along y."""
        x, y = artist.get_transform().contains_branch_seperately(self.axes.transData)
        return bool(x), bool(y)
