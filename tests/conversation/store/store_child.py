"""A process that writes to a store, for the tests that need more than one, or kill one.

    store_child.py write ROOT NAME TURNS     writes turns of this name, like every other process
    store_child.py fork ROOT                 a turn each before a fork, in the child, after it
    store_child.py deny ROOT                 writes as a user who may not
    store_child.py limit ROOT BYTES          writes with a limit on the size of a file
    store_child.py kill                      a line of JSON each: a writer to start and to kill

What a writer has done it says in lines: `started ID`, `came ID COUNT`, `ended ID`.
"""

from __future__ import annotations

import base64
import json
import os
import random
import resource
import select
import signal
import sys
from dataclasses import replace
from pathlib import Path

from claude_magic.conversation.store.store import Store
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import image_base64, text
from claude_magic.messages.usage import Usage

WORDS = 6


def image(seed: int, size: int = 3000) -> str:
    """Base64 text of so many bytes."""
    return base64.b64encode(random.Random(seed).randbytes(size)).decode()  # noqa: S311


def turn(name: str, seed: int = 0) -> Turn:
    """A complete turn, the same for the same name and seed."""
    return Turn(
        id=name,
        asked=(text(f"What is {name}?"), image_base64("image/png", image(seed % 5))),
        reply=tuple(text(f"{name}, word {i} of {WORDS}. " * 20) for i in range(WORDS)),
        model="claude-sonnet-5-5",
        server="offline",
        parameters={"max_tokens": 100},
        usage=Usage(fresh=seed, output=5),
        stop_reason="end_turn",
        cell=f"cell of {name}",
        saw=("one", "two"),
        order=("a", "b"),
        started=1.0,
        ended=2.0,
        digest="d" * 64,
    )


def asked(whole: Turn) -> Turn:
    """The turn as it is when it starts."""
    return replace(whole, reply=(), usage=Usage(), stop_reason=None, ended=0.0)


def write(store: Store, whole: Turn, output: int) -> None:
    """Start a turn, let it come word by word, end it; say each step once it is done."""
    store.start(asked(whole))
    os.write(output, f"started {whole.id}\n".encode())
    for count in range(1, WORDS):
        store.progress(whole.id, whole.reply[:count])
        os.write(output, f"came {whole.id} {count}\n".encode())
    store.end(whole)
    os.write(output, f"ended {whole.id}\n".encode())


def write_until_killed(root: Path, name: str, limit: int | None, output: int) -> None:
    if limit is not None:
        # Python ignores the signal; its default is to kill, here in the middle of a record.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    store = Store(root, "killed")
    store.load()
    for number in range(10_000):
        write(store, turn(f"{name}-{number}", number), output)


def kill(root: Path, name: str, limit: int | None, lines: int, microseconds: int) -> list[str]:
    """What a writer said before it was killed: at its limit, or some time after so many lines."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        write_until_killed(root, name, limit, writing)
        os._exit(1)
    os.close(writing)
    said = b""
    while limit is not None or said.count(b"\n") < lines:
        chunk = os.read(reading, 65536 if limit is not None else 64)
        if not chunk:
            break
        said += chunk
    if limit is None:
        select.select([], [], [], microseconds / 1e6)
        os.kill(child, signal.SIGKILL)
    while chunk := os.read(reading, 65536):
        said += chunk
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"the writer was not killed: {status}")
    return said.decode().splitlines()


def fork(root: Path) -> None:
    store = Store(root, "c")
    store.load()
    store.end(turn("before"))
    store.start(asked(turn("around")))
    child = os.fork()
    if child == 0:
        store.end(turn("in the child"))
        found = {t.id: t.status for t in store.load().turns}
        os._exit(0 if found["around"] == "broken" else 1)
    _, status = os.waitpid(child, 0)
    store.end(turn("around"))
    store.end(turn("after"))
    sys.exit(os.waitstatus_to_exitcode(status))


def tell(store: Store) -> None:
    """Write two turns and print what the store says and knows."""
    store.load()
    for name in ("one", "two"):
        write(store, turn(name), os.open(os.devnull, os.O_WRONLY))
    store.retire(["one"])
    loaded = store.load()
    print(json.dumps([store.take_warnings(), [t.id for t in loaded.turns], [*loaded.retired]]))  # noqa: T201


def main() -> None:
    command, *rest = sys.argv[1:]
    if command == "write":
        store = Store(Path(rest[0]), "c")
        store.load()
        sys.stdin.readline()  # all begin at once
        for number in range(int(rest[2])):
            write(store, turn(f"{rest[1]}-{number}", number), 1)
    elif command == "fork":
        fork(Path(rest[0]))
    elif command == "deny":
        os.setuid(65534)
        tell(Store(Path(rest[0]), "c"))
    elif command == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(rest[1]), int(rest[1])))
        tell(Store(Path(rest[0]), "c"))
    elif command == "kill":
        for line in sys.stdin:
            root, *how = json.loads(line)
            print(json.dumps(kill(Path(root), *how)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
