"""What was recorded by the first version is answered from by every later one.

The store and the recordings in `tests/kept` were made by it, and stay as they are. Where one of
these tests fails, questions that were paid for would be paid for again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from claude_magic import Conversation
from claude_magic.conversation.asking.replay import write
from claude_magic.messages.blocks import joined_text
from claude_magic.offline.server import JOURNAL
from tests.kept.questions import BOUND, QUESTIONS, asked, run

KEPT = Path(__file__).parents[2] / "kept"
REPLIES = json.loads((KEPT / "replies.json").read_text("utf-8"))

modes = pytest.mark.parametrize("replay", ["only", "on"])


class Records:
    """A copy of what is kept, and what was sent since: each request that a server was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "kept"
        self.journal = folder / "journal.jsonl"
        shutil.copytree(KEPT, self.folder)

    @property
    def requests(self) -> list[Any]:
        """The bodies that were sent, the oldest first."""
        lines = self.journal.read_text("utf-8").splitlines() if self.journal.exists() else []
        return [json.loads(line)["body"] for line in lines]

    @property
    def sent(self) -> int:
        return len(self.requests)

    def notebook(self) -> Path:
        """The saved notebook, in a place where it has not stood yet."""
        return self.folder / "notebook" / "page.ipynb"


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    made = Records(tmp_path)
    monkeypatch.setenv(JOURNAL, str(made.journal))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(made.folder / "script"))
    return made


def by_question(replies: list[str]) -> dict[str, str]:
    return dict(zip(QUESTIONS, replies, strict=True))


def by_name(replies: list[str]) -> dict[str, str]:
    return dict(zip(BOUND, replies, strict=True))


@modes
def test_the_store_of_a_script_holds_what_answers_all_its_questions(
    records: Records, replay: str
) -> None:
    """Of a script each question is a new one: what it holds answers as a recording of it."""
    recording = records.folder / "written_now.jsonl"
    with Conversation("kept", base_url="offline") as conversation:
        assert write(recording, conversation.turns) == len(QUESTIONS)
    replies = asked("", replay=replay, record=recording)
    assert by_question(replies) == by_question(REPLIES["script"])
    assert records.sent == 0


def test_the_conversation_of_a_script_goes_on_with_all_that_was_said(records: Records) -> None:
    with Conversation("kept", base_url="offline") as conversation:
        conversation.ask("And then?")
        *before, _ = [turn.text for turn in conversation.turns]
    assert by_question(before) == by_question(REPLIES["script"])
    (request,) = records.requests
    replies = [m["content"] for m in request["messages"] if m["role"] == "assistant"]
    told = "\n\n".join(r if isinstance(r, str) else joined_text(r) for r in replies)
    assert [q for q, reply in by_question(before).items() if reply not in told] == ["alone"]


@modes
def test_a_recording_of_a_script_answers_all_its_questions(records: Records, replay: str) -> None:
    replies = asked("", replay=replay, record=records.folder / "script.jsonl")
    assert by_question(replies) == by_question(REPLIES["script"])
    assert records.sent == 0


@modes
def test_the_store_of_a_notebook_answers_all_its_cells(records: Records, replay: str) -> None:
    replies = run(records.notebook(), CLAUDE_MAGIC_REPLAY=replay)
    assert by_name(replies) == by_name(REPLIES["notebook"])
    assert records.sent == 0


@modes
def test_a_recording_of_a_notebook_answers_where_there_is_no_store(
    records: Records, replay: str
) -> None:
    notebook = records.notebook()
    shutil.rmtree(notebook.parent / "jupyter")
    recording = str(records.folder / "notebook.jsonl")
    replies = run(notebook, CLAUDE_MAGIC_REPLAY=replay, CLAUDE_MAGIC_RECORD=recording)
    assert by_name(replies) == by_name(REPLIES["notebook"])
    assert records.sent == 0


def test_without_the_records_every_question_is_sent(records: Records) -> None:
    """So that what the others count can be more than nothing."""
    asked("")
    assert records.sent == len(QUESTIONS) + 1, "and one with what the tool gave"
