"""One question that takes several requests, answered from the record: its tools run again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from claude_magic.conversation.asking.replay import write
from claude_magic.conversation.events import Event
from claude_magic.messages.errors import Interrupted, NotRecordedError
from tests.conversation.desk_and_scales import ONE_CALL, Desk, Scales, interrupt, noted
from tests.conversation.scripted_server import says


class TestFromTheRecord:
    """Tools run again; as long as they give the same, nothing is sent."""

    def test_the_same_results_are_answered_after_a_restart(self, desk: Callable[..., Desk]) -> None:
        at = desk(*ONE_CALL)
        first = at.ask(tools=Scales())
        at.restart()
        events: list[Event] = []
        scales = Scales()
        again = at.ask(tools=scales, listener=events.append)
        assert len(at.server.bodies) == 2
        assert again.replayed
        assert again.turn == first.turn
        assert [call["id"] for call in scales.called] == ["t1"]
        assert scales.checked == 1
        assert noted(events) == [
            *("sending", "text", "tool_use", "calling t1", "called t1", "text"),
            "complete",
        ]

    def test_other_results_are_sent_and_only_that_request_is_paid(
        self, desk: Callable[..., Desk]
    ) -> None:
        at = desk(*ONE_CALL, says("It weighs 4 g."))
        at.ask(tools=Scales())
        at.restart()
        reply = at.ask(tools=Scales(lambda _: "4 g"))
        assert len(at.server.bodies) == 3
        assert not reply.replayed
        assert reply.text == "I weigh it.\n\nIt weighs 4 g."
        assert reply.usage.fresh == 100
        at.restart()
        assert at.ask(tools=Scales(lambda _: "4 g")).turn == reply.turn

    def test_a_loop_that_was_stopped_goes_on_where_it_was(self, desk: Callable[..., Desk]) -> None:
        at = desk(*ONE_CALL)
        with pytest.raises(Interrupted):
            at.ask(tools=Scales(interrupt))
        at.restart()
        assert at.ask(tools=Scales()).text == "I weigh it.\n\nIt weighs 3 g."
        assert len(at.server.bodies) == 2

    def test_fresh_asks_all_of_it_again(self, desk: Callable[..., Desk]) -> None:
        at = desk(*ONE_CALL, *ONE_CALL)
        at.ask(tools=Scales())
        at.ask(tools=Scales(), fresh=True)
        assert len(at.server.bodies) == 4

    def test_a_recording_holds_the_loop_and_nothing_that_tools_gave(
        self, desk: Callable[..., Desk], tmp_path: Path
    ) -> None:
        at = desk(*ONE_CALL)
        at.ask(tools=Scales(lambda _: "a secret weight"))
        recording = tmp_path / "replies.jsonl"
        write(recording, at.turns)
        assert "secret" not in recording.read_text()
        at.session.history.purge()
        at.settings = replace(at.settings, record=str(recording), replay="only")
        at.restart()
        reply = at.ask(tools=Scales(lambda _: "a secret weight"))
        assert (reply.text, reply.notices) == ("I weigh it.\n\nIt weighs 3 g.", ())
        assert len(at.server.bodies) == 2

    def test_the_questions_below_a_loop_of_a_recording_are_answered_from_it_too(
        self, desk: Callable[..., Desk], tmp_path: Path
    ) -> None:
        at = desk(*ONE_CALL, says("Lead."))
        at.ask(tools=Scales())
        below = at.ask("What is it made of?", cell="B").text
        recording = tmp_path / "replies.jsonl"
        write(recording, at.turns)
        at.session.history.purge()
        at.settings = replace(at.settings, record=str(recording))
        at.restart()
        at.ask(tools=Scales())
        again = at.ask("What is it made of?", cell="B")
        assert (again.text, again.replayed) == (below, True)
        assert len(at.server.bodies) == 3

    def test_replay_only_goes_on_with_a_warning_where_tools_give_something_else(
        self, desk: Callable[..., Desk]
    ) -> None:
        at = desk(*ONE_CALL)
        at.ask(tools=Scales())
        at.settings = replace(at.settings, replay="only")
        at.restart()
        reply = at.ask(tools=Scales(lambda _: "4 g"))
        assert reply.text == "I weigh it.\n\nIt weighs 3 g."
        assert "may not fit" in reply.notices[-1]
        assert len(at.server.bodies) == 2

    def test_replay_only_says_so_where_the_record_does_not_go_on(
        self, desk: Callable[..., Desk]
    ) -> None:
        at = desk(*ONE_CALL)
        with pytest.raises(Interrupted):
            at.ask(tools=Scales(interrupt))
        at.settings = replace(at.settings, replay="only")
        at.restart()
        with pytest.raises(NotRecordedError):
            at.ask(tools=Scales())
