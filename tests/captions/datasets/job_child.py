"""A job in a process of its own, to be killed: job_child.py URL FOLDER OUT [ENGINE SIZE]."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from claude_magic.captions.datasets.batch_post import Limits
from claude_magic.captions.datasets.caption_run import CaptionRun, How, check, written
from claude_magic.captions.job import Access, Wanted
from claude_magic.conversation.asking.connection import Server
from claude_magic.conversation.settings import Settings


@dataclass
class Elsewhere:
    """An offline server that runs in another process."""

    url: str


def main(url: str, folder: str, out: str, engine: str = "threads", size: str = "10") -> None:
    server = Server(url, "offline", offline=True, anthropic=True, loopback=True)
    asks = Access(Settings(), server=server, offline=cast(Any, Elsewhere(url)))
    how = How(
        Path(out),
        concurrency=4,
        progress=False,
        engine=cast(Any, engine),
        limits=Limits(requests=int(size)),
    )
    with CaptionRun(folder, Wanted(), check(how), asks) as run:
        run.ask()
        written(run)
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
