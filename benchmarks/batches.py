"""Captions for very many images through Message Batches, answered by the offline server.

    python benchmarks/batches.py [images]

The images are small and made as they are needed; so what is measured is the way, not the decoding.
The server runs in a process of its own. Counted are its batches, their requests and bytes, which
have to stay below the API's limits, and the most memory of the process that asks.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from captions import Elsewhere, image

MOST_MEMORY = 1024
MOST_REQUESTS = 100_000
MOST_BYTES = 256_000_000


def serve(told: Connection) -> None:
    from claude_magic.offline import OfflineServer
    from claude_magic.offline.handlers import AllBatches

    sizes: list[tuple[int, int]] = []
    prepare = AllBatches.prepare

    def counting(self: Any) -> None:
        prepare(self)
        if self.request.method == "POST":
            body = self.request.body
            sizes.append((body.count(b'"custom_id":'), len(body)))

    AllBatches.prepare = counting  # type: ignore[method-assign] - a benchmark looks in from beside
    with OfflineServer(keep=0) as server:
        told.send(server.url)
        told.recv()
        told.send((sizes, resource.getrusage(resource.RUSAGE_SELF)))


@contextmanager
def served() -> Iterator[tuple[str, Callable[[], Any]]]:
    """The URL of a server in another process, and what ends it and says what it got."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()

    def ended() -> Any:
        here.send(None)
        return here.recv()

    yield here.recv(), ended
    process.terminate()


def captioned(url: str, images: int, out: Path) -> Any:
    """A job of so many images, done; what it came to."""
    from claude_magic.captions.datasets.caption_run import CaptionRun, How, check, written
    from claude_magic.captions.job import Access, Wanted
    from claude_magic.conversation.asking.connection import Server
    from claude_magic.conversation.settings import Settings

    server = Server(url, "offline", offline=True, anthropic=True, loopback=True)
    how = How(out, engine="batches", progress=sys.stderr.isatty())
    access = Access(Settings(), server=server, offline=Elsewhere(url))
    with CaptionRun((image(n) for n in range(images)), Wanted(), check(how), access) as run:
        run.ask()
        asked = time.perf_counter()
        written(run)
    return run.tally, time.perf_counter() - asked


def main() -> None:
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    began, cpu = time.perf_counter(), time.process_time()
    with served() as (url, ended), tempfile.TemporaryDirectory() as folder:
        tally, writing = captioned(url, images, Path(folder) / "captions.parquet")
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        sizes, theirs = ended()
        kept = {p.name: p.stat().st_size / 1e6 for p in Path(folder).iterdir()}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    requests, length = (list(part) for part in zip(*sizes, strict=True))
    print(f"{images:,} images: {tally}; on {os.cpu_count()} cores")
    print(f"  {len(sizes)} batches, {statistics.median(requests):,.0f} requests in the median,")
    print(f"    at most {max(requests):,} requests and {max(length) / 1e6:.1f} MB in one")
    print(f"  {sum(length) / 1e6:,.0f} MB sent, {sum(length) / images:,.0f} bytes an image")
    print(
        f"  {wall:.0f} s in all, {wall / images * 1e3:.1f} s a thousand; table in {writing:.1f} s"
    )
    print(f"  CPU of this process {cpu / images * 1e3:.2f} ms an image; of the server's, which")
    print(f"    judges and answers, {(theirs.ru_utime + theirs.ru_stime) / images * 1e3:.2f} ms")
    print(
        f"  most memory of this process {memory} MB, of the server's {theirs.ru_maxrss // 1024} MB"
    )
    print("  " + ", ".join(f"{name} {size:.1f} MB" for name, size in sorted(kept.items())))
    wrong = memory > MOST_MEMORY or max(requests) > MOST_REQUESTS or max(length) > MOST_BYTES
    if wrong or tally.errors or tally.done != images:
        raise SystemExit("the limits were not kept, or not all rows came")


if __name__ == "__main__":
    main()
