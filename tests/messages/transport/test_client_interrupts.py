"""Any phase of a request can be interrupted, and its connection is closed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest

from claude_magic.messages import errors
from claude_magic.messages.transport.client import Cancel, Client, Timeouts, Wait
from tests.messages.transport.client_requests import BODY, Connect, full_listener, texts
from tests.messages.transport.fault_server import (
    BEGUN,
    STREAM_HEAD,
    FaultServer,
    Peer,
    refuses,
    replies,
    stalls,
)

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
from claude_magic.messages.transport.client import Client
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


# A second interrupt, at every single step of what the first one sets off

TWICE = """
import signal, sys
from claude_magic.messages.transport.client import Client, Timeouts
client = Client(sys.argv[1], None, timeouts=Timeouts(idle=5))
body = {"model": "m", "max_tokens": 5, "messages": []}

def stop(*_):
    steps = iter(range(step))
    def count(frame, event, argument):
        if frame.f_code.co_name == "<module>":
            sys.setprofile(None)  # The closing is over.
        elif event in ("call", "c_call") and next(steps, None) is None:
            sys.setprofile(None)
            hit.append(frame.f_code.co_name)
            raise KeyboardInterrupt
    sys.setprofile(count)
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, stop)
sys.unraisablehook = lambda _: None  # The second one may come where nothing can be raised.
step, hit = 0, [""]
while hit:
    hit = []
    try:
        with client.stream(body) as reply:
            for event in reply:
                if event["type"] == "content_block_delta":
                    signal.setitimer(signal.ITIMER_REAL, 0.005)
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)
    with client.stream(body) as reply:
        text = "".join(event.get("delta", {}).get("text", "") for event in reply)
    assert text == "Hello", (step, hit, text)
    step += 1
print(step, flush=True)
"""


def test_a_second_interrupt_at_any_step_of_the_closing_leaves_a_client_that_works() -> None:
    with FaultServer(*[stalls(STREAM_HEAD, BEGUN), replies] * 400) as server:
        told = subprocess.run(
            [sys.executable, "-c", TWICE, server.url],
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert told.returncode == 0, told.stderr
        assert int(told.stdout) > 20, "the closing has fewer steps than it can have"
        server.check_closed()
