"""Whoever else wants to know hears how each question fares, and can stop it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from claude_magic.conversation.question import Question
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.watcher import Silent
from claude_magic.messages.blocks import text
from claude_magic.messages.cancel import Cancel
from claude_magic.messages.errors import Interrupted, NotRecordedError
from claude_magic.messages.retry import Wait
from claude_magic.offline import OfflineServer


class Ear(Silent):
    """Notes what it is told; stops the question at the first text if it is to."""

    def __init__(self, heard: list[str], cancel: Cancel, *, stops: bool = False) -> None:
        self.heard = heard
        self.cancel = cancel
        self.stops = stops

    def sending(self, plan: Any) -> None:
        self.heard.append(f"sending {plan.question.prompt}")

    def waiting(self, wait: Wait) -> None:
        self.heard.append("waiting")

    def received(self, event: Any) -> None:
        if event["type"] == "content_block_delta" and self.heard[-1] != "text":
            self.heard.append("text")
            if self.stops:
                self.cancel.set()

    def ended(self, plan: Any, reply: Any) -> None:
        self.heard.append(f"ended {reply.turn.status}")

    def failed(self, error: BaseException) -> None:
        self.heard.append(f"failed {type(error).__name__}")


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session(lambda: Settings(base_url="offline"), find=lambda: None)
    yield made
    made.close()


def asked(prompt: str, **said: Any) -> Question:
    return Question(content=(text(prompt),), prompt=prompt, **said)


def test_a_listener_hears_of_every_question_until_it_leaves(session: Session) -> None:
    heard: list[str] = []

    def hears(question: Question, cancel: Cancel) -> Ear:
        return Ear(heard, cancel)

    session.listeners.append(hears)
    session.ask(asked("One"), Silent())
    thread = threading.Thread(target=session.ask, args=(asked("Two"), Silent()))
    thread.start()
    thread.join()
    session.listeners.remove(hears)
    session.ask(asked("Three"), Silent())
    assert heard == [
        *("sending One", "text", "ended complete"),
        *("sending Two", "text", "ended complete"),
    ]


def test_a_reply_from_the_record_is_heard_as_ended(session: Session) -> None:
    heard: list[str] = []
    session.ask(asked("One", cell="a"), Silent())
    session.listeners.append(lambda _, cancel: Ear(heard, cancel))
    session.ask(asked("One", cell="a"), Silent())
    assert heard == ["ended complete"]


def test_a_listener_can_stop_a_question_that_somebody_else_asked() -> None:
    heard: list[str] = []
    with OfflineServer(behaviours=["slow"]) as server:
        session = Session(lambda: Settings(base_url=server.url), find=lambda: None)
        session.listeners.append(lambda _, cancel: Ear(heard, cancel, stops=True))
        with pytest.raises(Interrupted):
            session.ask(asked("One"), Silent())
        session.close()
    assert heard == ["sending One", "text", "ended interrupted", "failed Interrupted"]


def test_a_question_that_could_not_be_asked_is_heard_as_failed() -> None:
    heard: list[str] = []
    session = Session(lambda: Settings(base_url="offline", replay="only"), find=lambda: None)
    session.listeners.append(lambda _, cancel: Ear(heard, cancel))
    with pytest.raises(NotRecordedError):
        session.ask(asked("One"), Silent())
    assert heard == ["failed NotRecordedError"]


def test_whoever_observes_the_history_learns_of_each_change_of_what_counts(
    session: Session,
) -> None:
    counts: list[int] = []
    history = session.history
    history.observers.append(lambda: counts.append(len(history.turns) - len(history.retired)))
    turn = session.ask(asked("One"), Silent()).turn
    session.ask(asked("Two"), Silent())
    history.retire([turn.id])
    history.retire([turn.id])
    history.restore(turn)
    history.purge()
    assert counts == [1, 2, 1, 2, 0]
