"""What a cell showed goes along in the same form whoever tells of it: the kernel that ran it, or
the file after a restart. So what was asked then answers from the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kernels import kernel
from tests.notebook.front_ends import JupyterLab
from tests.notebook.shown_outputs import BUNDLES, sources, without_states

ASKS = "%%claude\nWhat is there?"


@pytest.mark.met("P8")
def test_outputs_of_every_form_are_told_by_the_file_as_by_the_kernel_that_showed_them(
    tmp_path: Path,
) -> None:
    page = JupyterLab(tmp_path / "page.ipynb", "%load_ext claude_magic", *sources(), ASKS)
    load, asks = page.cells[0], page.cells[-1]
    with kernel(tmp_path, load=False, JPY_SESSION_NAME=str(page.path)) as first:
        page.run(first)
        then = first.requests()[-1]["messages"][-1]["content"]
    page.save()
    with kernel(tmp_path, load=False, JPY_SESSION_NAME=str(page.path)) as second:
        page.run(second, load)
        assert "from the record" in page.run(second, asks).shown()
        asks.source = ASKS.replace("%%claude", "%%claude --fresh")
        page.save()
        page.run(second, asks)
        now = second.requests()[-1]["messages"][-1]["content"]
    assert without_states(now) == without_states(then)
    said = str(without_states(then))
    assert [name for name in BUNDLES if f"# {name}" not in said] == []
