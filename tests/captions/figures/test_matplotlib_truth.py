"""Figures of every kind with random data: each number, name and place that is told is true.

Twenty figures of each kind; with FIGURES=300 in the environment so many.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from claude_magic.captions.figures import figure_data

from .reading_back import (
    after,
    all_true,
    bars_are,
    grid_is,
    is_true,
    line_of,
    lines_of,
    numbers,
    points_are,
    steps_are,
    tuples,
)

FIGURES = int(os.environ.get("FIGURES", "20"))
Rng = np.random.Generator
Check = Callable[[str], None]
Kind = Callable[[Rng, Any], Check]
KINDS: dict[str, Kind] = {}
NAMES = ["ant", "bee", "2019", "2020", "3.5", "type 2", "a, b", "über", "10%", "1", "0", "-4"]


def kind(make: Kind) -> Kind:
    KINDS[make.__name__.strip("_").replace("_", " ")] = make
    return make


def values(rng: Rng, size: int) -> Any:
    """Numbers as data have them: whole, or close together, large, small, negative, repeated."""
    match rng.integers(6):
        case 0:
            return rng.integers(-50, 50, size).astype(float)
        case 1:
            return 1_234_567_000.0 + rng.integers(0, 1000, size)
        case 2:
            return rng.normal(0, 10.0 ** rng.integers(-8, 8), size)
        case 3:
            return np.round(rng.uniform(-1, 1, size), int(rng.integers(1, 6)))
        case 4:
            return 100 + rng.uniform(0, 1e-6, size)
        case _:
            return rng.choice([0.1, 0.2, 0.30000000000000004, 2.5], size)


def names(rng: Rng, size: int) -> list[str]:
    return [str(name) for name in rng.permutation(NAMES)[:size]]


def ticks_renamed(rng: Rng, axes: Any) -> None:
    """Labels that have nothing to do with the data, on some figures."""
    if rng.random() < 0.5:
        axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
    if rng.random() < 0.3:
        axes.set_xticks(range(0, 10, 3), [f"label {n}" for n in range(4)])


@kind
def lines(rng: Rng, axes: Any) -> Check:
    truths = []
    for at in range(int(rng.integers(1, 4))):
        size = int(rng.choice([1, 2, 5, 24, 25, 300]))
        xs, ys = np.arange(size) * float(rng.choice([1, 0.5, 7])), values(rng, size)
        gaps = rng.random(size) < 0.1
        ys = np.where(gaps, np.nan, ys)
        axes.plot(xs, ys, label=f"series {at}")
        truths.append((f"series {at}", xs[~gaps], ys[~gaps], int(gaps.sum())))
    if rng.random() < 0.5:
        axes.invert_yaxis()
    limit = float(rng.choice([3.2, 1e9]))
    if limit < 1e9:
        axes.set_xlim(-1, limit)
    else:
        axes.autoscale_view()
    ticks_renamed(rng, axes)
    inverted = axes.yaxis.get_inverted()
    (left, right), (low, high) = axes.get_xlim(), sorted(axes.get_ylim())

    def check(said: str) -> None:
        assert ("inverted" in line_of(said, "y axis")) == inverted
        for label, xs, ys, without in truths:
            told = [
                line
                for mark in ("line", "level line", "upright line")
                for line in lines_of(said, f'{mark} "{label}"')
            ]
            assert len(told) == 1, said
            shown = (xs >= left) & (xs <= right) & (ys >= low) & (ys <= high)
            if told[0].startswith("line"):
                outside = int((~shown).sum())
                points_are(told[0], xs[shown], ys[shown], without=without, outside=outside)

    return check


@kind
def scatter(rng: Rng, axes: Any) -> Check:
    size = int(rng.choice([1, 3, 24, 1_000, 100_000], p=[0.2, 0.3, 0.2, 0.2, 0.1]))
    xs, ys = values(rng, size), values(rng, size)
    log = rng.random() < 0.3
    if log:
        xs = np.abs(xs) + 1
        axes.set_xscale("log")
    axes.scatter(xs, ys, label="dots")
    ticks_renamed(rng, axes)

    def check(said: str) -> None:
        line = line_of(said, 'points "dots"')
        assert ("log" in line_of(said, "x axis")) == log
        outside = re.search(r"\(([\d,]+) more outside", line)
        if outside is None:  # rounded ticks may have cut the view
            points_are(line, xs, ys)
        if found := re.search(r"correlation (\S+);", line):
            assert abs(float(found[1]) - np.corrcoef(xs, ys)[0, 1]) < 0.006

    return check


@kind
def dates(rng: Rng, axes: Any) -> Check:
    zone = ZoneInfo(str(rng.choice(["UTC", "Europe/Berlin", "Asia/Kolkata"])))
    step = timedelta(seconds=float(rng.choice([0.25, 1, 60, 3600, 86400, 86400 * 31])))
    start = datetime(
        2024, 1, int(rng.integers(1, 28)), int(rng.integers(0, 23)), tzinfo=ZoneInfo("UTC")
    )
    moments = [(start + n * step).astimezone(zone) for n in range(int(rng.integers(1, 24)))]
    ys = values(rng, len(moments))
    axes.plot(moments, ys, "o-", label="when")

    def check(said: str) -> None:
        assert zone.key in line_of(said, "x axis") or zone.key == "UTC"
        starts = [line for line in said.splitlines() if '"when"' in line]
        if starts[0].startswith("line"):
            points_are(starts[0], moments, ys)

    return check


@kind
def categories_of_lines(rng: Rng, axes: Any) -> Check:
    found = names(rng, int(rng.integers(2, 9)))
    ys = rng.permutation(len(found)) * 1.5
    axes.plot(found, ys, label="by name")
    return lambda said: points_are(line_of(said, 'line "by name"'), found, ys)


@kind
def bars(rng: Rng, axes: Any) -> Check:
    found = names(rng, int(rng.integers(1, 9)))
    heights = values(rng, len(found))
    upright = rng.random() < 0.5
    width = float(rng.choice([0.5, 0.8, 1.0]))
    (axes.bar if upright else axes.barh)(found, heights, width, label="bars of it")
    mark = 'bars "bars of it"' if upright else 'bars lying "bars of it"'
    return lambda said: bars_are(line_of(said, mark), found, heights.tolist())


@kind
def grouped_bars(rng: Rng, axes: Any) -> Check:
    found = names(rng, int(rng.integers(2, 6)))
    series = int(rng.integers(2, 4))
    width = 0.8 / series
    heights = [values(rng, len(found)) for _ in range(series)]
    for at in range(series):
        middle = np.arange(len(found)) + (at - (series - 1) / 2) * width
        axes.bar(middle, heights[at], width, label=f"s{at}")
    axes.set_xticks(range(len(found)), found)
    axes.legend()

    def check(said: str) -> None:
        for at in range(series):
            bars_are(line_of(said, f'bars "s{at}"'), found, heights[at].tolist())

    return check


@kind
def stacked_bars(rng: Rng, axes: Any) -> Check:
    found = names(rng, int(rng.integers(2, 6)))
    below, above = rng.integers(1, 9, (2, len(found))).astype(float)
    axes.bar(found, below, label="below")
    axes.bar(found, above, bottom=below, label="above")

    def check(said: str) -> None:
        bars_are(line_of(said, 'bars "below"'), found, below.tolist())
        line = line_of(said, 'bars "above"')
        bars_are(line, found, above.tolist())
        ends = re.findall(r"\(from (\S+) to (\S+)\)", line)
        all_true([a for a, _ in ends], below.tolist())
        all_true([b for _, b in ends], (below + above).tolist())

    return check


@kind
def bars_on_numbers(rng: Rng, axes: Any) -> Check:
    places = np.sort(rng.choice(50, int(rng.integers(1, 12)), replace=False)) * 2.0
    heights = values(rng, len(places))
    axes.bar(places, heights, 0.8, label="n")
    at = [f"x={int(place)}" for place in places]
    return lambda said: bars_are(line_of(said, 'bars "n"'), at, heights.tolist())


@kind
def hist(rng: Rng, axes: Any) -> Check:
    data = rng.normal(size=int(rng.integers(5, 500)))
    histtype = str(rng.choice(["bar", "step", "stepfilled"]))
    counts, edges, _ = axes.hist(
        data,
        bins=int(rng.integers(2, 30)),
        histtype=histtype,
        label="h",
        density=rng.random() < 0.3,
    )
    mark = "bars side by side" if histtype == "bar" else "steps"
    return lambda said: steps_are(line_of(said, f'{mark} "h"'), edges.tolist(), counts.tolist())


@kind
def touching_bars(rng: Rng, axes: Any) -> Check:
    heights = rng.integers(-9, 9, int(rng.integers(3, 12))).astype(float)
    axes.bar(range(len(heights)), heights, width=1)
    edges = [n - 0.5 for n in range(len(heights) + 1)]

    def check(said: str) -> None:
        assert "histogram" not in said
        steps_are(line_of(said, "bars side by side"), edges, heights.tolist())

    return check


@kind
def stairs(rng: Rng, axes: Any) -> Check:
    counts = rng.integers(0, 99, int(rng.integers(2, 30)))
    edges = np.cumsum(rng.uniform(0.1, 2, len(counts) + 1))
    axes.stairs(counts, edges, label="st")

    def check(said: str) -> None:
        line = line_of(said, 'histogram "st"')
        if counts.sum():
            all_true(line.rsplit("counts: ", 1)[1].split(), counts.tolist())
            peak = int(counts.argmax())
            assert f"most, {counts[peak]}, in" in line
            ends = numbers(after(line, f"most, {counts[peak]}, in "))
            assert is_true(ends[0], float(edges[peak]), edges.tolist())

    return check


@kind
def pandas_bars(rng: Rng, axes: Any) -> Check:
    index = (2010 + rng.permutation(12)[: int(rng.integers(2, 8))]).tolist()
    frame = pd.DataFrame(rng.integers(1, 99, (len(index), 2)), index, ["u", "v"])
    frame.plot.bar(ax=axes, stacked=bool(rng.random() < 0.3))

    def check(said: str) -> None:
        for name in frame:
            told = [str(year) for year in index]
            bars_are(line_of(said, f'bars "{name}"'), told, frame[name].tolist())

    return check


@kind
def areas_of_pandas(rng: Rng, axes: Any) -> Check:
    size = int(rng.integers(2, 24))
    frame = pd.DataFrame(rng.integers(1, 99, (size, 3)).astype(float), columns=list("abc"))
    frame.plot.area(ax=axes)

    def check(said: str) -> None:
        assert not lines_of(said, "line"), said
        for name in frame:
            told = tuples(line_of(said, f'area "{name}"'))
            all_true([t[3] for t in told], frame[name].tolist())

    return check


@kind
def stackplot(rng: Rng, axes: Any) -> Check:
    size = int(rng.integers(2, 24))
    xs = np.cumsum(rng.integers(1, 5, size)).astype(float)
    parts = rng.integers(0, 40, (3, size)).astype(float)
    axes.stackplot(xs, parts, labels=list("abc"))

    def check(said: str) -> None:
        for name, part in zip("abc", parts, strict=True):
            told = tuples(line_of(said, f'area "{name}"'))
            all_true([t[0] for t in told], xs.tolist())
            all_true([t[3] for t in told], part.tolist())

    return check


@kind
def between(rng: Rng, axes: Any) -> Check:
    size = int(rng.integers(2, 24))
    low = values(rng, size)
    high = low + rng.uniform(0.5, 1, size) * (1 + np.abs(low))
    axes.fill_between(range(size), low, high, label="band")

    def check(said: str) -> None:
        told = tuples(line_of(said, 'area "band"'))
        ends = [*low.tolist(), *high.tolist()]
        all_true([*(t[1] for t in told), *(t[2] for t in told)], ends)

    return check


@kind
def errors(rng: Rng, axes: Any) -> Check:
    size = int(rng.integers(1, 20))
    ys, sizes = values(rng, size), rng.uniform(1, 2, (2, size))
    axes.errorbar(range(size), ys, yerr=sizes, label="mean", capsize=2)

    def check(said: str) -> None:
        line, bars_of_it = line_of(said, 'line "mean"').split("; error bars along y: ")
        points_are(line, list(map(float, range(size))), ys)
        found = re.findall(r"(\S+) to (\S+) at (\S+?)(?:,|$)", bars_of_it)
        ends = [*(ys - sizes[0]).tolist(), *(ys + sizes[1]).tolist()]
        all_true([*(a for a, _, _ in found), *(b for _, b, _ in found)], ends)
        all_true([at for _, _, at in found], list(map(float, range(size))))

    return check


@kind
def stems(rng: Rng, axes: Any) -> Check:
    size = int(rng.integers(1, 24))
    ys = values(rng, size)
    axes.stem(range(size), ys, label="stem")
    places = list(map(float, range(size)))
    return lambda said: points_are(line_of(said, 'stems "stem"'), places, ys)


@kind
def boxes(rng: Rng, axes: Any) -> Check:
    found = names(rng, int(rng.integers(1, 5)))
    data = [rng.normal(size=int(rng.integers(4, 60))) for _ in found]
    if rng.random() < 0.5:
        axes.boxplot(data, tick_labels=found, patch_artist=bool(rng.random() < 0.5))
    else:
        longest = max(map(len, data))
        frame = {
            n: np.pad(d, (0, longest - len(d)), constant_values=np.nan)
            for n, d in zip(found, data, strict=True)
        }
        pd.DataFrame(frame).plot.box(ax=axes)

    def check(said: str) -> None:
        told = lines_of(said, "box at ")
        assert len(told) == len(found), said
        for name, truth, line in zip(found, data, told, strict=True):
            assert after(line, "box at ", ": median").strip('"') == name
            low, middle, high = np.quantile(truth, (0.25, 0.5, 0.75))
            reach = 1.5 * (high - low)
            inside = truth[(truth >= low - reach) & (truth <= high + reach)]
            got = numbers(line.split(": median", 1)[1])
            # As Matplotlib has it: a whisker never ends within the box.
            ends = min(inside.min(), low), max(inside.max(), high)
            for one, true in zip(got, (middle, low, high, *ends), strict=False):
                assert is_true(one, float(true), [float(true)])
            assert int(got[5]) == len(truth) - len(inside)

    return check


@kind
def violins(rng: Rng, axes: Any) -> Check:
    data = [rng.normal(size=30), rng.normal(5, 1, size=30)]
    axes.violinplot(data, showmedians=True)

    def check(said: str) -> None:
        for at, line in enumerate(lines_of(said, "area"), 1):
            assert f"mirrored about x={at};" in line
            ends = numbers(after(line, "; y "))
            assert is_true(ends[0], float(data[at - 1].min()), [float(data[at - 1].min())])
            assert is_true(ends[1], float(data[at - 1].max()), [float(data[at - 1].max())])

    return check


def grid(rng: Rng) -> Any:
    shape = tuple(rng.integers(2, 12, 2))
    return rng.permutation(shape[0] * shape[1]).reshape(shape) * float(rng.choice([1, 0.25, 1e-3]))


@kind
def images(rng: Rng, axes: Any) -> Check:
    cells = grid(rng)
    upper = rng.random() < 0.5
    axes.imshow(cells, origin="upper" if upper else "lower")
    rows = [f"row {n + 1}" for n in range(len(cells))]
    columns = [f"column {n + 1}" for n in range(len(cells[0]))]
    if rng.random() < 0.5:
        rows = [f"r{n}" for n in range(len(cells))]
        axes.set_yticks(range(len(cells)), rows)
    if rng.random() < 0.3:  # a sparse axis: the others have no label
        axes.set_xticks([0], ["first"])
        columns[0] = "first"

    def check(said: str) -> None:
        line = line_of(said, "image of numbers")
        assert f"row 1 at the {'top' if upper else 'bottom'}" in line
        grid_is(line, cells.tolist(), [rows, columns])

    return check


@kind
def meshes(rng: Rng, axes: Any) -> Check:
    cells = grid(rng)
    axes.pcolormesh(cells)
    rows = [f"row {n + 1}" for n in range(len(cells))]
    columns = [f"column {n + 1}" for n in range(len(cells[0]))]
    return lambda said: grid_is(line_of(said, "heat map"), cells.tolist(), [rows, columns])


@kind
def heat_maps_of_seaborn(rng: Rng, axes: Any) -> Check:
    cells = rng.integers(0, 99, (int(rng.integers(2, 7)), 5))
    cells[0, 0], cells[1, 1] = -3, 200  # one lowest and one highest
    rows = [f"row{n}" for n in rng.permutation(len(cells))]
    columns = [str(2000 + n) for n in rng.permutation(5)]
    sns.heatmap(
        pd.DataFrame(cells, rows, columns), ax=axes, cbar=False, xticklabels=1, yticklabels=1
    )
    return lambda said: grid_is(line_of(said, "heat map"), cells.tolist(), [rows, columns])


@kind
def contours(rng: Rng, axes: Any) -> Check:
    levels = np.sort(rng.choice(50, 4, replace=False)) + 0.5
    axes.contour(np.arange(64.0).reshape(8, 8), levels=levels)
    return lambda said: all_true(
        after(line_of(said, "contours"), " at ").split(", "), levels.tolist()
    )


@kind
def pies(rng: Rng, axes: Any) -> Check:
    found = names(rng, int(rng.integers(2, 7)))
    parts = rng.integers(1, 40, len(found)).astype(float)
    axes.pie(parts, labels=found)

    def check(said: str) -> None:
        line = line_of(said, "pie")
        for name, part in zip(found, parts, strict=True):
            told = re.search(rf"(?:: |, ){re.escape(name)} ([\d.]+)(?:,|$)", line)
            assert told and abs(float(told[1]) - 100 * part / parts.sum()) < 0.01, line

    return check


@kind
def events(rng: Rng, axes: Any) -> Check:
    rows = [np.sort(rng.choice(90, int(rng.integers(1, 9)), replace=False)) for _ in range(3)]
    axes.eventplot(rows)

    def check(said: str) -> None:
        for at, row in enumerate(rows):
            line = line_of(said, f"events at y = {at}: {len(row)}")
            all_true(line.rsplit(": ", 1)[1].split(", "), row.tolist())

    return check


@kind
def quivers(rng: Rng, axes: Any) -> Check:
    x, y, u, v = rng.integers(-9, 9, (4, int(rng.integers(1, 20)))).astype(float)
    axes.quiver(x, y, u, v)

    def check(said: str) -> None:
        told = tuples(line_of(said, "arrows"))
        for at, column in enumerate((x, y, u, v)):
            all_true([t[at] for t in told], column.tolist())

    return check


@kind
def in_space(rng: Rng, axes: Any) -> Check:
    space = axes.figure.add_subplot(projection="3d")
    points = rng.normal(size=(3, 20))
    space.scatter(*points, label="cloud")
    space.plot_surface(*np.meshgrid(range(3), range(3)), np.arange(9.0).reshape(3, 3), label="hill")

    def check(said: str) -> None:
        line = line_of(said, 'points in space "cloud": 20')
        for name, column in zip("xyz", points, strict=True):
            ends = numbers(after(line + ",", f"{name} ", ","))
            assert is_true(ends[0], float(column.min()), [float(column.min())])
            assert is_true(ends[1], float(column.max()), [float(column.max())])
        assert "z 0 to 8" in line_of(said, 'surface in space "hill"')

    return check


@kind
def twins_and_insets(rng: Rng, axes: Any) -> Check:
    first, second, third = (values(rng, 5) + np.arange(5) for _ in range(3))
    axes.plot(first, label="first")
    twin = axes.twinx() if rng.random() < 0.5 else axes.inset_axes((0.5, 0.5, 0.4, 0.4))
    twin.plot(second, label="second")
    twin.set_yscale("symlog")
    axes.secondary_yaxis("right", functions=(lambda v: v, lambda v: v)).set_ylabel("again")
    axes.plot(third, label="hidden", visible=False)

    def check(said: str) -> None:
        assert "hidden" not in said
        assert "symlog" in said and 'secondary y axis "again"' in said
        assert "with a y axis of its own" in said or "a panel within this one" in said
        places = [float(n) for n in range(5)]
        points_are(line_of(said, 'line "first"'), places, first)
        line = line_of(said, 'line "second"')
        if "outside" not in line:
            points_are(line, places, second)

    return check


@kind
def hues_of_seaborn(rng: Rng, axes: Any) -> Check:
    size = int(rng.integers(6, 30))
    frame = pd.DataFrame(
        {
            "x": np.arange(size),
            "y": rng.permutation(size),
            "who": rng.choice(["ann", "bo", "7"], size),
        }
    )
    frame.loc[:2, "who"] = ["ann", "bo", "7"]
    sns.scatterplot(frame, x="x", y="y", hue="who", ax=axes)

    def check(said: str) -> None:
        for who, part in frame.groupby("who"):
            line = line_of(said, f'points "{who}"')
            points_are(line, part["x"].astype(float).tolist(), part["y"].astype(float).tolist())

    return check


@kind
def bars_of_seaborn(rng: Rng, axes: Any) -> Check:
    found = ["p", "q", "r"]
    frame = pd.DataFrame(
        [(name, who, float(rng.integers(1, 99))) for name in found for who in ("ann", "bo")],
        columns=["name", "who", "y"],
    )
    sns.barplot(frame, x="name", y="y", hue="who", ax=axes, errorbar=None)

    def check(said: str) -> None:
        for who in ("ann", "bo"):
            truth = frame[frame["who"] == who]["y"].tolist()
            bars_are(line_of(said, f'bars "{who}"'), found, truth)

    return check


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    mpl.use("agg")
    yield


@pytest.mark.parametrize("name", KINDS)
def test_what_is_told_of_a_figure_is_true(name: str) -> None:
    for seed in range(FIGURES):
        figure = Figure(figsize=(4, 3), dpi=40)
        FigureCanvasAgg(figure)
        check = KINDS[name](np.random.default_rng(seed), figure.subplots())
        if seed % 4 == 0:  # the others as they are before they are drawn
            figure.canvas.draw()
        said = figure_data(figure, 1_000_000)
        try:
            check(said)
        except AssertionError as error:
            raise AssertionError(f"{name}, seed {seed}: {error}\n{said[:3_000]}") from error
