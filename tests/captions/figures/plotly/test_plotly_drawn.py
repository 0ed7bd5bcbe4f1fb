"""What is told of random Plotly figures is what plotly.js draws.

20 figures a kind; `make fuzz` tries 300. Each text is read back, number by number, and held to
what plotly.js computed.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import plotly.graph_objects as go
import pytest

from claude_magic.captions.figures import figure_data
from tests.captions.figures.plotly.plotly_oracle import Oracle, value

FIGURES = int(os.environ.get("FIGURES", "20"))
Random: TypeAlias = np.random.Generator
Truth: TypeAlias = "tuple[float | str, float]"


def numbers(rng: Random, length: int) -> list[float | None]:
    """Values with repeats, negative ones and holes, of many magnitudes."""
    size = 10.0 ** rng.integers(-3, 6)
    match rng.integers(4):
        case 0:
            found = rng.integers(-5, 30, length).astype(float)
        case 1:
            found = rng.normal(size=length) * size
        case 2:
            found = np.round(rng.normal(size=length) * 3, 1)
        case _:
            found = rng.lognormal(size=length) * size
    holes = rng.random(length) < rng.choice([0, 0.1])
    return [None if hole else float(one) for one, hole in zip(found, holes, strict=True)]


def places(rng: Random, length: int, kinds: str = "names dates numbers digits") -> list[Any]:
    """Where bars stand: names, dates, numbers, or names that are numbers, with repeats."""
    several = int(rng.integers(1, 9))
    match rng.choice(kinds.split()):
        case "names":
            items: list[Any] = [f"c{at}" for at in range(several)]
        case "dates":
            items = [f"2024-0{at + 1}-17" for at in range(several)]
        case "numbers":
            items = [float(at * 2.5) for at in range(several)]
        case _:
            items = [str(2000 + at) for at in range(several)]
    return [items[at] for at in rng.integers(0, several, length)]


def length_of(rng: Random) -> int:
    return int(rng.choice([1, 2, 3, 5, 12, 30, 200]))


def is_near(told: str, true: float | str, near: float = 0.0) -> bool:
    """Whether a value as it was told is the true one, within rounding to four digits."""
    if isinstance(true, str) and ":" in true and ":" in told:  # a moment, to the millisecond
        moments = [datetime.fromisoformat(text) for text in (told, true)]
        return abs((moments[0] - moments[1]).total_seconds()) < 1e-3
    if isinstance(true, str):
        return told == true
    try:
        said = float(told.replace(",", ""))
    except ValueError:
        return False
    return math.isclose(said, true, rel_tol=6e-4, abs_tol=max(near, 1e-9))


def gap(values: list[Any]) -> float:
    """A hundredth of the smallest distance between two values: what rounding may take."""
    there = sorted({one for one in values if isinstance(one, float | int)})
    steps = [b - a for a, b in pairwise(there)]
    return min(steps, default=0.0) / 100


def lines_of(said: str, name: str) -> str:
    """The line that tells of the trace or the axis of this name."""
    starts = (f"{name}:", f'"{name}"')
    (found,) = [line for line in said.splitlines() if any(start in line for start in starts)]
    return found


def told_bars(line: str) -> list[tuple[str, str]]:
    """Names and values of a line on bars."""
    listed = line.split(": ", 2)[2].partition("; ")[0]
    listed = re.sub(r", and \d+ more$", "", listed)
    return [tuple(part.rsplit(" ", 1)) for part in listed.split(", ")]  # type: ignore[misc]


def assert_bars(line: str, truth: list[Truth]) -> None:
    count = int(re.search(r'": (\d+)', line)[1])  # type: ignore[index]
    assert count == len(truth), line
    if not truth:
        return
    told = told_bars(line)
    near = gap([height for _, height in truth])
    assert len(told) == min(count, 40), line
    for name, height in told:
        assert any(
            is_near(name, true_name) and is_near(height, true_height, near)
            for true_name, true_height in truth
        ), (name, height, truth)


# Points


def points(rng: Random) -> go.Figure:
    length = length_of(rng)
    figure = go.Figure(layout={"yaxis": {"type": str(rng.choice(["-", "log", "linear"]))}})
    for at in range(int(rng.integers(1, 4))):
        x = numbers(rng, length) if rng.random() < 0.5 else places(rng, length)
        figure.add_scatter(
            x=x, y=numbers(rng, length), name=f"t{at}", mode=str(rng.choice(["lines", "markers"]))
        )
    if rng.random() < 0.3:
        ends = [-1.0, 3.0]
        figure.update_yaxes(range=ends[:: int(rng.choice([1, -1]))])
    if rng.random() < 0.3:
        figure.update_xaxes(autorange="reversed")
    return figure


def check_points(said: str, drawn: Any) -> None:
    axis = drawn["axes"]["y"]
    ranged = re.search(r"^y axis: .*?(\S+) to ([^\s,]+)", said, re.MULTILINE)
    low, high = -math.inf, math.inf
    if ranged:
        ends = [10**end if axis["type"] == "log" else end for end in axis["range"]]
        low, high = min(ends), max(ends)
        assert is_near(ranged[1], low) and is_near(ranged[2], high), said
        assert (", reversed" in lines_of(said, "y axis")) == (ends != [low, high]), said
    for trace in drawn["traces"]:
        line = lines_of(said, trace["name"])
        if "were not read" in line:  # numbers on an axis of dates that could be years
            assert drawn["axes"]["x"]["type"] == "date", line
            continue
        there = [(p["x"], p["y"]) for p in trace["points"] if "x" in p and "y" in p]
        there = [(x, y) for x, y in there if axis["type"] != "log" or y > 0]
        inside = [pair for pair in there if low <= pair[1] <= high]
        assert int(re.search(r": ([\d,]+) point", line)[1].replace(",", "")) == len(inside), line  # type: ignore[index]
        outside = re.search(r"; ([\d,]+) more outside the view", line)
        assert (int(outside[1]) if outside else 0) == len(there) - len(inside), line
        if not inside:
            continue
        near_x, near_y = gap([x for x, _ in inside]), gap([y for _, y in inside])
        extremes = re.search(r"y lowest (\S+) at .*?, highest (\S+) at", line)
        if extremes is None:  # names that come again: no first, no last
            assert " name" in line or "line" in line, line
            extremes = re.search(r", y (\S+) to ([^;]+);", line)
        low_y, high_y = min(y for _, y in inside), max(y for _, y in inside)
        assert is_near(extremes[1], low_y, near_y), line  # type: ignore[index]
        assert is_near(extremes[2], high_y, near_y), line  # type: ignore[index]
        names = re.search(r"; x (\d+) names?", line)
        assert not names or int(names[1]) == len({x for x, _ in inside}), line
        ends = re.search(r"; x (20\d\d-\S+) to (20\d\d-[^\s;,]+)", line)
        dates = sorted(str(x) for x, _ in inside)
        assert not ends or list(ends.groups()) == [dates[0], dates[-1]], line
        for x, y in re.findall(r"\(([^(),]+), ([^(),]+)\)", line.rpartition(": ")[2]):
            assert any(is_near(x, a, near_x) and is_near(y, b, near_y) for a, b in inside), (x, y)


# Bars


def bars(rng: Random) -> go.Figure:
    mode = str(rng.choice(["group", "stack", "relative", "overlay"]))
    figure = go.Figure(layout={"barmode": mode})
    lying = rng.random() < 0.3
    for at in range(int(rng.integers(1, 4))):
        length = length_of(rng)
        x, y = places(rng, length), numbers(rng, length)
        if lying:
            figure.add_bar(x=y, y=x, orientation="h", name=f"t{at}")
        else:
            figure.add_bar(x=x, y=y, name=f"t{at}")
    return figure


def summed(trace: Any, drawn: Any, *, lying: bool) -> list[Truth]:
    """The bars as one sees them: those that plotly.js put on each other added up."""
    axis = drawn["axes"][trace["y" if lying else "x"]]
    alone: list[Truth] = []
    totals: dict[Any, float] = {}
    for point in trace["points"]:
        if "p" not in point or "s" not in point:
            continue
        place = value(point["p"], axis)
        alone.append((place, point["s"]))
        totals[place, point["s"] >= 0] = totals.get((place, point["s"] >= 0), 0) + point["s"]
    stacked = any(point.get("b") for point in trace["points"]) or len(totals) == len(alone)
    added = [(place, total) for (place, _), total in totals.items()]
    return added if stacked or drawn["mode"] != "overlay" else alone


def check_bars(said: str, drawn: Any) -> None:
    for trace in drawn["traces"]:
        line = lines_of(said, trace["name"])
        if "were not read" in line:
            assert "date" in {axis["type"] for axis in drawn["axes"].values()}, line
            continue
        assert_bars(line, summed(trace, drawn, lying="bars lying" in line))


# Histograms with bins of their own, and of categories


def histograms(rng: Random) -> go.Figure:
    length = length_of(rng)
    func = str(rng.choice(["count", "sum", "avg", "min", "max"]))
    norm = str(rng.choice(["", "", "percent", "probability", "density", "probability density"]))
    norm = norm if func in ("count", "sum") else ""
    values = {} if func == "count" else {"y": numbers(rng, length)}
    if rng.random() < 0.5:
        return go.Figure(
            go.Histogram(
                x=places(rng, length, "names"), histfunc=func, histnorm=norm, name="t0", **values
            )
        )
    bins = {"start": float(rng.integers(-3, 1)), "end": 9.0, "size": float(rng.choice([0.5, 1, 3]))}
    return go.Figure(
        go.Histogram(
            x=numbers(rng, length),
            histfunc=func,
            histnorm=norm,
            xbins=bins,
            cumulative_enabled=bool(func == "count" and rng.random() < 0.3),
            name="t0",
            **values,
        )
    )


def check_histograms(said: str, drawn: Any) -> None:
    line = lines_of(said, "t0")
    (trace,) = drawn["traces"]
    axis = drawn["axes"]["x"]
    truth = [(value(p["p"], axis), p["s"]) for p in trace["points"] if p.get("s") and "p" in p]
    near = gap([size for _, size in truth])
    if "no values" in line:
        assert not truth
    elif "counts: " in line and "histogram" in line:
        start, end = (float(re.search(rf"{word} (-?[\d.]+)", line)[1]) for word in ("from", "to"))  # type: ignore[index]
        told = re.search(r"; counts: ([^;…]*)", line)[1].split()  # type: ignore[index]
        width = (end - start) / int(re.search(r"(\d+) bin", line)[1])  # type: ignore[index]
        found = {start + (at + 0.5) * width: n for at, n in enumerate(told) if float(n)}
        assert len(found) == len(truth), line
        for (place, told_size), (at, size) in zip(
            sorted(found.items()), sorted(truth), strict=True
        ):
            assert is_near(str(place), at) and is_near(told_size, size), line
    else:
        told_sizes = told_bars(line) if truth else []
        there = [(name, size) for name, size in told_sizes if float(size)]
        assert len(there) == min(len(truth), 40) or len(told_sizes) == 40, line
        for name, size in there:
            ends = re.fullmatch(r"(-?[\d.]+) to (-?[\d.]+)", name)
            if ends:
                middle = (float(ends[1]) + float(ends[2])) / 2
                assert any(is_near(str(middle), at) and is_near(size, s, near) for at, s in truth)
            else:
                assert any(name == at and is_near(size, s, near) for at, s in truth), line


# Boxes and violins


def boxes(rng: Random) -> go.Figure:
    length = length_of(rng)
    y, kind = numbers(rng, length), go.Violin if rng.random() < 0.3 else go.Box
    x = places(rng, length, "names dates") if rng.random() < 0.7 else None
    method = str(rng.choice(["linear", "inclusive", "exclusive"]))
    if rng.random() < 0.4:
        return go.Figure(kind(x=y, y=x, orientation="h", name="t0", quartilemethod=method))
    return go.Figure(kind(x=x, y=y, name="t0", quartilemethod=method))


def check_boxes(said: str, drawn: Any) -> None:
    (trace,) = drawn["traces"]
    line = lines_of(said, "t0")
    axis = drawn["axes"]["y" if " lying" in line else "x"]
    pattern = re.compile(
        r'"t0"(?: of (\S+))?: ([\d,]+) values?, median (\S+), quartiles (\S+) and (\S+), '
        r"range (\S+) to ([^\s;]+)"
    )
    told = pattern.findall(line)
    truth = [
        point for point in trace["points"] if "q1" in point
    ]  # none of a value alone, exclusive
    assert len(told) == len(truth), line
    near = gap([point[name] for point in truth for name in ("min", "q1", "med", "q3", "max")])
    for name, _, *parts in told:
        assert any(
            name in ("", str(value(point["pos"], axis)))
            and all(
                is_near(part, point[key], near)
                for part, key in zip(parts, ("med", "q1", "q3", "min", "max"), strict=True)
            )
            for point in truth
        ), (line, truth)


# Parts of a whole


def pies(rng: Random) -> go.Figure:
    length = length_of(rng)
    labels = places(rng, length, "names digits") if rng.random() < 0.8 else None
    values = numbers(rng, length) if labels is None or rng.random() < 0.8 else None
    hidden = ["c1"] if rng.random() < 0.3 else []
    pie = go.Pie(labels=labels, values=values, name="t0", hole=float(rng.choice([0, 0.4])))
    return go.Figure(pie, {"hiddenlabels": hidden})


def check_pies(said: str, drawn: Any) -> None:
    (trace,) = drawn["traces"]
    slices = [p for p in trace["points"] if "label" in p]
    assert_bars(lines_of(said, "t0"), [(p["label"], p["v"]) for p in slices if not p["hidden"]])
    for point in slices:
        assert not point["hidden"] or point["label"] in said.partition("not shown: ")[2]


def trees(rng: Random) -> go.Figure:
    several = int(rng.integers(2, 12))
    ids = [f"n{at}" for at in range(several)]
    parents = ["", *(ids[int(rng.integers(0, at))] for at in range(1, several))]
    values = [float(one) for one in rng.integers(0, 20, several)]
    kind = [go.Sunburst, go.Treemap, go.Icicle][rng.integers(3)]
    order = rng.permutation(several)
    return go.Figure(
        kind(
            labels=[ids[at] for at in order],
            parents=[parents[at] for at in order],
            values=[values[at] for at in order],
            name="t0",
        )
    )


def check_trees(said: str, drawn: Any) -> None:
    line = re.sub(r" \(in n\d+\)", "", lines_of(said, "t0"))
    assert_bars(line, [(name, size) for name, size in drawn["traces"][0]["tree"]])


def flows(rng: Random) -> go.Figure:
    length, names = int(rng.integers(1, 9)), [f"n{at}" for at in range(6)]
    sources = rng.integers(0, 3, length)
    link = {
        "source": sources,
        "target": sources + rng.integers(1, 3, length),
        "value": rng.uniform(0.1, 40, length),
    }
    return go.Figure(go.Sankey(node={"label": names}, link=link, name="t0"))


def check_flows(said: str, drawn: Any) -> None:
    links = drawn["traces"][0].get("links") or []
    truth = [(f"{source} to {target}", size) for source, target, size in links]
    assert_bars(lines_of(said, "t0"), truth)


def waterfalls(rng: Random) -> go.Figure:
    length = int(rng.integers(1, 12))
    measures = [str(rng.choice(["relative", "total", "absolute"])) for _ in range(length)]
    return go.Figure(
        go.Waterfall(
            x=[f"c{at}" for at in range(length)],
            y=[float(one) for one in rng.integers(-9, 20, length)],
            measure=measures,
            name="t0",
        )
    )


def check_waterfalls(said: str, drawn: Any) -> None:
    axis = drawn["axes"]["x"]
    truth = [(value(p["p"], axis), p["v"]) for p in drawn["traces"][0]["points"] if "p" in p]
    assert_bars(lines_of(said, "t0"), truth)


# Grids


def grids(rng: Random) -> go.Figure:
    rows, columns = (int(one) for one in rng.integers(1, 12, 2))
    z = [numbers(rng, columns) for _ in range(rows)]
    kind = go.Contour if rng.random() < 0.3 and rows > 1 and columns > 1 else go.Heatmap
    x = [f"c{at}" for at in range(columns)] if rng.random() < 0.6 else None
    return go.Figure(kind(z=z, x=x, name="t0"))


def check_grids(said: str, drawn: Any) -> None:
    line, z = lines_of(said, "t0"), drawn["traces"][0]["grid"]
    assert re.search(r"(\d+) rows x (\d+) columns", line).groups() == (  # type: ignore[union-attr]
        str(len(z)),
        str(max(map(len, z))),
    )
    cells = [
        (cell, r, c) for r, row in enumerate(z) for c, cell in enumerate(row) if cell is not None
    ]
    near = gap([cell for cell, _, _ in cells])
    for word, end in (("lowest", min), ("highest", max)):
        found = re.search(rf"{word} (\S+) at row (\d+), (?:column (\d+)|c(\d+))", line)
        assert (found is None) == (not cells), line
        if found:
            column = int(found[3]) - 1 if found[3] else int(found[4])
            assert is_near(found[1], end(cells)[0], near), line
            assert z[int(found[2]) - 1][column] == end(cells)[0], line


KINDS: dict[str, tuple[Callable[[Random], go.Figure], Callable[[str, Any], None]]] = {
    "points": (points, check_points),
    "bars": (bars, check_bars),
    "histograms": (histograms, check_histograms),
    "boxes": (boxes, check_boxes),
    "pies": (pies, check_pies),
    "trees": (trees, check_trees),
    "flows": (flows, check_flows),
    "waterfalls": (waterfalls, check_waterfalls),
    "grids": (grids, check_grids),
}


@pytest.mark.browser
@pytest.mark.met("N3", "N4", "N10")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_told_of_random_plotly_figures_is_what_plotly_js_draws(
    oracle: Oracle, kind: str
) -> None:
    make, check = KINDS[kind]
    for seed in range(FIGURES):
        figure = make(np.random.default_rng(seed))
        drawn = oracle.drawn(figure)
        drawn["mode"] = figure.layout.barmode
        said = figure_data(figure, 10**6)
        try:
            check(said, drawn)
        except Exception as error:
            error.add_note(f"{kind}, seed {seed}: {said}")
            raise
