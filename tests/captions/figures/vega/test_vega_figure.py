"""What is said of Altair's and other Vega figures, and where nothing could be computed."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import pandas as pd
import pytest

from claude_magic.captions.figures import bundle_data, figure_data
from claude_magic.captions.figures.vega.vega_child import draw
from claude_magic.captions.figures.vega.vega_figure import vega_text
from claude_magic.captions.figures.vega.vega_marks import marks_text

TABLE = pd.DataFrame(
    {
        "dose": [1.0, 2.0, 3.0, 4.0],
        "growth": [2.0, 4.0, 6.0, 9.0],
        "plant": list("abab"),
        "plot": list("uuvv"),
        "day": pd.to_datetime(
            ["2024-01-30 12:00", "2024-02-01 12:00", "2024-02-03 12:00", "2025-02-01 12:00"]
        ),
    }
)
CHART = alt.Chart(TABLE)

SAID: dict[str, tuple[Any, list[str]]] = {
    "points by colour": (
        CHART.mark_point().encode(x="dose", y="growth", color="plant"),
        ['points "a": 2 points; x 1 to 3; y lowest 2 at 1', 'points "b": 2 points; x 2 to 4'],
    ),
    "titles of axes": (
        CHART.mark_point().encode(x="dose", y=alt.Y("growth", title="mm")),
        ['x axis: "dose"', 'y axis: "mm"'],
    ),
    "a mean in bins": (
        CHART.mark_bar().encode(x=alt.X("dose").bin(step=2), y="mean(growth)"),
        ["bars: 2: 0 to 2 2, 2 to 4 6.33"],
    ),
    "counts": (CHART.mark_bar().encode(x="plant", y="count()"), ["bars: 2: a 2, b 2"]),
    "lying bars": (
        CHART.mark_bar().encode(y="plant", x="sum(growth)"),
        ["bars lying: 2: a 8, b 13"],
    ),
    "raw rows, which Vega-Lite stacks": (
        CHART.mark_bar().encode(x="plant", y="growth"),
        ["bars: 2: a 8, b 13; each the sum of what is stacked at its place, 4 bars in all"],
    ),
    "stacked bars": (
        CHART.mark_bar().encode(x="plot", y="growth", color="plant"),
        ['bars "a": 2: u 2, v 6; stacked', 'bars "b": 2: u 4, v 9; stacked'],
    ),
    "shares": (
        CHART.mark_bar().encode(x="plot", y=alt.Y("growth").stack("normalize"), color="plant"),
        ['bars "a": 2: u 2, v 6; drawn as shares of all at their place'],
    ),
    "a pie": (
        CHART.mark_arc().encode(theta="sum(growth)", color="plant"),
        ["arcs: 2: a 8, b 13"],
    ),
    "months": (
        CHART.mark_line().encode(x="yearmonth(day)", y="mean(growth)"),
        ["line: 3 points", "(2024-01, 2) (2024-02, 5) (2025-02, 9)"],
    ),
    "months of all years": (
        CHART.mark_line().encode(x="month(day)", y="mean(growth)"),
        ["(Jan, 2)", "(Feb, 6.33"],
    ),
    "days": (
        CHART.mark_line().encode(x="yearmonthdate(day)", y="growth"),
        ["(2024-01-30, 2)", "(2025-02-01, 9)"],
    ),
    "facets": (
        CHART.mark_point().encode(x="dose", y="growth").facet("plant:N"),
        ["repeated for each plant", 'points "plant a": 2 points; x 1 to 3'],
    ),
    "rows and columns": (
        CHART.mark_bar().encode(x="plant", y="growth", row="plot", column="plant"),
        ['"plot u, plant a": 1: a 2', '"plot v, plant b": 1: b 9'],
    ),
    "layers": (
        CHART.mark_line().encode(x="dose", y="growth") + CHART.mark_rule().encode(y="max(growth)"),
        ["line: 4 points", "rule: 1 mark; y 9 to 9"],
    ),
    "side by side": (
        CHART.mark_line().encode(x="dose", y="growth")
        | CHART.mark_bar().encode(x="plant", y="count()"),
        ["drawn in panel 1 of 2:", "drawn in panel 2 of 2:"],
    ),
    "repeats": (
        CHART.mark_point()
        .encode(x=alt.X(alt.repeat("column"), type="quantitative"), y="growth")
        .repeat(column=["dose", "growth"]),
        ["repeated for each dose, growth", "drawn in panel 2 of 2"],
    ),
    "a log axis": (
        CHART.mark_point().encode(x=alt.X("dose").scale(type="log"), y="growth"),
        ['x axis: "dose", log'],
    ),
    "an axis that runs down": (
        CHART.mark_point().encode(x="dose", y=alt.Y("growth").scale(reverse=True)),
        ['y axis: "growth", reversed'],
    ),
    "what is cut off": (
        CHART.mark_point(clip=True).encode(x=alt.X("dose").scale(domain=[0, 2.5]), y="growth"),
        ['x axis: "dose", 0 to 2.5', "points: 2 points", "2 more outside the view"],
    ),
    "boxes": (
        CHART.mark_boxplot().encode(x="plant", y="growth"),
        ["box of a: median 4, quartiles 3 and 5, whiskers 2 to 6"],
    ),
    "lying boxes": (
        CHART.mark_boxplot().encode(y="plant", x="growth"),
        ["box of b: median 6.5, quartiles 5.25 and 7.75, whiskers 4 to 9"],
    ),
    "a filter": (
        CHART.transform_filter("datum.dose > 1").mark_point().encode(x="dose", y="growth"),
        ["points: 3 points; x 2 to 4"],
    ),
    "a formula": (
        CHART.transform_calculate(twice="datum.dose * 2")
        .mark_point()
        .encode(x="twice:Q", y="growth"),
        ["points: 4 points; x 2 to 8"],
    ),
    "a regression": (
        CHART.transform_regression("dose", "growth").mark_line().encode(x="dose", y="growth"),
        ["line: 2 points; x 1 to 4; y lowest 1.8 at 1, highest 8.7 at 4"],
    ),
    "a density": (
        CHART.transform_density("growth", as_=["v", "d"]).mark_area().encode(x="v:Q", y="d:Q"),
        ["area: ", "x 2 to 9"],
    ),
    "a heat map": (
        CHART.mark_rect().encode(x="plant", y="plot", color="mean(growth)"),
        ["cells: 4 cells; x 2 names, y 2 names, colour 2 to 9", "(a, u, 2)", "(b, v, 9)"],
    ),
    "from where to where": (
        CHART.mark_bar().encode(x="dose", x2="growth", y="plot"),
        ["bars: 4: u from 1 to 2, u from 2 to 4, v from 3 to 6, v from 4 to 9"],
    ),
    "error bars": (
        CHART.mark_errorbar(extent="stdev").encode(x="plant", y="growth"),
        ["rules: 2: a from 1.17157 to 6.82843, b from 2.96447 to 10.0355"],
    ),
    "texts": (
        CHART.mark_text().encode(x="dose", y="growth", text="plant"),
        ["texts: 4 texts", "(1, 2, a)"],
    ),
    "sizes and colours": (
        CHART.mark_circle().encode(x="dose", y="growth", size="dose", color="growth:Q"),
        ["colour stands for 2 to 9", "size stands for 1 to 4"],
    ),
    "bars side by side": (
        CHART.mark_bar().encode(x="plot", xOffset="plant", y="growth"),
        ['bars "a": 2: u 2, v 6', 'bars "b": 2: u 4, v 9'],
    ),
}


@pytest.mark.met("N5", "N12")
@pytest.mark.parametrize("case", SAID)
def test_of_an_altair_figure_is_said(case: str) -> None:
    chart, parts = SAID[case]
    spec = json.loads(chart.to_json())
    said = vega_text(spec, compute=lambda spec, kind: draw(kind, dict(spec)))
    assert [part for part in parts if part not in said] == [], said


@pytest.mark.met("N5")
def test_an_altair_figure_is_computed_in_a_process_of_its_own() -> None:
    said = figure_data(CHART.mark_bar().encode(x=alt.X("dose").bin(step=2), y="mean(growth)"))
    assert "bars: 2: 0 to 2 2, 2 to 4 6.33" in said


def test_altair_says_the_same_from_what_was_displayed() -> None:
    chart = alt.Chart(TABLE, title="Peas").mark_point().encode(x="dose", y="growth")
    assert bundle_data(chart._repr_mimebundle_()) == figure_data(chart)
    assert 'title "Peas"' in figure_data(chart)


def test_a_vega_figure_of_another_tool_is_read_too() -> None:
    spec = {
        "$schema": "https://vega.github.io/schema/vega/v5.json",
        "title": "Trees",
        "width": 100,
        "height": 100,
        "data": [{"name": "t", "values": [{"k": "ash", "n": 3}, {"k": "oak", "n": 5}]}],
        "scales": [
            {"name": "x", "type": "band", "domain": {"data": "t", "field": "k"}, "range": "width"},
            {"name": "y", "domain": {"data": "t", "field": "n"}, "range": "height"},
        ],
        "marks": [
            {
                "type": "rect",
                "from": {"data": "t"},
                "encode": {
                    "enter": {
                        "x": {"scale": "x", "field": "k"},
                        "width": {"scale": "x", "band": 1},
                        "y": {"scale": "y", "field": "n"},
                        "y2": {"scale": "y", "value": 0},
                    }
                },
            }
        ],
    }
    said = bundle_data({"application/vnd.vega.v5+json": spec})
    assert 'title "Trees"' in said and "bars: 2: ash 3, oak 5" in said


NOT_COMPUTED = {
    "data at an address": (
        {"data": {"url": "https://example.org/a.csv"}, "mark": "point"},
        "its data are not in it, but at an address",
    ),
    "an address in a layer": (
        {"layer": [{"mark": "bar", "data": {"url": "a.json"}}], "data": {"values": []}},
        "its data are not in it, but at an address",
    ),
    "too many rows": (
        {"data": {"values": [{"a": 1}] * 50_001}, "mark": "point"},
        "50,001 rows are too many",
    ),
    "what is no figure": ({"mark": 7, "data": {"values": []}}, ""),
}


@pytest.mark.parametrize("case", NOT_COMPUTED)
def test_where_nothing_was_computed_that_is_said_and_no_row_is_told(case: str) -> None:
    spec, reason = NOT_COMPUTED[case]
    encoding = {"y": {"field": "a", "aggregate": "mean", "type": "quantitative"}}
    said = vega_text({**spec, "encoding": encoding})
    assert f"a Vega-Lite figure whose values were not computed: {reason}" in said
    assert "points" not in said and "bars:" not in said
    assert 'mean of "a"' in said or "layer" in spec


def test_a_computation_that_takes_too_long_is_ended_and_said() -> None:
    spec = json.loads(CHART.mark_point().encode(x="dose", y="growth").to_json())
    said = vega_text(spec, seconds=0.01)
    assert "not computed: it took more than 0.01 s" in said
    assert 'x: "dose"' in said


def test_an_address_within_a_figure_is_not_opened() -> None:
    """Not by the transforms of Vega either: what they would load is refused by the process."""
    spec = {
        "data": [{"name": "t", "url": {"signal": "'http://127.0.0.1:9/' + 'a.json'"}}],
        "marks": [],
    }
    said = bundle_data({"application/vnd.vega.v5+json": spec})
    assert "not computed: its data are not in it" in said


def test_hundreds_of_marks_are_thinned_and_statistics_are_of_all() -> None:
    table = pd.DataFrame({"x": range(3_000), "y": [at % 977 for at in range(3_000)]})
    said = marks_text(
        draw("Vega-Lite", json.loads(alt.Chart(table).mark_point().encode(x="x", y="y").to_json()))
    )
    assert "3,000 points" in said and "highest 976" in said and len(said) < 1_500
