"""What is said of a Plotly figure beside the numbers of its marks, kind by kind."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from claude_magic.captions.figures import bundle_data, figure_data

ROWS = pd.DataFrame({"kind": list("ababac"), "sales": [1.0, 2, 3, 4, 5, 6], "shop": list("uuvvuv")})


def with_layout(trace: Any, **layout: Any) -> go.Figure:
    return go.Figure(trace, layout)


SAID = {
    "raw rows of px.bar, added up": (
        lambda: px.bar(ROWS, x="kind", y="sales"),
        ["a 9, b 6, c 6", "each the sum of what is stacked at its place, 6 bars in all"],
    ),
    "raw rows of px.pie, added up": (
        lambda: px.pie(ROWS, names="kind", values="sales"),
        ["pie: 3: a 9, b 6, c 6"],
    ),
    "sums of px.histogram": (
        lambda: px.histogram(ROWS, x="kind", y="sales", histfunc="sum"),
        ["bars, sum of y: 3: a 9, b 6, c 6"],
    ),
    "means of px.histogram": (
        lambda: px.histogram(ROWS, x="kind", y="sales", histfunc="avg"),
        ["bars, avg of y: 3: a 3, b 3, c 6"],
    ),
    "sums in bins of plotly.js' own": (
        lambda: px.histogram(x=[1.0, 2.0, 9.0], y=[5, 6, 7], histfunc="sum"),
        ["bins not read; bars show sum of y; x: 3 values", "y: 3 values, median 6"],
    ),
    "nbins, which is only a maximum": (
        lambda: px.histogram(x=[1.0, 2.0, 9.0], nbins=3),
        ["bins not read"],
    ),
    "a log axis": (
        lambda: with_layout(go.Scatter(y=[200, 900]), yaxis={"type": "log", "range": [2, 4]}),
        ["y axis: log, 100 to 10000"],
    ),
    "an axis that runs down": (
        lambda: with_layout(go.Scatter(y=[1, 2]), yaxis={"range": [3, 0]}),
        ["y axis: 0 to 3, reversed"],
    ),
    "an axis that plotly turns round": (
        lambda: with_layout(go.Scatter(y=[1, 2]), yaxis={"autorange": "reversed"}),
        ["y axis: reversed"],
    ),
    "what is in the legend only": (
        lambda: go.Figure(
            [go.Scatter(y=[1, 2], name="on"), go.Bar(y=[77], name="off", visible="legendonly")]
        ),
        ['bar "off": in the legend only, not shown'],
    ),
    "what is outside the view": (
        lambda: with_layout(go.Scatter(x=[1, 2, 50], y=[1, 2, 3]), xaxis={"range": [0, 10]}),
        ["2 points; x 1 to 2", "1 more outside the view"],
    ),
    "dates outside the view": (
        lambda: with_layout(
            go.Bar(x=["2024-01-01", "2025-01-01"], y=[1, 2]),
            xaxis={"range": ["2024-06-01", "2026-01-01"]},
        ),
        ["bars: 1: 2025-01-01 2; 1 more outside the view"],
    ),
    "boxes that lie": (
        lambda: px.box(ROWS, x="sales", y="kind", orientation="h"),
        ["box lying of a: 3 values, median 3, quartiles 1.5 and 4.5"],
    ),
    "quartiles as plotly.js has them": (
        lambda: go.Figure(go.Box(y=[1, 2, 3, 4, 100])),
        ["quartiles 1.75 and 28"],
    ),
    "violins": (
        lambda: px.violin(ROWS, x="kind", y="sales"),
        ["violin of a: 3 values, median 3"],
    ),
    "a hole": (lambda: px.pie(names=["u"], values=[1], hole=0.5), ["donut: 1: u 1"]),
    "the sizes of error bars": (
        lambda: go.Figure(go.Scatter(y=[1, 2], error_y={"array": [0.5, 0.25]})),
        ["error bars of y: sizes 0.25 to 0.5"],
    ),
    "error bars of bars": (
        lambda: go.Figure(go.Bar(x=["a"], y=[1], error_y={"type": "constant", "value": 2})),
        ["bars: 1: a 1; error bars of y: 2"],
    ),
    "error bars of two sizes": (
        lambda: go.Figure(go.Scatter(y=[1], error_y={"array": [3], "arrayminus": [4]})),
        ["error bars of y: sizes up 3 to 3, down 4 to 4"],
    ),
    "error bars in per cent": (
        lambda: go.Figure(go.Scatter(y=[1], error_y={"type": "percent", "value": 5})),
        ["error bars of y: 5 per cent of each value"],
    ),
    "points in space": (
        lambda: px.scatter_3d(x=[0, 1], y=[2, 3], z=[4, 5]),
        ["points in space: 2 points; x 0 to 1, y 2 to 3, z 4 to 5"],
    ),
    "a surface": (
        lambda: go.Figure(go.Surface(z=[[1, 2], [3, 4]])),
        ["surface: 2 rows x 2 columns; lowest 1 at row 1, column 1"],
    ),
    "a polar chart": (
        lambda: go.Figure(go.Scatterpolar(r=[1, 2], theta=["N", "E"])),
        ["scatterpolar: 2 points; theta 2 names, r 1 to 2; points: (N, 1) (E, 2)"],
    ),
    "a map": (
        lambda: go.Figure(go.Choropleth(locations=["FRA", "DEU"], z=[3, 4])),
        ["choropleth: 2 points; locations 2 names, z 3 to 4; points: (FRA, 3) (DEU, 4)"],
    ),
    "candlesticks": (
        lambda: go.Figure(
            go.Candlestick(x=["2024-01-02"], open=[1], high=[4], low=[0.5], close=[2])
        ),
        [
            "candlestick: 1 point; x 2024-01-02 to 2024-01-02, open 1 to 1",
            "(2024-01-02, 1, 4, 0.5, 2)",
        ],
    ),
    "a table": (
        lambda: go.Figure(
            go.Table(header={"values": ["a", "b"]}, cells={"values": [[1, 2], ["x", "y"]]})
        ),
        ["table: 2 rows: a | b: 1 | x / 2 | y"],
    ),
    "an indicator": (
        lambda: go.Figure(
            go.Indicator(
                mode="number+delta+gauge",
                value=7,
                delta={"reference": 5},
                gauge={"axis": {"range": [0, 10]}},
                title="Speed",
            )
        ),
        ['indicator "Speed": 7, 2 against 5, on a gauge from 0 to 10'],
    ),
    "a kind that is not read": (
        lambda: go.Figure(go.Cone(x=[1], y=[1], z=[1], u=[1], v=[1], w=[1], name="wind")),
        ['cone "wind": its values were not read'],
    ),
    "counts in two directions": (
        lambda: px.density_heatmap(x=[1, 2], y=[1, 2]),
        ["histogram2d: its values were not read"],
    ),
    "what a dropdown once transformed": (
        lambda: {"data": [{"y": [1, 2], "transforms": [{"type": "filter"}], "name": "w"}]},
        ['scatter "w": its values were not read (it is transformed before it is drawn)'],
    ),
    "a timeline": (
        lambda: px.timeline(
            [{"s": "2024-01-01", "e": "2024-02-01", "t": "dig"}], x_start="s", x_end="e", y="t"
        ),
        ["dig from 2024-01-01 to 2024-02-01"],
    ),
    "bars as shares": (
        lambda: with_layout([go.Bar(x=["a"], y=[1]), go.Bar(x=["a"], y=[3])], barnorm="percent"),
        ["drawn as per cent of the total of their place, here before that: 1: a 3"],
    ),
    "names that are numbers": (
        lambda: px.bar(x=["2023", "2024"], y=[5, 6]),
        ['x axis: "x", category', "2023 5, 2024 6"],
    ),
    "names in two levels": (
        lambda: go.Figure(go.Bar(x=[["u", "u"], ["a", "b"]], y=[1, 2])),
        ["u / a 1, u / b 2"],
    ),
    "a zone, which plotly.js drops": (
        lambda: go.Figure(go.Bar(x=["2024-01-01T10:00:00+02:00"], y=[3])),
        ["2024-01-01 10:00:00 3"],
    ),
    "numbers that are years on an axis of dates": (
        lambda: go.Figure([go.Bar(x=["2024-01-01"], y=[1]), go.Bar(x=[2025], y=[2], name="n")]),
        ['bars "n": 1: 2025-01-01 2'],
    ),
    "years of two digits, which depend on today": (
        lambda: go.Figure([go.Bar(x=["2024-01-01"], y=[1]), go.Bar(x=[25], y=[2], name="n")]),
        ['bar "n": its values were not read'],
    ),
    "whole numbers": (
        lambda: {"data": [{"y": {"dtype": "i4", "bdata": "AQAAAAIAAAA="}, "mode": "lines"}]},
        ["line: 2 points", "(0, 1) (1, 2)"],
    ),
    "an array of a kind that is not known": (
        lambda: {"data": [{"y": {"dtype": "c16", "bdata": "AQAAAAIAAAA="}, "name": "q"}]},
        ['scatter "q": its values were not read'],
    ),
    "shapes and notes": (
        lambda: with_layout(
            go.Scatter(y=[1, 2]),
            shapes=[{"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": 1.5, "y1": 1.5}],
            annotations=[{"text": "the <b>peak</b>", "x": 1, "y": 2}],
        ),
        ["a line at y = 1.5", 'written in it: "the peak"'],
    ),
    "an animation": (
        lambda: px.scatter(ROWS, x="sales", y="sales", animation_frame="kind"),
        ["an animation of 3 frames: what it shows before it is played", "3 points"],
    ),
    "a colour axis": (
        lambda: px.scatter(ROWS, x="sales", y="sales", color="sales"),
        ['colours: "sales"', "colours stand for 1 to 6"],
    ),
    "a second y axis": (
        lambda: go.Figure(
            [go.Scatter(y=[1, 2]), go.Scatter(y=[50, 60], yaxis="y2", name="far")],
            {"yaxis2": {"overlaying": "y", "side": "right", "title": "far (m)"}},
        ),
        ['y axis2: "far (m)", over the y axis', "on y axis2"],
    ),
}


@pytest.mark.met("N3", "N4", "N10", "N12")
@pytest.mark.parametrize("case", SAID)
def test_of_a_plotly_figure_is_said(case: str) -> None:
    make, parts = SAID[case]
    figure = make()
    if isinstance(figure, dict):
        said = bundle_data({"application/vnd.plotly.v1+json": figure})
    else:
        said = figure_data(figure)
        kept = {"application/vnd.plotly.v1+json": json.loads(figure.to_json())}
        assert bundle_data(kept) == said, "what was displayed says the same"
    assert [part for part in parts if part not in said] == [], said


@pytest.mark.met("N12")
@pytest.mark.parametrize("visible", [False, "legendonly"])
def test_values_of_a_trace_that_is_not_shown_are_not_told(visible: Any) -> None:
    said = figure_data(
        go.Figure([go.Scatter(y=[1, 2]), go.Scatter(y=[777, 888], visible=visible, name="off")])
    )
    assert "777" not in said and "888" not in said
    assert ("in the legend only" in said) == (visible == "legendonly")


def test_each_trace_is_told_in_the_panel_that_it_is_drawn_in_under_its_title() -> None:
    figure = make_subplots(2, 2, subplot_titles=["A", "B", "C", "D"])
    for at, name in enumerate("dcba"):
        figure.add_scatter(y=[at, at], name=name, row=2 - at // 2, col=2 - at % 2)
    panels = figure_data(figure).split("panel ")[1:]
    assert len(panels) == 4
    for name, place in (
        ("a", "row 1, column 1"),
        ("b", "row 1, column 2"),
        ("d", "row 2, column 2"),
    ):
        (panel,) = [panel for panel in panels if f'line "{name}"' in panel]
        assert place in panel and f'titled "{name.upper()}"' in panel


def test_facets_are_told_by_the_headings_of_their_row_and_column() -> None:
    said = figure_data(px.scatter(ROWS, x="sales", y="sales", facet_col="shop", facet_row="kind"))
    (panel,) = [part for part in said.split("panel ")[1:] if "(5, 5)" in part]
    assert 'titled "shop=u"' in panel or 'in the column headed "shop=u"' in panel
    assert 'in the row headed "kind=a"' in panel
    assert "written in it" not in said


def test_a_pie_beside_bars_is_a_panel_of_its_own() -> None:
    figure = make_subplots(1, 2, specs=[[{"type": "domain"}, {"type": "xy"}]])
    figure.add_pie(labels=["u"], values=[1], row=1, col=1)
    figure.add_bar(x=["v"], y=[2], row=1, col=2)
    first, second = figure_data(figure).split("panel ")[1:]
    assert "row 1, column 1" in first and "pie: 1: u 1" in first
    assert "row 1, column 2" in second and "bars: 1: v 2" in second


def test_a_trace_that_cannot_be_read_leaves_the_others() -> None:
    spec = {"data": [{"type": "bar", "x": 3, "y": {"bdata": 1}, "name": "odd"}, {"y": [1, 2]}]}
    said = bundle_data({"application/vnd.plotly.v1+json": spec})
    assert 'bar "odd": its values were not read' in said and "line: 2 points" in said


def test_statistics_are_those_of_all_points_where_there_are_many() -> None:
    x = np.arange(100_000.0)
    said = figure_data(go.Figure(go.Scattergl(x=x, y=np.sin(x) * 5, mode="markers")))
    assert "100,000 points" in said and len(said) < 1_500
