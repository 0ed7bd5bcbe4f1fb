"""The axes of a Plotly figure, and what the values on them are: numbers, dates, categories.

The rule is that of plotly.js (plots/cartesian/axis_autotype.js): an axis without a type has the
type that the values of its first trace have.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from ....value_classes import frozen
from ..chart_values import Value, number
from ..json_values import (
    NO_VALUE,
    Spec,
    as_date,
    as_number,
    is_date,
    is_number,
    is_there,
    listed,
    mapping,
    merged,
    name_of,
    words,
)

_MOST_TYPED = 1_000  # so many values of an array say what type its axis has


@frozen
class Axis:
    """`kind` is linear, log, date, category or multicategory; `given` is what the layout says.

    `view` is the lower and the upper end that the layout sets, as values (a log axis' ends are
    written as exponents), each None where plotly.js chooses it.
    """

    name: str
    kind: str
    given: Spec
    view: tuple[Value | None, Value | None]
    reversed: bool

    def values(self, items: Sequence[Any]) -> list[Value]:
        """What the items are on this axis; NaN where plotly.js draws nothing."""
        match self.kind:
            case "linear" if set(map(type, items)) == {float}:  # many, as a rule
                return list(items)
            case "linear":
                return [as_number(item) for item in items]
            case "log":
                numbers = [as_number(item) for item in items]
                return [value if value > 0 else NO_VALUE for value in numbers]
            case "date":
                return [as_date(item) for item in items]
            case "multicategory" if len(items) == 2:
                return [" / ".join(map(name_of, pair)) for pair in zip(*items, strict=False)]
        return [NO_VALUE if item is None else name_of(item) for item in items]

    @property
    def is_cut(self) -> bool:
        """Whether the layout sets an end of it, beyond which values are not shown."""
        return self.view != (None, None)

    def shows(self, value: Value) -> bool:
        """Whether a value lies within the view that the layout sets."""
        low, high = self.view
        if self.kind in ("category", "multicategory"):
            return True
        return not (
            (low is not None and value < low) or (high is not None and value > high)  # type: ignore[operator]
        )

    @property
    def is_measure(self) -> bool:
        """Whether its values are numbers."""
        return self.kind in ("linear", "log")

    def text(self) -> str:
        """`x axis 2: "dose", log, 100 to 10000, reversed`; empty where there is nothing to say."""
        title = words(self.given.get("title"))
        said = [f'"{title}"'] if title else []
        said += [self.kind] if self.kind != "linear" else []
        low, high = (None if end is None else number(end) for end in self.view)
        if low is not None and high is not None:
            said.append(f"{low} to {high}")
        elif low is not None or high is not None:
            said.append(f"from {low}" if high is None else f"up to {high}")
        said += ["reversed"] if self.reversed else []
        said += (
            [f"over the {self.given['overlaying']} axis"] if self.given.get("overlaying") else []
        )
        return f"{self.name[0]} axis{self.name[1:]}: {', '.join(said)}" if said else ""


def axes_of(layout: Spec, traces: Sequence[Spec]) -> dict[str, Axis]:
    """The axes that the traces stand on, by the name that a trace calls them by: x, y2."""
    found: dict[str, Axis] = {}
    for trace in traces:
        for letter in "xy":
            name = str(trace.get(f"{letter}axis") or letter)
            if name not in found:
                found[name] = _axis(name, layout, traces)
    return found


def _given(name: str, layout: Spec) -> Spec:
    theme = mapping(mapping(layout.get("template")).get("layout"))
    key = f"{name[0]}axis{name[1:]}"
    return merged(theme.get(f"{name[0]}axis"), layout.get(key))


def _axis(name: str, layout: Spec, traces: Sequence[Spec]) -> Axis:
    given = _given(name, layout)
    leader = str(given.get("matches") or "")
    ranged = given if given.get("range") or not leader else _given(leader, layout)
    kind = str(given.get("type") or "-")
    if kind not in ("linear", "log", "date", "category", "multicategory"):
        strict = _strict(given, layout)
        kind = _type_of_traces(name, traces, strict=strict)
    auto = ranged.get("autorange")
    back = isinstance(auto, str) and "reversed" in auto
    low, high = _end(ranged.get("minallowed"), kind), _end(ranged.get("maxallowed"), kind)
    ends = listed(ranged.get("range"))
    if len(ends) == 2 and auto in (None, False):
        first, last = (_end(end, kind) for end in ends)
        # Numbers or dates both, or one of them not there.
        back = first is not None and last is not None and first > last  # type: ignore[operator]
        low, high = (last, first) if back else (first, last)
    if kind in ("category", "multicategory"):  # its ends are places, not values
        low = high = None
    return Axis(name, kind, given, (low, high), back)


def _strict(given: Spec, layout: Spec) -> bool:
    theme = mapping(mapping(layout.get("template")).get("layout"))
    own = given.get("autotypenumbers") or layout.get("autotypenumbers")
    return (own or theme.get("autotypenumbers")) == "strict"


def _end(end: Any, kind: str) -> Value | None:
    if end is None:
        return None
    try:
        value = as_date(end) if kind == "date" else as_number(end)
    except ValueError:
        return None
    if kind == "log" and not isinstance(value, str):
        value = 10.0**value if value < 300 else NO_VALUE
    return None if not is_there(value) else value


def _type_of_traces(name: str, traces: Sequence[Spec], *, strict: bool) -> str:
    letter = name[0]
    for trace in traces:
        if str(trace.get(f"{letter}axis") or letter) != name or trace.get("visible") is False:
            continue
        kind = trace.get("type")
        try:
            items = listed(trace.get(letter))
        except (ValueError, TypeError, KeyError):  # that trace will say that it is not read
            continue
        if kind in ("candlestick", "ohlc") and letter == "y":
            return "linear"
        if not items and trace.get(f"{letter}0") is not None:
            items = [trace[f"{letter}0"]]
        if kind == "histogram" and items and letter == ("x" if lies(trace) else "y"):
            return "linear"
        if not items and kind in ("box", "violin") and letter == ("y" if lies(trace) else "x"):
            return "category"
        if items:
            return type_of(items, strict=strict)
    return "linear"


def lies(trace: Spec) -> bool:
    """Whether bars or boxes of the trace lie on their side."""
    given = trace.get("orientation")
    if given in ("h", "v"):
        return bool(given == "h")
    x, y = bool(listed(trace.get("x"))), bool(listed(trace.get("y")))
    kind = trace.get("type")
    if kind == "funnel":
        return x or not y
    return y and not x if kind == "histogram" else x and not y


def type_of(items: Sequence[Any], *, strict: bool) -> str:
    """The type that plotly.js gives an axis with these items."""
    if items and all(isinstance(item, list) for item in items[:2]):
        return "multicategory"
    seen = list(_sampled(items))
    dates = sum(is_date(item) for item in seen)
    numbers = sum(is_number(item) for item in seen)
    if dates > 2 * numbers:
        return "date"
    names = 0
    numbers = 0
    for item in seen:
        if isinstance(item, bool):
            names += 1
        elif isinstance(item, int | float) or (not strict and is_there(as_number(item))):
            numbers += 1
        elif isinstance(item, str) and item not in ("", "None"):
            names += 1
    return "category" if names > 2 * numbers else "linear"


def _sampled(items: Sequence[Any]) -> Iterator[Any]:
    step = max(1.0, (len(items) - 1) / _MOST_TYPED)
    seen: set[str] = set()
    place = 0.0
    while place < len(items):
        item = items[min(math.floor(place + 0.5), len(items) - 1)]
        if (text := str(item)) not in seen:
            seen.add(text)
            yield item
        place += step
