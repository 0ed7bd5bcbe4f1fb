"""Whatever a server or the network does, the user gets the reply or one of our errors.

After each fault the connection is closed, the next question works, and the key is nowhere.
"""

from __future__ import annotations

import gzip
import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import pytest
from fault_server import (
    BEGUN,
    BLOCK,
    BLOCK_STOP,
    CHUNKED_HEAD,
    ENDING,
    PING,
    REST,
    START,
    STOP,
    STREAM_HEAD,
    WHOLE,
    FaultServer,
    Peer,
    Script,
    answers,
    chunk,
    delta,
    event,
    refuses,
    replies,
    stalls,
    streams,
)
from quick_clock import QuickClock

from claude_magic.messages import errors
from claude_magic.messages.client import Client, Timeouts
from claude_magic.messages.credentials import Secret
from claude_magic.messages.retry import Wait
from claude_magic.messages.stream import runnable

CANARY = "canary-key-0123456789"
BODY = {
    "model": "claude-sonnet-55",
    "max_tokens": 10,
    "messages": [{"role": "user", "content": "?"}],
}
QUICK = Timeouts(connect=5, idle=0.3, progress=900)


@dataclass
class Outcome:
    """What one question came to."""

    text: str
    error: BaseException | None
    tries: int
    snapshot: Any
    waits: list[Wait]
    slept: float


def ask(server: FaultServer, client: Client, clock: QuickClock) -> Outcome:
    waits: list[Wait] = []
    error: BaseException | None = None
    before = clock.slept
    with client.stream(BODY, waiting=waits.append) as reply:
        try:
            for _ in reply:
                server.shown.set()
        except (errors.ClaudeError, errors.Interrupted) as caught:
            error = caught
    content = reply.snapshot.get("content", [])
    text = "".join(block.get("text", "") for block in content)
    return Outcome(text, error, len(server.requests), reply.snapshot, waits, clock.slept - before)


def shown(error: BaseException) -> str:
    """Everything that a traceback with variables, a log or a repr could show of an error."""
    found = traceback.TracebackException.from_exception(error, capture_locals=True, compact=False)
    chain = [error, error.__cause__, error.__context__]
    parts = ["".join(found.format()), *(repr(e) + repr(vars(e)) for e in chain if e is not None)]
    return "\n".join(parts)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    caplog.set_level(logging.DEBUG)
    yield caplog
    assert CANARY not in caplog.text


def play(script: Script, check: Callable[[Outcome], None], timeouts: Timeouts = QUICK) -> None:
    """Asks twice: the script answers the first question, a good reply the second."""
    clock = QuickClock()
    with FaultServer(script) as server:
        client = Client(server.url, Secret(CANARY), clock=clock, timeouts=timeouts)
        outcome = ask(server, client, clock)
        if outcome.error is not None:
            assert CANARY not in shown(outcome.error)
            assert "\n" not in str(outcome.error)
        check(outcome)
        server.play(replies)
        again = ask(server, client, clock)
        assert (again.text, again.error) == ("Hello", None)
        client.close()
        server.check_closed()


# What a case comes to


def whole(outcome: Outcome, text: str = "Hello") -> None:
    """The reply is there, from one request."""
    assert outcome.error is None
    assert (outcome.text, outcome.tries) == (text, 1)


def retried(kind: type[errors.ClaudeError]) -> Callable[[Outcome], None]:
    """R: tried three times, then our error; nothing of the body in it."""

    def check(outcome: Outcome) -> None:
        assert type(outcome.error) is kind
        assert outcome.tries == 3
        assert outcome.slept == pytest.approx(1.5)
        assert "BODY" not in str(outcome.error)

    return check


def broken(outcome: Outcome) -> None:
    """T: what came is there and marked as broken; it was asked for once."""
    assert isinstance(outcome.error, errors.BrokenReply)
    assert outcome.error.request_id == "req_1"
    assert outcome.error.partial == outcome.snapshot
    assert (outcome.text, outcome.tries) == ("Hel", 1)


def violation(outcome: Outcome) -> None:
    """P: our protocol error, nothing of the body in it; not tried again."""
    assert isinstance(outcome.error, errors.ProtocolError)
    assert outcome.error.status is not None
    assert "BODY" not in str(outcome.error)
    assert outcome.tries == 1


NO_ANSWER = retried(errors.ConnectionFailed)


# Scripts


def resets(*pieces: bytes) -> Script:
    """Sends these and ends by RST, which may overtake them."""

    def script(peer: Peer) -> None:
        peer.send(*pieces)
        peer.reset()

    return script


def resets_once_shown(*pieces: bytes) -> Script:
    """Sends these and ends by RST as soon as the user has seen some of them."""

    def script(peer: Peer) -> None:
        peer.send(*pieces)
        peer.until_shown()
        peer.reset()

    return script


def pings_for_ever(*pieces: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.send(STREAM_HEAD, *pieces)
        pause = threading.Event()
        while not pause.wait(0.02):
            peer.send(PING)

    return script


def bytewise(peer: Peer) -> None:
    peer.send(STREAM_HEAD, *(bytes([b]) for b in WHOLE))


def zipped(data: bytes) -> Script:
    head = STREAM_HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n")
    return lambda peer: peer.send(head, data)


def typed(content_type: str, body: bytes, status: int = 200) -> Script:
    return answers(status, body, {"content-type": content_type})


def cut_at_every_byte(text: str) -> Script:
    data = START + BLOCK + delta(text) + ENDING + STOP
    return lambda peer: peer.send(CHUNKED_HEAD, *(chunk(bytes([b])) for b in data), b"0\r\n\r\n")


def line_ends(end: bytes) -> Script:
    data = WHOLE.replace(b"\n", end)
    half = data.index(end, 200) + 1
    return streams(data[:half], data[half:])


def text_is(text: str) -> Callable[[Outcome], None]:
    return lambda outcome: whole(outcome, text)


ODD = "a\u2028b\u0085c\0d"
HTML = b"<html><body onload=alert(1)>BODY " + CANARY.encode() + b"</body></html>"
HUGE = b"data: " + b"x" * 20_000_000
MANY = b"".join(b"x-%d: y\r\n" % n for n in range(20_000))
ZIPPED = gzip.compress(BEGUN + PING * 50)

NETWORK: dict[str, tuple[Script, Callable[[Outcome], None]]] = {
    "RST before headers": (resets(), NO_ANSWER),
    "close before headers": (lambda peer: None, NO_ANSWER),
    "RST within headers": (resets(STREAM_HEAD[:30]), NO_ANSWER),
    "RST within an event": (
        resets_once_shown(STREAM_HEAD, BEGUN, delta("lost")[:40]),
        broken,
    ),
    "chunked body cut": (lambda p: p.send(CHUNKED_HEAD, chunk(BEGUN), b"40\r\nda"), broken),
    "short Content-Length": (
        lambda p: p.send(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_1\r\n"
            b"content-length: 5000\r\n\r\n" + BEGUN
        ),
        broken,
    ),
    "clean EOF after a delta": (streams(BEGUN), broken),
    "EOF within an event": (streams(BEGUN, delta("lost")[:-2]), broken),
    "stall before headers": (stalls(), NO_ANSWER),
    "stall mid-stream": (stalls(STREAM_HEAD, BEGUN), broken),
    "one byte at a time": (bytewise, whole),
    "garbage status line": (lambda p: p.send(b"\x16\x03 BODY what?\r\n\r\n"), NO_ANSWER),
    "20,000 headers": (lambda p: p.send(b"HTTP/1.1 200 OK\r\n" + MANY + b"\r\n"), NO_ANSWER),
    "truncated gzip": (zipped(ZIPPED[:-12]), broken),
    "bad gzip": (zipped(b"BODY is not gzip"), violation),
    "good gzip, though not asked for": (zipped(gzip.compress(WHOLE)), whole),
    "HTML with 200": (typed("text/html", HTML), violation),
    "HTML with 200, called a stream": (typed("text/event-stream", HTML), violation),
    "JSON with 200 to a stream request": (typed("application/json", b'{"a": "BODY"}'), violation),
    "empty 200": (typed("text/event-stream", b""), violation),
    "204": (lambda p: p.send(b"HTTP/1.1 204 No Content\r\n\r\n"), violation),
    "HTML 502": (typed("text/html", HTML, 502), retried(errors.ServerError)),
    "informational 103 first": (
        lambda p: p.send(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", STREAM_HEAD, WHOLE),
        whole,
    ),
    "UTF-8 split over chunks": (cut_at_every_byte("é漢\U0001f600"), text_is("é漢\U0001f600")),
    "invalid UTF-8": (streams(BEGUN, b'data: {"type": "BODY \xff"}\n\n'), violation),
    "latin-1 in the header": (
        lambda p: p.send(
            STREAM_HEAD.replace(b"utf-8", b"latin-1"), START + BLOCK + delta("é") + ENDING + STOP
        ),
        text_is("é"),
    ),
    "BOM": (streams(b"\xef\xbb\xbf", WHOLE), whole),
    "CR": (line_ends(b"\r"), whole),
    "CRLF": (line_ends(b"\r\n"), whole),
    "U+2028, U+0085, NUL in text": (
        streams(START + BLOCK + delta(ODD) + ENDING + STOP),
        text_is(ODD),
    ),
    "a 20 MB event": (streams(BEGUN, HUGE), violation),
    "bad JSON": (streams(BEGUN, b"data: {BODY\n\n"), violation),
    "clean EOF before any content": (streams(START), NO_ANSWER),
    "RST before any content": (resets(STREAM_HEAD, START, PING), NO_ANSWER),
}


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("case", NETWORK)
def test_a_fault_of_the_network_ends_as_it_should(case: str) -> None:
    play(*NETWORK[case])


@pytest.mark.parametrize(
    ("begun", "kind"),
    [((), errors.ConnectionFailed), ((BEGUN,), errors.BrokenReply)],
    ids=["before content", "after content"],
)
def test_pings_for_ever_end_though_bytes_come(
    begun: tuple[bytes, ...], kind: type[errors.ClaudeError]
) -> None:
    def check(outcome: Outcome) -> None:
        assert type(outcome.error) is kind
        assert "sent no more of its answer for 0.5 s" in str(outcome.error)
        assert outcome.tries == 1

    play(pings_for_ever(*begun), check, Timeouts(connect=5, idle=5, progress=0.5))


def test_headers_that_never_come_end_too() -> None:
    def check(outcome: Outcome) -> None:
        assert isinstance(outcome.error, errors.ConnectionFailed)
        assert outcome.tries == 1

    play(stalls(), check, Timeouts(connect=5, idle=30, progress=0.5))


class HurriedClock(QuickClock):
    """Time that also passes when the test says so."""

    def pass_by(self, seconds: float) -> None:
        self.slept += seconds


def goes_on(max_tokens: int, seconds: float) -> str:
    """The text of a reply whose second half comes `seconds` after the first."""

    def in_halves(peer: Peer) -> None:
        peer.send(STREAM_HEAD, BEGUN)
        peer.until_shown()
        peer.send(PING + REST)

    clock = HurriedClock()
    with FaultServer(in_halves) as server:
        client = Client(server.url, None, clock=clock, timeouts=QUICK)
        with client.stream({**BODY, "max_tokens": max_tokens}) as reply:
            for event in reply:
                if event["type"] == "content_block_delta":
                    clock.pass_by(seconds)
                    server.shown.set()
        client.close()
        return str(reply.snapshot["content"][0]["text"])


def test_a_reply_may_take_as_long_as_it_likes_while_it_goes_on() -> None:
    """128,000 tokens at 30 a second are more than an hour: twice 800 s are too little for it."""
    assert goes_on(10, 800) == "Hello"


def test_a_reply_may_be_silent_for_as_long_as_its_tokens_could_be_hidden_thinking() -> None:
    assert goes_on(128_000, 4000) == "Hello"
    with pytest.raises(errors.BrokenReply, match="sent no more of its answer for 900 s"):
        goes_on(10, 1000)


# The protocol

TOOL = {"type": "tool_use", "id": "t1", "name": "rm", "input": {}}
CUT_TOOL = event("content_block_start", index=1, content_block=TOOL) + event(
    "content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"p": "/'}
)
CUT_OFF = event("message_delta", delta={"stop_reason": "max_tokens"}, usage={})
UNKNOWN = {"type": "hologram", "beam": [1, None, {"x": "y"}]}
OVERLOADED = event("error", error={"type": "overloaded_error", "message": "BODY Overloaded"})


def overloaded_to_the_end(outcome: Outcome) -> None:
    """Tried for two minutes, then our error with the status that the event stands for."""
    assert isinstance(outcome.error, errors.ServerError)
    assert (outcome.error.status, outcome.error.error_type) == (529, "overloaded_error")
    assert outcome.error.request_id == "req_1"
    assert 100 < outcome.slept <= 120


def broken_by_overload(outcome: Outcome) -> None:
    broken(outcome)
    assert isinstance(outcome.error, errors.BrokenReply)
    assert (outcome.error.status, outcome.error.error_type) == (529, "overloaded_error")


def unknown_block_kept(outcome: Outcome) -> None:
    whole(outcome)
    assert outcome.snapshot["content"][1] == UNKNOWN


def tool_not_run(outcome: Outcome) -> None:
    whole(outcome, "Hel")
    block = outcome.snapshot["content"][1]
    assert block["input"] == '{"p": "/'
    assert not runnable(block)


PROTOCOL: dict[str, tuple[Script, Callable[[Outcome], None]]] = {
    "unknown event": (streams(BEGUN, event("weather", sun=1), REST), whole),
    "unknown block type": (
        streams(BEGUN, event("content_block_start", index=1, content_block=UNKNOWN), REST),
        unknown_block_kept,
    ),
    "usage missing": (
        streams(
            event("message_start", message={"role": "assistant", "content": []}),
            BLOCK + delta("Hello"),
            event("message_delta", delta={"stop_reason": "end_turn"}) + STOP,
        ),
        whole,
    ),
    "the same block index twice": (streams(BEGUN, BLOCK), violation),
    "a delta before its start": (streams(START, delta("BODY")), violation),
    "index out of range": (streams(BEGUN, delta("BODY", index=7)), violation),
    "a block's index out of range": (
        streams(BEGUN, BLOCK.replace(b'"index": 0', b'"index": 99')),
        violation,
    ),
    "no message_start": (streams(BLOCK, delta("BODY"), ENDING, STOP), violation),
    "two message_start": (streams(BEGUN, START), violation),
    "events after message_stop": (streams(WHOLE, PING, delta("BODY"), START, b"[DONE"), whole),
    "event: line missing": (
        streams(b"".join(line for line in WHOLE.splitlines(True) if line[:6] != b"event:")),
        whole,
    ),
    "tool input cut off": (streams(BEGUN, CUT_TOOL, CUT_OFF, STOP), tool_not_run),
    "error event first": (streams(OVERLOADED), overloaded_to_the_end),
    "error event after the start": (streams(START, PING, OVERLOADED), overloaded_to_the_end),
    "error event of another kind": (
        streams(event("error", error={"type": "api_error", "message": "oops"})),
        retried(errors.ServerError),
    ),
    "overloaded mid-stream": (streams(BEGUN, OVERLOADED), broken_by_overload),
    "a stop_reason, then EOF": (streams(BEGUN, delta("lo"), BLOCK_STOP, ENDING), whole),
    "a stop_reason, then RST": (
        resets_once_shown(STREAM_HEAD, BEGUN + delta("lo") + ENDING),
        whole,
    ),
}


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("case", PROTOCOL)
def test_a_stream_that_breaks_the_protocol_ends_as_it_should(case: str) -> None:
    play(*PROTOCOL[case])


# The API


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
