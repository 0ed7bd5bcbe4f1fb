"""What the client sends for a question, and the reply as it comes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from claude_magic.messages import errors
from claude_magic.messages.transport.client import Cancel
from tests.messages.transport.client_requests import BODY, KEY, Connect, full_listener, texts
from tests.messages.transport.fault_server import (
    BEGUN,
    BLOCK,
    ENDING,
    PING,
    START,
    STOP,
    STREAM_HEAD,
    FaultServer,
    Peer,
    delta,
    refuses,
    replies,
    stalls,
    streams,
)

# What is sent


def test_a_request_is_the_body_as_compact_json_with_stream_added(
    server: FaultServer, connect: Connect
) -> None:
    body = {**BODY, "messages": [{"role": "user", "content": "é \u2028 \U0001f600"}]}
    assert texts(connect(server), body) == "Hello"
    (request,) = server.requests
    expected = json.dumps({**body, "stream": True}, ensure_ascii=False, separators=(",", ":"))
    assert (request.method, request.path) == ("POST", "/v1/messages")
    assert request.body == expected.encode()
    assert "stream" not in body


def test_the_headers_are_those_of_the_api(server: FaultServer, connect: Connect) -> None:
    client = connect(server, api_version="2026-10-21", headers={"X-Team": "a"})
    texts(client, betas=["one", "two"])
    sent = server.requests[0].headers
    assert sent["x-api-key"] == KEY
    assert "authorization" not in sent
    assert sent["anthropic-version"] == "2026-10-21"
    assert sent["anthropic-beta"] == "one,two"
    assert sent["accept-encoding"] == "identity"
    assert sent["content-type"] == "application/json"
    assert sent["x-team"] == "a"
    assert "transfer-encoding" not in sent


def test_a_token_goes_as_bearer(server: FaultServer, connect: Connect) -> None:
    texts(connect(server, bearer=True))
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in server.requests[0].headers


def test_without_a_key_no_key_is_sent(server: FaultServer, connect: Connect) -> None:
    texts(connect(server.url, None))
    assert not {"x-api-key", "authorization"} & set(server.requests[0].headers)


def test_a_refusal_without_a_key_says_that_one_is_wanted(connect: Connect) -> None:
    with (
        FaultServer(refuses(401, "authentication_error")) as server,
        pytest.raises(errors.AuthenticationError, match="wants an API key"),
    ):
        texts(connect(server.url, None))


def test_a_lone_surrogate_is_replaced(server: FaultServer, connect: Connect) -> None:
    texts(connect(server), {**BODY, "system": "a\ud800b"})
    assert server.requests[0].json["system"] == "a\ufffdb"


def test_a_large_body_arrives_whole(server: FaultServer, connect: Connect) -> None:
    body = {**BODY, "system": "x" * 3_000_000}
    texts(connect(server), body)
    assert server.requests[0].json["system"] == body["system"]


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"bytes", object()], ids=type)
def test_a_body_that_is_not_json_is_refused_and_not_sent(
    server: FaultServer, value: Any, connect: Connect
) -> None:
    with pytest.raises(errors.InputError, match="nothing was sent"):
        connect(server).stream({**BODY, "system": value})
    assert server.requests == []


# The reply


def test_events_come_as_they_are_sent_and_the_snapshot_grows(
    server: FaultServer, connect: Connect
) -> None:
    seen = threading.Event()

    def one_by_one(peer: Peer) -> None:
        peer.send(STREAM_HEAD, START + BLOCK + delta("one "))
        assert seen.wait(60)
        peer.send(delta("two") + ENDING + STOP)

    server.play(one_by_one)
    with connect(server).stream(BODY) as reply:
        assert reply.snapshot == {}
        kinds = []
        for event in reply:
            kinds.append(event["type"])
            if event["type"] == "content_block_delta":
                seen.set()
                assert reply.snapshot["content"][0]["text"] in ("one ", "one two")
    assert kinds[:3] == ["message_start", "content_block_start", "content_block_delta"]
    assert kinds[-1] == "message_stop"
    assert reply.snapshot["stop_reason"] == "end_turn"
    assert (reply.request_id, reply.retries) == ("req_1", 0)


def test_a_retry_shows_nothing_twice(server: FaultServer, connect: Connect) -> None:
    server.play(streams(PING, START, PING), replies)
    with connect(server).stream(BODY) as reply:
        kinds = [event["type"] for event in reply]
    assert kinds.count("message_start") == 1
    assert reply.retries == 1
    assert reply.snapshot["content"] == [{"type": "text", "text": "Hello"}]


def test_leaving_a_reply_early_closes_its_connection(server: FaultServer, connect: Connect) -> None:
    server.play(stalls(STREAM_HEAD, BEGUN))
    with connect(server).stream(BODY) as reply:
        next(iter(reply))
    server.check_closed()


GONE = r"it is retired (since|on) 202\d-\d\d-\d\d; its replacement is claude-opus-5-5"


@pytest.mark.parametrize("model", ["claude-3-opus-20240229", "claude-opus-4-5"])
def test_a_model_that_is_gone_names_what_took_its_place(connect: Connect, model: str) -> None:
    with (
        FaultServer(refuses(404, "not_found_error", f"model: {model}")) as server,
        pytest.raises(errors.NotFound, match=GONE),
    ):
        texts(connect(server), {**BODY, "model": model})


# The parts that need no httpx


def test_importing_the_pure_parts_imports_no_httpx() -> None:
    program = (
        "import sys; from claude_magic.messages.transport import stream, retry, exchange, cancel; "
        "from claude_magic.messages import credentials; print('httpx' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "False"


# What is done while the server works


def test_who_asks_is_told_when_the_request_has_left_and_before_its_answer_is_read(
    server: FaultServer, connect: Connect
) -> None:
    told: list[int] = []

    def answer(peer: Peer) -> None:
        come.wait(30)
        replies(peer)

    def leaving() -> None:
        server.until_requested()
        told.append(threading.get_ident())
        come.set()

    come = threading.Event()
    server.play(answer)
    assert texts(connect(server), leaving=leaving) == "Hello"
    assert told == [threading.get_ident()]


def test_it_is_told_once_however_often_the_request_is_sent(
    server: FaultServer, connect: Connect
) -> None:
    told: list[str] = []
    server.play(refuses(529), refuses(529), replies)
    assert texts(connect(server), leaving=lambda: told.append("left")) == "Hello"
    assert told == ["left"]
    assert len(server.requests) == 3


def test_where_no_connection_comes_about_it_is_told_all_the_same(connect: Connect) -> None:
    listener, waiting = full_listener()
    cancel = Cancel()
    client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}")
    with pytest.raises(errors.Interrupted):
        texts(client, cancel=cancel, leaving=cancel.set)
    for sock in [listener, *waiting]:
        sock.close()


def test_an_error_of_who_is_told_leaves_as_it_is_and_the_connection_is_closed(
    server: FaultServer, connect: Connect
) -> None:
    def leaving() -> None:
        raise RuntimeError("of a listener")

    client = connect(server)
    server.play(stalls(), replies)
    with pytest.raises(RuntimeError, match="of a listener"):
        texts(client, leaving=leaving)
    server.check_closed()
    assert texts(client) == "Hello"
