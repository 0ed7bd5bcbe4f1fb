"""What is said of a figure, read back: numbers, names and places, and whether they are the truth.

Nothing of the package is used here: the text is all that there is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

Truth = float | str | datetime
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?"


def lines_of(said: str, start: str) -> list[str]:
    """The lines that start so."""
    return [line for line in said.splitlines() if line.startswith(start)]


def line_of(said: str, start: str) -> str:
    """The one line that starts so."""
    found = lines_of(said, start)
    assert len(found) == 1, f"{len(found)} lines start with {start!r} in:\n{said}"
    return found[0]


def slack(truths: Sequence[float]) -> float:
    """How far off a number may be that is told of a series: a hundredth of its smallest gap."""
    there = sorted({value for value in truths if math.isfinite(value)})
    largest = max(map(abs, there), default=0.0)
    gaps = [b - a for a, b in pairwise(there) if b - a > 1e-14 * largest]
    return min(gaps) / 100 if gaps else math.inf


def is_true(told: str, truth: Truth, among: Sequence[Truth]) -> bool:
    """Whether what was told is the truth, within the rounding that a series of such allows."""
    if isinstance(truth, str):
        return told.strip('"') == truth
    if isinstance(truth, datetime):
        form = "%Y-%m-%d" + (" %H:%M:%S.%f"[: {10: 0, 16: 6, 19: 9}.get(len(told), 12)])
        moments = sorted({m for m in among if isinstance(m, datetime)})
        gap = min((b - a for a, b in pairwise(moments)), default=timedelta(0))
        off = abs(datetime.strptime(told, form) - truth.replace(tzinfo=None))
        return off <= max(gap / 100, timedelta(microseconds=5))
    number = float(told)
    if truth == int(truth) and abs(truth) < 1e15:
        return number == truth
    numbers = [value for value in among if isinstance(value, float | int)]
    allowed = min(slack(numbers), 5e-4 * abs(truth))
    return abs(number - truth) <= allowed * (1 + 1e-9) + 1e-13 * abs(truth)


def all_true(told: Sequence[str], truths: Sequence[Truth]) -> None:
    assert len(told) == len(truths), f"{len(told)} told of {len(truths)}: {told}"
    for one, truth in zip(told, truths, strict=True):
        assert is_true(one, truth, truths), f"{one} was told of {truth!r}, among {truths[:9]}"


def tuples(line: str) -> list[list[str]]:
    """`(1, 2) (3, 4)` at the end of a line, apart."""
    listed = line.rsplit(": ", 1)[1]
    return [
        re.split(r", (?=[^\"]*(?:\"[^\"]*\"[^\"]*)*$)", t)
        for t in re.findall(r"\(([^()]*)\)", listed)
    ]


def numbers(text: str) -> list[str]:
    return re.findall(_NUMBER, text)


def after(line: str, word: str, until: str = ";") -> str:
    """What stands after a word, up to the next semicolon."""
    assert word in line, f"{word!r} is missing in: {line}"
    return line.split(word, 1)[1].split(until, 1)[0].strip()


def points_are(
    line: str, xs: Sequence[Truth], ys: Sequence[float], *, without: int = 0, outside: int = 0
) -> None:
    """That a line tells these points: their number, their lowest and highest, and examples."""
    size = len(xs)
    said = "1 point" if size == 1 else f"{size:,} points"
    assert f": {said}" in line, line
    assert (f"({without:,} more without a value)" in line) == (without > 0), line
    assert (f"({outside:,} more outside of the view)" in line) == (outside > 0), line
    if not size:
        return
    pairs = tuples(line)
    if size <= 24:
        all_true([x for x, _ in pairs], xs)
        all_true([y for _, y in pairs], ys)
    else:
        assert "24 of them" in line and len(pairs) == 24
        places = [round(i * (size - 1) / 23) for i in range(24)]
        for (x, y), at in zip(pairs, places, strict=True):
            assert is_true(x, xs[at], [xs[p] for p in places])
            assert is_true(y, ys[at], [ys[p] for p in [*places, at]])
    if size > 24:
        ends = f"median {numbers(after(line, 'median '))[0]}"
        middle = sorted(ys)[(size - 1) // 2 : size // 2 + 1]
        median = float(ends.split()[1])
        assert min(middle) - 5e-4 * abs(min(middle)) <= median
        assert median <= max(middle) + 5e-4 * abs(max(middle))
    if re.search(r"y lowest", line):
        low, at_low = re.findall(r"y lowest (\S+) at (\"[^\"]*\"|[^,;]+)", line)[0]
        high, at_high = re.findall(r"highest (\S+) at (\"[^\"]*\"|[^,;]+)", line)[0]
        for told, at, truth in ((low, at_low, min(ys)), (high, at_high, max(ys))):
            assert is_true(told, truth, [truth]), f"{told} of {truth}"
            whose = [x for x, y in zip(xs, ys, strict=True) if y == truth]
            assert any(is_true(at, x, [x]) for x in whose), f"{at} is not where {truth} is"


def bars_are(line: str, names: Sequence[str], heights: Sequence[float]) -> None:
    """That a line tells these bars, each with its name."""
    listed = line.split(": ", 2)[2].split("; highest", maxsplit=1)[0]
    plain = re.sub(r" \(from [^)]*\)", "", listed)
    told = re.findall(r"(\"[^\"]*\"|[^\",]+?) (-?[\d.e+-]+)(?:, |$)", plain)
    all_true([value for _, value in told], heights)
    assert [name.strip('"') for name, _ in told] == list(names), line
    if len(heights) > 2:
        high = after(line, "; highest ", ", lowest").strip('"')
        low = line.rsplit(", lowest ", 1)[1].strip('"')
        assert heights[list(names).index(high)] == max(heights)
        assert heights[list(names).index(low)] == min(heights)


def steps_are(line: str, edges: Sequence[float], heights: Sequence[float]) -> None:
    """That a line tells these touching bars: their edges and heights."""
    assert " …" not in line
    all_true(after(line, "edges: ").split(", "), edges)
    all_true(line.rsplit("heights: ", 1)[1].split(), heights)


def grid_is(line: str, rows: Sequence[Sequence[float]], names: Sequence[Sequence[str]]) -> None:
    """That a line tells this grid: its size, its ends by name, and its cells where they are few."""
    assert f"{len(rows)} rows x {len(rows[0])} columns" in line
    cells = [value for row in rows for value in row]
    for word, truth in (("lowest ", min(cells)), ("highest ", max(cells))):
        told, where = re.findall(
            word + r"(\S+) at ((?:\"[^\"]*\"|[^,;]+), (?:\"[^\"]*\"|[^,;]+))", line
        )[0]
        assert is_true(told, truth, [truth])
        places = [
            f"{names[0][r]}, {names[1][c]}"
            for r, row in enumerate(rows)
            for c, value in enumerate(row)
            if value == truth
        ]
        assert where.replace('"', "") in places, f"{where} is none of {places}"
    if len(cells) <= 64:
        listed = after(line, "rows: ").split(" / ")
        all_true([value for row in listed for value in row.split()], cells)
