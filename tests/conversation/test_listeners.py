"""Whoever else wants to know hears how each question fares, and can stop it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.events import (
    Ended,
    Event,
    Failed,
    Listener,
    Received,
    Sending,
    Waiting,
)
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.messages.blocks import text
from claude_magic.messages.errors import Interrupted, NotRecordedError
from claude_magic.messages.transport.cancel import Cancel
from claude_magic.offline import OfflineServer


def ear(heard: list[str], cancel: Cancel, *, stops: bool = False) -> Listener:
    """Notes what it is told; stops the question at the first text if it is to."""

    def listen(event: Event) -> None:
        match event:
            case Sending(plan):
                heard.append(f"sending {plan.question.prompt}")
            case Waiting():
                heard.append("waiting")
            case Received({"type": "content_block_delta"}) if heard[-1] != "text":
                heard.append("text")
                if stops:
                    cancel.set()
            case Ended(_, reply):
                heard.append(f"ended {reply.turn.status}")
            case Failed(error):
                heard.append(f"failed {type(error).__name__}")

    return listen


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session(lambda: Settings(base_url="offline"), find=lambda: None)
    yield made
    made.close()


def asked(prompt: str, **said: Any) -> Question:
    return Question(content=(text(prompt),), prompt=prompt, **said)


def test_a_listener_hears_of_every_question_until_it_leaves(session: Session) -> None:
    heard: list[str] = []

    def hears(question: Question, cancel: Cancel) -> Listener:
        return ear(heard, cancel)

    session.listeners.append(hears)
    session.ask(asked("One"))
    thread = threading.Thread(target=session.ask, args=(asked("Two"),))
    thread.start()
    thread.join()
    session.listeners.remove(hears)
    session.ask(asked("Three"))
    assert heard == [
        *("sending One", "text", "ended complete"),
        *("sending Two", "text", "ended complete"),
    ]


@pytest.mark.parametrize("again", [False, True], ids=["asked", "from the record"])
def test_who_waits_for_the_end_hears_it_once_before_the_others_and_nothing_else(
    session: Session, again: bool
) -> None:
    heard: list[tuple[str, Event]] = []
    if again:
        session.ask(asked("One"))
    session.ask(
        asked("One"),
        lambda event: heard.append(("all", event)),
        ended=lambda event: heard.append(("end", event)),
    )
    (end, told), (last, same) = heard[-2:]
    assert (end, last) == ("end", "all")
    assert told is same
    assert isinstance(told, Ended)
    assert [who for who, _ in heard].count("end") == 1


def test_who_waits_for_the_end_hears_of_a_reply_that_was_stopped(session: Session) -> None:
    heard: list[str] = []
    cancel = Cancel()
    stopping = ear(heard, cancel, stops=True)
    with pytest.raises(Interrupted):
        session.ask(asked("One"), stopping, ended=ear(heard, cancel), cancel=cancel)
    assert heard == [
        *("sending One", "text", "ended interrupted", "ended interrupted"),
        "failed Interrupted",
    ]


def test_a_reply_from_the_record_is_heard_as_ended(session: Session) -> None:
    heard: list[str] = []
    session.ask(asked("One", cell="a"))
    session.listeners.append(lambda _, cancel: ear(heard, cancel))
    session.ask(asked("One", cell="a"))
    assert heard == ["ended complete"]


def test_a_listener_can_stop_a_question_that_somebody_else_asked() -> None:
    heard: list[str] = []
    with OfflineServer(behaviours=["slow"]) as server:
        session = Session(lambda: Settings(base_url=server.url), find=lambda: None)
        session.listeners.append(lambda _, cancel: ear(heard, cancel, stops=True))
        with pytest.raises(Interrupted):
            session.ask(asked("One"))
        session.close()
    assert heard == ["sending One", "text", "ended interrupted", "failed Interrupted"]


def test_a_question_that_could_not_be_asked_is_heard_as_failed() -> None:
    heard: list[str] = []
    session = Session(lambda: Settings(base_url="offline", replay="only"), find=lambda: None)
    session.listeners.append(lambda _, cancel: ear(heard, cancel))
    with pytest.raises(NotRecordedError):
        session.ask(asked("One"))
    assert heard == ["failed NotRecordedError"]


def test_whoever_observes_the_history_learns_of_each_change_of_what_counts(
    session: Session,
) -> None:
    counts: list[int] = []
    history = session.history
    history.observers.append(lambda: counts.append(len(history.turns) - len(history.retired)))
    turn = session.ask(asked("One")).turn
    session.ask(asked("Two"))
    history.retire([turn.id])
    history.retire([turn.id])
    history.restore(turn)
    history.purge()
    assert counts == [1, 2, 1, 2, 0]
