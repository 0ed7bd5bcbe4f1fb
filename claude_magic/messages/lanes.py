"""Connections that are kept for the next request, one to a lane."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from .wire import Wire

KEPT = 8
"""How many connections are kept between requests, unless more are asked for."""


class Closable(Protocol):
    def close(self) -> None: ...


Http = TypeVar("Http", bound=Closable)


class Lane(Generic[Http]):
    """An HTTP client with at most one connection, so that the socket of a request is known.

    The library names the socket only once an answer's headers are there: too late to cancel.
    """

    def __init__(self, http: Http) -> None:
        self.http = http
        self.wire = Wire()

    def end(self) -> None:
        """Ends the connection, and one that is still being made as soon as it is there."""
        self.wire.cut()
        self.http.close()


class Lanes(Generic[Http]):
    """The lanes of one server. `make` opens the HTTP client of a new one; threads may share."""

    def __init__(self, make: Callable[[], Http], kept: int = KEPT) -> None:
        self._make = make
        self._kept = kept
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._idle: list[Lane[Http]] = []
        self._closed = False

    def take(self) -> Lane[Http]:
        """A lane for one request, the one used last if any is kept."""
        if self._process != os.getpid():
            # A fork shares the parent's sockets; two processes on one would mix their answers.
            for lane in self._idle:
                lane.wire.drop()
            self._start()
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Lane(self._make())

    def give_back(self, lane: Lane[Http]) -> None:
        """Keeps the lane for the next request, or closes it if it was cut or enough are kept."""
        with self._lock:
            if not (lane.wire.is_cut or self._closed or len(self._idle) >= self._kept):
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
