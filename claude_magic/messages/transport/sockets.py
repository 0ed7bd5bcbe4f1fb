"""Connections kept for the next request, each with a socket that another thread can shut down."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from .cancel import Latch


class CutOffError(Exception):
    """A connection came about after the wire was cut; nothing is sent on it."""


class CuttableSocket:
    """At most one connection's socket. Learns of it from the trace of the HTTP library.

    Closing a socket does not wake a thread that reads from it; shutting it down does.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._handshake: socket.socket | None = None
        self.is_cut = False
        self.left = Latch()
        """Opens when the request that is under way has left, or come to nothing."""

    def trace(self, name: str, info: Mapping[str, Any]) -> None:
        """Takes note of what the library does: connects, begins TLS, has ended it, has sent.

        Raises CutOffError, with the socket closed, once the wire is cut.
        """
        step = name.rpartition(".")[0].rpartition(".")[2], name.rpartition(".")[2]
        if step == ("send_request_body", "complete"):
            self.left.open()
        if step[0] not in ("connect_tcp", "start_tls"):
            return
        with self._lock:
            self._end_handshake()
            if step[1] == "complete":
                self._socket = info["return_value"].get_extra_info("socket")
            elif step == ("start_tls", "started"):
                self._begin_handshake()
            if self.is_cut:
                self._close()
                raise CutOffError

    def cut(self) -> None:
        """Ends the connection, and any that is still being made. From any thread."""
        with self._lock:
            self.is_cut = True
            for sock in (self._socket, self._handshake):
                if sock is not None:
                    try:
                        # Not SSLSocket's own: it drops the encryption first, and a thread that is
                        # just then writing would write in the clear.
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)
                    except OSError:
                        pass  # It is closed already, or the other side was first.

    def close(self) -> None:
        """Closes the socket of a wire that nobody reads from any more."""
        with self._lock:
            self.is_cut = True
            self._close()

    def drop(self) -> None:
        """Closes this process's copy of a socket that belongs to the process it was forked from.

        Takes no lock: a thread that is not in this process may have held it.
        """
        self._close()

    def _begin_handshake(self) -> None:
        # Wrapping in TLS takes the descriptor away from the plain socket until it is done; a
        # second descriptor of the same connection can be shut down meanwhile.
        sock = self._socket
        if sock is not None and not isinstance(sock, ssl.SSLSocket):
            self._handshake = sock.dup()

    def _end_handshake(self) -> None:
        if self._handshake is not None:
            self._handshake.close()
            self._handshake = None

    def _close(self) -> None:
        self._end_handshake()
        if self._socket is not None:
            self._socket.close()
            self._socket = None


KEPT = 8
"""How many connections are kept between requests, unless more are asked for."""


class Closable(Protocol):
    def close(self) -> None: ...


Http = TypeVar("Http", bound=Closable)


class KeptConnection(Generic[Http]):
    """An HTTP client with at most one connection, so that the socket of a request is known.

    The library names the socket only once an answer's headers are there: too late to cancel.
    """

    def __init__(self, http: Http) -> None:
        self.http = http
        self.wire = CuttableSocket()

    def end(self) -> None:
        """Ends the connection, and one that is still being made as soon as it is there."""
        self.wire.cut()
        self.http.close()


class ConnectionPool(Generic[Http]):
    """The lanes of one server. `make` opens the HTTP client of a new one; threads may share."""

    def __init__(self, make: Callable[[], Http], kept: int = KEPT) -> None:
        self._make = make
        self._kept = kept
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._idle: list[KeptConnection[Http]] = []
        self._closed = False

    def take(self) -> KeptConnection[Http]:
        """A lane for one request, the one used last if any is kept."""
        if self._process != os.getpid():
            # A fork shares the parent's sockets; two processes on one would mix their answers.
            for lane in self._idle:
                lane.wire.drop()
            self._start()
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return KeptConnection(self._make())

    def give_back(self, lane: KeptConnection[Http]) -> None:
        """Keeps the lane for the next request, or closes it if it was cut or enough are kept."""
        if lane.wire.is_cut:
            # Without the HTTP client: what was interrupted in it may hold its locks for ever.
            lane.wire.close()
            return
        with self._lock:
            if not (self._closed or len(self._idle) >= self._kept):
                self._idle.append(lane)
                return
        lane.http.close()

    def close(self) -> None:
        """Closes the kept lanes; those in use close when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for lane in idle:
            lane.http.close()
