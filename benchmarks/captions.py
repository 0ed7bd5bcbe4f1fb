"""Captions for many images against the offline server, every tenth question of which is refused.

    python benchmarks/captions.py [images] [concurrency]

Speed: the server runs in a process of its own and takes 0.3 s for an answer, which is quick for a
model. What is measured against is httpx with asyncio doing the same requests at the same
concurrency: it sends each again at once where it is refused, reads the stream and keeps nothing.

Memory: the most that a process takes for so many images, and for ten times as many.

Kills: a job that is killed (SIGKILL) 20 times and gone on with, and what is asked twice for it.

It exits with 1 where a row is lost or one of the limits below is passed.
"""

from __future__ import annotations

import asyncio
import io
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeAlias

Ended: TypeAlias = Callable[[], tuple[int, int]]

ROUNDS = 3
KILLS = 20
# At most: requests for rows and refusals, wall time over httpx's, memory for ten times the images.
MORE_REQUESTS, SLOWER, MORE_MEMORY = 1.15, 1.3, 1.15
# Deltas of the offline server's answer to a caption's question, each after a pause.
PACE = 0.006


def serve(told: Connection, pace: float, failing: bool) -> None:
    from claude_magic.offline import OfflineServer

    behaviours = ["every_tenth"] if failing else []
    with OfflineServer(behaviours=behaviours, pace=pace, keep=0 if failing else 10_000) as server:
        told.send(server.url)
        told.recv()
        different = {json.dumps(r.json["messages"]) for r in server.requests if r.json}
        told.send((server._journal._questions, len(different)))


@contextmanager
def served(pace: float = PACE, *, failing: bool = True) -> Iterator[tuple[str, Ended]]:
    """The URL of a server in another process, and what ends it.

    That says how many questions it was asked, and how many different ones where none was refused.
    """
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(there, pace, failing), daemon=True
    )
    process.start()

    def ended() -> tuple[int, int]:
        here.send(None)
        asked, different = here.recv()
        return int(asked), int(different)

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
    from claude_magic.captions.datasets.caption_run import CaptionRun, How, check, frame
    from claude_magic.captions.job import Access, Wanted
    from claude_magic.conversation.asking.connection import Server
    from claude_magic.conversation.settings import Settings

    server = Server(url, "offline", offline=True, anthropic=True, loopback=True)
    how = How(out=folder / "captions.parquet", concurrency=concurrency, progress=False)
    access = Access(Settings(), server=server, offline=Elsewhere(url))
    with CaptionRun((image(n) for n in range(images)), Wanted(), check(how), access) as run:
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

    from claude_magic.captions.job import CAPTION_PROMPT, Access, Wanted, job_of
    from claude_magic.conversation.settings import Settings
    from claude_magic.messages.blocks import text
    from claude_magic.messages.images.prepare import prepare

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


def speed(images: int, concurrency: int) -> bool:
    """Whether requests and wall time stay within the limits."""
    found: dict[str, list[tuple[float, float]]] = {"ours": [], "httpx": []}
    for _ in range(ROUNDS):
        with served() as (url, ended), tempfile.TemporaryDirectory() as folder:
            found["ours"].append(timed(lambda: captioned(url, images, concurrency, Path(folder))))
            asked, _different = ended()
        with served() as (url, ended):
            found["httpx"].append(timed(lambda: plain(url, images, concurrency)))
            ended()
    refused = asked // 10
    print(f"  requests {asked}: {images} rows, {refused} refusals, {asked - images - refused} more")
    walls = {}
    for name, times in found.items():
        wall, cpu = (statistics.median(part) for part in zip(*times, strict=True))
        walls[name] = wall
        print(f"  {name:6s} {wall:6.2f} s, CPU {cpu:6.2f} s ({cpu / images * 1e3:.1f} ms an image)")
    ratio = walls["ours"] / walls["httpx"]
    print(f"  {ratio:.2f} times the time of httpx")
    return asked <= MORE_REQUESTS * (images + refused) and ratio <= SLOWER


def memory(images: int, concurrency: int) -> bool:
    """Whether ten times as many images take hardly more memory."""
    most = []
    for count in (images, 10 * images):
        with served(0.0) as (url, ended), tempfile.TemporaryDirectory() as folder:
            job = started(url, count, concurrency, Path(folder))
            said, _ = job.communicate()
            ended()
        most.append(int(said))
        print(f"  {count:,} images: most memory {most[-1]} MB")
    return most[1] <= MORE_MEMORY * most[0]


def kills(images: int, concurrency: int) -> bool:
    """Whether a job that is killed again and again asks twice for what was under way alone."""
    chance = random.Random(7)  # noqa: S311 - when it is killed
    with served(failing=False) as (url, ended), tempfile.TemporaryDirectory() as name:
        kept = Path(name) / "captions.parquet.checkpoint.jsonl"
        for _ in range(KILLS):
            wanted = lines(kept) + chance.randint(1, images // (2 * KILLS))
            job = started(url, images, concurrency, Path(name))
            while job.poll() is None and lines(kept) < wanted:
                time.sleep(0.005)
            if job.poll() is not None:
                raise SystemExit("it was done before it could be killed")
            job.kill()
            job.wait()
        job = started(url, images, concurrency, Path(name))
        job.communicate()
        asked, different = ended()
    again = asked - different
    print(f"  killed {KILLS} times: {different} images, {again} asked twice", end="")
    print(f" ({again / KILLS:.1f} a kill, of {concurrency} under way)")
    return job.returncode == 0 and different == images and again <= KILLS * concurrency


def started(url: str, images: int, concurrency: int, folder: Path) -> subprocess.Popen[str]:
    """A job in a process of its own, which prints the most memory that it took, in MB."""
    command = [sys.executable, __file__, "job", url, str(images), str(concurrency), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def job(url: str, images: str, concurrency: str, folder: str) -> None:
    captioned(url, int(images), int(concurrency), Path(folder))
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(int(status.split("VmHWM:")[1].split()[0]) // 1024)


def lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def main() -> int:
    if sys.argv[1:2] == ["job"]:
        job(*sys.argv[2:])
        return 0
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    concurrency = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    print(f"{images} images, {concurrency} at once, {os.cpu_count()} cores")
    held = []
    for part in (speed, memory, kills):
        print(part.__name__)
        held.append(part(images, concurrency))
        print("  held" if held[-1] else "  NOT held", flush=True)
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
