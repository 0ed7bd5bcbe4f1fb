"""What a question comes to on a server that has a fault, and what it has to come to.

After each fault the connection is closed, the next question works, and the key is nowhere.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from claude_magic.messages import errors
from claude_magic.messages.credentials import Secret
from claude_magic.messages.transport.client import Client, Timeouts
from claude_magic.messages.transport.retry import Wait
from tests.messages.transport.fault_server import FaultServer, Peer, Script, answers, replies
from tests.messages.transport.quick_clock import QuickClock, StillClock

CANARY = "canary-key-0123456789"
BODY = {
    "model": "claude-sonnet-55",
    "max_tokens": 10,
    "messages": [{"role": "user", "content": "?"}],
}
QUICK = Timeouts(connect=5, idle=1.0, progress=900)


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


def play(
    script: Script,
    check: Callable[[Outcome], None],
    timeouts: Timeouts = QUICK,
    clock: QuickClock | None = None,
) -> None:
    """Asks twice: the script answers the first question, a good reply the second.

    Without a `clock` no time passes but that of waits.
    """
    clock = clock or StillClock()
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


# Scripts


def resets_once_shown(*pieces: bytes) -> Script:
    """Sends these and ends by RST as soon as the user has seen some of them."""

    def script(peer: Peer) -> None:
        peer.send(*pieces)
        peer.until_shown()
        peer.reset()

    return script


def typed(content_type: str, body: bytes, status: int = 200) -> Script:
    return answers(status, body, {"content-type": content_type})


HTML = b"<html><body onload=alert(1)>BODY " + CANARY.encode() + b"</body></html>"
