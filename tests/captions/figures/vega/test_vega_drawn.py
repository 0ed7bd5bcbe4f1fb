"""What is told of random Altair figures is what pandas computes of their rows.

20 figures a kind; `make fuzz` tries 300. Each text is read back and held to the truth.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from typing import Any, TypeAlias

import altair as alt
import numpy as np
import pandas as pd
import pytest

from claude_magic.captions.figures.vega.vega_child import draw
from claude_magic.captions.figures.vega.vega_marks import marks_text

FIGURES = int(os.environ.get("FIGURES", "20"))
Random: TypeAlias = np.random.Generator
Truth: TypeAlias = "dict[str, dict[str, float]]"
"""By series, "" where there is but one: the value at each place."""


def rows(rng: Random) -> pd.DataFrame:
    """Up to 300 rows with repeats, negative values and holes."""
    length = int(rng.choice([1, 2, 5, 30, 300]))
    several = int(rng.integers(1, 8))
    size = 10.0 ** rng.integers(-2, 5)
    table = pd.DataFrame(
        {
            "kind": [f"c{at}" for at in rng.integers(0, several, length)],
            "year": [2000 + int(at) for at in rng.integers(0, several, length)],
            "group": [f"g{at}" for at in rng.integers(0, 3, length)],
            "size": np.round(rng.normal(size=length) * size, 4),
            "width": rng.integers(0, 40, length) + 0.5,  # of a bin's end Vega has its own rules
            "day": pd.Timestamp("2023-01-05 12:00")
            + pd.to_timedelta(rng.integers(0, 600, length), "D"),
        }
    )
    table.loc[rng.random(length) < rng.choice([0, 0.1]), "size"] = None
    return table


def told(chart: Any) -> str:
    return marks_text(draw("Vega-Lite", json.loads(chart.to_json())))


def read_bars(said: str, mark: str = "bars") -> Truth:
    """The bars that a text tells of, by series."""
    found: Truth = {}
    for line in said.splitlines():
        match = re.match(rf'{mark}(?: lying)?(?: "(.*?)")?: (\d+)(?:: ([^;]*))?', line)
        if match and int(match[2]):
            listed = re.sub(r", and \d+ more$", "", match[3]).split(", ")
            pairs = [part.rsplit(" ", 1) for part in listed]
            assert len(pairs) == min(int(match[2]), 40), line
            found[match[1] or ""] = {name: float(value) for name, value in pairs}
            assert len(found[match[1] or ""]) == len(pairs), f"a place twice: {line}"
    return found


def assert_near(found: Truth, truth: Truth) -> None:
    truth = {
        series: {name: float(v) for name, v in places.items() if not math.isnan(v)}
        for series, places in truth.items()
    }
    truth = {series: places for series, places in truth.items() if places}
    assert found.keys() == truth.keys()
    for series, places in truth.items():
        assert found[series].keys() == places.keys(), series
        steps = np.diff(sorted(set(places.values())))
        near = float(min(steps, default=0.0)) / 100
        for name, value in places.items():
            told_value = found[series][name]
            assert math.isclose(told_value, value, rel_tol=6e-4, abs_tol=max(near, 1e-9)), name


def by(table: pd.DataFrame, field: str, how: str, series: str | None = None) -> Truth:
    """What pandas makes of "size" by `field`, and by `series` too."""
    parts = table.groupby(series) if series else [("", table)]
    return {
        str(name): {
            str(place): float(value)
            for place, value in part.dropna(subset="size").groupby(field)["size"].agg(how).items()
        }
        for name, part in parts
    }


HOW = {"mean": "mean", "sum": "sum", "median": "median", "min": "min", "max": "max"}


def aggregates(rng: Random, table: pd.DataFrame) -> tuple[Any, Truth, str]:
    how = str(rng.choice(list(HOW)))
    field = str(rng.choice(["kind", "year"]))
    place, size = f"{field}:O", f"{how}(size)"
    sides = {"x": size, "y": place} if rng.random() < 0.3 else {"x": place, "y": size}
    return alt.Chart(table).mark_bar().encode(**sides), by(table, field, how), "bars"


def raw(rng: Random, table: pd.DataFrame) -> tuple[Any, Truth, str]:
    """Rows of one place, which stand on each other."""
    table = table.assign(size=table["size"].abs())
    return alt.Chart(table).mark_bar().encode(x="kind", y="size"), by(table, "kind", "sum"), "bars"


def stacks(rng: Random, table: pd.DataFrame) -> tuple[Any, Truth, str]:
    stack = rng.choice(["zero", "normalize", "center"])
    chart = (
        alt.Chart(table)
        .mark_bar()
        .encode(x="kind", y=alt.Y("sum(size)").stack(str(stack)), color="group")
    )
    return chart, by(table, "kind", "sum", "group"), "bars"


def groups(rng: Random, table: pd.DataFrame) -> tuple[Any, Truth, str]:
    chart = alt.Chart(table).mark_bar().encode(x="kind", xOffset="group", y="mean(size)")
    return chart, by(table, "kind", "mean", "group"), "bars"


def facets(rng: Random, table: pd.DataFrame) -> tuple[Any, Truth, str]:
    chart = alt.Chart(table).mark_bar().encode(x="kind", y="mean(size)", column="group")
    truth = by(table, "kind", "mean", "group")
    return chart, {f"group {name}": places for name, places in truth.items()}, "bars"


def bins(rng: Random, table: pd.DataFrame) -> tuple[Any, Truth, str]:
    step = int(rng.choice([5, 10, 20]))
    low = (table["width"] // step).astype(int) * step
    names = low.astype(str) + " to " + (low + step).astype(str)
    table = table.assign(bin=names)
    how = str(rng.choice(["count", "mean", "sum"]))
    size = "count()" if how == "count" else f"{how}(size)"
    chart = (
        alt.Chart(table.drop(columns="bin"))
        .mark_bar()
        .encode(x=alt.X("width").bin(step=step), y=size)
    )
    if how == "count":
        return chart, {"": {k: float(v) for k, v in names.value_counts().items()}}, "bars"
    return chart, by(table, "bin", how), "bars"


def months(rng: Random, table: pd.DataFrame) -> tuple[Any, Truth, str]:
    unit, form = [("yearmonth", "%Y-%m"), ("month", "%b"), ("year", "%Y")][rng.integers(3)]
    truth = by(table.assign(place=table["day"].dt.strftime(form)), "place", "mean")
    return alt.Chart(table).mark_bar().encode(x=f"{unit}(day)", y="mean(size)"), truth, "bars"


def arcs(rng: Random, table: pd.DataFrame) -> tuple[Any, Truth, str]:
    table = table.assign(size=table["size"].abs())
    chart = alt.Chart(table).mark_arc().encode(theta="sum(size)", color="kind")
    return chart, by(table, "kind", "sum"), "arcs"


BARS: dict[str, Callable[[Random, pd.DataFrame], tuple[Any, Truth, str]]] = {
    each.__name__: each for each in (aggregates, raw, stacks, groups, facets, bins, months, arcs)
}


@pytest.mark.met("N5")
@pytest.mark.parametrize("kind", BARS)
def test_bars_of_random_altair_figures_are_told_as_pandas_computes_them(kind: str) -> None:
    for seed in range(FIGURES):
        rng = np.random.default_rng(seed)
        chart, truth, mark = BARS[kind](rng, rows(rng))
        said = told(chart)
        try:
            assert_near(read_bars(said, mark), truth)
        except Exception as error:
            error.add_note(f"{kind}, seed {seed}: {said}\n{truth}")
            raise


def test_points_of_random_altair_figures_are_those_of_their_rows() -> None:
    for seed in range(FIGURES):
        rng = np.random.default_rng(seed)
        table = rows(rng)
        said = told(alt.Chart(table).mark_point().encode(x="width", y="size", color="group"))
        for name, part in table.dropna(subset="size").groupby("group"):
            (line,) = [line for line in said.splitlines() if f'points "{name}"' in line]
            assert f": {len(part):,} point" in line, (seed, line)
            ends = re.search(r"y lowest (\S+) at .*?, highest (\S+) at", line)
            steps = np.diff(sorted(set(part["size"])))
            near = max(float(min(steps, default=0)) / 100, 1e-9)
            for text, value in zip(
                ends.groups(), (part["size"].min(), part["size"].max()), strict=True
            ):  # type: ignore[union-attr]
                assert math.isclose(float(text), value, rel_tol=6e-4, abs_tol=near), (seed, line)


def test_boxes_of_random_altair_figures_have_the_quartiles_of_their_rows() -> None:
    for seed in range(FIGURES):
        rng = np.random.default_rng(seed)
        table = rows(rng).dropna(subset="size")
        if table.empty:
            continue
        said = told(alt.Chart(table).mark_boxplot(extent="min-max").encode(x="kind", y="size"))
        found = {
            place: [float(value) for value in values]
            for place, *values in re.findall(
                r"box of (\w+): median (\S+), quartiles (\S+) and (\S+), "
                r"whiskers (\S+) to ([^\s;]+)",
                said,
            )
        }
        parts = table.groupby("kind")["size"]
        assert found.keys() == set(parts.groups), (seed, said)
        for place, part in parts:
            truth = [part.quantile(q) for q in (0.5, 0.25, 0.75, 0, 1)]
            near = max(float(min(np.diff(sorted(set(truth))), default=0)) / 100, 1e-9)
            for one, value in zip(found[str(place)], truth, strict=True):
                assert math.isclose(one, value, rel_tol=6e-4, abs_tol=near), (seed, place, said)
