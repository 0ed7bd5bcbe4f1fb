"""However the API refuses a request, the user gets the reply after a wait or one of our errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from claude_magic.messages import errors
from tests.messages.transport.fault_outcomes import (
    CANARY,
    HTML,
    Outcome,
    play,
    shown,
    typed,
    violation,
)
from tests.messages.transport.fault_server import (
    FaultServer,
    Peer,
    Script,
    answers,
    refuses,
    replies,
    stalls,
)


def refused(
    kind: type[errors.APIError], status: int, *words: str, tries: int = 1
) -> Callable[[Outcome], None]:
    def check(outcome: Outcome) -> None:
        assert type(outcome.error) is kind
        assert isinstance(outcome.error, errors.APIError)
        assert outcome.error.status == status
        assert outcome.error.request_id == "req_9"
        assert outcome.tries == tries
        for word in words:
            assert word in str(outcome.error)

    return check


def waited(seconds: float, *, tries: int = 2) -> Callable[[Outcome], None]:
    """It came through after a wait, of which the user saw a countdown if it was over 2 s."""

    def check(outcome: Outcome) -> None:
        assert (outcome.error, outcome.text, outcome.tries) == (None, "Hello", tries)
        assert outcome.slept == pytest.approx(seconds, abs=1.5)
        if seconds > 2:
            shown_seconds = [wait.seconds for wait in outcome.waits]
            assert len(shown_seconds) == pytest.approx(seconds, abs=2)
            assert shown_seconds == sorted(shown_seconds, reverse=True)
            assert outcome.waits[0].reason == "rate limit reached"
        else:
            assert outcome.waits == []

    return check


def first(script: Script, then: Script = replies) -> Script:
    """`script` for the first request of a server, `then` for the others."""
    scripts = [script]

    def play_next(peer: Peer) -> None:
        (scripts.pop() if scripts else then)(peer)

    return play_next


def slow_down(**headers: str) -> Script:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return refuses(429, "rate_limit_error", "slow down", named)


def until_40_seconds_on(peer: Peer) -> None:
    slow_down(retry_after=formatdate(time.time() + 40, usegmt=True))(peer)


def limited_for_two_minutes(outcome: Outcome) -> None:
    refused(errors.RateLimited, 429, "rate limit", tries=outcome.tries)(outcome)
    assert 99 < outcome.slept <= 120
    assert outcome.tries == pytest.approx(6, abs=1)


def fails_at_once(outcome: Outcome) -> None:
    refused(errors.RateLimited, 429, "try again in 60 min")(outcome)
    assert outcome.slept == 0


def no_page_shown(
    outcome: Outcome, kind: type[errors.APIError] = errors.RequestTooLarge, status: int = 413
) -> None:
    assert type(outcome.error) is kind
    assert isinstance(outcome.error, errors.APIError)
    assert (outcome.error.status, outcome.tries) == (status, 1)
    assert "BODY" not in str(outcome.error)


ECHO = f"Invalid key {CANARY} and sk-ant-api03-abc\x1b[2J\x07 <script>"

API: dict[str, tuple[Script, Callable[[Outcome], None]]] = {
    "400": (
        refuses(400, "invalid_request_error", "max_tokens: too\nlarge"),
        refused(errors.BadRequest, 400, "max_tokens: too large"),
    ),
    "401": (
        refuses(401, "authentication_error", ECHO),
        refused(errors.AuthenticationError, 401, "ANTHROPIC_API_KEY", "%claude_login"),
    ),
    "the key echoed everywhere": (
        refuses(403, f"kind {CANARY}", ECHO, {"request-id": CANARY}, note=[CANARY, {CANARY: ECHO}]),
        refused(errors.PermissionDenied, 403, "[key]"),
    ),
    "402": (
        refuses(402, "billing_error", "no credit"),
        refused(errors.PermissionDenied, 402, "no credit"),
    ),
    "403": (
        refuses(403, "permission_error", "not yours"),
        refused(errors.PermissionDenied, 403, "not yours"),
    ),
    "404": (
        refuses(404, "not_found_error", "model: claude-sonnet-55"),
        refused(errors.NotFound, 404, "claude-sonnet-55", "claude-sonnet-5-5"),
    ),
    "413": (
        refuses(413, "request_too_large", "too large"),
        refused(errors.RequestTooLarge, 413, "text 1 of message 1"),
    ),
    "429 with seconds": (first(slow_down(retry_after="30")), waited(30)),
    "429 with milliseconds": (first(slow_down(retry_after_ms="1500")), waited(1.5)),
    "429 with seconds, for ever": (slow_down(retry_after="20"), limited_for_two_minutes),
    "429 with an HTTP date": (first(until_40_seconds_on), waited(40)),
    "429 with 3600": (slow_down(retry_after="3600"), fails_at_once),
    "429 with a negative one": (first(slow_down(retry_after="-1")), waited(0.5)),
    "429 with garbage": (first(slow_down(retry_after="soon")), waited(0.5)),
    "429 of a spend limit": (
        refuses(429, "rate_limit_error", "spent", {}, error_code="enforced_spend_limit_reached"),
        refused(errors.RateLimited, 429, "spend limit"),
    ),
    "500": (refuses(500), refused(errors.ServerError, 500, tries=3)),
    "500, then well": (first(refuses(500)), waited(0.5)),
    "529": (
        refuses(529, "overloaded_error", "Overloaded"),
        lambda o: refused(errors.ServerError, 529, "overloaded", tries=o.tries)(o),
    ),
    "x-should-retry: false": (
        refuses(500, headers={"x-should-retry": "false"}),
        refused(errors.ServerError, 500),
    ),
    "x-should-retry: true": (
        refuses(400, headers={"x-should-retry": "true"}),
        refused(errors.BadRequest, 400, tries=3),
    ),
    "413 that is not JSON": (typed("text/html", HTML, 413), no_page_shown),
}


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("case", API)
def test_a_refusal_of_the_api_ends_as_it_should(case: str) -> None:
    play(*API[case])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_the_other_host_gets_nothing(status: int) -> None:
    with FaultServer(replies) as other:
        script = answers(status, headers={"location": f"{other.url}/v1/messages?{CANARY}"})

        def check(outcome: Outcome) -> None:
            violation(outcome)
            assert "base_url" in str(outcome.error)

        play(script, check)
        assert other.connections == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param({"error": "model 'x' not found"}, "", id="a string"),
        pytest.param({"error": {"message": "oops", "code": 7}}, "oops", id="another API's"),
        pytest.param({"detail": "Field required"}, "Field required", id="a detail"),
        pytest.param({"detail": [{"loc": 1}]}, "400", id="a list of details"),
        pytest.param({"error": None}, "400", id="null"),
        pytest.param({"error": {"message": {"a": 1}, "type": 3, "details": [1]}}, "400", id="odd"),
        pytest.param([1, 2], "400", id="a list"),
        pytest.param({"error": {"message": "x" * 5000}}, "xxx…", id="endless"),
    ],
)
def test_the_words_of_other_servers_are_found_where_they_put_them(body: Any, words: str) -> None:
    def check(outcome: Outcome) -> None:
        assert isinstance(outcome.error, errors.BadRequest)
        assert words in str(outcome.error)
        assert len(str(outcome.error)) < 700

    play(typed("application/json", json.dumps(body).encode(), 400), check)


def test_the_words_of_a_server_hold_no_control_characters() -> None:
    def check(outcome: Outcome) -> None:
        assert str(outcome.error).isprintable()

    play(refuses(400, "invalid_request_error", "a\x1b]0;t\x07\u202eb\u2066c\r\nd"), check)


def test_an_error_whose_body_stalls_is_still_that_error() -> None:
    head = b"HTTP/1.1 400 Bad\r\ncontent-length: 99\r\n\r\n{"
    play(stalls(head), lambda outcome: no_page_shown(outcome, errors.BadRequest, 400))


def test_the_search_for_the_key_in_tracebacks_finds_one() -> None:
    def leak(key: str) -> None:
        raise ValueError

    with pytest.raises(ValueError) as caught:
        leak(CANARY)
    assert CANARY in shown(caught.value)
