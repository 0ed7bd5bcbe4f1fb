"""Whatever stands in a store's place: nothing of others is touched, and nobody else can read it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_magic.conversation.store.store import Store
from tests.conversation.store.store_child import turn
from tests.conversation.store.store_segments import IN_MEMORY, filled, line

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
