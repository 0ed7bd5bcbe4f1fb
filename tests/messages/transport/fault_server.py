"""A server on loopback that answers each request by a script, byte by byte, faults included."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

# Seconds after which a client that should have closed its connection is taken to have kept it.
PATIENCE = 30.0


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Peer:
    """One connection, while a script answers one request on it."""

    def __init__(self, sock: socket.socket, request: Request, shown: threading.Event) -> None:
        self._sock = sock
        self._shown = shown
        self.request = request
        self.keep = False

    def send(self, *pieces: bytes) -> None:
        """Sends each piece by itself, so that it arrives in a chunk of its own."""
        for piece in pieces:
            self._sock.sendall(piece)

    def reset(self) -> None:
        """Ends the connection by RST in place of FIN."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def until_shown(self) -> None:
        """Returns once the test has seen something of the answer."""
        assert self._shown.wait(PATIENCE), "nothing was shown"

    def until_closed(self) -> None:
        """Returns once the client has closed its side. Raises TimeoutError if it does not."""
        self._sock.settimeout(PATIENCE)
        with suppress(ConnectionError):
            while self._sock.recv(65536):
                pass


Script = Callable[[Peer], None]


class FaultServer:
    """Answers the n-th request by the n-th script, further ones by the last."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.scripts = list(scripts)
        self.requests: list[Request] = []
        self.connections = 0
        self.shown = threading.Event()
        self.requested = threading.Event()
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def play(self, *scripts: Script) -> None:
        """Has the requests from now on answered by these scripts."""
        with self._lock:
            self.scripts = list(scripts)
            self.requests.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(PATIENCE)
        self._listener.close()

    def until_requested(self) -> None:
        """Returns once a request has come."""
        assert self.requested.wait(PATIENCE), "no request came"

    def check_closed(self) -> None:
        """Fails if a client kept a connection or a script failed."""
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a connection is still open"
        assert self.problems == []

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            thread.start()
            self._threads.append(thread)  # only what runs can be waited for

    def _serve(self, accepted: socket.socket) -> None:
        try:
            sock = self._tls.wrap_socket(accepted, server_side=True) if self._tls else accepted
        except OSError:
            return  # The client did not like the certificate.
        with sock:
            try:
                while request := read_request(sock):
                    with self._lock:
                        self.requests.append(request)
                        n = min(len(self.requests), len(self.scripts)) - 1
                        script = self.scripts[n]
                    self.requested.set()
                    peer = Peer(sock, request, self.shown)
                    script(peer)
                    if sock.fileno() == -1:
                        return
                    if not peer.keep:
                        with suppress(OSError):
                            sock.shutdown(socket.SHUT_WR)
                        peer.until_closed()
                        return
            except ConnectionError:
                pass  # The client ended it first, as some cases want.
            except Exception as error:
                self.problems.append(repr(error))


def read_request(sock: socket.socket) -> Request | None:
    """The next request on the connection; None if the client closed it before."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = sock.recv(65536)
        if not piece:
            return None
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        piece = sock.recv(65536)
        if not piece:
            return None
        body += piece
    return Request(method, path, headers, body)


# Answers


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"request-id: req_1\r\nconnection: close\r\n\r\n"
)
CHUNKED_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"request-id: req_1\r\ntransfer-encoding: chunked\r\n\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


def event(kind: str, **fields: Any) -> bytes:
    """One event as it stands in a stream."""
    payload = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return f"event: {kind}\ndata: {payload}\n\n".encode()


def delta(text: str, index: int = 0) -> bytes:
    return event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})


START = event(
    "message_start",
    message={
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 9, "output_tokens": 1},
    },
)
BLOCK = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
BLOCK_STOP = event("content_block_stop", index=0)
ENDING = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 5})
STOP = event("message_stop")
PING = event("ping")
BEGUN = START + BLOCK + delta("Hel")
REST = delta("lo") + BLOCK_STOP + ENDING + STOP
WHOLE = BEGUN + REST


def chunk(data: bytes) -> bytes:
    """`data` as one chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def streams(*pieces: bytes) -> Script:
    """A stream of these bytes, ended by closing the connection."""
    return lambda peer: peer.send(STREAM_HEAD, *pieces)


def stalls(*pieces: bytes) -> Script:
    """These bytes, then nothing until the client gives up."""

    def script(peer: Peer) -> None:
        peer.send(*pieces)
        peer.until_closed()

    return script


def answers(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Script:
    """An answer with a body of known length; the connection is kept."""
    lines = [f"HTTP/1.1 {status} Any"]
    lines += [f"{k}: {v}" for k, v in {"content-length": str(len(body)), **(headers or {})}.items()]

    def script(peer: Peer) -> None:
        peer.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        peer.keep = True

    return script


def refuses(
    status: int,
    kind: str = "api_error",
    message: str = "no",
    headers: Mapping[str, str] | None = None,
    **details: Any,
) -> Script:
    """An error in the API's shape."""
    body = {
        "type": "error",
        "error": {"type": kind, "message": message, **({"details": details} if details else {})},
        "request_id": "req_9",
    }
    kinds = {"content-type": "application/json"}
    return answers(status, json.dumps(body).encode(), {**kinds, **(headers or {})})


def replies(peer: Peer) -> None:
    """A whole reply, "Hello", in a chunked body; the connection is kept."""
    peer.send(CHUNKED_HEAD, chunk(WHOLE), LAST_CHUNK)
    peer.keep = True
