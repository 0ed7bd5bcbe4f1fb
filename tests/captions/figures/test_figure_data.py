"""The data behind real figures, as the text that goes along with a caption's question."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import altair as alt
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.captions.figures import bundle_data, figure_data
from claude_magic.captions.figures.chart_values import grid_text, histogram_text, points_text, shown

RNG = np.random.default_rng(3)
TABLE = pd.DataFrame(
    {"dose": [1.0, 2.0, 3.0, 4.0], "growth": [2.0, 4.0, 6.0, 9.0], "plant": list("abab")}
)


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    mpl.use("agg")
    yield
    plt.close("all")


def drawn(draw: Any) -> str:
    """What is read from a Matplotlib figure on whose Axes `draw` drew."""
    figure, axes = plt.subplots()
    draw(axes)
    return figure_data(figure)


MATPLOTLIB = {
    "a line": (
        lambda ax: ax.plot([1, 2, 3], [4, 8, 5], label="sales"),
        'line "sales": 3 points; x 1 to 3; y lowest 4 at 1, highest 8 at 2; starts at 4, ends at 5',
    ),
    "points": (lambda ax: ax.scatter([1, 2, 3], [2, 4, 6]), "points: 3 points; x 1 to 3"),
    "a correlation": (lambda ax: ax.scatter([1, 2, 3], [6, 4, 2]), "correlation -1.00"),
    "a fitted line": (
        lambda ax: ax.scatter([1, 2, 3], [6, 4, 2]),
        "straight line 8 - 2 x",
    ),
    "gaps": (
        lambda ax: ax.plot([1, 2, 3], [1, np.nan, 3]),
        "2 points (1 more without a value)",
    ),
    "markers only": (lambda ax: ax.plot([1, 2], [1, 2], "o"), "points: 2 points"),
    "a date axis": (
        lambda ax: ax.plot(pd.date_range("2024-01-30", periods=3), [1, 2, 3]),
        "x 2024-01-30 to 2024-02-01",
    ),
    "monthly periods of pandas": (
        lambda ax: pd.Series([1, 5], pd.period_range("2024-01", periods=2, freq="M")).plot(ax=ax),
        "highest 5 at 2024-02",
    ),
    "bars of categories": (
        lambda ax: ax.bar(["ant", "bee", "fly"], [3, 9, 1]),
        "bars: 3: ant 3, bee 9, fly 1; highest bee, lowest fly",
    ),
    "bars of pandas": (
        lambda ax: TABLE.groupby("plant")[["dose", "growth"]].mean().plot.bar(ax=ax),
        'bars "growth": 2: a 4, b 6.5',
    ),
    "bars on their side": (lambda ax: ax.barh(["u", "v"], [1, 2]), "bars lying: 2: u 1, v 2"),
    "stacked bars": (
        lambda ax: (ax.bar(["u"], [1]), ax.bar(["u"], [2], bottom=[1])),
        "bars: 1: u 2 (from 1 to 3)",
    ),
    "a histogram": (
        lambda ax: ax.hist([1, 1, 1, 2, 3, 4], bins=[1, 2, 3, 4]),
        "bars side by side: 3 from 1 to 4; highest 3, from 1 to 2; lowest 1, from 2 to 3; "
        "edges: 1, 2, 3, 4; heights: 3 1 2",
    ),
    "stairs": (lambda ax: ax.stairs([1, 5, 2], [0, 1, 2, 3]), "most, 5, in 1 to 2"),
    "error bars": (
        lambda ax: ax.errorbar([1, 2], [3, 4], yerr=0.1, label="mean"),
        'line "mean": 2 points',
    ),
    "the sizes of error bars": (
        lambda ax: ax.errorbar([1, 2], [3, 4], yerr=0.1),
        "error bars along y: 2.9 to 3.1 at 1, 3.9 to 4.1 at 2",
    ),
    "a box plot": (
        lambda ax: ax.boxplot([[1, 2, 3, 4, 5, 20], [5, 6, 7]], tick_labels=["low", "high"]),
        "box at low: median 3.5, quartiles 2.25 and 4.75, whiskers 1 to 5, 1 beyond them",
    ),
    "a lying, filled box plot": (
        lambda ax: ax.boxplot([[5, 6, 7]], orientation="horizontal", patch_artist=True),
        "median 6, quartiles 5.5 and 6.5",
    ),
    "a notched box plot": (
        lambda ax: ax.boxplot([RNG.normal(size=200)], notch=True),
        'box at "1": median',
    ),
    "an image of numbers": (
        lambda ax: ax.imshow([[0, 1], [2, 9]]),
        "lowest 0 at row 1, column 1, highest 9 at row 2, column 2",
    ),
    "a heat map": (lambda ax: ax.pcolormesh([[1, 2], [3, 4]]), "heat map: 2 rows x 2 columns"),
    "a pie": (
        lambda ax: ax.pie([1, 3], labels=["u", "v"]),
        "pie, shares in per cent: 2: u 25, v 75",
    ),
    "a shaded area": (
        lambda ax: ax.fill_between([1, 2], [0, 1], [5, 6]),
        "area: 2 points; thinnest 5 at 1, thickest 5 at 1; points (x, from, to, thickness): "
        "(1, 0, 5, 5) (2, 1, 6, 5)",
    ),
    "a level line": (lambda ax: ax.axhline(2.5, label="limit"), 'level line "limit" at y = 2.5'),
    "an upright line": (lambda ax: ax.axvline(3), "upright line at x = 3"),
    "a span": (lambda ax: ax.axvspan(2, 4), "shaded: x 2 to 4"),
    "a sloping line": (lambda ax: ax.axline((0, 1), slope=2), "through (0, 1), slope 2"),
    "contours": (lambda ax: ax.contour(np.arange(9.0).reshape(3, 3), levels=[2, 4]), "at 2, 4"),
    "stems": (lambda ax: ax.stem([1, 2], [3, 4]), "stems: 2 points"),
    "a note": (lambda ax: ax.annotate("the peak", (0, 0)), 'written in it: "the peak"'),
    "a title": (lambda ax: ax.set_title("Growth\nby dose"), 'title "Growth by dose"'),
    "an axis label": (lambda ax: ax.set_xlabel("dose (mg)"), 'x axis "dose (mg)": linear, 0 to 1'),
    "a logarithmic axis": (lambda ax: (ax.plot([1, 10]), ax.set_yscale("log")), "y axis: log"),
    "a legend's title": (
        lambda ax: (ax.plot([1, 2], label="a"), ax.legend(title="Species")),
        'legend "Species"',
    ),
}


@pytest.mark.parametrize("case", MATPLOTLIB)
def test_matplotlib_says(case: str) -> None:
    draw, line = MATPLOTLIB[case]
    assert line in drawn(draw)


def test_the_lines_of_a_box_plot_are_not_told_again_as_lines() -> None:
    said = drawn(lambda ax: ax.boxplot([[1, 2, 3, 4, 5, 20], [5, 6, 7]]))
    assert said.count("box at") == 2
    assert "line" not in said.replace("linear", "")


def test_a_rectangle_of_lines_is_no_box_plot() -> None:
    said = drawn(lambda ax: ax.plot([0, 1, 1, 0, 0], [0, 0, 2, 2, 0]))
    assert "box" not in said and "line: 5 points" in said


def test_each_panel_is_told_and_colour_bars_are_no_panels() -> None:
    figure, (left, right) = plt.subplots(1, 2)
    figure.suptitle("Both")
    left.plot([1, 2])
    figure.colorbar(right.imshow([[1, 2]]), label="heat")
    said = figure_data(figure)
    assert 'title of the whole: "Both"' in said
    assert "panel 1 of 2" in said and "panel 2 of 2" in said and "panel 3" not in said
    assert '"heat" 1 to 2' in said


def test_a_second_y_axis_is_said() -> None:
    _, axes = plt.subplots()
    axes.plot([1, 2])
    axes.twinx().plot([100, 50])
    assert "over the panel before it with a y axis of its own" in figure_data(axes)


def test_an_axes_stands_for_its_figure() -> None:
    figure, axes = plt.subplots()
    axes.plot([1, 2])
    assert figure_data(axes) == figure_data(figure) != ""


def test_points_in_space_have_three_ranges() -> None:
    _, axes = plt.subplots(subplot_kw={"projection": "3d"})
    axes.scatter([0, 1], [2, 3], [4, 5])
    said = figure_data(axes.figure)
    assert "points in space: 2; x 0 to 1, y 2 to 3, z 4 to 5" in said
    assert "z axis" in said


def test_what_was_hidden_is_not_told() -> None:
    assert "line:" not in drawn(lambda ax: ax.plot([1, 2])[0].set_visible(False))


def test_an_artist_that_cannot_be_read_leaves_the_others() -> None:
    class Odd(mpl.lines.Line2D):
        def get_xydata(self) -> Any:
            raise RuntimeError

    def draw(ax: Any) -> None:
        ax.plot([1, 2], label="good")
        ax.add_line(Odd([1, 2], [1, 2]))

    said = drawn(draw)
    assert 'line "good"' in said and "Odd: values not read" in said


PLOTLY = {
    "points by colour": (
        lambda: px.scatter(TABLE, x="dose", y="growth", color="plant", title="Peas"),
        ['title "Peas"', 'x axis: "dose"', 'points "a": 2 points; x 1 to 3'],
    ),
    "a line over dates": (
        lambda: px.line(x=pd.date_range("2024-01-30", periods=3), y=[1, 3, 2]),
        ["line: 3 points; x 2024-01-30 to 2024-02-01", "highest 3 at 2024-01-31"],
    ),
    **{
        f"dates in {unit}": (
            lambda unit=unit: go.Figure(
                go.Scatter(x=np.array(["2024-01-30", "2024-02-01"], f"M8[{unit}]"), y=[1, 3])
            ),
            ["points: (2024-01-30, 1) (2024-02-01, 3)"],
        )
        for unit in ("D", "s", "ms", "us", "ns")
    },
    "bars": (lambda: px.bar(x=["u", "v"], y=[1, 2]), ["bars: 2: u 1, v 2"]),
    "lying bars": (lambda: px.bar(y=["u"], x=[2], orientation="h"), ["bars lying: 1: u 2"]),
    "a histogram": (
        lambda: px.histogram(x=[1.0, 1.0, 5.0]),
        ["bins not read; x: 3 values, median 1"],
    ),
    "boxes": (
        lambda: px.box(TABLE, x="plant", y="growth"),
        ["box of a: 2 values, median 4", "box of b: 2 values, median 6.5"],
    ),
    "a pie": (
        lambda: px.pie(names=["u", "v"], values=[1, 3]),
        ["pie: 2: v 3, u 1; shares: v 75.0%"],
    ),
    "a heat map": (lambda: px.imshow(np.arange(6).reshape(2, 3)), ["highest 5 at row 2, column 3"]),
    "only heights": (lambda: go.Figure(go.Scatter(y=[3, 4])), ["points: (0, 3) (1, 4)"]),
    "another kind": (
        lambda: go.Figure(go.Scatterpolar(r=[1, 2], theta=[0, 90])),
        ["scatterpolar: 2 points; theta 0 to 90, r 1 to 2; points: (0, 1) (90, 2)"],
    ),
}


@pytest.mark.parametrize("case", PLOTLY)
def test_plotly_says(case: str) -> None:
    make, lines = PLOTLY[case]
    said = figure_data(make())
    assert [line for line in lines if line not in said] == []


def test_plotly_says_the_same_from_what_was_displayed() -> None:
    figure = px.scatter(TABLE, x="dose", y="growth")
    kept = json.loads(figure.to_json())
    assert bundle_data({"application/vnd.plotly.v1+json": kept}) == figure_data(figure) != ""


@pytest.mark.parametrize("thing", [None, "a path", b"bytes", 3, TABLE, RNG, object])
def test_what_is_no_figure_has_no_data(thing: object) -> None:
    assert figure_data(thing) == ""


def test_of_a_library_that_changed_it_is_said_that_nothing_was_read() -> None:
    class Chart(alt.Chart):
        def to_dict(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError

    assert figure_data(Chart(TABLE)) == "an altair figure whose values were not read"


@pytest.mark.parametrize("spec", [{"data": 3}, {"data": [{"x": {"dtype": "?"}}]}, {"layout": []}])
def test_a_damaged_specification_is_survived(spec: dict[str, Any]) -> None:
    said = bundle_data({"application/vnd.plotly.v1+json": spec})
    assert "Error" not in said


@pytest.mark.parametrize(
    "bundle",
    [
        {"application/vnd.bokehjs_exec.v0+json": "", "text/html": "<div></div>"},
        {"text/html": "<script>var docs; // bokehjs_exec</script>"},
        {"text/html": ["<script>", "Plotly.newPlot('x', [])", "</script>"]},
        {"text/html": "<script>echarts.init(document.body)</script>"},
    ],
)
def test_a_figure_whose_values_are_not_read_is_named(bundle: dict[str, Any]) -> None:
    assert "figure whose values were not read" in bundle_data(bundle)


def test_a_figure_of_another_library_is_named() -> None:
    layout = type("LayoutDOM", (), {"__module__": "bokeh.models.layouts"})
    plot = type("figure", (layout,), {"__module__": "bokeh.plotting"})
    assert figure_data(plot()) == "a bokeh figure whose values were not read"
    source = type("ColumnDataSource", (), {"__module__": "bokeh.models.sources"})
    assert figure_data(source()) == ""


def test_a_table_in_html_is_no_figure() -> None:
    assert bundle_data({"text/html": TABLE.to_html()}) == ""


def test_a_long_series_is_thinned_with_both_its_ends_and_its_extremes() -> None:
    y = [float(n) for n in range(100_000)]
    y[777] = 1e9
    said = points_text("line", "", list(range(100_000)), y)
    assert "100,000 points" in said and "highest 1000000000 at 777" in said
    assert "24 of them: (0, 0)" in said and said.endswith("(99999, 99999)")
    assert len(said) < 1_000


def test_a_figure_of_many_panels_is_cut() -> None:
    figure, axes = plt.subplots(6, 6)
    for each in axes.flat:
        each.plot(RNG.normal(size=200))
    said = figure_data(figure)
    assert len(said) < 6_300 and "characters left out" in said


@given(st.lists(st.tuples(st.floats(), st.floats())))
def test_any_points_give_a_line(pairs: list[tuple[float, float]]) -> None:
    said = points_text("points", "x", [x for x, _ in pairs], [y for _, y in pairs])
    assert said.startswith('points "x": ') and "\n" not in said


@given(st.lists(st.lists(st.floats(), min_size=2, max_size=2)))
def test_any_grid_gives_a_line(rows: list[list[float]]) -> None:
    assert "\n" not in grid_text("heat map", rows, ([], []))


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_any_histogram_has_its_total(counts: list[int]) -> None:
    edges = [float(n) for n in range(len(counts) + 1)]
    assert f"{sum(counts)} in all" in histogram_text("", edges, [float(n) for n in counts])


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("2024-01-30T00:00:00", "2024-01-30"),
        (pd.Timestamp("2024-01-30"), "2024-01-30"),
        ("2024-01-30T00:10:00", "2024-01-30T00:10:00"),
        ("2024-01-30 10:00", "2024-01-30 10:00"),
        ("bee", "bee"),
    ],
)
def test_a_date_says_its_time_where_it_has_one(item: object, words: str) -> None:
    assert shown(item) == words
