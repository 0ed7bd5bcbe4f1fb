"""One axis of a Matplotlib figure: what it is called, and how it shows a value.

Matplotlib is never imported here: an axis of its means that it is loaded.
"""

from __future__ import annotations

import sys
from datetime import datetime
from functools import cached_property
from typing import Any

from .values import Value, number, range_text

_DATES = {"DateConverter", "ConciseDateConverter", "_SwitchableDateConverter", "DatetimeConverter"}


class AxisReader:
    """Reads one axis; `letter` is x, y or z."""

    def __init__(self, axis: Any, letter: str) -> None:
        self._axis = axis
        self.letter = letter

    @property
    def label(self) -> str:
        return " ".join(str(self._axis.get_label_text()).split())

    @property
    def line(self) -> str:
        """`x axis "light (h)": linear, 4 to 16`; of categories, what they are."""
        title = f'{self.letter} axis "{self.label}"' if self.label else f"{self.letter} axis"
        if self.names:
            return f"{title}: categories {', '.join(list(self.names.values())[:40])}"
        low, high = (self.value(float(end)) for end in self._axis.get_view_interval())
        shown = range_text([low, high])
        return f"{title}: {self._axis.get_scale()}, {shown or f'{number(low)} to {number(high)}'}"

    @cached_property
    def names(self) -> dict[float, str]:
        """The categories by their place: of a categorical axis, or as somebody set the ticks."""
        units = getattr(self._axis, "units", None)
        mapping = getattr(units, "_mapping", None)
        if mapping:
            return {float(place): str(name) for name, place in mapping.items()}
        if type(self._axis.get_major_locator()).__name__ != "FixedLocator":
            return {}
        places = [float(place) for place in self._axis.get_majorticklocs()]
        labels = self._axis.get_major_formatter().format_ticks(places)
        found = {p: str(n) for p, n in zip(places, labels, strict=False) if n}
        # Numbers set by hand are a numeric axis still.
        return {} if all(map(_is_number, found.values())) else found

    def value(self, place: float) -> Value:
        """A value as the axis shows it: a number, a date, a category."""
        if self.names:
            return self.name(place)
        kind = type(self._converter).__name__
        if kind in _DATES:
            return _date(place)
        if kind == "PeriodConverter":
            return self._period(place)
        return place

    def name(self, place: float) -> Value:
        """The category whose place is nearest, within half a step; else the number."""
        nearest = min(self.names, key=lambda known: abs(known - place), default=None)
        return place if nearest is None or abs(nearest - place) > 0.5 else self.names[nearest]

    @property
    def _converter(self) -> Any:
        get = getattr(self._axis, "get_converter", None)
        return get() if get is not None else getattr(self._axis, "converter", None)

    def _period(self, place: float) -> Value:
        pandas = sys.modules.get("pandas")
        freq = getattr(self._axis, "freq", None)
        if pandas is None or freq is None:
            return place
        return str(pandas.Period(ordinal=round(place), freq=freq))


def _date(place: float) -> str:
    from matplotlib.dates import num2date

    moment: datetime = num2date(place)  # type: ignore[no-untyped-call]
    at_midnight = (moment.hour, moment.minute) == (0, 0)
    return f"{moment:%Y-%m-%d}" if at_midnight else f"{moment:%Y-%m-%d %H:%M}"


def _is_number(text: str) -> bool:
    try:
        float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))
    except ValueError:
        return False
    return True
