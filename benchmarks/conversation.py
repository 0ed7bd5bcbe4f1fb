"""What a long conversation costs: opening it, its next request, memory, a turn as turns grow many.

    python benchmarks/conversation.py [turns] [rounds]

Two notebooks of 1,000 turns, 1,000 cells and 20 images of 300 kB: one whose cells stood from the
start, one that got a new cell with every question. They are written as a session writes them, and
each figure is the median over fresh processes. The floor of a request is `b"".join` of its messages
once they are bytes. Held is what was said: the text of questions and replies and the base64 of each
image once. A turn is asked of a server on loopback that answers at once; its floor is bare httpx
with the same bytes. `PYTHONPATH=another/tree` measures another version.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from long_conversation import WHERE, cell, fill, held, records, serve

from claude_magic.conversation.asking.plan import begun
from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.history import History
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.store.conversations import Conversations
from claude_magic.messages.blocks import text
from claude_magic.messages.body import post

IMAGES = 20
SIZES = (10, 100, 1000)


def open_session(root: Path, base_url: str = "http://127.0.0.1:9") -> Session:
    history = Conversations(root).open(WHERE)
    settings = Settings(base_url=base_url, budget=1e9)
    return Session(lambda: settings, history=lambda: history, find=lambda: None)


def question(history: History, number: int) -> Question:
    """A question in the cell below all turns; each time a cell that is new."""
    order = (*history.turns[-1].order, cell(100_000 + number))
    return Question((text(f"And {number}?"),), cell=order[-1], order=order, prompt=f"{number}?")


def build(session: Session, number: int) -> int:
    """The next request, made up to what a socket is given; its bytes."""
    plan = session.plan(question(session.history, number))
    return sum(map(len, post("/", {**plan.request.body, "stream": True}, {})))


def parts(session: Session) -> list[bytes]:
    """The next request, each message and what stands between them as bytes of their own."""
    body = {**session.plan(question(session.history, 0)).request.body, "stream": True}
    content = b"".join(post("/", body, {}))
    at = content.index(b'"messages":[') + len(b'"messages":[')
    found = [content[:at]]
    for said in body["messages"]:
        size = len(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode())
        found += [content[at : at + size], content[at + size : at + size + 1]]
        at += size + 1
    return [*found, content[at:]]


def milliseconds(*does: Callable[[int], object], rounds: int = 41) -> list[list[float]]:
    """What each took, in turns so that whatever else the machine does hits each alike."""
    took: list[list[float]] = [[] for _ in does]
    for number in range(rounds + 1):
        for do, times in zip(does, took, strict=True):
            start = time.perf_counter()
            do(number)
            times.append((time.perf_counter() - start) * 1000)
    return [times[1:] for times in took]


def grown(before: int) -> int:
    """Bytes by which the process is larger than `before`, at its peak.

    Not `ru_maxrss`: a process starts with that of the one that started it.
    """
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 - before


def measure(root: Path, how: str) -> dict[str, float]:
    """In a process of its own: seconds, or what was allocated."""
    open_session(root / "none").plan(Question((text("It imports what it needs."),)))
    before = grown(0)
    if how == "allocated":
        tracemalloc.start()
    start = time.perf_counter()
    session = open_session(root)
    turns = session.turns
    found = {"open": (time.perf_counter() - start) * 1000}
    gc.collect()
    found["opened"], found["opening"] = tracemalloc.get_traced_memory()
    found["opening RSS"] = grown(before)
    start = time.perf_counter()
    size = build(session, 0)
    found["first"] = (time.perf_counter() - start) * 1000
    gc.collect()
    found["warm"], found["building"] = tracemalloc.get_traced_memory()
    found["building RSS"] = grown(before)
    tracemalloc.stop()
    found["held"], found["size"] = held(turns), size
    if how == "timed":
        encoded = parts(session)
        took = milliseconds(lambda _: b"".join(encoded), lambda number: build(session, number))
        found["floor"], found["build"] = map(statistics.median, took)
        found["least floor"], found["least build"] = map(min, took)
        found |= looked_up(session)
    return found


def looked_up(session: Session) -> dict[str, float]:
    """What the table of the turns takes, and one of them whole."""
    from claude_magic.notebook import small_commands

    made, middle = notebook(session), len(session.turns) // 2
    return {
        "table": processor(lambda _: small_commands.history(made), 5),
        "whole": processor(lambda _: small_commands.one(made, middle), 5),
    }


def notebook(session: Session) -> Any:
    """What the magics that look back need of a notebook, all of whose cells ran here."""
    order = tuple(session.turns[-1].order)
    ran = [SimpleNamespace(cell=cell, count=count) for count, cell in enumerate(order, 1)]
    return SimpleNamespace(
        session=session,
        standing=SimpleNamespace(page=SimpleNamespace(order=order), read=lambda: None),
        recorder=SimpleNamespace(runs=ran),
    )


def kept(session: Session, number: int) -> None:
    """All of a turn but the network: plan, request, its start and its end in the store."""
    plan = session.plan(question(session.history, number))
    sum(map(len, post("/", {**plan.request.body, "stream": True}, {})))
    turn = begun(plan, "", time.time())
    session.history.start(turn)
    session.history.end(replace(turn, reply=(text("It is a line."),), status="complete"))


def processor(do: Callable[[int], object], rounds: int) -> float:
    """Median milliseconds of CPU of this process: waiting for the disk is not counted."""
    took = []
    for number in range(rounds + 1):
        start = time.process_time()
        do(number)
        took.append((time.process_time() - start) * 1000)
    return statistics.median(took[1:])


def turn(root: Path, url: str, rounds: int) -> dict[str, float]:
    """What a turn costs after those in `root`, in a process of its own."""
    import httpx

    session = open_session(root, url)
    build(session, 0)
    encoded = parts(session)
    content = b"".join(encoded)
    size = records(root)
    found = {"size": len(content), "join": processor(lambda _: b"".join(encoded), rounds)}
    found["build"] = processor(lambda number: build(session, number), rounds)
    found["kept"] = processor(lambda number: kept(session, number), rounds)
    found["disk"] = (records(root) - size) / (rounds + 1)
    headers = {"content-type": "application/json"}
    with httpx.Client(trust_env=False) as client:
        found["bare"] = processor(
            lambda _: client.post(f"{url}/v1/messages", content=content, headers=headers), rounds
        )

    def ask(number: int) -> None:
        session.ask(question(session.history, 1000 + number))

    found["ask"] = processor(ask, rounds)
    session.close()
    return found


def child(*arguments: object) -> dict[str, float]:
    out = subprocess.run(
        [sys.executable, __file__, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, float] = json.loads(out)
    return found


def medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def conversation(name: str, *, grows: bool, turns: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fill(root, turns, images=IMAGES, grows=grows)
        disk = records(root)
        timed = medians([child("measure", root, "timed") for _ in range(rounds)])
        bytes_ = child("measure", root, "allocated")
    held = bytes_["held"]

    def mega(name: str, found: dict[str, float] = bytes_) -> str:
        return f"{found[name] / 1e6:5.1f} MB = {found[name] / held:.2f} x held"

    print(f"{name}: {turns} turns, records {disk / 1e6:.1f} MB, held {held / 1e6:.1f} MB")
    print(f"  opening          {timed['open']:7.0f} ms")
    print(f"  first request    {timed['first']:7.1f} ms, {timed['size'] / 1e6:.1f} MB")
    for which in ("", "least "):
        built, joined = timed[f"{which}build"], timed[f"{which}floor"]
        how = f"next, {which or 'median'}"
        print(f"  {how:17}{built:7.2f} ms = {built / joined:.2f} x join {joined:.2f} ms")
    print(f"  %claude_history  {timed['table']:7.0f} ms CPU, of one turn {timed['whole']:.0f} ms")
    print(f"  open             {mega('opened')}, at most {mega('opening')}")
    print(f"  after a request  {mega('warm')}, at most {mega('building')}")
    print(f"  the process grew {mega('opening RSS', timed)}, {mega('building RSS', timed)}")


def main() -> None:
    command, *rest = [*sys.argv[1:], "", ""][:4] if sys.argv[1:] else ("",)
    if command == "measure":
        print(json.dumps(measure(Path(rest[0]), rest[1])))
        return
    if command == "turn":
        print(json.dumps(turn(Path(rest[0]), rest[1], 21)))
        return
    turns, rounds = (int(command or 1000), int(rest[0] or 5) if rest else 5)
    conversation("Cells from the start", grows=False, turns=turns, rounds=rounds)
    conversation("A cell a question", grows=True, turns=turns, rounds=rounds)
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{here.recv()}"
    print("A turn, CPU ms (text alone)")
    print(
        f"{'turns':>6}{'kB sent':>9}{'join':>8}{'request':>9}{'kept':>8}{'kB kept':>9}"
        f"{'ask':>8}{'httpx':>8}"
    )
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            fill(Path(folder), size, images=0, grows=True)
            found = child("turn", folder, url)
        print(
            f"{size:6}{found['size'] / 1e3:9.0f}{found['join']:8.2f}{found['build']:9.2f}"
            f"{found['kept']:8.2f}{found['disk'] / 1e3:9.1f}{found['ask']:8.2f}{found['bare']:8.2f}"
        )
    server.terminate()


if __name__ == "__main__":
    main()
