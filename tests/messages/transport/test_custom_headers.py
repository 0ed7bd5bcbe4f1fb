"""Headers of the environment: sent to the one server that they are for, and shown nowhere."""

from __future__ import annotations

import pytest

from claude_magic.messages import errors
from claude_magic.messages.address import CustomHeaders, custom_headers
from claude_magic.messages.credentials import Secret
from claude_magic.messages.transport.client import Client
from tests.messages.transport.fault_server import FaultServer, answers, refuses, replies

ANTHROPIC = "https://api.anthropic.com"
CANARY = "canary-header-0123456789"
KEY = "canary-key-0123456789"
BODY = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "?"}]}


def given(text: str, **environ: str) -> CustomHeaders:
    return custom_headers(ANTHROPIC, {"ANTHROPIC_CUSTOM_HEADERS": text, **environ})


def revealed(found: CustomHeaders) -> dict[str, str]:
    return {name: value.reveal() for name, value in found.values.items()}


def texts(client: Client, **options: list[str]) -> str:
    with client.stream(BODY, **options) as reply:
        return "".join(event.get("delta", {}).get("text", "") for event in reply)


def test_each_line_is_a_header() -> None:
    found = given("X-Team: ants\n\n  X-Route :a: b \r\nAuthorization: Bearer t\n")
    assert revealed(found) == {"x-team": "ants", "x-route": "a: b", "authorization": "Bearer t"}
    assert revealed(given("")) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"X-A: 1\n{CANARY}", "line 2 must read Name: value"),
        (f": {CANARY}", "line 1 must read Name: value"),
        ("X-A:", "line 1 must read Name: value"),
        (f"X A: {CANARY}", "header 'X A'"),
        (f"X-A: {CANARY}é", "header 'X-A'"),
        (f"Host: {CANARY}", "must not set host"),
        ("Content-Length: 3", "must not set content-length"),
    ],
)
def test_a_line_that_is_no_header_is_named_and_its_value_is_not(text: str, words: str) -> None:
    with pytest.raises(errors.InputError, match=words) as caught:
        given(text)
    assert CANARY not in str(caught.value)


SERVERS = {
    "Anthropic's, where no other is named": ({}, ANTHROPIC, True),
    "whatever its path and case": ({}, "HTTPS://API.anthropic.com/v1/", True),
    "the one of ANTHROPIC_BASE_URL": ({"ANTHROPIC_BASE_URL": "https://a.b"}, "https://a.b/x", True),
    "the one of CLAUDE_MAGIC_BASE_URL": (
        {"ANTHROPIC_BASE_URL": "https://a.b", "CLAUDE_MAGIC_BASE_URL": "https://c.d"},
        "https://c.d",
        True,
    ),
    "not the other of the two": (
        {"ANTHROPIC_BASE_URL": "https://a.b", "CLAUDE_MAGIC_BASE_URL": "https://c.d"},
        "https://a.b",
        False,
    ),
    "not another host": ({}, "https://api.anthropic.com.evil.example", False),
    "not another port": ({}, "https://api.anthropic.com:8443", False),
    "not in the clear": ({"ANTHROPIC_BASE_URL": "https://localhost"}, "http://localhost", False),
    "not Anthropic's, where another is named": (
        {"ANTHROPIC_BASE_URL": "https://a.b"},
        ANTHROPIC,
        False,
    ),
    "none, where the environment says offline": (
        {"CLAUDE_MAGIC_BASE_URL": "offline"},
        ANTHROPIC,
        False,
    ),
}


@pytest.mark.parametrize("case", SERVERS)
def test_they_are_for_the_server_that_the_environment_names(case: str) -> None:
    environ, url, meant = SERVERS[case]
    assert bool(given("X-A: b", **environ).meant_for(url)) == meant


def test_they_go_with_every_request_to_that_server() -> None:
    with FaultServer(replies) as server:
        found = given(f"X-A: {CANARY}", ANTHROPIC_BASE_URL=server.url)
        client = Client(server.url, Secret(KEY), custom=found)
        assert texts(client) == "Hello"
        client.close()
    (request,) = server.requests
    assert (request.headers["x-a"], request.headers["x-api-key"]) == (CANARY, KEY)


def test_they_do_not_go_to_another_one() -> None:
    with FaultServer(replies) as server:
        client = Client(server.url, custom=given(f"X-A: {CANARY}\nAuthorization: {CANARY}"))
        assert texts(client) == "Hello"
        client.close()
    assert CANARY not in str(server.requests[0].headers)


def test_a_redirect_takes_them_nowhere() -> None:
    with FaultServer(replies) as other:
        to_other = answers(307, headers={"location": f"{other.url}/v1/messages"})
        with FaultServer(to_other) as server:
            found = given(f"X-A: {CANARY}", ANTHROPIC_BASE_URL=server.url)
            client = Client(server.url, custom=found)
            with pytest.raises(errors.ProtocolError, match="redirects"):
                texts(client)
            client.close()
        assert other.requests == []


@pytest.mark.parametrize("name", ["X-Api-Key", "Authorization"])
def test_a_header_that_authorizes_takes_the_place_of_the_key(name: str) -> None:
    with FaultServer(replies) as server:
        found = given(f"{name}: {CANARY}", ANTHROPIC_BASE_URL=server.url)
        client = Client(server.url, Secret(KEY), custom=found)
        texts(client)
        client.close()
    (request,) = server.requests
    assert request.headers[name.lower()] == CANARY
    assert KEY not in str(request.headers)


def test_betas_of_both_go_together_and_the_version_is_the_one_that_was_given() -> None:
    with FaultServer(replies) as server:
        found = given(
            "anthropic-beta: mine\nAnthropic-Version: 2026-10-21", ANTHROPIC_BASE_URL=server.url
        )
        client = Client(server.url, custom=found)
        texts(client, betas=["ours"])
        texts(client)
        client.close()
    assert [r.headers["anthropic-beta"] for r in server.requests] == ["ours,mine", "mine"]
    assert server.requests[0].headers["anthropic-version"] == "2026-10-21"


def test_no_error_shows_a_value() -> None:
    echo = f"header X-A {CANARY} and Bearer {CANARY}-token are wrong"
    with FaultServer(refuses(400, "invalid_request_error", echo, seen=CANARY)) as server:
        found = given(
            f"X-A: {CANARY}\nAuthorization: Bearer {CANARY}-token", ANTHROPIC_BASE_URL=server.url
        )
        client = Client(server.url, custom=found)
        with pytest.raises(errors.BadRequest) as caught:
            texts(client)
        client.close()
    shown = [str(caught.value), str(caught.value.details), repr(found), repr(client), str(found)]
    assert "header X-A [key]" in shown[0]
    assert not any(CANARY in text for text in shown)
