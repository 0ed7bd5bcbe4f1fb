"""Several processes write at once, fork, and are killed: nothing that was done is lost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_magic.conversation.store.store import Loaded, Store
from claude_magic.messages.once import OwnLock
from tests.conversation.store.store_child import WORDS, asked, turn

CHILD = [sys.executable, str(Path(__file__).with_name("store_child.py"))]
ROOT_OF_PROJECT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT_OF_PROJECT)}


def test_four_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    names = ["north", "east", "south", "west"]
    writers = [
        subprocess.Popen(
            [*CHILD, "write", str(tmp_path), name, "50"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )
        for name in names
    ]
    for writer in writers:
        assert writer.stdin
        writer.stdin.write(b"\n")
        writer.stdin.close()
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    store = Store(tmp_path, "c")
    turns = store.load().turns
    assert store.warnings == []
    assert len(list((tmp_path / "c").glob("*.jsonl"))) == 4
    assert len(turns) == 200
    for name in names:
        mine = [t for t in turns if t.id.startswith(name)]
        assert mine == [turn(f"{name}-{number}", number) for number in range(50)]


def test_a_forked_child_writes_to_a_segment_of_its_own(tmp_path: Path) -> None:
    subprocess.run([*CHILD, "fork", str(tmp_path)], check=True, env=ENVIRONMENT)
    segments = [path.read_text() for path in (tmp_path / "c").glob("*.jsonl")]
    assert sorted("in the child" in lines for lines in segments) == [False, True]
    found = {t.id: t for t in Store(tmp_path, "c").load().turns}
    names = ["before", "around", "in the child", "after"]
    assert found == {name: turn(name) for name in names}


def test_a_forked_child_begins_with_locks_that_nobody_holds() -> None:
    lock, held, over = OwnLock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock, lock:
            held.set()
            over.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    child = os.fork()
    if child == 0:
        # Nothing of pytest's may run in here.
        os._exit(0 if lock.acquire(timeout=5) else 1)
    _, status = os.waitpid(child, 0)
    assert not lock.acquire(blocking=False)
    over.set()
    holder.join()
    assert os.waitstatus_to_exitcode(status) == 0
    with lock:
        assert lock.acquire(blocking=False)


@pytest.fixture
def killer() -> Iterator[subprocess.Popen[str]]:
    """A process that starts writers and kills them, one for each line that it reads."""
    with subprocess.Popen(
        [*CHILD, "kill"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
    assert process.returncode == 0


def check(said: list[str], loaded: Loaded) -> str:
    """How the last turn was met; fails where a turn is not as its writer had said."""
    found = {t.id: t for t in loaded.turns}
    came: dict[str, int] = {}
    ended = set()
    for line in said:
        word, name, *count = line.split()
        came[name] = int(count[0]) if count else came.get(name, 0)
        if word == "ended":
            ended.add(name)
    for name in ended:
        assert found[name] == turn(name, int(name.split("-")[1]))
    last = "nothing"
    for name in came.keys() - ended:
        whole, kept = turn(name, int(name.split("-")[1])), found[name]
        assert kept.asked == whole.asked
        if kept.status == "broken":
            assert came[name] <= len(kept.reply) < WORDS
            assert kept.reply == whole.reply[: len(kept.reply)]
        else:
            assert kept == whole  # the end was on disk, and only the word of it was not said
        last = kept.status
    return last


@pytest.mark.timeout(300)
def test_a_store_whose_writer_is_killed_200_times_opens_with_every_turn(
    tmp_path: Path, killer: subprocess.Popen[str]
) -> None:
    assert killer.stdin and killer.stdout
    chance = random.Random(20)  # noqa: S311
    met, torn = [], 0
    kept: dict[str, object] = {}
    for number in range(200):
        root = tmp_path / str(number // 20)
        name = f"w{number}"
        limit = chance.randrange(100, 60_000) if number % 2 else None
        how = (limit, chance.randrange(1, 60), chance.randrange(2000))
        killer.stdin.write(json.dumps([str(root), name, *how]) + "\n")
        killer.stdin.flush()
        said = json.loads(killer.stdout.readline())
        store = Store(root, "killed")
        loaded = store.load()
        met.append(check(said, loaded))
        torn += sum(note["kind"] == "torn" for note in loaded.notes) if number % 20 == 19 else 0
        assert store.warnings == []
        # What earlier writers had ended is still there.
        assert len({t.id for t in loaded.turns}) == len(loaded.turns)
        if number % 20 == 0:
            kept = {}
        now = {t.id: t for t in loaded.turns}
        assert kept.items() <= now.items()
        kept = dict(now)
        store.end(turn(f"after-{number}", number))
    # The kills met what they were to meet: turns under way, and records half written.
    assert met.count("broken") > 50
    assert torn > 20


def test_a_turn_of_this_very_process_that_still_runs_is_not_broken(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.start(asked(turn("running")))
    assert store.load().turns == ()
    assert [t.status for t in Store(tmp_path, "c").load().turns] == ["broken"]
    store.end(turn("running"))
    assert store.load().turns == (turn("running"),)
