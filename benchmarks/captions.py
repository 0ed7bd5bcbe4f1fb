"""Captions for many images against the offline server, every tenth question of which is refused.

    python benchmarks/captions.py [images] [concurrency]

The server runs in a process of its own and takes 0.3 s for an answer, which is quick for a model.
What is measured against is httpx with asyncio doing the same requests at the same concurrency: it
sends each again at once where it is refused, reads the stream and keeps nothing.
"""

from __future__ import annotations

import asyncio
import io
import json
import multiprocessing
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

ROUNDS = 3
# Deltas of the offline server's answer to a caption's question, each after a pause.
PACE = 0.006


def serve(told: Connection, pace: float, failing: bool) -> None:
    from claude_magic.offline import OfflineServer

    behaviours = ["every_tenth"] if failing else []
    with OfflineServer(behaviours=behaviours, pace=pace, keep=0) as server:
        told.send(server.url)
        told.recv()
        told.send(server._journal._questions)


@contextmanager
def served(pace: float = PACE, *, failing: bool = True) -> Iterator[tuple[str, Callable[[], int]]]:
    """The URL of a server in another process, and what ends it and says how many it was asked."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(there, pace, failing), daemon=True
    )
    process.start()

    def ended() -> int:
        here.send(None)
        return int(here.recv())

    yield here.recv(), ended
    process.terminate()


def image(number: int) -> bytes:
    """A small PNG that no other number gives."""
    from PIL import Image

    out = io.BytesIO()
    colour = (number % 256, number // 256 % 256, number // 65536)
    Image.new("RGB", (120, 90), colour).save(out, "PNG")
    return out.getvalue()


def captioned(url: str, images: int, concurrency: int, folder: Path) -> None:
    from claude_magic.captions.access import Access
    from claude_magic.captions.results import frame
    from claude_magic.captions.run import How, Run, Wanted, check
    from claude_magic.conversation.connection import Server
    from claude_magic.conversation.settings import Settings

    server = Server(url, "offline", offline=True, anthropic=True, loopback=True)
    how = How(out=folder / "captions.parquet", concurrency=concurrency, progress=False)
    access = Access(Settings(), server=server, offline=Elsewhere(url))
    with Run((image(n) for n in range(images)), Wanted(), check(how), access) as run:
        run.ask()
        table = frame(run)
    if len(table) != images or not table["error"].isna().all():
        raise SystemExit(f"{len(table)} rows, {table['error'].dropna().unique()}")


class Elsewhere:
    """An offline server that runs in another process."""

    def __init__(self, url: str) -> None:
        self.url = url


def plain(url: str, images: int, concurrency: int) -> None:
    """The same requests by httpx and asyncio."""
    import httpx

    from claude_magic.captions.access import Access
    from claude_magic.captions.guidance import CAPTION_PROMPT
    from claude_magic.captions.run import Wanted, job_of
    from claude_magic.conversation.settings import Settings
    from claude_magic.messages.blocks import text
    from claude_magic.messages.images import prepare

    job = job_of(Wanted(), Access(Settings(base_url="offline")))

    async def ask(http: httpx.AsyncClient, room: asyncio.Semaphore, number: int) -> None:
        content = [prepare(image(number)).block, text(CAPTION_PROMPT)]
        body = {**job.request(content).body, "stream": True}
        async with room:
            while True:
                async with http.stream("POST", "/v1/messages", json=body) as answer:
                    data = [line async for line in answer.aiter_lines() if line[:6] == "data: "]
                    if answer.status_code == 200:
                        return [json.loads(line[6:]) for line in data]

    async def all_of_them() -> None:
        room = asyncio.Semaphore(concurrency)
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        headers = {"anthropic-version": "2023-06-01"}
        async with httpx.AsyncClient(
            base_url=url, limits=limits, headers=headers, timeout=60, trust_env=False
        ) as http:
            await asyncio.gather(*(ask(http, room, n) for n in range(images)))

    asyncio.run(all_of_them())


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of wall time and of this process's CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    concurrency = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    print(f"{images} images, {concurrency} at once, every tenth request refused")
    found: dict[str, list[tuple[float, float]]] = {"ours": [], "httpx": []}
    for _ in range(ROUNDS):
        with served() as (url, ended), tempfile.TemporaryDirectory() as folder:
            found["ours"].append(timed(lambda: captioned(url, images, concurrency, Path(folder))))
            asked = ended()
        with served() as (url, ended):
            found["httpx"].append(timed(lambda: plain(url, images, concurrency)))
            ended()
    refused = asked // 10
    print(f"  requests {asked}: {images} rows, {refused} refusals, {asked - images - refused} more")
    for name, times in found.items():
        wall, cpu = (statistics.median(part) for part in zip(*times, strict=True))
        print(f"  {name:6s} {wall:6.2f} s, CPU {cpu:6.2f} s ({cpu / images * 1e3:.1f} ms an image)")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"  most memory of this process {most} MB")


if __name__ == "__main__":
    main()
