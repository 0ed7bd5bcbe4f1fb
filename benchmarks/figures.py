"""What is told of large Matplotlib figures, and how long that takes before a request leaves.

    python benchmarks/figures.py

It exits with 1 where one takes more CPU time than the limit below.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from claude_magic.captions.figures import figure_data

MOST = 0.5
"""Seconds of CPU."""
POINTS = 1_000_000


def figures() -> dict[str, Callable[[Any], object]]:
    x, y = np.random.default_rng(1).normal(size=(2, POINTS))
    places = np.arange(POINTS)
    wide = x.reshape(1_000, 1_000)
    return {
        "line": lambda axes: axes.plot(y),
        "scatter": lambda axes: axes.scatter(x, y),
        "scatter with colours": lambda axes: axes.scatter(x, y, c=x),
        "ten lines": lambda axes: axes.plot(y.reshape(-1, 10)),
        "dates": lambda axes: axes.plot(places.astype("M8[s]"), y),
        "area": lambda axes: axes.fill_between(places, y, y + 1),
        "image": lambda axes: axes.imshow(wide),
        "mesh": lambda axes: axes.pcolormesh(wide),
        "histogram": lambda axes: axes.hist(x, bins=1_000),
        "hexagons": lambda axes: axes.hexbin(x, y),
    }


def main() -> None:
    mpl.use("agg")
    slow = False
    for name, draw in figures().items():
        figure, axes = plt.subplots()
        draw(axes)
        axes.get_xlim()  # Matplotlib works out its view when it is first asked
        start = time.process_time()
        said = figure_data(figure)
        took = time.process_time() - start
        slow |= took > MOST
        print(f"{name:22} {took:6.3f} s of CPU, {len(said):6,} characters")
        plt.close(figure)
    sys.exit(slow)


if __name__ == "__main__":
    main()
