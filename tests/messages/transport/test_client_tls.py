"""The client over TLS, with a certificate made for this run."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_magic.messages import errors
from claude_magic.messages.credentials import Secret
from claude_magic.messages.transport.client import Cancel, Client
from tests.messages.transport.fault_server import BEGUN, STREAM_HEAD, FaultServer, Peer, replies
from tests.messages.transport.quick_clock import QuickClock

BODY = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "?"}]}

pytestmark = [
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate"),
    # A cancel that does not work would take the default idle timeout, two minutes.
    pytest.mark.timeout(60),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the key and the certificate of 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "certificate.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out certificate.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    made.write_text((folder / "key.pem").read_text() + made.read_text())
    return made


@pytest.fixture
def server(certificate: Path) -> Iterator[FaultServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with FaultServer(replies, tls=context) as running:
        yield running


@pytest.fixture
def client(
    server: FaultServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    """A client that trusts the certificate, as users do it behind their organisation's proxy."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    made = Client(server.url, Secret("canary-key-0123456789"), clock=QuickClock())
    yield made
    made.close()


def test_a_reply_comes_over_tls_and_the_connection_is_kept(
    server: FaultServer, client: Client
) -> None:
    for _ in range(2):
        with client.stream(BODY) as reply:
            assert list(reply)[-1]["type"] == "message_stop"
    assert server.connections == 1


@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
def test_cancel_while_waiting_for_headers(server: FaultServer, client: Client, kept: bool) -> None:
    if kept:
        with client.stream(BODY) as reply:
            list(reply)
    cancel = Cancel()

    def wait(peer: Peer) -> None:
        cancel.set()
        peer.until_closed()

    server.play(wait)
    with client.stream(BODY, cancel=cancel) as reply, pytest.raises(errors.Interrupted):
        list(reply)
    server.check_closed()


def test_cancel_while_streaming(server: FaultServer, client: Client) -> None:
    cancel = Cancel()

    def begin(peer: Peer) -> None:
        peer.send(STREAM_HEAD, BEGUN)
        peer.until_shown()
        cancel.set()
        peer.until_closed()

    server.play(begin)
    with client.stream(BODY, cancel=cancel) as reply, pytest.raises(errors.Interrupted):
        for _ in reply:
            server.shown.set()
    server.check_closed()


def test_a_certificate_that_cannot_be_verified_is_refused_and_nothing_is_sent(
    server: FaultServer,
) -> None:
    stranger = Client(server.url, Secret("canary-key-0123456789"), clock=QuickClock())
    with (
        stranger.stream(BODY) as reply,
        pytest.raises(errors.ConnectionFailed, match="SSL_CERT_FILE"),
    ):
        list(reply)
    assert server.requests == []
