"""Whatever the disk refuses: the turn is kept in memory, and the user is told once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from claude_magic.conversation.store.store import Store
from claude_magic.messages.blocks import text
from tests.conversation.store.store_child import asked, turn
from tests.conversation.store.store_segments import IN_MEMORY

CHILD = [sys.executable, str(Path(__file__).with_name("store_child.py"))]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}


@contextmanager
def tmpfs(place: Path, size: str) -> Iterator[None]:
    """A small file system at `place`; skips where this user may not mount one."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if made.returncode:
        pytest.skip(f"a file system cannot be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def check_memory(store: Store) -> None:
    """Writes a few turns that cannot be kept on disk: they are in memory, and said once."""
    store.load()
    store.start(asked(turn("one")))
    store.progress("one", [text("An")])
    store.end(turn("one"))
    store.start(asked(turn("two")))
    store.end(turn("two"))
    store.retire(["one"])
    store.restore("one")
    store.note("path", {"path": "p"})
    loaded = store.load()
    assert loaded.turns == (turn("one"), turn("two"))
    (warning,) = store.take_warnings()
    assert IN_MEMORY in warning


def test_no_space_means_memory_and_space_again_means_disk(tmp_path: Path) -> None:
    place = tmp_path / "small"
    with tmpfs(place, "64k"):
        ballast = place / "ballast"
        with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(b"x" * 100)
        store = Store(place, "c")
        check_memory(store)
        ballast.unlink()
        store.end(turn("three"))
        again = Store(place, "c")
        assert [t.id for t in again.load().turns] == ["one", "two", "three"]
        assert (again.warnings, store.warnings) == ([], [])


def test_space_that_ends_within_a_record_leaves_the_records_before_it(tmp_path: Path) -> None:
    place = tmp_path / "small"
    with tmpfs(place, "64k"):
        store = Store(place, "c")
        names = [str(number) for number in range(60)]
        for name in names:
            store.end(turn(name))
        assert [t.id for t in store.load().turns] == names
        again = Store(place, "c")
        kept = again.load()
        assert 0 < len(kept.turns) < 60
        assert kept.turns[:-1] == tuple(turn(name) for name in names)[: len(kept.turns) - 1]
        assert again.warnings == []
        assert kept.notes == ()  # what did not fit was taken back


def test_a_read_only_file_system_means_memory(tmp_path: Path) -> None:
    place = tmp_path / "fixed"
    with tmpfs(place, "1m"):
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        check_memory(Store(place, "c"))


def test_a_file_in_place_of_the_root_means_memory(tmp_path: Path) -> None:
    (tmp_path / "root").touch()
    check_memory(Store(tmp_path / "root", "c"))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            ["deny"],
            id="no permission",
            marks=pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user"),
        ),
        pytest.param(["limit", "1000"], id="a limit on the size of files"),
    ],
)
def test_a_process_that_may_not_write_keeps_its_turns_in_memory(
    tmp_path: Path, command: list[str]
) -> None:
    out = subprocess.run(
        [*CHILD, command[0], str(tmp_path), *command[1:]],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (warning,), turns, retired = json.loads(out)
    assert IN_MEMORY in warning
    assert (turns, retired) == (["one", "two"], ["one"])
