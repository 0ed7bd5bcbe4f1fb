"""A job that is killed again and again, and what it pays."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from claude_magic.offline import OfflineServer
from tests.captions.datasets.many_samples import folder_of, questions

# More by hand: CLAUDE_MAGIC_KILLS=20 pytest tests/captions/test_killed.py --timeout 600
KILLS = int(os.environ.get("CLAUDE_MAGIC_KILLS", "4"))
CONCURRENCY = 4
IMAGES = 15 * KILLS


def started(server: OfflineServer, folder: Path, out: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "tests.captions.datasets.job_child",
        server.url,
        str(folder),
        str(out),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def lines(out: Path) -> int:
    kept = Path(f"{out}.checkpoint.jsonl")
    return kept.read_bytes().count(b"\n") if kept.exists() else 0


@pytest.mark.timeout(600)
def test_a_killed_job_pays_twice_for_nothing_but_what_was_under_way(tmp_path: Path) -> None:
    folder, out = folder_of(tmp_path / "scans", IMAGES), tmp_path / "captions.parquet"
    chance = random.Random(7)  # noqa: S311 - when it is killed
    killed = 0
    with OfflineServer(pace=0.004, keep=10_000) as server:
        while killed < KILLS:
            before, some = lines(out), chance.randint(0, 4)
            with started(server, folder, out) as job:
                while job.poll() is None and lines(out) < before + some + 1:
                    time.sleep(0.01)
                if job.poll() is not None:
                    break  # on a busy machine it may be done before it can be killed
                job.kill()
            killed += 1
        assert killed > 0
        with started(server, folder, out) as job:
            said, _ = job.communicate(timeout=120)
        assert said == "done\n"
        asked = Counter(str(body["messages"]) for body in questions(server))
    table = pd.read_parquet(out)
    assert len(table) == IMAGES and table["error"].isna().all()
    assert len(asked) == IMAGES
    again = sum(asked.values()) - IMAGES
    assert again <= killed * CONCURRENCY, f"{again} asked again after {killed} kills"
