"""Whatever the disk holds or refuses: the store opens, the turn is kept, the user is told once."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_magic.conversation.store import Store
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import image_base64, text
from tests.conversation.store_child import asked, image, turn

CHILD = [sys.executable, str(Path(__file__).with_name("store_child.py"))]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
ASIDE = "Records of this conversation that could not be read: {}."
IN_MEMORY = "new turns are kept in memory"


def filled(root: Path, *names: str) -> Path:
    """The one segment of a conversation with complete turns of these names."""
    store = Store(root, "c")
    store.load()
    for name in names:
        store.end(turn(name))
    (segment,) = (root / "c").glob("*.jsonl")
    return segment


def line(**values: Any) -> bytes:
    """A record in its form, of another process."""
    head = {"schema": 1, "lamport": 90, "segment": "f", "seq": 1, "kind": "turn_start", "time": 1}
    return json.dumps({**head, **values}).encode() + b"\n"


def start_line(**values: Any) -> bytes:
    return line(turn=json.loads(json.dumps({**asked(turn("z")).to_json(), **values})))


DEEP = json.loads("[" * 600 + "]" * 600)
GARBAGE = {
    "bytes that are no text": b"\xff\xfe\x00garbage\n",
    "text that is no JSON": b"<html>\n",
    "an empty line": b"\n",
    "JSON that is no record": b"[1, 2]\n",
    "a number too long": b"9" * 5000 + b"\n",
    "JSON too deep": b"[" * 100_000 + b"\n",
    "a record without a schema": line(schema=None),
    "an older schema than there is": line(schema=0),
    "a lamport that is text": line(lamport="1"),
    "a kind that is a list": line(kind=["retire"]),
    "a start without a turn": line(),
    "a turn without an id": start_line(id=None),
    "a turn that asked a number": start_line(asked=5),
    "a turn that asked numbers": start_line(asked=[5]),
    "a turn with a word for usage": start_line(usage="much"),
    "an end without its start": line(kind="turn_end", turn="nobody"),
    "progress of an id that is a list": line(kind="turn_progress", turn=["a"], reply=[]),
    "a retirement of a number": line(kind="retire", turns=5),
    "a retirement of numbers": line(kind="retire", turns=[5]),
    "a restored turn that is not there": line(kind="restore", turn="nobody"),
    "an order without cells": line(kind="order", sha256="0"),
    "an order that is like one by a word": line(kind="order", sha256="0", like="0", cells="a"),
    "a note too deep": line(kind="n", deep=DEEP),
    "a turn too deep": start_line(parameters={"deep": DEEP}),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_set_aside_and_said(tmp_path: Path, garbage: bytes) -> None:
    segment = filled(tmp_path, "a", "b")
    lines = segment.read_bytes().splitlines(keepends=True)
    content = b"".join([*lines[:2], garbage, *lines[2:]])
    segment.write_bytes(content)
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert loaded.turns == (turn("a"), turn("b"))
    assert not loaded.read_only
    (warning,) = store.take_warnings()
    assert warning.startswith(ASIDE.format(1))
    store.load()
    assert store.warnings == []  # said once
    assert segment.read_bytes() == content


def test_an_end_that_is_garbage_leaves_the_turn_broken(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a")
    *start, end = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(start) + end[:40] + b"\n")
    assert [t.status for t in Store(tmp_path, "c").load().turns] == ["broken"]


@pytest.mark.parametrize("cut", [1, 2, 100, -2])
def test_a_torn_last_line_is_dropped_and_only_noted(tmp_path: Path, cut: int) -> None:
    segment = filled(tmp_path, "a", "b")
    *lines, last = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join([*lines, last[:cut]]))
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert [t.status for t in loaded.turns] == ["complete", "broken"]
    torn = {"kind": "torn", "segment": segment.name, "bytes": len(last[:cut])}
    assert (loaded.notes, store.warnings) == ((torn,), [])


def test_a_last_line_that_lacks_only_its_newline_is_whole(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a")
    segment.write_bytes(segment.read_bytes()[:-1])
    assert Store(tmp_path, "c").load().turns == (turn("a"),)


def test_a_torn_line_within_a_segment_costs_no_other_record(tmp_path: Path) -> None:
    store = Store(tmp_path, "c")
    store.end(turn("a"))
    (segment,) = (tmp_path / "c").glob("*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"schema":1,')  # a write that failed and could not be taken back
    store.end(turn("b"))
    again = Store(tmp_path, "c")
    assert again.load().turns == (turn("a"), turn("b"))
    assert again.warnings[0].startswith(ASIDE.format(1))


def test_an_empty_file_is_an_empty_conversation(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "0.jsonl").touch()
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert (loaded.turns, loaded.notes, store.warnings) == ((), (), [])


def test_a_record_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a", "b")
    segment.with_name("copy.jsonl").write_bytes(segment.read_bytes())
    assert [t.id for t in Store(tmp_path, "c").load().turns] == ["a", "b"]


def test_a_later_minor_version_may_add_fields_kinds_and_statuses(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a")
    usage = {"fresh": 1, "holograms": 2}
    with segment.open("ab") as file:
        file.write(start_line(mood="good", usage=usage, status="paused"))
        end = {"usage": usage, "status": "paused", "reply": [text("ok")], "mood": "good"}
        file.write(line(seq=2, kind="turn_end", turn="z", **end))
        file.write(line(seq=3, kind="poem", verse="one"))
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert [(t.id, t.status, t.usage.fresh) for t in loaded.turns][1] == ("z", "broken", 1)
    assert [note["verse"] for note in loaded.notes] == ["one"]
    assert (loaded.read_only, store.warnings) == (False, [])


def test_a_newer_schema_makes_the_store_read_only(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a")
    with segment.open("ab") as file:
        file.write(line(schema=2, turn={"entirely": "new"}))
    before = {path: path.read_bytes() for path in (tmp_path / "c").rglob("*.jsonl")}
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert (loaded.turns, loaded.read_only) == ((turn("a"),), True)
    store.end(turn("b"))
    store.retire(["a"])
    again = store.load()
    assert ([t.id for t in again.turns], again.retired) == (["a", "b"], frozenset({"a"}))
    assert {path: path.read_bytes() for path in (tmp_path / "c").rglob("*.jsonl")} == before
    (warning,) = store.warnings
    assert "newer version" in warning
    assert IN_MEMORY in warning
    store.purge()
    store.end(turn("c"))
    assert Store(tmp_path, "c").load().turns == (turn("c"),)


# What stands in the place of a file or folder, and whether turns of others are still there.


def folder_is_a_link(root: Path, segment: Path) -> None:
    segment.parent.rename(root / "elsewhere")
    segment.parent.symlink_to(root / "elsewhere")


def segment_is_a_link(root: Path, segment: Path) -> None:
    segment.rename(root / "elsewhere")
    segment.symlink_to(root / "elsewhere")


def segment_is_a_pipe(root: Path, segment: Path) -> None:
    segment.unlink()
    os.mkfifo(segment)


def segment_is_a_folder(root: Path, segment: Path) -> None:
    segment.unlink()
    segment.mkdir()


def images_is_a_link(root: Path, segment: Path) -> None:
    (segment.parent / "images").rename(root / "elsewhere")
    (segment.parent / "images").symlink_to(root / "elsewhere")


def image_is_a_link(root: Path, segment: Path) -> None:
    (file,) = (segment.parent / "images").iterdir()
    file.rename(root / "elsewhere")
    file.symlink_to(root / "elsewhere")


def folder_is_a_file(root: Path, segment: Path) -> None:
    segment.parent.rename(root / "elsewhere")
    segment.parent.touch()


PLACES: dict[str, Callable[[Path, Path], None]] = {
    make.__name__.replace("_", " "): make
    for make in (
        folder_is_a_link,
        segment_is_a_link,
        segment_is_a_pipe,
        segment_is_a_folder,
        images_is_a_link,
        image_is_a_link,
        folder_is_a_file,
    )
}


@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES.keys())
def test_what_is_not_ours_is_refused(tmp_path: Path, make: Callable[[Path, Path], None]) -> None:
    make(tmp_path, filled(tmp_path, "a"))
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    loading, writing = Store(tmp_path, "c"), Store(tmp_path, "c")
    assert loading.load().read_only
    assert IN_MEMORY in loading.take_warnings()[0]
    for store in (loading, writing):
        store.end(turn("b"))
        assert turn("b") in store.load().turns
    after = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    ours = {p for p in after.keys() - before.keys() if p.suffix == ".jsonl"}
    assert {p: content for p, content in after.items() if p not in ours} == before
    assert len([w for w in writing.warnings if IN_MEMORY in w]) == 1


def test_two_reasons_to_keep_turns_in_memory_are_one_warning(tmp_path: Path) -> None:
    segment = filled(tmp_path, "a")
    segment.with_name("newer.jsonl").write_bytes(line(schema=2))
    segment_is_a_link(tmp_path, segment)
    store = Store(tmp_path, "c")
    assert store.load().read_only
    assert len(store.warnings) == 1


def test_purge_does_not_follow_a_link(tmp_path: Path) -> None:
    folder_is_a_link(tmp_path, filled(tmp_path, "a"))
    store = Store(tmp_path, "c")
    store.purge()
    assert list((tmp_path / "elsewhere").glob("*.jsonl"))
    assert "Not all records could be deleted" in store.warnings[0]


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc", "a\0b", "../c", "x" * 129, "a\n"])
def test_an_id_that_could_name_another_place_is_refused(tmp_path: Path, name: str) -> None:
    filled(tmp_path, "a")
    before = sorted(tmp_path.rglob("*"))
    store = Store(tmp_path / "c", name)
    store.end(turn("b"))
    assert store.load().turns == (turn("b"),)
    store.purge()
    assert sorted(tmp_path.rglob("*")) == before
    assert len(store.warnings) == 1


@pytest.mark.parametrize("mask", [0o000, 0o777, 0o022], ids=oct)
def test_whatever_the_umask_only_the_user_can_read(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        filled(tmp_path / "made" / "too", "a")
    finally:
        os.umask(before)
    modes: dict[bool, set[int]] = {True: set(), False: set()}
    for path in [tmp_path / "made", *(tmp_path / "made").rglob("*")]:
        modes[path.is_dir()].add(stat.S_IMODE(path.stat().st_mode))
    assert modes == {True: {0o700}, False: {0o600}}


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c").chmod(0o755)
    filled(tmp_path, "a")
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) == 0o700


IMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "cut short": lambda file: os.truncate(file, 10),
    "empty": lambda file: os.truncate(file, 0),
    "changed at the same size": lambda file: file.write_bytes(b"x" * file.stat().st_size),
}


@pytest.mark.parametrize("damage", IMAGES.values(), ids=IMAGES.keys())
def test_a_lost_image_becomes_text_that_says_so(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    shown = image_base64("image/png", image(9))
    result = {"type": "tool_result", "tool_use_id": "t", "content": [shown]}
    whole = replace(turn("a"), asked=(text("What?"), shown, result))
    Store(tmp_path, "c").end(whole)
    (file,) = (tmp_path / "c" / "images").iterdir()
    damage(file)
    store = Store(tmp_path, "c")
    (kept,) = store.load().turns
    said = text("[A file of type image/png stood here; its record is missing or damaged.]")
    assert kept.asked == (text("What?"), said, {**result, "content": [said]})
    assert kept.reply == whole.reply
    (warning,) = store.warnings
    assert "missing or damaged: 1" in warning
    # Sent again, it is whole again.
    store.end(replace(whole, id="b"))
    assert Store(tmp_path, "c").load().turns == (whole, replace(whole, id="b"))


@pytest.mark.parametrize("sha", ["/", "..", "a\0b", "A" * 64, 5, None], ids=repr)
def test_a_reference_that_is_no_digest_names_no_file(tmp_path: Path, sha: object) -> None:
    segment = filled(tmp_path, "a")
    source = {"type": "stored", "sha256": sha, "media_type": "image/png"}
    segment.write_bytes(start_line(asked=[{"type": "image", "source": source}]))
    store = Store(tmp_path, "c")
    loaded = store.load()
    assert [block["type"] for block in loaded.turns[0].asked] == ["text"]
    assert not loaded.read_only
    assert len(store.warnings) == 1


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


def test_what_is_not_json_is_said_and_not_raised(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    store = Store(tmp_path, "c")
    store.start(asked(turn("a")))
    store.progress("a", [{"type": "text", "text": {1, 2}}])
    store.end(replace(turn("a"), reply=({"type": "x", "deep": deep},)))
    assert all("not JSON" in warning for warning in store.warnings)
    assert len(store.warnings) == 2
    kept: tuple[Turn, ...] = Store(tmp_path, "c").load().turns
    assert [t.status for t in kept] == ["broken"]
