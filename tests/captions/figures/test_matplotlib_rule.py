"""A value is read from a Matplotlib figure's own objects, or it is said that it was not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import seaborn.objects as so
from matplotlib.offsetbox import AnchoredText
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.sankey import Sankey
from matplotlib.ticker import FuncFormatter

from claude_magic.captions.figures import figure_data
from claude_magic.captions.figures.chart_numbers import points, tell_apart


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    mpl.use("agg")
    yield
    plt.close("all")


def drawn(draw: Callable[[Any], Any]) -> str:
    figure, axes = plt.subplots()
    draw(axes)
    return figure_data(figure, 1_000_000)


def percent(axes: Any) -> None:
    axes.plot([0, 1, 2, 3], [0.1, 0.37, 0.62, 0.81])
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])


@pytest.mark.met("N1")
def test_a_label_at_a_tick_is_no_value_of_a_point() -> None:
    said = drawn(percent)
    assert "points: (0, 0.1) (1, 0.37) (2, 0.62) (3, 0.81)" in said
    assert 'written at its ticks: 0 "0%", 0.5 "50%", 1 "100%"' in said


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: (ax.plot([1, 2], [3, 4]), ax.set_xticks([1, 2], ["u", "v"])),
        lambda ax: (ax.scatter([1, 2], [3, 4]), ax.set_xticks([1, 2], ["u", "v"])),
        lambda ax: (
            ax.plot([1, 2], [3, 4]),
            ax.xaxis.set_major_formatter(FuncFormatter("u".format)),
        ),
        lambda ax: (ax.stem([1, 2], [3, 4]), ax.set_xticks([1, 2], ["u", "v"])),
    ],
)
@pytest.mark.met("N1")
def test_lines_and_points_never_take_the_label_of_a_tick(draw: Callable[[Any], Any]) -> None:
    assert "points: (1, 3) (2, 4)" in drawn(draw)


@pytest.mark.met("N2")
def test_bars_of_pandas_are_named_by_their_labels_though_these_are_numbers() -> None:
    said = drawn(lambda ax: pd.Series([5, 7, 3], index=[2019, 2020, 2021]).plot.bar(ax=ax))
    assert '"2019" 5, "2020" 7, "2021" 3; highest "2020", lowest "2021"' in said


@pytest.mark.met("N2")
def test_a_bar_with_no_label_or_with_two_is_its_place() -> None:
    def sparse(axes: Any) -> None:
        axes.bar([0, 1, 2], [5, 7, 3])
        axes.set_xticks([0.9, 1.1, 2], ["u", "v", "w"])

    assert "bars: 3: x=0 5, x=1 7, w 3" in drawn(sparse)


@pytest.mark.met("N6")
def test_dates_have_the_time_of_day_that_tells_them_apart() -> None:
    start = datetime(2024, 3, 1, 12)
    moments = [start + timedelta(seconds=n) for n in range(5)]
    said = drawn(lambda ax: ax.plot(moments, [1, 2, 3, 4, 5]))
    for second in range(5):
        assert f"(2024-03-01 12:00:0{second}, {second + 1})" in said


@pytest.mark.met("N6")
def test_dates_are_told_in_the_zone_of_their_axis() -> None:
    series = pd.Series([1, 2], pd.date_range("2024-03-01 12:00", periods=2, tz="Asia/Kolkata"))
    said = drawn(lambda ax: ax.plot(series))
    assert "dates in Asia/Kolkata" in said and "points: (2024-03-01, 1)" not in said
    assert "points: (2024-03-01 12:00, 1) (2024-03-02 12:00, 2)" in said


@pytest.mark.met("N7")
@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1234567890.0, 1234567891.0], ["1234567890", "1234567891"]),
        ([100.0, 100.0000001], ["100", "100.0000001"]),
        ([0.1, 0.2, 0.30000000000000004], ["0.1", "0.2", "0.3"]),
        ([0.1 + 0.2, 0.3], ["0.3", "0.3"]),
        ([1e-9, 2e-9], ["1e-09", "2e-09"]),
        ([1234567.8, 5.0], ["1234568", "5"]),
        ([1 / 3], ["0.333333"]),
        ([0.0, -0.0], ["0", "0"]),
        ([float("nan"), 1.0], ["nan", "1"]),
        ([1e300, 2e300], ["1e+300", "2e+300"]),
        (["ant", 1.5], ["ant", "1.5"]),
    ],
)
def test_numbers_that_differ_are_told_apart(values: list[Any], told: list[str]) -> None:
    assert tell_apart(values) == told


@pytest.mark.met("N8")
def test_bars_that_touch_are_no_histogram() -> None:
    said = drawn(lambda ax: ax.bar([1, 2, 3], [5, -2, 9], width=1))
    assert "histogram" not in said and "in all" not in said
    assert "edges: 0.5, 1.5, 2.5, 3.5; heights: 5 -2 9" in said


@pytest.mark.met("N9")
def test_a_stacked_area_is_told_by_its_own_values() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [3, 2, 1]})
    said = drawn(lambda ax: frame.plot.area(ax=ax))
    assert 'area "b": 3 points' in said and "(0, 1, 4, 3) (1, 2, 4, 2) (2, 3, 4, 1)" in said
    assert "line" not in said.replace("linear", "")


@pytest.mark.met("N12")
@pytest.mark.parametrize(
    ("draw", "told", "not_told"),
    [
        (
            lambda ax: (ax.plot([1, 2, 30], [1, 2, 3]), ax.set_xlim(0, 10)),
            "2 points (1 more outside of the view); x 1 to 2",
            "30",
        ),
        (
            lambda ax: (ax.scatter([1, 2], [1, 77]), ax.set_ylim(0, 10)),
            "1 point (1 more outside of the view)",
            "77",
        ),
        (
            lambda ax: (ax.bar([1, 2, 77], [1, 2, 3]), ax.set_xlim(0, 10)),
            "bars: 2 (1 more outside of the view)",
            "77",
        ),
        (
            lambda ax: (ax.errorbar([1, 77], [1, 1], yerr=0.5), ax.set_xlim(0, 10)),
            "0.5 to 1.5 at 1 (1 more outside of the view)",
            "77",
        ),
        (lambda ax: (ax.axvline(77), ax.set_xlim(0, 1)), "x = 77 (outside of the view)", "?"),
        (lambda ax: ax.plot([1, 2], label="gone", visible=False), "x axis", "gone"),
        (lambda ax: ax.plot([1, 2], label="gone", alpha=0), "x axis", "gone"),
        (lambda ax: ax.plot([1, 2], ls="none", label="gone"), "x axis", "gone"),
        (lambda ax: ax.bar(["u", "v"], [77, 78], alpha=0), "x axis", "77"),
        (lambda ax: ax.scatter([1], [2], facecolors="none", label="gone"), "x axis", "gone"),
        (lambda ax: (ax.plot([1, 2]), ax.invert_xaxis()), ", inverted", "?"),
        (
            lambda ax: (ax.plot([1, 2]), ax.plot([], [], label="proxy"), ax.legend()),
            "proxy",
            "0 po",
        ),
        (
            lambda ax: ax.plot([0.1, 0.2], [0.77, 0.3], transform=ax.transAxes, label="over"),
            'line "over": not where data stand: values not told',
            "0.77",
        ),
        (
            lambda ax: ax.text(0.5, 0.5, "unseen", visible=False),
            "x axis",
            "unseen",
        ),
    ],
)
def test_what_is_not_shown_is_not_told_as_shown(
    draw: Callable[[Any], Any], told: str, not_told: str
) -> None:
    said = drawn(draw)
    assert told in said and not_told not in said


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda ax: (ax.plot([1, 2]), ax.plot([2, 1]), ax.legend(["u", "v"])), 'line "v": 2'),
        (lambda ax: (ax.bar([1], [2]), ax.bar([2], [3]), ax.legend(["u", "v"])), 'bars "v": 1'),
        (lambda ax: (ax.pie([1, 3]), ax.legend(["u", "v"])), "u 25, v 75"),
        (lambda ax: (ax.hist([1, 1, 5], label="h"), ax.legend()), 'bars side by side "h"'),
        (
            lambda ax: (ax.plot([1, 2], c="r"), ax.plot([3, 4], c="r"), ax.legend(["u", "v"])),
            'line "u": 2 points; x 0 to 1; y lowest 1 at 0',
        ),
    ],
)
def test_a_series_has_the_name_that_the_legend_gives_it(
    draw: Callable[[Any], Any], told: str
) -> None:
    assert told in drawn(draw)


def test_bars_of_one_colour_under_two_names_of_the_legend_have_no_name() -> None:
    def two(axes: Any) -> None:
        axes.bar([1], [2], color="r")
        axes.bar([2], [3], color="r")
        axes.legend(["u", "v"])

    assert drawn(two).count("bars: 1") == 2


def test_an_array_of_axes_is_its_figure() -> None:
    frame = pd.DataFrame({"a": [1, 2, 2], "b": [3, 4, 5]})
    axes = frame.hist()
    assert figure_data(axes) == figure_data(axes.flat[0].figure) != ""


def test_what_draws_with_matplotlib_is_read_from_what_it_draws() -> None:
    table = pd.DataFrame({"x": [1, 2, 3], "y": [5, 77, 6]})
    plot = so.Plot(table, "x", "y").add(so.Line())
    assert "highest 77 at 2" in figure_data(plot)
    assert plt.get_fignums() == [], "nothing is left for the notebook to show"


def test_a_figure_of_plotnine_is_read_from_what_it_draws() -> None:
    plotnine = pytest.importorskip("plotnine", reason="it is no dependency of the tests")
    table = pd.DataFrame({"x": [1, 2, 3], "y": [5, 77, 6]})
    plot = plotnine.ggplot(table, plotnine.aes("x", "y")) + plotnine.geom_point()
    assert "highest 77 at 2" in figure_data(plot)
    assert plt.get_fignums() == []


def test_a_figure_of_bokeh_is_named_as_not_read() -> None:
    base = type("LayoutDOM", (), {"__module__": "bokeh.models.layouts"})
    figure = type("figure", (base,), {"__module__": "bokeh.plotting"})
    assert figure_data(figure()) == "a bokeh figure whose values were not read"


@pytest.mark.parametrize("size", [3, 24, 25, 1_000])
def test_statistics_are_the_same_with_numpy_and_without(size: int) -> None:
    rng = np.random.default_rng(size)
    x, y = rng.normal(size=(2, size))
    y[1] = np.nan
    mixed = points([*x.tolist(), "end"], [*y.tolist(), float("nan")])
    alone = points(x, y)
    assert mixed.facts.count == alone.facts.count == size - 1
    assert (mixed.facts.lowest, mixed.facts.highest) == (alone.facts.lowest, alone.facts.highest)
    assert mixed.facts.quartiles == pytest.approx(alone.facts.quartiles)
    assert mixed.facts.correlation == pytest.approx(alone.facts.correlation)
    assert mixed.facts.line == pytest.approx(alone.facts.line)


def grid() -> tuple[Any, Any, Any]:
    x, y = np.meshgrid(np.arange(4.0), np.arange(3.0))
    return x, y, x * y


def in_space(draw: Callable[..., Any]) -> Callable[[Any], Any]:
    """Draws in an Axes of three dimensions, beside the plain one."""
    return lambda axes: draw(axes.figure.add_subplot(projection="3d"), *grid())


def polar(axes: Any) -> None:
    axes.figure.add_subplot(projection="polar").plot([0, 1, 2], [5, 6, 7])


def inset(axes: Any) -> None:
    axes.plot([1, 2], label="outer")
    axes.inset_axes((0.5, 0.5, 0.4, 0.4)).plot([8, 9], label="inner")


def around(axes: Any) -> None:
    axes.figure.supxlabel("below all")
    axes.figure.supylabel("beside all")
    axes.figure.text(0.5, 0.01, "a footnote")


def annotated(axes: Any) -> None:
    axes.annotate("the peak", (0, 1), (1, 1), arrowprops={"arrowstyle": "->"})
    axes.add_artist(AnchoredText("in a corner", "upper left"))


SPOTS = [[1, 2, 3], [4, 5, 6]]
# A small figure in the manner of each kind of Matplotlib's gallery, what of it is read from its
# data, and a piece of what is told; docs/figures.md is this table.
GALLERY: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "lines, steps": (
        lambda ax: ax.step([1, 2], [3, 4]),
        "points, extremes, start and end, correlation and straight line",
        "(drawn as steps); x 1 to 2",
    ),
    "scatter": (
        lambda ax: ax.scatter([1, 2], [3, 4], c=[5, 6]),
        "points as for lines; groups where the legend names each colour; the colour scale",
        "points: (1, 3) (2, 4); colours 5 to 6",
    ),
    "points of several sizes": (
        lambda ax: ax.scatter([1, 2], [3, 4], s=[5, 60]),
        "points; that sizes differ",
        "(sizes differ)",
    ),
    "points in several colours": (
        lambda ax: ax.scatter([1, 2], [3, 4], c=["r", "g"]),
        "points; that colours differ",
        "in several colours: what they stand for was not read",
    ),
    "bars": (
        lambda ax: ax.bar(["u", "v"], [3, 4]),
        "each bar's name and height, the highest and lowest",
        "bars: 2: u 3, v 4",
    ),
    "bars of several series": (
        lambda ax: (
            ax.grouped_bar(SPOTS[:2], labels=["p", "q"], tick_labels=["a", "b", "c"])
            if hasattr(ax, "grouped_bar")
            else pd.DataFrame({"p": SPOTS[0], "q": SPOTS[1]}, list("abc")).plot.bar(ax=ax)
        ),
        "each bar by the name of its group",
        'bars "q": 3: a 4, b 5, c 6',
    ),
    "stacked bars": (
        lambda ax: ax.bar(["u"], [2], bottom=[1]),
        "heights, and from where to where each bar goes",
        "u 2 (from 1 to 3)",
    ),
    "bars that touch, histograms": (
        lambda ax: ax.hist([1, 1, 2, 3], bins=[1, 2, 4]),
        "edges and heights; that it is a histogram cannot be told",
        "edges: 1, 2, 4; heights: 2 2",
    ),
    "histograms as steps": (
        lambda ax: ax.hist([1, 1, 2, 3], bins=[1, 2, 4], histtype="step"),
        "edges and heights",
        "steps: 2 from 1 to 4",
    ),
    "stairs": (
        lambda ax: ax.stairs([1, 5, 2]),
        "as a histogram: bins, counts, the peak",
        "histogram: 3 bins from 0 to 3, 8 in all",
    ),
    "stairs on a base": (
        lambda ax: ax.stairs([1, 5], baseline=2),
        "edges, heights, the base",
        "steps: 2 from 0 to 2 (from 2)",
    ),
    "histograms in two dimensions": (
        lambda ax: ax.hist2d([1, 2, 3], [1, 2, 3], bins=2),
        "cells by their edges",
        "heat map: 2 rows x 2 columns",
    ),
    "hexagons": (
        lambda ax: ax.hexbin([1, 2, 3, 3], [1, 2, 3, 3], gridsize=2),
        "how many, the lowest and highest and where; on plain axes",
        "cells of equal shape",
    ),
    "error bars": (
        lambda ax: ax.errorbar([1, 2], [3, 4], yerr=[0.5, 1], xerr=0.25),
        "points, and from where to where each bar goes",
        "error bars along x: 0.75 to 1.25 at 3",
    ),
    "bars with error bars": (
        lambda ax: ax.bar(["u"], [3], yerr=[0.5]),
        "as above",
        "error bars along y: 2.5 to 3.5 at u",
    ),
    "stems": (lambda ax: ax.stem([1, 2], [3, 4]), "points", "stems: 2 points"),
    "box plots": (
        lambda ax: ax.boxplot([[1, 2, 3, 4, 50]], tick_labels=["u"]),
        "median, quartiles, whiskers, what lies beyond; the label",
        "box at u: median 3, quartiles 2 and 4, whiskers 1 to 4, 1 beyond them: 50",
    ),
    "violins": (
        lambda ax: ax.violinplot([[1, 2, 3]]),
        "from where to where, where it is widest; marked lines",
        "mirrored about x=1; y 1 to 3",
    ),
    "areas between curves": (
        lambda ax: ax.fill_between([1, 2], [0, 1], [5, 6], label="band"),
        "both edges and the thickness at each place",
        'area "band": 2 points',
    ),
    "stacked areas": (
        lambda ax: ax.stackplot([1, 2], SPOTS[0][:2], SPOTS[1][:2], labels=["p", "q"]),
        "each series by its own thickness",
        "(1, 1, 5, 4) (2, 2, 7, 5)",
    ),
    "pies and rings": (
        lambda ax: ax.pie([1, 3], labels=["u", "v"]),
        "shares in per cent, by label or legend",
        "u 25, v 75",
    ),
    "heat maps": (
        lambda ax: ax.pcolormesh(SPOTS),
        "cells where they are few, the lowest, highest and mean; labels that were set",
        "rows: 1 2 3 / 4 5 6",
    ),
    "images of numbers": (
        lambda ax: ax.imshow(SPOTS),
        "as heat maps",
        "image of numbers: 2 rows x 3 columns (row 1 at the top)",
    ),
    "photographs": (
        lambda ax: ax.imshow(np.zeros((2, 3, 3))),
        "the size; the rest from pixels",
        "a picture of 3 x 2 pixels",
    ),
    "smoothly shaded meshes": (
        lambda ax: ax.pcolormesh(SPOTS, shading="gouraud"),
        "how many values, their range",
        "heat map, shaded between its points: 6 values, 1 to 6",
    ),
    "contours": (
        lambda ax: ax.contour(*grid(), levels=[1, 2]),
        "levels, and where they are in all",
        "contours at 1, 2",
    ),
    "filled contours": (
        lambda ax: ax.contourf(*grid(), levels=[1, 2, 4]),
        "as above",
        "filled contours between 1, 2, 4",
    ),
    "triangles": (
        lambda ax: ax.tripcolor([0, 1, 0], [0, 0, 1], [1]),
        "how many, where they are in all, the colour scale",
        "x 0 to 1, y 0 to 1; colours 1 to 1",
    ),
    "arrows of a field": (
        lambda ax: ax.quiver([0, 1], [0, 1], [1, 2], [3, 4]),
        "places and directions",
        "(x, y, u, v): (0, 0, 1, 3) (1, 1, 2, 4)",
    ),
    "wind barbs": (lambda ax: ax.barbs([0], [1], [20], [30]), "as above", "(0, 1, 20, 30)"),
    "stream lines": (
        lambda ax: ax.streamplot(np.arange(3), np.arange(3), np.ones((3, 3)), np.ones((3, 3))),
        "where they are in all; that arrows were not read",
        "FancyArrowPatch: ",
    ),
    "event plots": (
        lambda ax: ax.eventplot([[1, 2], [5]]),
        "each row and its places",
        "events at y = 0: 2: 1, 2",
    ),
    "upright and level segments": (
        lambda ax: ax.vlines([1, 2], 0, [3, 4]),
        "from where to where each goes",
        "upright segments: 2: 0 to 3 at 1, 0 to 4 at 2",
    ),
    "reference lines and spans": (
        lambda ax: (ax.axhline(2), ax.axvspan(1, 3)),
        "where they are",
        "shaded: x 1 to 3",
    ),
    "broken bars": (
        lambda ax: ax.broken_barh([(1, 2), (5, 1)], (0, 1)),
        "from where to where each goes",
        "each: x 1 to 3, y 0 to 1; x 5 to 6, y 0 to 1",
    ),
    "shapes": (
        lambda ax: ax.add_patch(Circle((1, 2), 0.5, label="c")),
        "what bounds them",
        'shape "c": x 0.5 to 1.5, y 1.5 to 2.5',
    ),
    "arrows": (
        lambda ax: ax.add_patch(FancyArrowPatch((0, 0), (1, 1), label="flow")),
        "that they are there",
        'FancyArrowPatch "flow": values not read',
    ),
    "flows": (lambda ax: Sankey(ax, flows=[1, -1]).finish(), "as shapes; their texts", "shape: x"),
    "tables": (
        lambda ax: ax.table([["1", "2"]], colLabels=["a", "b"]),
        "their cells",
        "a table of 2 rows: a | b / 1 | 2",
    ),
    "polar plots": (polar, "points, as angle in radians and distance", "(0, 5) (1, 6) (2, 7)"),
    "points in space": (
        in_space(lambda ax, x, y, z: ax.scatter(x, y, z)),
        "how many, the range of each coordinate",
        "points in space: 12; x 0 to 3, y 0 to 2, z 0 to 6",
    ),
    "surfaces and bars in space": (
        in_space(lambda ax, x, y, z: ax.plot_surface(x, y, z)),
        "as above",
        "surface in space: 6 faces; x 0 to 3, y 0 to 2, z 0 to 6",
    ),
    "contours in space": (
        in_space(lambda ax, x, y, z: ax.contour(x, y, z)),
        "that they are there",
        "QuadContourSet3D: values not read",
    ),
    "logarithmic axes": (
        lambda ax: (ax.plot([1, 10]), ax.set_yscale("symlog")),
        "that they are",
        "y axis: symlog",
    ),
    "a second axis": (
        lambda ax: ax.twinx().plot([100, 50]),
        "marks of both; which lies over which",
        "over the panel before it with a y axis of its own",
    ),
    "secondary axes": (
        lambda ax: ax.secondary_xaxis("top").set_xlabel("again"),
        "their label and ends",
        'secondary x axis "again": ',
    ),
    "insets": (inset, "as panels, within their own", 'line "inner": 2 points'),
    "texts of the whole": (around, "all of them", 'written in it: "a footnote"'),
    "annotations": (annotated, "their words", 'written in it: "in a corner"'),
}


@pytest.mark.parametrize("kind", GALLERY)
def test_of_each_kind_of_the_gallery_is_told(kind: str) -> None:
    draw, _, told = GALLERY[kind]
    assert told in drawn(draw)


def test_the_table_of_the_documentation_is_this_table() -> None:
    page = Path(__file__).parents[3] / "docs" / "figures.md"
    rows = [f"| {kind} | {read} |" for kind, (_, read, _) in GALLERY.items()]
    found = page.read_text(encoding="utf-8").partition("\n## Plotly")[0]
    assert [row for row in rows if row not in found] == []
    assert found.count("\n| ") == len(rows) + 1, "the page has rows that are no test's"
