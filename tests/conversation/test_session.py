"""Asking, against a real server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from claude_magic.conversation.asking.connection import Server, require_key
from claude_magic.conversation.asking.plan import Plan
from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.events import Event, Received, Sending
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.messages.address import CustomHeaders, custom_headers
from claude_magic.messages.blocks import text
from claude_magic.messages.errors import (
    AuthenticationError,
    BrokenReply,
    BudgetError,
    CredentialError,
    InputError,
    Interrupted,
    ProtocolError,
)
from claude_magic.messages.transport.client import Cancel
from claude_magic.offline import OfflineServer
from tests.conversation.desk_and_scales import Desk
from tests.conversation.scripted_server import says


class Changeable:
    """Settings that a test can change between two questions."""

    def __init__(self, **said: Any) -> None:
        self.now = Settings(**{"base_url": "offline", **said})

    def __call__(self) -> Settings:
        return self.now

    def say(self, **said: Any) -> None:
        self.now = replace(self.now, **said)


@pytest.fixture
def settings() -> Changeable:
    return Changeable()


@pytest.fixture
def session(settings: Changeable) -> Iterator[Session]:
    made = Session(settings, find=lambda: None)
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[OfflineServer]:
    """A server that is not called "offline": to the session it is somebody else's."""
    with OfflineServer() as running:
        yield running


def question(prompt: str, **said: Any) -> Question:
    return Question(content=(text(prompt),), **said)


def sent(server: OfflineServer | None) -> list[Any]:
    assert server is not None
    return [r.json for r in server.requests]


def test_a_turn_holds_what_was_asked_and_what_came(session: Session) -> None:
    reply = session.ask(question("Hello", cell="abc"))
    (turn,) = session.turns
    assert turn is reply.turn
    assert turn.asked == (text("Hello"),)
    assert "> Hello" in turn.text
    assert (turn.status, turn.stop_reason, turn.cell) == ("complete", "end_turn", "abc")
    assert (turn.model, turn.server) == ("claude-sonnet-5-5", "offline")
    assert turn.parameters["max_tokens"] == 32000
    assert turn.ended >= turn.started
    assert turn.usage.output > 0


def test_the_next_question_carries_the_turns_before_it(session: Session) -> None:
    first = session.ask(question("One"))
    second = session.ask(question("Two"))
    assert second.turn.saw == (first.turn.id,)
    assert [m["role"] for m in sent(session.offline)[-1]["messages"]] == [
        "user",
        "assistant",
        "user",
    ]


def test_history_is_sent_byte_for_byte_as_before(session: Session) -> None:
    """Else nothing of it would be found in the server's cache."""
    for prompt in ("One", "Two", "Three"):
        session.ask(question(prompt))
    assert session.offline is not None
    bodies = [r.body for r in session.offline.requests]
    start = bodies[1].split(b'"messages":')[1].rsplit(b'{"role":"user"', 1)[0]
    assert bodies[2].split(b'"messages":')[1].startswith(start)


def test_turns_answered_offline_are_never_sent_to_another_server(
    session: Session, settings: Changeable, server: OfflineServer
) -> None:
    session.ask(question("Told offline only"))
    settings.say(base_url=server.url)
    plan = session.plan(question("And to you?"))
    assert plan.left_out == 1
    session.ask(question("And to you?"))
    (body,) = sent(server)
    assert "Told offline only" not in str(body)
    settings.say(base_url="offline")
    session.ask(question("Back again"))
    assert "And to you?" in str(sent(session.offline)[-1])


def test_another_server_needs_no_key(settings: Changeable, server: OfflineServer) -> None:
    settings.say(base_url=server.url)
    session = Session(settings, find=lambda: None)
    session.ask(question("Hello"))
    assert "x-api-key" not in server.requests[0].headers
    session.close()


def test_anthropics_server_needs_one(settings: Changeable) -> None:
    settings.say(base_url="https://api.anthropic.com")
    session = Session(settings, find=lambda: None)
    with pytest.raises(CredentialError, match=r"%claude_login.*localhost:11434.*offline"):
        session.ask(question("Hello"))
    assert session.turns == []


def test_a_key_is_never_sent_to_the_offline_server(settings: Changeable) -> None:
    asked: list[str] = []

    def find() -> None:
        asked.append("looked")

    session = Session(settings, find=find)
    session.ask(question("Hello"))
    assert asked == []
    session.close()


def test_a_question_over_the_budget_is_not_sent(
    settings: Changeable, server: OfflineServer
) -> None:
    settings.say(base_url=server.url, budget=0.02, model="opus")
    session = Session(settings, find=lambda: None)
    with pytest.raises(BudgetError, match=r"not sent|Not sent"):
        session.ask(question("Hello"))
    assert server.requests == []
    settings.say(budget=0.05)
    session.ask(question("Hello"))
    assert 0 < session.spending.spent < 0.05
    session.close()


def test_a_question_asked_while_another_is_under_way_has_the_rest_of_the_budget(
    settings: Changeable, server: OfflineServer
) -> None:
    settings.say(base_url=server.url, model="opus")
    session = Session(settings, find=lambda: None)
    price = session.plan(question("One")).price
    assert price is not None
    settings.say(budget=1.5 * price)
    said: list[str] = []

    def asks_another(event: Event) -> None:
        if isinstance(event, Sending):
            with pytest.raises(BudgetError) as stopped:
                session.ask(question("Two"))
            said.append(str(stopped.value))

    session.ask(question("One"), asks_another)
    assert len(said) == len(server.requests) == 1
    session.close()


def test_the_offline_server_spends_nothing(session: Session, settings: Changeable) -> None:
    settings.say(budget=0.0)
    session.ask(question("Hello"))
    assert session.spending.spent == 0


def test_words_that_were_shown_are_kept_where_the_stream_then_breaks_the_protocol(
    desk: Callable[..., Desk],
) -> None:
    at = desk(says("It is an ant.", cut=5, then=b"data: {oops\n\n"), says("Fine."))
    with pytest.raises(ProtocolError):
        at.ask("What is it?")
    (kept,) = at.turns
    assert (kept.status, kept.reply[0]["text"][:5]) == ("broken", "It is")
    assert at.ask("And now?", cell="B").text == "Fine."
    assert len(at.server.bodies[-1]["messages"]) == 1


def test_a_broken_reply_is_kept_and_left_out_of_the_next_request(session: Session) -> None:
    session.ask(question("One"))
    assert session.offline is not None
    session.offline.behave("cut")
    with pytest.raises(BrokenReply):
        session.ask(question("Two"))
    assert session.turns[-1].status == "broken"
    assert session.turns[-1].text.startswith("This is the")
    session.ask(question("Three"))
    assert "Two" not in str(sent(session.offline)[-1])


def test_a_request_that_is_refused_leaves_no_turn(session: Session) -> None:
    session.ask(question("One"))
    assert session.offline is not None
    session.offline.behave("unauthorized")
    with pytest.raises(AuthenticationError) as refused:
        session.ask(question("Two"))
    assert refused.value.status == 401
    assert refused.value.request_id == "req_offline_000002"
    assert len(session.turns) == 1


def test_another_thread_can_cancel_a_reply(session: Session) -> None:
    session.ask(question("One"))
    assert session.offline is not None
    session.offline.behave("stall")
    cancel = Cancel()

    def cancel_at_first_text(event: Event) -> None:
        match event:
            case Received({"type": "content_block_delta"}):
                threading.Thread(target=cancel.set).start()

    with pytest.raises(Interrupted):
        session.ask(question("Two"), cancel_at_first_text, cancel=cancel)
    assert session.turns[-1].status == "interrupted"
    assert session.offline.disconnected.wait(60)


def test_two_threads_can_ask_at_once(session: Session) -> None:
    session.ask(question("Zero"))
    threads = [threading.Thread(target=session.ask, args=(question(f"Q{n}"),)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(t.asked[0]["text"]) for t in session.turns[1:]) == [f"Q{n}" for n in range(6)]


def test_an_unknown_name_suggests_the_nearest_model(session: Session) -> None:
    with pytest.raises(InputError, match="did you mean sonnet"):
        session.plan(question("Hello", model="sonet"))


def test_the_request_digest_is_of_what_was_asked_and_not_of_caching(session: Session) -> None:
    first = session.ask(question("Hello", alone=True)).turn.digest
    again = session.ask(question("Hello")).turn.digest
    other = session.ask(question("Hello", alone=True, max_tokens=99)).turn.digest
    assert first == again != other


def test_the_first_question_to_a_server_is_known_as_the_first(session: Session) -> None:
    assert session.plan(question("Hello")).first
    session.ask(question("Hello"))
    assert not session.plan(question("Hello")).first


def test_a_plan_counts_and_prices_before_anything_leaves(session: Session) -> None:
    plan: Plan = session.plan(question("word " * 1000, model="opus"))
    assert 1000 < plan.tokens < 3000
    assert plan.price is not None
    assert 0.02 < plan.price < 0.04
    assert session.offline is None


ANT = "What is latin for ant? (A) Apoidea, (B) Rhopalocera, (C) Formicidae"


def test_a_prefill_that_a_choice_completes_is_completed_by_it(session: Session) -> None:
    """As the founding example has it: one token, and the answer."""
    asked = question(ANT, prefill="The answer is (", max_tokens=1)
    plan = session.plan(asked)
    reply = session.ask(asked)
    assert reply.text == "The answer is (C"
    assert plan.notices == ()
    assert reply.notices == ("Sonnet 5.5 takes no prefill: asked for as one of A, B, C",)
    assert reply.turn.parameters["emulated"] == "choice"
    session.ask(question("Why?"))
    assert sent(session.offline)[-1]["messages"][:2] == [
        {"role": "user", "content": ANT},
        {"role": "assistant", "content": "The answer is (C"},
    ]


def test_a_choice_that_is_shown_from_the_record_reads_the_same(session: Session) -> None:
    asked = question(ANT, prefill="The answer is (", alone=True, cell="a")
    first = session.ask(asked)
    again = session.ask(asked)
    assert again.replayed
    assert (again.text, again.notices) == (first.text, ()), "now it was not asked for in any form"


def test_a_choice_is_asked_for_in_words_where_the_server_is_anothers(
    settings: Changeable, server: OfflineServer
) -> None:
    settings.say(base_url=server.url)
    session = Session(settings, find=lambda: None)
    reply = session.ask(question(ANT, prefill="The answer is ("))
    assert reply.text.startswith("The answer is (C), the last choice")
    assert "output_config" not in sent(server)[0]
    session.close()


def of_environment(**environ: str) -> Callable[[], CustomHeaders]:
    given = {"ANTHROPIC_CUSTOM_HEADERS": "X-Team: ants-of-the-world", **environ}
    return lambda: custom_headers("https://api.anthropic.com", given)


def test_headers_of_the_environment_go_to_the_server_that_it_names(
    settings: Changeable, server: OfflineServer
) -> None:
    settings.say(base_url=server.url)
    session = Session(
        settings, find=lambda: None, headers=of_environment(ANTHROPIC_BASE_URL=server.url)
    )
    reply = session.ask(question("Hello"))
    session.models()
    assert [r.headers["x-team"] for r in server.requests] == ["ants-of-the-world"] * 2
    assert not any("ANTHROPIC_CUSTOM_HEADERS" in line for line in reply.notices)
    session.close()


def test_any_other_server_gets_none_of_them_and_the_user_is_told_once(
    settings: Changeable, server: OfflineServer
) -> None:
    settings.say(base_url=server.url)
    session = Session(settings, find=lambda: None, headers=of_environment())
    first = session.ask(question("Hello"))
    again = session.ask(question("Hello again"))
    assert not any("x-team" in r.headers for r in server.requests)
    (line,) = [n for n in first.notices if "ANTHROPIC_CUSTOM_HEADERS" in n]
    assert "is for api.anthropic.com: not sent to 127.0.0.1" in line
    assert not any("ANTHROPIC_CUSTOM_HEADERS" in line for line in again.notices)
    session.close()


def test_a_header_that_authorizes_stands_in_for_the_key() -> None:
    anthropics = Server.of("https://api.anthropic.com")
    given = {"ANTHROPIC_CUSTOM_HEADERS": "Authorization: Bearer token"}
    require_key(anthropics, None, of_environment(**given)())
    anothers = of_environment(**given, ANTHROPIC_BASE_URL="https://gateway.example")
    with pytest.raises(CredentialError):
        require_key(anthropics, None, anothers())
