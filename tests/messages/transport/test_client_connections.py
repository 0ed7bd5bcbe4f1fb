"""How the client's connections live: which is used again, which is closed, and by what way."""

from __future__ import annotations

import os
import socket
import threading

import httpx
import pytest

from claude_magic.messages import errors
from claude_magic.messages.transport.client import Client
from tests.messages.transport.client_requests import BODY, KEY, Connect, texts
from tests.messages.transport.fault_server import (
    CHUNKED_HEAD,
    LAST_CHUNK,
    WHOLE,
    FaultServer,
    Peer,
    answers,
    chunk,
    refuses,
    replies,
    stalls,
)
from tests.messages.transport.quick_clock import QuickClock


def test_a_connection_is_used_again_after_a_whole_reply(
    server: FaultServer, connect: Connect
) -> None:
    client = connect(server)
    assert [texts(client) for _ in range(3)] == ["Hello"] * 3
    assert (len(server.requests), server.connections) == (3, 1)
    client.close()
    server.check_closed()


def test_a_connection_is_used_again_after_a_refusal(server: FaultServer, connect: Connect) -> None:
    client = connect(server)
    server.play(refuses(400), replies)
    with pytest.raises(errors.BadRequest):
        texts(client)
    assert texts(client) == "Hello"
    assert server.connections == 1


def test_the_end_of_a_body_that_comes_late_is_still_waited_for(
    server: FaultServer, connect: Connect
) -> None:
    """Else each question would open a new connection to servers that send it by itself."""

    def late_end(peer: Peer) -> None:
        peer.send(CHUNKED_HEAD, chunk(WHOLE))
        peer.until_shown()
        peer.send(LAST_CHUNK)
        peer.keep = True

    server.play(late_end)
    client = connect(server)
    for _ in range(2):
        with client.stream(BODY) as reply:
            for event in reply:
                if event["type"] == "message_stop":
                    server.shown.set()
    assert server.connections == 1


def test_a_server_that_never_ends_the_body_does_not_hold_up_a_whole_reply(
    server: FaultServer, connect: Connect
) -> None:
    server.play(stalls(CHUNKED_HEAD, chunk(WHOLE)))
    client = connect(server)
    assert texts(client) == "Hello"
    server.check_closed()
    server.play(replies)
    assert texts(client) == "Hello"


def test_a_kept_connection_that_the_server_closed_is_replaced(
    server: FaultServer, connect: Connect
) -> None:
    client = connect(server)
    server.play(lambda peer: peer.send(CHUNKED_HEAD, chunk(WHOLE), LAST_CHUNK))
    assert texts(client) == "Hello"
    with client.stream(BODY) as reply:
        assert list(reply)
    assert reply.retries == 0
    assert server.connections == 2


def test_threads_share_a_client(server: FaultServer, connect: Connect) -> None:
    client = connect(server)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.extend(texts(client) for _ in range(5)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["Hello"] * 30
    assert server.connections <= 6


def test_a_fork_shares_no_connection_with_its_parent(server: FaultServer, connect: Connect) -> None:
    client = connect(server)
    assert texts(client) == "Hello"
    child = os.fork()
    if child == 0:
        # Nothing of pytest's may run in here.
        os._exit(0 if texts(client) == "Hello" else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert texts(client) == "Hello"
    assert server.connections == 2


def test_a_proxy_is_used_for_other_machines_and_never_for_this_one(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    with FaultServer(answers(502)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://user:secret@127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert texts(connect(server)) == "Hello"
        assert proxy.connections == 0
        away = connect("https://models.example.org")
        with pytest.raises(errors.ConnectionFailed, match="proxy") as caught:
            texts(away)
        assert "secret" not in str(caught.value)
        assert {request.path for request in proxy.requests} == {"models.example.org:443"}
        assert all(KEY not in str(request.headers) for request in proxy.requests)


def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:secret@nowhere")
    with pytest.raises(errors.InputError, match="HTTPS_PROXY") as caught:
        texts(Client("https://models.example.org"))
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_named(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = connect(f"http://127.0.0.1:{port}", None, clock=QuickClock())
    with pytest.raises(errors.ConnectionFailed, match=rf"127.0.0.1:{port}.*base_url"):
        texts(client)


def test_a_transport_of_ones_own_is_used_and_left_open(connect: Connect) -> None:
    """A fake is a constructor argument."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=WHOLE, headers={"content-type": "text/event-stream"})

    client = connect("https://models.example.org", transport=httpx.MockTransport(answer))
    assert texts(client) == "Hello"
    assert texts(client) == "Hello"
