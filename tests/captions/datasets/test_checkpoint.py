"""What a job has got so far, on disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from claude_magic.captions.datasets.checkpoint import Checkpoint
from claude_magic.messages.errors import InputError

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "out.jsonl"


def test_an_answer_is_there_again_when_the_file_is_opened_again(path: Path) -> None:
    with Checkpoint(path, "job") as first:
        first.add(A, {"value": {"x": "é\n"}, "cost": 0.5})
        assert A in first and B not in first and len(first) == 1
    with Checkpoint(path, "job") as second:
        assert second.get(A) == {"job": "job", "key": A, "value": {"x": "é\n"}, "cost": 0.5}
        assert second.get(B) is None


def test_an_answer_is_on_disk_as_soon_as_it_was_added(path: Path) -> None:
    with Checkpoint(path, "job") as checkpoint:
        checkpoint.add(A, {"value": 1})
        assert json.loads(path.read_text())["value"] == 1


def test_another_question_has_answers_of_its_own_in_the_same_file(path: Path) -> None:
    with Checkpoint(path, "one") as first:
        first.add(A, {"value": 1})
    with Checkpoint(path, "two") as second:
        assert A not in second
        second.add(A, {"value": 2})
    with Checkpoint(path, "one") as first:
        assert first.get(A)["value"] == 1  # type: ignore[index]


def test_a_torn_last_line_costs_no_other_record(path: Path) -> None:
    with Checkpoint(path, "job") as first:
        first.add(A, {"value": 1})
    with path.open("ab") as file:
        file.write(b'{"job":"job","key":"' + b"b" * 30)
    with Checkpoint(path, "job") as second:
        assert len(second) == 1
        second.add(C, {"value": 3})
    with Checkpoint(path, "job") as third:
        assert [key in third for key in (A, B, C)] == [True, False, True]


@pytest.mark.parametrize(
    "line",
    [b"garbage", b"[1]", b"{}", b'{"job":"job","key":3,"value":1}', b"\xff\xfe", b""],
    ids=range(6),
)
def test_a_line_that_is_none_of_ours_is_passed_over(path: Path, line: bytes) -> None:
    with Checkpoint(path, "job") as first:
        first.add(A, {"value": 1})
    with path.open("ab") as file:
        file.write(line + b"\n")
    with Checkpoint(path, "job") as second:
        second.add(B, {"value": 2})
    with Checkpoint(path, "job") as third:
        assert len(third) == 2


def test_half_a_surrogate_pair_can_be_kept(path: Path) -> None:
    with Checkpoint(path, "job") as checkpoint:
        checkpoint.add(A, {"value": "\ud83d"})
        assert checkpoint.get(A)["value"] == "?"  # type: ignore[index]


def test_without_a_path_it_is_kept_for_this_run(tmp_path: Path) -> None:
    with Checkpoint(None, "job") as checkpoint:
        checkpoint.add(A, {"value": 1})
        assert checkpoint.get(A)["value"] == 1  # type: ignore[index]
    assert list(tmp_path.iterdir()) == []


def test_two_processes_do_not_work_on_one_file(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from claude_magic.captions.datasets.checkpoint import Checkpoint\n"
        f"held = Checkpoint(Path({str(path)!r}), 'job')\n"
        "print('open', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(InputError, match="Another process works on"):
            Checkpoint(path, "job")
        other.communicate("")
    Checkpoint(path, "job").close()


def test_a_place_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        Checkpoint(tmp_path / "file" / "out.jsonl", "job")
