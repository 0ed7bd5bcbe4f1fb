"""Opening a conversation of 1,000 turns with 20 images of 300 kB: seconds and memory.

Run it with `.venv/bin/python benchmarks/store.py`. Each figure is the median over fresh processes.
Held is what the turns hold, each string counted once; peak is the most that Python had allocated
while it loaded (and, measured in other runs, by how much the process grew).
"""

from __future__ import annotations

import base64
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from claude_magic.conversation.store.store import Store
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import image_base64, text
from claude_magic.messages.usage import Usage

TURNS = 1000
IMAGES = 20
IMAGE_BYTES = 300_000
PROGRESS = 20  # of each turn, as a reply of some seconds has it
ROUNDS = 5
LOAD = """
import json, resource, sys, time, tracemalloc
from pathlib import Path
from claude_magic.conversation.store.store import Store
traced = sys.argv[2] == "traced"
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if traced:
    tracemalloc.start()
start = time.perf_counter()
loaded = Store(Path(sys.argv[1]), "c").load()
seconds = time.perf_counter() - start
peak = tracemalloc.get_traced_memory()[1] if traced else 0
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
assert len(loaded.turns) == 1000
strings = {}
def held(value):
    if isinstance(value, str):
        strings[id(value)] = sys.getsizeof(value)
    elif isinstance(value, dict):
        strings[id(value)] = sys.getsizeof(value)
        for pair in value.items():
            held(pair)
    elif isinstance(value, (list, tuple)):
        strings[id(value)] = sys.getsizeof(value)
        for part in value:
            held(part)
for turn in loaded.turns:
    held(vars(turn))
print(json.dumps([seconds, peak, grown, sum(strings.values())]))
"""


def fill(root: Path) -> tuple[float, float]:
    """Write the conversation; the median milliseconds of a turn, of the first 100 and the last."""
    chance = random.Random(1)  # noqa: S311
    images = [base64.b64encode(chance.randbytes(IMAGE_BYTES)).decode() for _ in range(IMAGES)]
    store = Store(root, "c")
    took = []
    for number in range(TURNS):
        shown = image_base64("image/png", images[number % IMAGES])
        turn = Turn(
            id=f"{number:032x}",
            asked=(text(f"In [{number}]: plot(x)\n" * 20), shown, text("What is it?")),
            reply=(text(f"It is figure {number}. " * 60),),
            model="claude-sonnet-5-5",
            server="offline",
            parameters={"max_tokens": 4096, "system": "Answer in short. " * 20},
            usage=Usage(fresh=1000, output=300),
            stop_reason="end_turn",
            cell=f"cell-{number}",
            order=tuple(f"cell-{i}" for i in range(20)),
            digest="d" * 64,
        )
        start = time.perf_counter()
        store.start(replace(turn, reply=()))
        for part in range(PROGRESS):
            store.progress(turn.id, [text(turn.text[: 60 * part])])
        store.end(turn)
        took.append((time.perf_counter() - start) * 1000)
    return statistics.median(took[:100]), statistics.median(took[-100:])


def load(root: Path, how: str) -> list[float]:
    out = subprocess.run(
        [sys.executable, "-c", LOAD, str(root), how], capture_output=True, text=True, check=True
    ).stdout
    found: list[float] = json.loads(out)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        first, last = fill(root)
        sizes: dict[str, Any] = {
            "records": sum(p.stat().st_size for p in root.rglob("*.jsonl")),
            "images": sum(p.stat().st_size for p in (root / "c" / "images").iterdir()),
        }
        plain = [load(root, "plain") for _ in range(ROUNDS)]
        traced = load(root, "traced")
    held = traced[3]
    print(
        f"on disk: records {sizes['records'] / 1e6:.1f} MB, images {sizes['images'] / 1e6:.1f} MB"
    )
    print(f"writing a turn: {first:.2f} ms at first, {last:.2f} ms at last")
    print(f"load: {statistics.median(r[0] for r in plain) * 1000:.0f} ms")
    grown = statistics.median(r[2] for r in plain)
    print(f"held {held / 1e6:.1f} MB")
    print(f"peak {traced[1] / 1e6:.1f} MB allocated = {traced[1] / held:.2f} x held")
    print(f"process grew by {grown / 1e6:.1f} MB = {grown / held:.2f} x held")


if __name__ == "__main__":
    main()
