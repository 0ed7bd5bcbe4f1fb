"""docs/figures.md says of each kind of Plotly's and Altair's figures what is told of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
import pytest

from claude_magic.captions.figures import figure_data
from claude_magic.captions.figures.vega.vega_child import draw
from claude_magic.captions.figures.vega.vega_figure import NotComputedError, vega_text

PAGE = Path(__file__).parents[3] / "docs" / "figures.md"
ROWS = pd.DataFrame(
    {"k": ["a", "b", "a"], "g": ["u", "u", "v"], "n": [1.0, 2.0, 7.0], "x": [1.0, 3.0, 5.0],
     "day": pd.to_datetime(["2024-01-05 12:00", "2024-02-05 12:00", "2024-02-06 12:00"])}
)  # fmt: skip
CHART = alt.Chart(ROWS)

# Of each row of the table: a figure, and a value that stands in what is told of it.
PLOTLY: dict[str, tuple[go.Figure, str]] = {
    "points and lines": (px.scatter(ROWS, x="x", y="n"), "(5, 7)"),
    "bars and funnels": (px.bar(ROWS, x="k", y="n"), "a 8"),
    "bars as shares (`barnorm`)": (
        go.Figure(go.Bar(x=["a"], y=[3]), {"barnorm": "percent"}),
        "here before that: 1: a 3",
    ),
    "timelines": (
        px.timeline(x_start=["2024-01-01"], x_end=["2024-02-01"], y=["t"]),
        "t from 2024-01-01 to 2024-02-01",
    ),
    "waterfalls": (go.Figure(go.Waterfall(x=["a", "b"], y=[1, 2])), "a 1, b 3"),
    "histograms of categories, or with `xbins`": (
        px.histogram(ROWS, x="k", y="n", histfunc="avg"),
        "a 4",
    ),
    "histograms with bins of plotly.js' own (`nbins` too)": (
        px.histogram(ROWS, x="n", nbins=3),
        "bins not read; x: 3 values, median 2",
    ),
    "boxes and violins": (px.box(ROWS, y="n"), "median 2"),
    "pies, donuts, funnel areas": (px.pie(ROWS, names="k", values="n"), "a 8, b 2"),
    "sunbursts, treemaps, icicles": (
        go.Figure(go.Treemap(labels=["a", "b"], parents=["", "a"], values=[1, 2])),
        "a 3, b (in a) 2",
    ),
    "sankey diagrams": (
        go.Figure(
            go.Sankey(node={"label": ["a", "b"]}, link={"source": [0], "target": [1], "value": [4]})
        ),
        "a to b 4",
    ),
    "heat maps, contours, surfaces": (go.Figure(go.Heatmap(z=[[1, 9]])), "highest 9"),
    "heat maps given by columns": (
        go.Figure(go.Heatmap(x=["a", "b"], y=["u", "v"], z=[1, 2])),
        "heatmap: its values were not read",
    ),
    "histograms in two directions": (px.density_heatmap(ROWS, x="x", y="n"), "were not read"),
    "points in space": (px.scatter_3d(ROWS, x="x", y="n", z="n"), "(5, 7, 7)"),
    "polar and ternary charts, maps": (px.line_polar(ROWS, r="n", theta="k"), "(b, 2)"),
    "candlesticks": (
        go.Figure(go.Ohlc(x=["2024-01-01"], open=[1], high=[3], low=[0], close=[2])),
        "(2024-01-01, 1, 3, 0, 2)",
    ),
    "tables": (go.Figure(go.Table(header={"values": ["h"]}, cells={"values": [[5]]})), "h: 5"),
    "indicators": (go.Figure(go.Indicator(value=7)), "indicator: 7"),
    "parallel coordinates": (px.parallel_coordinates(ROWS, dimensions=["n"]), "n 1 to 7 (3)"),
    "cones, volumes, meshes": (
        go.Figure(go.Mesh3d(x=[0, 1, 0], y=[0, 0, 1], z=[0, 0, 0])),
        "mesh3d: its values were not read",
    ),
    "images": (px.imshow([[[1, 2, 3]]]), 'image "0": its values were not read'),
    "traces in the legend only": (
        go.Figure(go.Bar(y=[77], visible="legendonly")),
        "bar: in the legend only, not shown",
    ),
}
ALTAIR: dict[str, tuple[Any, str]] = {
    "points, circles, squares": (CHART.mark_circle().encode(x="x", y="n"), "(5, 7)"),
    "lines and areas": (CHART.mark_area().encode(x="x", y="n", color="g"), '"v": 3 points'),
    "bars, also stacked, grouped, lying": (CHART.mark_bar().encode(x="k", y="mean(n)"), "a 4"),
    "bars of bins or of time units": (
        CHART.mark_bar().encode(x="yearmonth(day)", y="mean(n)"),
        "2024-02 4.5",
    ),
    "bars from one value to another": (
        CHART.mark_bar().encode(x="x", x2="n", y="k"),
        "a from 5 to 7",
    ),
    "pies": (CHART.mark_arc().encode(theta="sum(n)", color="k"), "a 8"),
    "heat maps": (CHART.mark_rect().encode(x="k", y="g", color="mean(n)"), "(a, v, 7)"),
    "box plots": (CHART.mark_boxplot().encode(y="n"), "median 2"),
    "error bars and bands": (
        CHART.mark_errorbar(extent="iqr").encode(x="k", y="n"),
        "from 2.5 to 5.5",
    ),
    "texts and ticks": (CHART.mark_text().encode(x="x", y="n", text="k"), "(5, 7, a)"),
    "facets, layers, repeated and joined charts": (
        CHART.mark_point().encode(x="x", y="n", column="g"),
        '"g v": 1 point',
    ),
    "data at an address": (alt.Chart("https://example.org/a.csv").mark_bar().encode(x="a:Q"), ""),
    "more than 50,000 rows": (
        {"data": {"values": [{"a": 1}] * 50_001}, "mark": "bar",
         "encoding": {"x": {"field": "a"}}},
        "",
    ),
    "without vl-convert": (CHART.mark_bar().encode(x="a:Q"), ""),
}  # fmt: skip


def table(heading: str) -> dict[str, str]:
    """The kinds of a table of the page, and its word for each."""
    _, _, section = PAGE.read_text("utf-8").partition(f"## {heading}\n")
    section = section.partition("\n## ")[0]
    return dict(re.findall(r"^\| (?!kind |---)(.+?) \| (.+?) \| .+ \|$", section, re.MULTILINE))


def word(said: str) -> str:
    """What the table calls what was told."""
    if "bins not read" in said:
        return "values only"
    unread = ("were not read", "were not computed", "not shown")
    return "no" if any(part in said for part in unread) else "yes"


def test_the_tables_have_a_row_for_each_kind_that_is_tried_here() -> None:
    assert table("Plotly").keys() == PLOTLY.keys()
    assert table("Altair and Vega").keys() == ALTAIR.keys()


@pytest.mark.parametrize("kind", PLOTLY)
def test_the_table_of_plotly_says_what_is_told(kind: str) -> None:
    figure, value = PLOTLY[kind]
    said = figure_data(figure)
    assert value in said
    assert word(said) == table("Plotly")[kind]


@pytest.mark.parametrize("kind", ALTAIR)
def test_the_table_of_altair_says_what_is_told(kind: str) -> None:
    chart, value = ALTAIR[kind]
    spec = chart if isinstance(chart, dict) else json.loads(chart.to_json())

    def compute(spec: Any, kind: str) -> Any:
        return draw(kind, dict(spec))

    def refuse(spec: Any, kind: str) -> Any:
        raise NotComputedError("vl-convert-python is not installed")

    if "address" in kind or "rows" in kind:
        said = vega_text(spec)
    else:
        said = vega_text(spec, compute=refuse if "without" in kind else compute)
    assert value in said
    assert word(said) == table("Altair and Vega")[kind]
    if word(said) == "no":
        assert 'bar by x: "a"' in said
