"""What nbclient and papermill say of a notebook that asks: nothing that it does not say itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.kernels import without_settings

CELLS = ("%load_ext claude_magic", "%claude Hi", "%claude_chat", "import claude_magic")
NBCLIENT = (
    "import sys, nbformat\n"
    "from nbclient import NotebookClient\n"
    "page = nbformat.read('page.ipynb', 4)\n"
    "NotebookClient(page).execute()\n"
    "nbformat.write(page, 'ran.ipynb')\n"
)
RUNS = {
    "nbclient": [sys.executable, "-c", NBCLIENT],
    "papermill": [sys.executable, "-m", "papermill", "page.ipynb", "ran.ipynb", "--kernel=python3"],
    "nbconvert": [
        *(sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook"),
        *("--output", "ran.ipynb", "page.ipynb"),
    ],
}


@pytest.mark.met("P15")
@pytest.mark.parametrize("program", RUNS)
def test_it_warns_of_no_comm_that_it_does_not_know(program: str, tmp_path: Path) -> None:
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    page.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python",
        "language": "python",
    }
    nbformat.write(page, tmp_path / "page.ipynb")
    ran = subprocess.run(
        RUNS[program],
        cwd=tmp_path,
        env=without_settings(os.environ)
        | {"CLAUDE_MAGIC_BASE_URL": "offline", "JUPYTER_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr
    assert "claude_magic" not in ran.stderr + ran.stdout
    assert "comm target" not in ran.stderr + ran.stdout
    cells = json.loads((tmp_path / "ran.ipynb").read_text(encoding="utf-8"))["cells"]
    assert "offline server" in json.dumps([cell["outputs"] for cell in cells])
