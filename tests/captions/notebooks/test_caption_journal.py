"""What was paid for about figures, and what of it the next run knows."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from claude_magic.captions.image_question import ImageAnswer
from claude_magic.captions.notebooks.caption_journal import Journal
from claude_magic.messages.usage import Usage

JOB, OTHER = "ab" * 32, "cd" * 32
KEY, SECOND = "1" * 64, "2" * 64


def answer(words: str) -> ImageAnswer:
    return ImageAnswer({"alt_text": words}, "", Usage(fresh=700, output=50), 0.01)


def known(folder: Path, key: str = KEY, *, job: str = JOB, redo: bool = False) -> str | None:
    """What a run that begins now knows of a picture."""
    found = Journal(folder, job, redo=redo).get(key)
    return None if found is None else str(found.value["alt_text"])


def test_an_answer_is_known_to_the_next_run_and_costs_it_nothing(tmp_path: Path) -> None:
    Journal(tmp_path, JOB).add(KEY, answer("A line \u2028 \ud83d."))
    found = Journal(tmp_path, JOB).get(KEY)
    assert found is not None and found.cost == 0.0
    assert known(tmp_path) == "A line \u2028 \ud83d."
    assert known(tmp_path, SECOND) is None
    assert known(tmp_path, job=OTHER) is None, "another model, another prompt"


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    first, second = Journal(tmp_path, JOB), Journal(tmp_path, JOB)
    for number in range(20):
        first.add(f"{number:064x}", answer("one"))
        second.add(f"{number + 20:064x}", answer("two"))
    third = Journal(tmp_path, JOB)
    assert all(third.get(f"{number:064x}") for number in range(40))


def test_redo_knows_what_a_redo_that_did_not_end_has_paid(tmp_path: Path) -> None:
    Journal(tmp_path, JOB).add(KEY, answer("old"))
    assert known(tmp_path, redo=True) is None
    stopped = Journal(tmp_path, JOB, redo=True)
    stopped.add(KEY, answer("new"))
    assert known(tmp_path, redo=True) == known(tmp_path) == "new"
    Journal(tmp_path, JOB, redo=True).finished()
    assert known(tmp_path, redo=True) is None
    assert known(tmp_path) == "new"


def test_torn_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    Journal(tmp_path, JOB).add(KEY, answer("kept"))
    (file,) = tmp_path.glob("*.jsonl")
    whole = file.read_bytes()
    file.write_bytes(whole + b'["' + JOB.encode() + b'"]\nnoise\n' + whole[: len(whole) // 2])
    assert known(tmp_path) == "kept"


def test_what_is_a_month_old_is_removed(tmp_path: Path) -> None:
    Journal(tmp_path, JOB).add(KEY, answer("old"))
    (file,) = tmp_path.glob("*.jsonl")
    file.rename(tmp_path / f"{0:020}{file.name[20:]}")
    assert known(tmp_path) is None and list(tmp_path.iterdir()) == []


def test_without_a_folder_nothing_is_on_disk_and_a_run_knows_its_own() -> None:
    journal = Journal(None, JOB)
    journal.add(KEY, answer("here"))
    assert journal.get(KEY) is not None and journal.problem == ""


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "captions"
    Journal(folder, JOB).add(KEY, answer("mine"))
    assert [stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.iterdir())] == [0o700, 0o600]


@pytest.mark.parametrize("place", ["a file", "a file in its way"])
def test_where_nothing_can_be_kept_it_is_said_and_the_run_goes_on(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("x")
    folder = tmp_path / "file" if place == "a file" else tmp_path / "file" / "below"
    journal = Journal(folder, JOB)
    journal.add(KEY, answer("here"))
    assert journal.problem.startswith("Answers are not kept beside the notebooks (")
    assert journal.get(KEY) is not None
