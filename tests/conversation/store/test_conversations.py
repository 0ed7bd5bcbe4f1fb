"""Which conversation is a notebook's: by id, by path, after renaming and copying."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from claude_magic.conversation.history import History
from claude_magic.conversation.store.conversations import Conversations, Whereabouts
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import text


def turn(name: str, cell: str | None = "A", source: str = "") -> Turn:
    return Turn(
        id=name,
        asked=(text(f"Question {name}"),),
        reply=(text("Yes."),),
        model="claude-sonnet-5-5",
        server="offline",
        cell=cell,
        source=source,
        started=1.0,
        ended=2.0,
    )


class Files:
    """Notebook files in a folder, and the conversations beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.named: list[str] = []

    def on(self, host: str = "here") -> Conversations:
        return Conversations(self.folder / "store", named=self.named.append, host=host)

    def at(self, name: str, *cells: str, conversation: str | None = None) -> Whereabouts:
        path = self.folder / name
        path.write_text("{}", encoding="utf-8")
        return Whereabouts(str(path), conversation, frozenset(cells))

    def kept(self) -> list[str]:
        return sorted(p.name for p in (self.folder / "store").iterdir() if p.name[0] != ".")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_nothing_is_written_before_the_first_turn(files: Files) -> None:
    files.on().open(files.at("a.ipynb", "A"))
    assert not (files.folder / "store").exists()
    assert files.named == []


def test_the_notebook_at_a_path_finds_its_conversation_again(files: Files) -> None:
    files.on().open(files.at("a.ipynb", "A")).end(turn("one"))
    again = files.on().open(files.at("a.ipynb", "A", "B"))
    assert [t.id for t in again.turns] == ["one"]
    again.end(turn("two", "B"))
    assert len(files.kept()) == 1
    assert set(files.named) == set(files.kept())


def test_another_notebook_at_the_same_path_begins_its_own(files: Files) -> None:
    """A path counts only if the notebook still holds a cell of that conversation."""
    files.on().open(files.at("a.ipynb", "A")).end(turn("one"))
    other = files.on().open(files.at("a.ipynb", "X", "Y"))
    assert other.turns == []
    other.end(turn("two", "X"))
    assert len(files.kept()) == 2
    back = files.on().open(files.at("a.ipynb", "A"))
    assert [t.id for t in back.turns] == ["one"], "both are still found by their cells"


def test_a_cell_whose_id_has_changed_is_known_by_its_text(files: Files) -> None:
    files.on().open(files.at("a.ipynb", "A")).end(turn("one", "A", source="digest"))
    where = files.at("a.ipynb", "new id")
    found = files.on().open(
        Whereabouts(where.path, None, where.cells, frozenset({"digest", "other"}))
    )
    assert [t.id for t in found.turns] == ["one"]


def test_a_renamed_notebook_keeps_its_conversation(files: Files) -> None:
    where = files.at("a.ipynb", "A")
    files.on().open(where).end(turn("one"))
    (conversation,) = files.kept()
    Path(where.path).unlink()
    again = files.on().open(files.at("b.ipynb", "A", conversation=conversation))
    again.end(turn("two"))
    assert files.kept() == [conversation]
    third = files.on().open(files.at("b.ipynb", "A", conversation=conversation))
    assert [t.id for t in third.turns] == ["one", "two"]


def test_a_copied_notebook_sees_the_turns_and_goes_on_by_itself(files: Files) -> None:
    original = files.at("a.ipynb", "A")
    files.on().open(original).end(turn("one"))
    (conversation,) = files.kept()
    copy = files.on().open(files.at("b.ipynb", "A", conversation=conversation))
    assert [t.id for t in copy.turns] == ["one"]
    assert files.kept() == [conversation], "looking at it forks nothing"
    copy.end(turn("two"))
    own = next(name for name in files.kept() if name != conversation)
    assert files.named[-1] == own
    assert [t.id for t in files.on().open(original).turns] == ["one"]
    again = files.on().open(files.at("b.ipynb", "A", conversation=own))
    assert [t.id for t in again.turns] == ["one", "two"]
    notes = next(loaded.notes for _, loaded in files.on().all() if len(loaded.turns) == 2)
    assert [n["forked_from"] for n in notes if n["kind"] == "forked"] == [conversation]


def test_a_copy_keeps_its_own_turns_once_the_original_is_gone(files: Files) -> None:
    """Though its metadata still name the original's conversation, where nobody writes them."""
    original = files.at("a.ipynb", "A")
    files.on().open(original).end(turn("one"))
    (conversation,) = files.kept()
    copy = files.at("b.ipynb", "A", conversation=conversation)
    files.on().open(copy).end(turn("two"))
    Path(original.path).unlink()
    assert [t.id for t in files.on().open(copy).turns] == ["one", "two"]


def test_what_was_retired_before_a_copy_is_retired_in_it(files: Files) -> None:
    history = files.on().open(files.at("a.ipynb", "A"))
    history.end(turn("one"))
    history.retire(["one"])
    (conversation,) = files.kept()
    files.on().open(files.at("b.ipynb", "A", conversation=conversation)).end(turn("two"))
    own = next(name for name in files.kept() if name != conversation)
    again = files.on().open(files.at("b.ipynb", "A", conversation=own))
    assert again.retired == {"one"}


def test_what_was_known_of_runs_before_a_copy_is_known_in_it(files: Files) -> None:
    history = files.on().open(files.at("a.ipynb", "A"))
    for name, status in (("whole", "complete"), ("broke", "broken")):
        history.end(replace(turn(name), status=status))
        history.ran("A", [name], well=status == "complete")
    (conversation,) = files.kept()
    where = files.at("b.ipynb", "A", conversation=conversation)
    files.on().open(where).end(turn("two", "B"))
    own = next(name for name in files.kept() if name != conversation)
    again = files.on().open(replace(where, conversation=own))
    assert (again.retired, again.aside) == ({"broke"}, {"broke"})


class TestAKernelThatWasKilledInARun:
    """Which of its cell's turns were one run is known all the same: by what each of them saw."""

    clock = itertools.count(1.0)

    @pytest.fixture
    def where(self, files: Files) -> Whereabouts:
        return files.at("a.ipynb", "A")

    def asked(self, history: History, *run: str, ended: bool | None = None, last: str = "") -> None:
        """A run of the cell A that asks these, the last one with the status `last`."""
        for number, name in enumerate(run):
            status = last if last and name == run[-1] else "complete"
            made = replace(turn(name), ordinal=number, saw=run[:number], started=next(self.clock))
            history.end(replace(made, status=status))
        if ended is not None:
            history.ran("A", run, well=ended)

    def seen(self, history: History) -> list[str]:
        return [t.id for t in history.seen("B", (), ("A", "B"))]

    def test_leaves_the_last_whole_run(self, files: Files, where: Whereabouts) -> None:
        history = files.on().open(where)
        self.asked(history, "one", "two", ended=True)
        self.asked(history, "three", "four", last="broken")
        again = files.on().open(where)
        assert self.seen(again) == ["one", "two"]
        assert again.aside == {"three", "four"}, "one can go on from them"

    def test_leaves_a_shorter_whole_run_without_what_was_asked_after_it(
        self, files: Files, where: Whereabouts
    ) -> None:
        history = files.on().open(where)
        self.asked(history, "one", ended=True)
        history.shown(history["one"])
        history.end(replace(turn("two"), ordinal=1, saw=("one",), started=next(self.clock)))
        assert self.seen(files.on().open(where)) == ["one"]

    def test_leaves_its_own_where_no_run_was_whole(self, files: Files, where: Whereabouts) -> None:
        history = files.on().open(where)
        self.asked(history, "one", "two", ended=False, last="interrupted")
        self.asked(history, "three", "four", last="broken")
        assert self.seen(files.on().open(where)) == ["three"]

    def test_leaves_the_stopped_run_before_it_where_nothing_came(
        self, files: Files, where: Whereabouts
    ) -> None:
        history = files.on().open(where)
        self.asked(history, "one", "two", ended=False, last="interrupted")
        self.asked(history, "three", last="broken")
        assert self.seen(files.on().open(where)) == ["one", "two"]

    def test_leaves_what_a_later_kernels_run_says(self, files: Files, where: Whereabouts) -> None:
        history = files.on().open(where)
        self.asked(history, "one", "two", ended=True)
        self.asked(history, "three", "four", last="broken")
        later = files.on().open(where)
        self.asked(later, "five", ended=True)
        assert self.seen(files.on().open(where)) == ["five"]
        self.asked(later, "six", "seven")
        assert self.seen(files.on().open(where)) == ["five"]

    def test_leaves_what_the_user_brought_back(self, files: Files, where: Whereabouts) -> None:
        history = files.on().open(where)
        self.asked(history, "one", "two", ended=True)
        self.asked(history, "three", "four", last="broken")
        later = files.on().open(where)
        later.restore(later["three"])
        assert self.seen(later) == self.seen(files.on().open(where)) == ["three", "two"]

    def test_leaves_what_it_showed_again_retired(self, files: Files, where: Whereabouts) -> None:
        history = files.on().open(where)
        self.asked(history, "one", "two", ended=True)
        self.asked(history, "three", ended=True)
        history.shown(history["one"])
        assert self.seen(history) == ["three"]
        self.asked(history, "four", last="broken")
        assert self.seen(files.on().open(where)) == ["three"]

    def test_leaves_two_that_were_killed_apart(self, files: Files, where: Whereabouts) -> None:
        for name in ("a", "b", "c"):
            self.asked(files.on().open(where), f"{name}1", f"{name}2", last="broken")
        assert self.seen(files.on().open(where)) == ["c1"]

    def test_writes_nothing_as_it_is_opened(self, files: Files, where: Whereabouts) -> None:
        history = files.on().open(where)
        self.asked(history, "one", "two", ended=True)
        self.asked(history, "three", last="broken")

        def records() -> dict[Path, bytes]:
            return {p: p.read_bytes() for p in files.folder.rglob("*.jsonl")}

        before = records()
        files.on().open(where)
        assert records() == before


def in_folder(files: Files, *cells: str) -> Whereabouts:
    return Whereabouts(str(files.folder), cells=frozenset(cells), kind="folder")


def digested(name: str, cell: str | None = None, order: tuple[str, ...] = ()) -> Turn:
    return replace(turn(name, cell), digest=f"digest of {name}", order=order)


def test_each_kernel_in_a_folder_has_a_conversation_of_its_own(files: Files) -> None:
    first, second = (files.on().open(in_folder(files)) for _ in range(2))
    first.end(digested("one"))
    second.end(digested("two"))
    third = files.on().open(in_folder(files))
    assert [[t.id for t in history.turns] for history in (first, second, third)] == [
        ["one"],
        ["two"],
        [],
    ]
    assert len(files.kept()) == 2


def test_what_was_asked_in_the_folder_before_is_found_and_kept_with_what_comes_next(
    files: Files,
) -> None:
    first = files.on().open(in_folder(files))
    first.end(digested("one"))
    second = files.on().open(in_folder(files))
    [found] = second.of_digest("digest of one")
    second.shown(found)
    assert [t.id for t in second.turns] == ["one"]
    assert len(files.kept()) == 1, "nothing new was asked: nothing is written"
    second.end(digested("two"))
    own = next(name for name in files.kept() if name not in files.named[:1])
    reopened = files.on().open(Whereabouts("", own))
    assert [t.id for t in reopened.turns] == ["one", "two"]


def test_what_one_kernel_of_a_folder_takes_out_another_still_has(files: Files) -> None:
    first = files.on().open(in_folder(files))
    first.end(digested("one"))
    second = files.on().open(in_folder(files))
    second.end(digested("two"))
    second.retire([t.id for t in second.turns])
    assert second.retired == {"two"}
    assert not files.on().open(Whereabouts("", files.named[0])).retired
    assert second.purge() == 0
    files.on().forget(in_folder(files))
    third = files.on().open(in_folder(files))
    assert third.of_digest("digest of one")
    assert not third.of_digest("digest of two")


def test_a_purge_takes_the_conversations_too_that_it_showed_again(files: Files) -> None:
    files.on().open(in_folder(files)).end(digested("one"))
    files.on().open(in_folder(files)).end(digested("two"))
    third = files.on().open(in_folder(files))
    third.shown(third.of_digest("digest of one")[0])
    assert third.purge() == 1
    assert not third.of_digest("digest of one")
    assert third.of_digest("digest of two")
    assert len(files.kept()) == 1


def test_a_page_of_no_known_file_is_known_again_by_any_of_its_cells(files: Files) -> None:
    files.on().open(in_folder(files, "A", "B")).end(digested("one", "B", order=("A", "B")))
    for cells, turns in ((("A", "X"), ["one"]), (("B",), ["one"]), (("X", "Y"), [])):
        assert [t.id for t in files.on().open(in_folder(files, *cells)).turns] == turns


def test_the_same_id_at_another_path_of_another_machine_is_a_copy(files: Files) -> None:
    """What stands on the other machine cannot be looked at."""
    where = files.at("a.ipynb", "A")
    files.on("there").open(where).end(turn("one"))
    (conversation,) = files.kept()
    Path(where.path).unlink()
    files.on("here").open(files.at("b.ipynb", "A", conversation=conversation)).end(turn("two"))
    assert len(files.kept()) == 2


@pytest.mark.parametrize("conversation", ["../../etc", "a/b", "", ".paths", "x" * 500, "a\0b"])
def test_an_id_that_is_no_name_of_a_folder_is_kept_in_memory_and_said(
    files: Files, conversation: str
) -> None:
    """Metadata come with somebody's notebook."""
    history = files.on().open(files.at("a.ipynb", "A", conversation=conversation or "."))
    history.end(turn("one"))
    assert not list(files.folder.glob("etc*"))
    assert any("memory" in line for line in history.take_warnings())


def test_garbage_among_the_paths_does_no_harm(files: Files) -> None:
    where = files.at("a.ipynb", "A")
    files.on().open(where).end(turn("one"))
    (paths,) = (files.folder / "store" / ".paths").glob("*.jsonl")
    paths.write_bytes(b"\xff{]\n[1]\n{}\n" + paths.read_bytes() + b'{"conversation": ')
    assert [t.id for t in files.on().open(where).turns] == ["one"]


def test_what_a_server_could_not_take_is_remembered(files: Files) -> None:
    where = files.at("a.ipynb", "A")
    history = files.on().open(where)
    history.end(turn("one"))
    history.reject("https://one.example", ["key"])
    again = files.on().open(where)
    assert again.rejected_by("https://one.example") == {"key"}
    assert again.rejected_by("https://other.example") == frozenset()


def test_after_a_purge_nothing_of_it_is_left_and_it_can_begin_anew(files: Files) -> None:
    where = files.at("a.ipynb", "A")
    history = files.on().open(where)
    history.end(turn("one"))
    history.purge()
    files.on().forget(where)
    assert files.kept() == []
    assert not list((files.folder / "store").rglob("*.jsonl"))
    history.end(turn("two"))
    assert [t.id for t in files.on().open(where).turns] == ["two"]


def test_a_purged_copy_does_not_bring_the_turns_of_the_original_back(files: Files) -> None:
    files.on().open(files.at("a.ipynb", "A")).end(turn("one"))
    (conversation,) = files.kept()
    copy = files.on().open(files.at("b.ipynb", "A", conversation=conversation))
    copy.end(turn("two"))
    copy.purge()
    copy.end(turn("three"))
    held = {tuple(t.id for t in loaded.turns) for _, loaded in files.on().all()}
    assert held == {("one",), ("three",)}


def test_the_place_is_recorded_with_path_and_machine(files: Files) -> None:
    where = files.at("a.ipynb", "A")
    files.on("desk").open(where).end(turn("one"))
    lines = [
        json.loads(line)
        for path in (files.folder / "store").glob("[!.]*/*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert {"path": where.path, "host": "desk"}.items() <= next(
        line for line in lines if line["kind"] == "place"
    ).items()
