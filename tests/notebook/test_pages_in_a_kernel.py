"""Whatever the notebook, and whenever the extension is loaded: all above a question is in it.

`make pages` plays all 60 pages; here each kind of front end is played twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kernels import Kernel, kernel
from tests.notebook.generated_pages import MOMENTS, asked, carried, expected, page

PAGES = range(60) if os.environ.get("PAGES") == "all" else range(6)


@pytest.mark.met("P2")
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("seed", PAGES)
def test_every_cell_above_a_question_goes_along_in_order_with_its_state(
    tmp_path: Path, seed: int, moment: str
) -> None:
    made = page(tmp_path, seed)

    @contextmanager
    def start() -> Iterator[Kernel]:
        with kernel(tmp_path, load=False, JPY_SESSION_NAME=str(made.path)) as started:
            yield started

    blocks, elsewhere = asked(made, moment, start)
    assert carried(blocks) == expected(made, elsewhere)
    said = "\n".join(str(block.get("text", "")) for block in blocks)
    assert "load_ext" not in said
    shown = [cell for cell in made.cells[:-1] if cell.outputs and cell.kind == "code"]
    for cell in shown:
        for output in cell.outputs:
            words = output.get("text") or output.get("data", {}).get("text/plain", "")
            if "shown by" in words or "said by" in words:
                assert words.strip() in said
    pictures = sum("image/png" in o.get("data", {}) for cell in shown for o in cell.outputs)
    assert sum(block["type"] == "image" for block in blocks) == min(pictures, 20)
