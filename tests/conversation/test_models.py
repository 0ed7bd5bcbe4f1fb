"""What a session knows of models, and when it asks the server for its list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.asking.run import Following
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.messages.blocks import text
from claude_magic.messages.errors import BadRequest, BudgetError, InputError, NotFound
from claude_magic.messages.models import MODELS
from claude_magic.offline import OfflineServer
from claude_magic.offline.model_list import model_info
from tests.messages.transport.fault_server import FaultServer, Script, answers, refuses, replies

THINKING_REFUSED = refuses(400, "invalid_request_error", "thinking.type: not supported")
NO_SUCH_MODEL = refuses(404, "not_found_error", "model: claude-sonnet-9")


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session(lambda: Settings(base_url="offline"), find=lambda: None)
    yield made
    made.close()


def ask(session: Session, prompt: str = "Hello", **said: Any) -> Any:
    return session.ask(Question(content=(text(prompt),), **said))


def paths(server: Any) -> list[str]:
    return [request.path.partition("?")[0] for request in server.requests]


def lists(*items: dict[str, Any]) -> Script:
    content = json.dumps({"data": list(items), "has_more": False}).encode()
    return answers(200, content, {"content-type": "application/json"})


def at(server: FaultServer) -> Session:
    return Session(lambda: Settings(base_url=server.url), find=lambda: None)


def test_no_question_waits_for_the_list(session: Session) -> None:
    ask(session)
    assert paths(session.offline) == ["/v1/messages"]


def test_a_list_that_was_asked_for_is_known_from_then_on(session: Session) -> None:
    with pytest.raises(NotFound):
        ask(session, model="claude-sonnet-9")
    assert session.models().listed == tuple(MODELS)
    with pytest.raises(InputError, match="is no model of this server: did you mean claude-sonnet"):
        ask(session, model="claude-sonnet-9")
    assert paths(session.offline).count("/v1/models") == 2


def test_a_model_that_is_not_found_is_looked_for_in_the_servers_list(session: Session) -> None:
    with pytest.raises(NotFound) as missed:
        ask(session, model="claude-haiku-5-6")
    assert "offline lists no model claude-haiku-5-6; the nearest is claude-haiku-5-5" in str(
        missed.value
    )
    assert (missed.value.status, missed.value.error_type) == (404, "not_found_error")
    assert missed.value.request_id == "req_offline_000001"
    assert paths(session.offline) == ["/v1/messages", "/v1/models"]
    assert session.turns == []


def test_a_server_without_a_list_is_not_asked_for_it_again() -> None:
    with FaultServer(NO_SUCH_MODEL, refuses(404), NO_SUCH_MODEL) as server:
        session = at(server)
        for _ in range(2):
            with pytest.raises(NotFound, match="has no model qwen3"):
                ask(session, model="qwen3")
        session.close()
    assert paths(server) == ["/v1/messages", "/v1/models", "/v1/messages"]


def test_thinking_that_is_refused_is_asked_for_as_the_servers_list_has_it() -> None:
    item = model_info(MODELS["claude-sonnet-5-5"])
    types = item["capabilities"]["thinking"]["types"]
    types["between_tools"]["supported"], types["disabled"]["supported"] = False, True
    with FaultServer(THINKING_REFUSED, lists(item), replies) as server:
        session = at(server)
        reply = ask(session, model="sonnet", think="off")
        again = ask(session, "And now?", model="sonnet", think="off")
        session.close()
    sent = [r.json for r in server.requests if r.path == "/v1/messages"]
    kinds = [body["thinking"]["type"] for body in sent]
    assert kinds == ["between_tools", "disabled", "disabled"]
    assert "asked again by what it lists for Sonnet 5.5" in reply.notices[-1]
    assert not any("asked again" in line for line in again.notices)
    assert reply.turn.status == again.turn.status == "complete"


def test_what_the_list_changed_stays_so_for_all_requests_of_a_question(session: Session) -> None:
    asked = Question(content=(text("Hello"),), model="claude-opus-5", think="off", max_tokens=9)
    following = Following(session.plan(asked))
    following.change({"thinking": None, "max_tokens": 7})
    for _ in range(2):
        assert "thinking" not in following.body
        assert following.body["max_tokens"] == 7
        following.go_on("pause", [text("So far.")], [], [])
    assert following.body["messages"][-1]["role"] == "assistant"


def test_a_refusal_that_the_list_does_not_explain_stands() -> None:
    item = model_info(MODELS["claude-sonnet-5-5"])
    with FaultServer(THINKING_REFUSED, lists(item), replies) as server:
        session = at(server)
        with pytest.raises(BadRequest, match="not supported"):
            ask(session, model="sonnet", think="off")
        session.close()
    assert paths(server) == ["/v1/messages", "/v1/models"]


def test_a_refusal_of_something_else_asks_for_nothing() -> None:
    with FaultServer(refuses(429, "rate_limit_error", "no", {"x-should-retry": "false"})) as server:
        session = at(server)
        with pytest.raises(Exception, match="rate limit"):
            ask(session, model="sonnet", think="off")
        session.close()
    assert paths(server) == ["/v1/messages"]


def test_another_servers_list_is_no_reason_not_to_ask_but_it_is_said_once() -> None:
    with FaultServer(lists({"id": "qwen3:32b"}), replies) as server:
        session = at(server)
        session.models()
        first = ask(session, model="qwen3:30b")
        again = ask(session, "Again", model="qwen3:30b")
        session.close()
    (line,) = [n for n in first.notices if "lists no model" in n]
    assert line.endswith("lists no model qwen3:30b; the nearest is qwen3:32b")
    assert not any("lists no model" in n for n in again.notices)


class TestAFileOfOnesOwn:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        path = tmp_path / "models.toml"
        row = '[models.qwen3]\nname = "Qwen 3"\ninput = 100\noutput = 500\n'
        path.write_text(f'[aliases]\nlocal = "qwen3"\n{row}', encoding="utf-8")
        return Settings(models_file=str(path), model="local")

    def test_gives_names_and_prices(self, settings: Settings) -> None:
        with FaultServer(replies) as server:
            now = replace(settings, base_url=server.url)
            session = Session(lambda: now, find=lambda: None)
            reply = ask(session)
            session.close()
        assert server.requests[0].json["model"] == "qwen3"
        assert reply.turn.model == "m", "which nobody knows: the price is that of the one asked"
        assert reply.cost == pytest.approx((9 * 100 + 5 * 500) / 1e6)
        assert session.spending.spent == reply.cost

    def test_counts_for_the_budget(self, settings: Settings) -> None:
        now = replace(settings, base_url="http://127.0.0.1:9", budget=0.1)
        session = Session(lambda: now, find=lambda: None)
        with pytest.raises(BudgetError):
            ask(session)

    def test_is_read_again_when_it_has_changed(self, settings: Settings) -> None:
        session = Session(lambda: settings, find=lambda: None)
        assert session.catalogue.resolve("local") == "qwen3"
        Path(settings.models_file).write_text('[aliases]\nlocal = "llama3:70b"\n')
        assert session.catalogue.resolve("local") == "llama3:70b"
        Path(settings.models_file).unlink()
        with pytest.raises(InputError, match=r"models\.toml cannot be read"):
            _ = session.catalogue


def test_what_a_user_should_know_of_a_model_is_said_before_it_is_asked(session: Session) -> None:
    assert session.about_model("sonnet") == ""
    assert "its replacement is claude-sonnet-5-5" in session.about_model("claude-sonnet-4-5")
    with pytest.raises(InputError, match="its replacement is claude-opus-5-5"):
        session.about_model("claude-3-opus")


def test_the_offline_server_knows_the_models_of_the_table_alone() -> None:
    with OfflineServer() as server:
        session = Session(lambda: Settings(base_url=server.url), find=lambda: None)
        with pytest.raises(NotFound):
            ask(session, model="qwen3")
        session.close()
