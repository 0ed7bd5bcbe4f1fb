"""What the client sends, how its connections live, and that any phase can be interrupted."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fault_server import (
    BEGUN,
    BLOCK,
    CHUNKED_HEAD,
    ENDING,
    LAST_CHUNK,
    PING,
    START,
    STOP,
    STREAM_HEAD,
    WHOLE,
    FaultServer,
    Peer,
    answers,
    chunk,
    delta,
    refuses,
    replies,
    stalls,
    streams,
)
from quick_clock import QuickClock

from claude_magic.messages import errors
from claude_magic.messages.client import Cancel, Client, Timeouts, Wait
from claude_magic.messages.credentials import Secret

KEY = "canary-key-0123456789"
BODY: dict[str, Any] = {
    "model": "m",
    "max_tokens": 5,
    "messages": [{"role": "user", "content": "?"}],
}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(replies) as running:
        yield running


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients with the key, closed when the test is over."""
    made: list[Client] = []

    def make(server: FaultServer | str, key: Secret | None = Secret(KEY), **options: Any) -> Client:  # noqa: B008
        url = server if isinstance(server, str) else server.url
        made.append(Client(url, key, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


def texts(client: Client, body: Mapping[str, Any] = BODY, **options: Any) -> str:
    """The text deltas of one reply, joined."""
    with client.stream(body, **options) as reply:
        return "".join(event.get("delta", {}).get("text", "") for event in reply)


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


# Connections


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


# The address


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/", "//"])
def test_slashes_and_v1_at_the_end_of_base_url_are_dropped(
    server: FaultServer, ending: str, connect: Connect
) -> None:
    texts(connect(server.url + ending, None))
    assert server.requests[0].path == "/v1/messages"


def test_a_path_in_base_url_is_kept(server: FaultServer, connect: Connect) -> None:
    texts(connect(f"{server.url}/gateway/anthropic/v1", None))
    assert server.requests[0].path == "/gateway/anthropic/v1/messages"


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:1",
        "http://127.0.0.1:1",
        "http://127.9.9.9",
        "http://[::1]:1",
        "http://me.localhost",
        "https://example.org",
        " https://example.org ",
        "HTTPS://EXAMPLE.ORG",
    ],
)
def test_an_address_is_https_or_this_machine(address: str) -> None:
    assert Client(address)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://example.org", "must be https"),
        ("http://192.168.1.5:11434", "must be https"),
        ("http://localhost.example.org", "must be https"),
        ("http://127.0.0.1.example.org", "must be https"),
        ("example.org", "must be an address"),
        ("", "must be an address"),
        ("ftp://example.org", "must be an address"),
        ("https://", "must be an address"),
        ("https://host:port", "must be an address"),
        ("https://[::1", "must be an address"),
        ("https://user:password@example.org", "password"),
        ("https://example.org?key=1", r"\?"),
    ],
)
def test_any_other_address_is_refused(address: str, words: str) -> None:
    with pytest.raises(errors.InputError, match=words) as caught:
        Client(address)
    assert "user:password" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a b", "clé-0123456789", "line\nbreak"])
def test_a_key_that_no_header_can_hold_is_refused(key: str) -> None:
    with pytest.raises(errors.CredentialError, match="set it again"):
        Client("https://example.org", Secret(key))


@pytest.mark.parametrize("header", [{"x-a": "b\r\nx-c: d"}, {"a b": "c"}, {"x-a": "é"}, {"": "a"}])
def test_a_header_that_http_forbids_is_refused(header: dict[str, str]) -> None:
    with pytest.raises(errors.InputError, match="header"):
        Client("https://example.org", headers=header)


def test_a_beta_name_that_http_forbids_is_refused(server: FaultServer, connect: Connect) -> None:
    with pytest.raises(errors.InputError, match="anthropic-beta"):
        connect(server).stream(BODY, betas=["a\r\nb: c"])


def test_a_client_shows_its_address_and_no_key() -> None:
    assert repr(Client("https://example.org/", Secret(KEY))) == "Client('https://example.org')"


# Other requests


def as_json(value: Any, status: int = 200) -> Callable[[Peer], None]:
    return answers(status, json.dumps(value).encode(), {"content-type": "application/json"})


def test_counting_tokens_sends_what_the_server_counts(
    server: FaultServer, connect: Connect
) -> None:
    server.play(as_json({"input_tokens": 42}))
    body = {**BODY, "system": "s", "stop_sequences": ["x"], "temperature": 1}
    assert connect(server).count_tokens(body) == 42
    (request,) = server.requests
    assert request.path == "/v1/messages/count_tokens"
    assert request.json == {"model": "m", "messages": BODY["messages"], "system": "s"}


def test_a_message_in_one_piece_is_asked_for_without_a_stream(
    server: FaultServer, connect: Connect
) -> None:
    server.play(as_json({"content": [{"type": "text", "text": "Hello"}]}))
    assert connect(server).message(BODY)["content"][0]["text"] == "Hello"
    assert server.requests[0].json == BODY


@pytest.mark.parametrize("answer", [{}, {"content": None}, {"content": "Hello"}, {"content": [1]}])
def test_what_is_no_message_is_said(
    server: FaultServer, connect: Connect, answer: dict[str, Any]
) -> None:
    server.play(as_json(answer))
    with pytest.raises(errors.ProtocolError, match="answered without a message"):
        connect(server).message(BODY)


def test_the_models_of_all_pages_are_listed(server: FaultServer, connect: Connect) -> None:
    server.play(
        as_json({"data": [{"id": "a"}, {"id": "b&c"}], "has_more": True, "last_id": "b&c"}),
        as_json({"data": [{"id": "d"}], "has_more": False, "last_id": "d"}),
    )
    assert [model["id"] for model in connect(server).models()] == ["a", "b&c", "d"]
    paths = [request.path for request in server.requests]
    assert paths == ["/v1/models?limit=1000", "/v1/models?limit=1000&after_id=b%26c"]
    assert server.requests[0].headers["x-api-key"] == KEY


def test_the_list_of_another_server_needs_no_paging_fields(
    server: FaultServer, connect: Connect
) -> None:
    server.play(as_json({"object": "list", "data": [{"id": "llama"}, "odd"]}))
    assert connect(server).models() == [{"id": "llama"}]


def test_a_list_that_never_ends_is_left(server: FaultServer, connect: Connect) -> None:
    server.play(as_json({"data": [{"id": "a"}], "has_more": True, "last_id": "a"}))
    assert len(connect(server).models()) == len(server.requests) == 50


def test_a_server_without_a_list_of_models_raises_not_found(
    server: FaultServer, connect: Connect
) -> None:
    server.play(answers(404, b"404 page not found", {"content-type": "text/plain"}))
    with pytest.raises(errors.NotFound):
        connect(server).models()


@pytest.mark.parametrize("answer", [{}, {"data": 1, "input_tokens": "x"}, [1], "text"], ids=str)
def test_an_answer_of_another_shape_is_a_protocol_error(
    server: FaultServer, answer: Any, connect: Connect
) -> None:
    server.play(as_json(answer))
    with pytest.raises(errors.ProtocolError):
        connect(server).count_tokens(BODY)
    with pytest.raises(errors.ProtocolError):
        connect(server).models()


def test_other_requests_are_retried_too(server: FaultServer, connect: Connect) -> None:
    server.play(
        lambda peer: peer.reset(),
        lambda peer: peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"),
        as_json({"input_tokens": 42}),
    )
    assert connect(server, clock=QuickClock()).count_tokens(BODY) == 42
    assert len(server.requests) == 3


# Cancelling, from another thread


def interrupted(client: Client, cancel: Cancel, **options: Any) -> list[str]:
    """The kinds of the events that came before the interrupt."""
    kinds: list[str] = []
    with client.stream(BODY, cancel=cancel, **options) as reply, pytest.raises(errors.Interrupted):
        for event in reply:
            kinds.append(event["type"])
            if event["type"] == "content_block_delta":
                assert reply.snapshot["content"][0]["text"] == "Hel"
    return kinds


# Each of these would take the default idle timeout, two minutes, if the cancel did not work.
quick = pytest.mark.timeout(60)


@quick
def test_cancel_before_the_start_sends_nothing(server: FaultServer, connect: Connect) -> None:
    cancel = Cancel()
    cancel.set()
    assert interrupted(connect(server), cancel) == []
    assert server.connections == 0


@quick
@pytest.mark.parametrize("reused", [False, True], ids=["new connection", "kept connection"])
def test_cancel_while_waiting_for_headers_closes_the_connection(
    server: FaultServer, reused: bool, connect: Connect
) -> None:
    client, cancel = connect(server), Cancel()
    if reused:
        texts(client)

    def wait(peer: Peer) -> None:
        cancel.set()
        peer.until_closed()

    server.play(wait)
    assert interrupted(client, cancel) == []
    server.check_closed()
    assert server.connections == 1


@quick
def test_cancel_while_streaming_keeps_what_came_and_closes_the_connection(
    server: FaultServer, connect: Connect
) -> None:
    client, cancel = connect(server), Cancel()

    def begin(peer: Peer) -> None:
        peer.send(STREAM_HEAD, BEGUN)
        peer.until_shown()
        cancel.set()
        peer.until_closed()

    server.play(begin)
    kinds = []
    with client.stream(BODY, cancel=cancel) as reply, pytest.raises(errors.Interrupted):
        for event in reply:
            kinds.append(event["type"])
            if len(kinds) == 3:
                server.shown.set()
    assert reply.snapshot["content"][0]["text"] == "Hel"
    assert len(kinds) == 3
    server.check_closed()
    server.play(replies)
    assert texts(client) == "Hello"


@quick
def test_cancel_stops_within_what_has_already_arrived(
    server: FaultServer, connect: Connect
) -> None:
    cancel = Cancel()
    with connect(server).stream(BODY, cancel=cancel) as reply:
        events = iter(reply)
        next(events)
        cancel.set()
        with pytest.raises(errors.Interrupted):
            next(events)


@quick
def test_cancel_while_the_request_is_still_going_out(server: FaultServer, connect: Connect) -> None:
    cancel = Cancel()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def read_nothing() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.recv(10)
                cancel.set()

        thread = threading.Thread(target=read_nothing)
        thread.start()
        client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}", None)
        with (
            client.stream({**BODY, "system": "x" * 30_000_000}, cancel=cancel) as reply,
            pytest.raises(errors.Interrupted),
        ):
            list(reply)
        thread.join()


def full_listener() -> tuple[socket.socket, list[socket.socket]]:
    """A listener whose queue is full, so that a further connection never comes about."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = []
    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        waiting.append(sock)
    return listener, waiting


@quick
def test_cancel_while_connecting_sends_nothing_even_if_the_connection_comes_about(
    connect: Connect,
) -> None:
    listener, waiting = full_listener()
    cancel = Cancel()
    timer = threading.Timer(0.2, cancel.set)
    timer.start()
    client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}")
    assert interrupted(client, cancel) == []
    timer.join()
    # Now there is room in the queue, and the connection that nobody waits for is made.
    known = {sock.getsockname() for sock in waiting}
    listener.settimeout(10)
    while True:
        sock, address = listener.accept()
        waiting.append(sock)
        if address not in known:
            break
    assert sock.recv(65536) == b""
    for sock in [listener, *waiting]:
        sock.close()


@quick
def test_cancel_during_the_tls_handshake(connect: Connect) -> None:
    cancel = Cancel()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepted: list[bytes] = []

        def never_shake_hands() -> None:
            sock, _ = listener.accept()
            with sock:
                accepted.append(sock.recv(10))
                cancel.set()
                while sock.recv(65536):
                    pass

        thread = threading.Thread(target=never_shake_hands)
        thread.start()
        address = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert interrupted(connect(address, timeouts=Timeouts(connect=60)), cancel) == []
        thread.join()
        assert accepted[0][:1] == b"\x16"


@quick
def test_cancel_while_backing_off(server: FaultServer, connect: Connect) -> None:
    server.play(refuses(429, headers={"retry-after": "100"}))
    cancel, waits = Cancel(), []

    def waiting(wait: Wait) -> None:
        waits.append(wait)
        threading.Timer(0.05, cancel.set).start()

    assert interrupted(connect(server), cancel, waiting=waiting) == []
    assert waits[0].seconds == pytest.approx(100, abs=1)
    assert (waits[0].attempt, waits[0].reason) == (1, "rate limit reached")
    assert len(server.requests) == 1


# Interrupting the kernel: a signal, in a process of its own

PHASES = ["connecting", "handshake", "waiting", "streaming", "backing off"]
# The second where the signal came between two events, in the code that reads them.
ENDS = ("Interrupted", "KeyboardInterrupt")

PROGRAM = """
import sys
from claude_magic.messages.client import Client
from claude_magic.messages.credentials import Secret
client = Client(sys.argv[1], Secret("canary-key-0123456789"))
body = {"model": "m", "max_tokens": 5, "messages": []}
print("ready", flush=True)
try:
    with client.stream(body, waiting=lambda wait: print("wait", flush=True)) as reply:
        for event in reply:
            print(event["type"], flush=True)
except KeyboardInterrupt as error:
    import traceback
    found = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert "canary" not in "".join(found.format())
    print("interrupted", type(error).__name__, len(reply.snapshot.get("content", [])), flush=True)
"""


@quick
@pytest.mark.parametrize("phase", PHASES)
def test_an_interrupt_of_the_kernel_stops_at_once_and_closes_the_connection(phase: str) -> None:
    listener, waiting = full_listener()
    bare = socket.create_server(("127.0.0.1", 0))
    script = {
        "streaming": stalls(STREAM_HEAD, BEGUN),
        "backing off": refuses(429, headers={"retry-after": "100"}),
    }.get(phase, stalls())
    with FaultServer(script) as server:
        address = {
            "connecting": f"http://127.0.0.1:{listener.getsockname()[1]}",
            "handshake": f"https://127.0.0.1:{bare.getsockname()[1]}",
        }.get(phase, server.url)
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, address], stdout=subprocess.PIPE, text=True
        )
        with program:
            assert program.stdout is not None
            until = {"streaming": "content_block_delta\n", "backing off": "wait\n"}
            while program.stdout.readline() != until.get(phase, "ready\n"):
                pass
            if phase == "handshake":
                waiting.append(bare.accept()[0])
                waiting[-1].recv(10)
            if phase == "waiting":
                server.until_requested()
            if phase == "connecting":
                # Nothing tells from outside that a connection is being tried.
                threading.Event().wait(0.5)
            program.send_signal(signal.SIGINT)
            told, _ = program.communicate(timeout=30)
        blocks = 1 if phase == "streaming" else 0
        assert told.splitlines()[-1] in (f"interrupted {n} {blocks}" for n in ENDS)
        assert program.returncode == 0
        server.check_closed()
    for sock in [listener, bare, *waiting]:
        sock.close()


def test_importing_the_pure_parts_imports_no_httpx() -> None:
    names = "stream, retry, credentials, exchange, reply_stream, cancel"
    program = (
        f"import sys; from claude_magic.messages import {names}; print('httpx' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("model", ["claude-3-opus-20240229", "claude-opus-4-5"])
def test_a_model_that_is_gone_names_what_took_its_place(connect: Connect, model: str) -> None:
    with (
        FaultServer(refuses(404, "not_found_error", f"model: {model}")) as server,
        pytest.raises(errors.NotFound, match="is retired: its replacement is claude-opus-5-5"),
    ):
        texts(connect(server), {**BODY, "model": model})
