"""`claude-magic caption` over a folder of notebooks, beside its requests alone.

    python benchmarks/notebooks.py [notebooks] [figures] [jobs]

250 notebooks with 1,200 figures and 16 requests under way, unless told otherwise. The offline
server runs in a process of its own and takes its time for each reply, as a model would. The same
requests are sent again by as many threads, with nothing read and nothing written: the wall time of
the command is to be at most 1.3 times theirs.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from captions import image, served

MOST = 1.3
PACE = 0.01


def folder_of(folder: Path, notebooks: int, figures: int) -> None:
    """So many notebooks with so many different figures among them."""
    for number in range(notebooks):
        mine = range(number * figures // notebooks, (number + 1) * figures // notebooks)
        cells = [
            {
                "cell_type": "code",
                "execution_count": 1,
                "id": f"cell-{n}",
                "metadata": {},
                "outputs": [
                    {
                        "output_type": "display_data",
                        "data": {"image/png": base64.b64encode(image(n)).decode()},
                        "metadata": {},
                    }
                ],
                "source": [f"plot({n})\n"],
            }
            for n in mine
        ]
        made = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (folder / f"{number:04}.ipynb").write_text(json.dumps(made, indent=1), encoding="utf-8")


def commanded(url: str, folder: Path, jobs: int) -> float:
    """Seconds that the command takes."""
    words = ["caption", "--write", "--jobs", str(jobs), "--format", "csv", str(folder)]
    home = {"CLAUDE_MAGIC_BASE_URL": url, "JUPYTER_DATA_DIR": str(folder.parent / "data")}
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "claude_magic", *words],
        env={**os.environ, **home},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - begun


def bodies(folder: Path) -> Iterator[Mapping[str, Any]]:
    """The requests about the figures of these notebooks."""
    from claude_magic.captions.job import Access, Wanted, job_of
    from claude_magic.captions.notebooks.alt_text import Notebooks, question
    from claude_magic.conversation.settings import Settings

    job = job_of(Wanted(), Access(Settings(base_url="http://127.0.0.1:9")))
    for opened in Notebooks([folder]).each():
        for placed in opened.wanted:
            placed.look()
            yield job.request(question(placed, job)).body


def requested(url: str, asked: list[Mapping[str, Any]], jobs: int) -> float:
    """Seconds that the requests take, made beforehand, sent by as many threads."""
    from claude_magic.messages.transport.client import Client

    left, lock = iter(asked), threading.Lock()
    client = Client(url, None, kept=jobs)

    def send() -> None:
        while True:
            with lock:
                body = next(left, None)
            if body is None:
                return
            with client.stream(body) as stream:
                for _ in stream:
                    pass

    threads = [threading.Thread(target=send) for _ in range(jobs)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def main(notebooks: int = 250, figures: int = 1200, jobs: int = 16) -> None:
    with tempfile.TemporaryDirectory() as made, served(PACE, failing=False) as (url, _):
        folder = Path(made) / "papers"
        folder.mkdir()
        folder_of(folder, notebooks, figures)
        asked = list(bodies(folder))
        alone = requested(url, asked, jobs)
        whole = commanded(url, folder, jobs)
    print(f"{notebooks} notebooks, {figures} figures, {jobs} requests under way")
    print(f"requests alone {alone:6.1f} s, the command {whole:6.1f} s: {whole / alone:.2f} times")
    if whole > MOST * alone:
        sys.exit(f"more than {MOST} times")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
