"""Answers from the record, against a real server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.asking.replay import write
from claude_magic.conversation.reply_value import Reply
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.store.conversations import Conversations, Whereabouts
from claude_magic.messages.blocks import image_base64, text
from claude_magic.messages.errors import InputError, NotRecordedError
from claude_magic.offline import OfflineServer

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


class Desk:
    """One kernel after another on the same notebook, asking the same server."""

    def __init__(self, folder: Path, server: OfflineServer) -> None:
        self.folder = folder
        self.server = server
        self.settings = Settings(base_url=server.url)
        self.order: tuple[str, ...] = tuple("ABCDE")
        self.session = self._session()

    def _session(self) -> Session:
        where = Whereabouts(str(self.folder / "page.ipynb"), None, frozenset(self.order))
        kept = Conversations(self.folder / "store")
        return Session(lambda: self.settings, history=lambda: kept.open(where), find=lambda: None)

    def restart(self) -> None:
        self.session.close()
        self.session = self._session()

    def say(self, **said: Any) -> None:
        self.settings = replace(self.settings, **said)

    def ask(self, cell: str, prompt: str, *blocks: Any, **said: Any) -> Reply:
        question = Question(
            content=(*blocks, text(prompt)),
            prompt=prompt,
            cell=cell,
            order=self.order,
            **said,
        )
        return self.session.ask(question)

    @property
    def asked(self) -> int:
        return sum(r.path == "/v1/messages" for r in self.server.requests)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with OfflineServer() as server:
        made = Desk(tmp_path, server)
        yield made
        made.session.close()


def test_after_a_restart_the_same_page_asks_nothing(desk: Desk) -> None:
    first = [desk.ask(cell, f"Question {cell}").text for cell in "ABC"]
    desk.restart()
    again = [desk.ask(cell, f"Question {cell}") for cell in "ABC"]
    assert [reply.text for reply in again] == first
    assert all(reply.replayed for reply in again)
    assert desk.asked == 3


def test_a_question_asked_alone_is_answered_from_the_record_too(desk: Desk) -> None:
    desk.ask("A", "Name an ant", alone=True)
    desk.restart()
    assert desk.ask("A", "Name an ant", alone=True).replayed


def test_the_same_question_twice_in_one_run_has_two_replies_and_both_are_recorded(
    desk: Desk,
) -> None:
    """Five samples of one prompt are five replies, the first time and the second."""
    one = desk.ask("A", "Roll a die", alone=True)
    two = desk.ask("A", "Roll a die", alone=True, ordinal=1, run=(one.turn.id,))
    assert desk.asked == 2
    desk.restart()
    third = desk.ask("A", "Roll a die", alone=True)
    fourth = desk.ask("A", "Roll a die", alone=True, ordinal=1, run=(third.turn.id,))
    assert [third.turn.id, fourth.turn.id] == [one.turn.id, two.turn.id]
    assert desk.asked == 2


def test_a_reply_shown_in_another_place_is_paid_once(desk: Desk) -> None:
    first = desk.ask("A", "Question", alone=True)
    moved = desk.ask("D", "Question", alone=True)
    assert moved.replayed
    assert (moved.turn.cell, moved.turn.copy_of) == ("D", first.turn.id)


def test_a_reply_that_was_replaced_counts_again_when_its_question_is_back(desk: Desk) -> None:
    one = desk.ask("A", "One")
    desk.session.cell_ended("A", [one.turn.id])
    two = desk.ask("A", "Two")
    desk.session.cell_ended("A", [two.turn.id])
    assert desk.session.history.retired == {one.turn.id}
    back = desk.ask("A", "One")
    desk.session.cell_ended("A", [back.turn.id])
    assert back.turn.id == one.turn.id
    assert desk.session.history.retired == {two.turn.id}
    desk.restart()
    assert desk.session.history.retired == {two.turn.id}


WHYS: dict[str, tuple[dict[str, Any], str]] = {
    "another figure": ({"blocks": ["other"]}, "a figure or image that goes along"),
    "another model": ({"model": "opus"}, "the model"),
    "another system prompt": ({"system": "Be brief."}, "the option system"),
    "more tokens": ({"max_tokens": 99}, "the option max_tokens"),
}


@pytest.mark.parametrize("case", WHYS)
def test_a_miss_says_why_and_what_follows(desk: Desk, case: str) -> None:
    figure = image_base64("image/png", PIXEL)
    desk.ask("A", "What is this?", figure)
    desk.ask("B", "And then?")
    desk.ask("C", "And after that?")
    said, why = WHYS[case]
    said = dict(said)
    blocks = [text("other figure")] if said.pop("blocks", None) else [figure]
    notices = " ".join(desk.ask("A", "What is this?", *blocks, **said).notices)
    assert f"{why}" in notices
    assert "changed since it was answered" in notices
    assert (
        "2 questions below see this one and will be asked again when run, less than $0.01."
        in notices
    )


def test_within_a_cascade_it_is_not_said_again(desk: Desk) -> None:
    desk.ask("A", "One")
    desk.ask("B", "Two")
    changed = desk.ask("A", "One, changed")
    desk.session.cell_ended("A", [changed.turn.id])
    assert not any("Asked again" in line for line in desk.ask("B", "Two").notices)


def test_a_question_in_other_words_is_a_new_one(desk: Desk) -> None:
    desk.ask("A", "One")
    assert not any("Asked again" in line for line in desk.ask("A", "Another").notices)


class TestOnlyTheRecord:
    def test_it_answers_without_a_server(self, desk: Desk) -> None:
        first = desk.ask("A", "One").text
        desk.restart()
        desk.say(replay="only")
        assert desk.ask("A", "One").text == first
        assert desk.ask("A", "One", fresh=True).text == first, "nothing may be asked afresh"
        assert desk.asked == 1

    def test_what_it_does_not_hold_is_an_error_and_no_request(self, desk: Desk) -> None:
        desk.say(replay="only")
        with pytest.raises(NotRecordedError, match="replay=only sends nothing"):
            desk.ask("A", "One")
        assert desk.asked == 0
        assert desk.session.turns == []

    def test_the_same_words_with_the_same_options_stand_in_with_a_warning(self, desk: Desk) -> None:
        first = desk.ask("A", "What is this?", text("x = 1"))
        desk.say(replay="only")
        again = desk.ask("A", "What is this?", text("x = 2"))
        assert again.text == first.text
        assert any("may not fit" in line for line in again.notices)
        with pytest.raises(NotRecordedError):
            desk.ask("A", "What is this?", text("x = 2"), system="Be brief.")

    def test_a_recording_serves_a_machine_that_has_nothing_else(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        replies = [desk.ask(cell, f"Question {cell}") for cell in "AB"]
        file = tmp_path / "replies.jsonl"
        assert write(file, [reply.turn for reply in replies]) == 2
        settings = Settings(base_url=desk.server.url, replay="only", record=str(file))
        asked = desk.asked
        elsewhere = Session(lambda: settings, find=lambda: None)
        for cell, reply in zip("AB", replies, strict=True):
            question = Question(
                content=(text(f"Question {cell}"),),
                cell=f"other {cell}",
                order=("other A", "other B"),
            )
            assert elsewhere.ask(question).text == reply.text
        assert desk.asked == asked
        assert all(turn.copy_of for turn in elsewhere.turns)

    @pytest.mark.parametrize("recorded", ["offline", "elsewhere"])
    def test_a_recording_of_one_kind_of_server_answers_for_another(
        self, desk: Desk, tmp_path: Path, recorded: str
    ) -> None:
        """Their defaults differ; what the user chose is the same."""
        addresses = {"offline": "offline", "elsewhere": desk.server.url}
        desk.say(base_url=addresses.pop(recorded))
        reply = desk.ask("A", "Question", max_tokens=99)
        default = desk.ask("B", "Another")
        file = tmp_path / "replies.jsonl"
        write(file, [reply.turn, default.turn])
        (other,) = addresses.values()
        desk.restart()
        desk.say(base_url=other, replay="only", record=str(file))
        assert desk.ask("B", "Another").text == default.text
        assert desk.ask("A", "Question", max_tokens=99).text == reply.text
        with pytest.raises(NotRecordedError):
            desk.ask("A", "Question", max_tokens=98)
        with pytest.raises(NotRecordedError):
            desk.ask("A", "Question")


class TestRecordingAsOneGoes:
    def test_each_reply_is_appended_once(self, desk: Desk, tmp_path: Path) -> None:
        file = tmp_path / "replies.jsonl"
        desk.say(record=str(file))
        for _ in range(2):
            for cell in "AB":
                desk.ask(cell, f"Question {cell}")
        assert len(file.read_text().splitlines()) == 2

    def test_it_holds_the_question_and_not_what_went_along(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        file = tmp_path / "replies.jsonl"
        desk.say(record=str(file))
        desk.ask("A", "What is this?", text("a private value"), image_base64("image/png", PIXEL))
        (line,) = file.read_text().splitlines()
        assert '"What is this?"' in line
        assert PIXEL not in line

    @pytest.mark.parametrize("cut", [1, 20, 60, -1])
    def test_a_last_line_that_a_crash_has_torn_costs_no_other_one(
        self, desk: Desk, tmp_path: Path, cut: int
    ) -> None:
        file = tmp_path / "replies.jsonl"
        kept, lost = desk.ask("A", "Kept?"), desk.ask("B", "Lost?")
        write(file, [kept.turn, lost.turn])
        first, second = file.read_text().splitlines(keepends=True)
        file.write_text(first + second.rstrip()[:cut])
        desk.say(record=str(file))
        desk.ask("C", "Added?")
        recorded = [json.loads(line) for line in file.read_text().splitlines()[::2]]
        assert [turn["prompt"] for turn in recorded] == ["Kept?", "Added?"]
        only = Settings(base_url=desk.server.url, replay="only", record=str(file))
        session = Session(lambda: only, find=lambda: None)
        question = Question(content=(text("Kept?"),), prompt="Kept?", cell="A", order=desk.order)
        assert session.ask(question).replayed

    @pytest.mark.parametrize("content", ["{}", "[1]", "no JSON", '{"recording": 1}', "\xff"])
    def test_a_file_that_is_none_is_refused_by_name_and_left_as_it_is(
        self, desk: Desk, tmp_path: Path, content: str
    ) -> None:
        file = tmp_path / "notes.jsonl"
        file.write_bytes(content.encode("latin-1"))
        desk.say(record=str(file))
        with pytest.raises(InputError, match=r"notes\.jsonl"):
            desk.ask("A", "One")
        assert file.read_bytes() == content.encode("latin-1")
        assert desk.asked == 0

    def test_a_file_that_cannot_be_written_is_said_and_the_reply_is_kept(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        desk.say(record=str(tmp_path / "missing" / "replies.jsonl"))
        with pytest.raises(InputError, match="cannot be written"):
            desk.ask("A", "One")
        assert desk.session.turns[-1].status == "complete"


class TestVariables:
    """They are no part of the request's digest, yet none may say the opposite."""

    def test_a_variable_that_has_changed_asks_again_and_says_so(self, desk: Desk) -> None:
        desk.ask("A", "How many?", values={"x": "value-1", "y": "value-1"})
        desk.restart()
        assert desk.ask("A", "How many?", values={"x": "value-1"}).replayed
        changed = desk.ask("A", "How many?", values={"x": "value-2"})
        assert not changed.replayed
        assert "a value that goes along changed" in " ".join(changed.notices)
        assert desk.asked == 2

    def test_after_a_restart_a_variable_that_is_not_defined_contradicts_nothing(
        self, desk: Desk
    ) -> None:
        first = desk.ask("A", "How many?", values={"x": "value-1"})
        desk.restart()
        assert desk.ask("A", "How many?").turn == first.turn

    def test_each_reply_is_shown_for_its_own_values(self, desk: Desk) -> None:
        one = desk.ask("A", "How many?", values={"x": "value-1"})
        two = desk.ask("A", "How many?", values={"x": "value-2"})
        desk.restart()
        assert desk.ask("A", "How many?", values={"x": "value-1"}).turn.id == one.turn.id
        assert desk.ask("A", "How many?", values={"x": "value-2"}).turn.id == two.turn.id

    def test_a_copy_in_another_place_remembers_those_of_the_first(self, desk: Desk) -> None:
        desk.ask("A", "How many?", alone=True, values={"x": "value-1"})
        copy = desk.ask("B", "How many?", alone=True, values={"y": "value-1"})
        assert copy.replayed
        assert copy.turn.values == {"x": "value-1", "y": "value-1"}


def test_a_recording_holds_digests_of_the_page_and_nothing_else_of_it(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "replies.jsonl"
    desk.say(record=str(file))
    said: dict[str, Any] = {"page": ("code-1", "output-2"), "values": {"x": "value-3"}}
    desk.ask("A", "What is this?", context=(text("the page's own words"),), **said)
    (line,) = file.read_text().splitlines()
    held = json.loads(line)
    assert (held["page"], held["values"], held["form"]) == (list(said["page"]), said["values"], 2)
    assert "own words" not in line
    desk.restart()
    only = Settings(base_url=desk.server.url, replay="only", record=str(file))
    session = Session(lambda: only, find=lambda: None)
    question = Question(content=(text("What is this?"),), cell="elsewhere", **said)
    reply = session.ask(question)
    assert (reply.replayed, reply.notices) == (True, ())
