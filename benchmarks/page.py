"""What a question costs on a large page: 500 cells, 100 figures of 40 kB, as saved in the file.

Measured is the CPU time of a real kernel before the request leaves: the page read and put together,
what goes along chosen and rendered, the request made. Once for a first question, which carries the
page from its top, and again for the next ones, on a page that has not changed and on one of which
one cell was edited and saved.

    python benchmarks/page.py [CELLS] [FIGURES]
"""

from __future__ import annotations

import base64
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.kernels import Kernel, kernel

CELLS, FIGURES = [*map(int, sys.argv[1:]), 500, 100][:2]
MEASURE = """
import time
notebook = get_ipython().magics_manager.registry["ClaudeMagics"].notebook
def cost():
    began = time.process_time()
    question = notebook.question({}, "What stands above?")
    made = time.process_time()
    notebook.session.plan(question)
    return [made - began, time.process_time() - made, question.carried]
"""


def figure(number: int) -> str:
    """A PNG of 640 x 480 that is no other's, in base64."""
    from io import BytesIO

    from PIL import Image

    noise = random.Random(number).randbytes(160 * 120 * 3)  # noqa: S311
    image = Image.frombytes("RGB", (160, 120), noise).resize((640, 480), Image.Resampling.NEAREST)
    held = BytesIO()
    image.quantize(16).save(held, "PNG")
    return base64.b64encode(held.getvalue()).decode()


def save(path: Path, edited: str = "") -> None:
    """The page's file."""
    cells: list[dict[str, Any]] = []
    every = max(1, CELLS // FIGURES)
    for n in range(CELLS):
        cell: dict[str, Any] = {"id": f"c{n}", "metadata": {}, "cell_type": "markdown"}
        cell["source"] = f"## Part {n}\n\n" + "What the next cells do, and why. " * 10 + edited
        if n % 3:
            text = {"output_type": "stream", "name": "stdout", "text": f"row {n} of many\n" * 50}
            cell |= {"cell_type": "code", "execution_count": n, "outputs": [text]}
            cell["source"] = f"frame_{n} = load({n})\n" * 10
        if n % every == 1:
            data = {"image/png": PICTURES[n // every % len(PICTURES)]}
            cell |= {"cell_type": "code", "execution_count": n}
            cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
        cells.append(cell)
    cells.append(
        {"id": "ask", "metadata": {}, "cell_type": "code", "source": "asking", "outputs": []}
    )
    path.write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    )


PICTURES = [figure(number) for number in range(FIGURES)]


def measured(running: Kernel, what: str) -> None:
    running.run("found = cost()", cell="ask")
    question, plan, carried = running.value("found")
    print(f"{what:<28} {question * 1000:7.1f} ms  request {plan * 1000:6.1f} ms  {carried}")


with tempfile.TemporaryDirectory() as folder:
    page = Path(folder) / "page.ipynb"
    save(page)
    print(f"{CELLS} cells, {FIGURES} figures, {page.stat().st_size / 1e6:.1f} MB")
    with kernel(Path(folder), JPY_SESSION_NAME=str(page)) as running:
        running.run(MEASURE, cell="define")
        running.run("%claude -c none -i none Hello", cell="hello")
        measured(running, "first question")
        measured(running, "again, nothing changed")
        measured(running, "again, nothing changed")
        save(page, "edited")
        measured(running, "after a change of the file")
