"""Whatever the network does, the user gets the reply or one of our errors."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable

import pytest

from claude_magic.messages import errors
from claude_magic.messages.transport.client import Client, Timeouts
from tests.messages.transport.fault_outcomes import (
    BODY,
    HTML,
    QUICK,
    Outcome,
    broken,
    play,
    resets_once_shown,
    retried,
    typed,
    violation,
    whole,
)
from tests.messages.transport.fault_server import (
    BEGUN,
    BLOCK,
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
    chunk,
    delta,
    stalls,
    streams,
)
from tests.messages.transport.quick_clock import QuickClock

NO_ANSWER = retried(errors.ConnectionFailed)


# Scripts


def resets(*pieces: bytes) -> Script:
    """Sends these and ends by RST, which may overtake them."""

    def script(peer: Peer) -> None:
        peer.send(*pieces)
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

    play(pings_for_ever(*begun), check, Timeouts(connect=5, idle=5, progress=0.5), QuickClock())


def test_headers_that_never_come_end_too() -> None:
    def check(outcome: Outcome) -> None:
        assert isinstance(outcome.error, errors.ConnectionFailed)
        assert outcome.tries == 1

    play(stalls(), check, Timeouts(connect=5, idle=30, progress=0.5), QuickClock())


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
