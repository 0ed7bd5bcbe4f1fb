"""The socket under a connection, held so that another thread can shut it down."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any


class CutOffError(Exception):
    """A connection came about after the wire was cut; nothing is sent on it."""


class Wire:
    """At most one connection's socket. Learns of it from the trace of the HTTP library.

    Closing a socket does not wake a thread that reads from it; shutting it down does.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._handshake: socket.socket | None = None
        self.is_cut = False

    def trace(self, name: str, info: Mapping[str, Any]) -> None:
        """Takes note of what the library does: connects, begins TLS, has ended it.

        Raises CutOffError, with the socket closed, once the wire is cut.
        """
        step = name.rpartition(".")[0].rpartition(".")[2], name.rpartition(".")[2]
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
