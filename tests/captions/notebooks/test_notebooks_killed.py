"""`claude-magic caption` over a folder, killed again and again: what is written, what is paid."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from claude_magic.captions.notebooks.notebook_file import NotebookFile
from claude_magic.offline import OfflineServer
from tests.captions.datasets.many_samples import coloured, questions
from tests.captions.notebooks.notebook_samples import code, saved, shown

# More by hand: CLAUDE_MAGIC_KILLS=10 pytest tests/captions/notebooks/test_notebooks_killed.py
KILLS = int(os.environ.get("CLAUDE_MAGIC_KILLS", "4"))
JOBS = 4
NOTEBOOKS, EACH = 5 * KILLS, 4


def folder_of(folder: Path) -> Path:
    """Notebooks of so many figures each, no two of them alike."""
    folder.mkdir()
    for number in range(NOTEBOOKS):
        figures = (shown(coloured(number * EACH + n)) for n in range(EACH))
        saved(folder / f"{number:03}.ipynb", *(code(f"p{n}()", f) for n, f in enumerate(figures)))
    return folder


def started(server: OfflineServer, folder: Path, *more: str) -> subprocess.Popen[str]:
    """The command, in a process of its own that asks this server."""
    line = [sys.executable, "-m", "claude_magic", "caption", "--write", "--jobs", str(JOBS)]
    home = {"JUPYTER_DATA_DIR": str(folder.parent / "data"), "CLAUDE_MAGIC_BASE_URL": server.url}
    return subprocess.Popen(
        [*line, *more, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **home},
    )


def described(folder: Path) -> list[int]:
    """How many figures of each notebook have alt text."""
    return [
        sum(figure.alt is not None for figure in NotebookFile(path).figures())
        for path in sorted(folder.glob("*.ipynb"))
    ]


def asked(server: OfflineServer) -> Counter[str]:
    return Counter(str(body["messages"]) for body in questions(server))


def killed(server: OfflineServer, folder: Path, after: int, *more: str) -> bool:
    """Whether the command was killed, after so many more requests; it may be done before."""
    before = len(server.requests)
    with started(server, folder, *more) as job:
        while job.poll() is None and len(server.requests) < before + after:
            time.sleep(0.005)
        done = job.poll() is not None
        job.kill()
    return not done


@pytest.mark.met("C3")
@pytest.mark.timeout(600)
def test_what_was_paid_is_written_and_never_paid_again(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "papers")
    chance = random.Random(7)  # noqa: S311 - when it is killed
    with OfflineServer(pace=0.004, keep=10_000) as server:
        kills = [
            killed(server, folder, chance.randint(EACH * 3, EACH * 5)) for _ in range(KILLS)
        ].count(True)
        assert kills, "on a busy machine too it cannot have been done each time"
        soon = described(folder)
        assert EACH in soon, "a notebook is written when it is done, not at the end"
        assert all(count in (0, EACH) for count in soon), "whole, or as it was"
        with started(server, folder) as job:
            _, said = job.communicate(timeout=120)
        assert job.returncode == 0
        counts = asked(server)
    assert described(folder) == [EACH] * NOTEBOOKS and "failed" not in said
    again = sum(counts.values()) - NOTEBOOKS * EACH
    assert len(counts) == NOTEBOOKS * EACH
    assert again <= kills * JOBS, f"{again} asked again after {kills} kills"


@pytest.mark.met("C3")
@pytest.mark.timeout(600)
def test_redo_asks_anew_but_not_for_what_a_killed_one_has_paid(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "papers")
    for path in list(folder.iterdir()):
        if path.name > "002.ipynb":
            path.unlink()
    count = 3 * EACH
    with OfflineServer(pace=0.004, keep=10_000) as server:
        for runs in (1, 2):  # the second one asks about all of them once more
            kills = killed(server, folder, 9, "--redo")
            with started(server, folder, "--redo") as job:
                job.communicate(timeout=120)
            assert job.returncode == 0
            most = (count + kills * JOBS) * runs
            assert count * runs <= len(questions(server)) <= most
