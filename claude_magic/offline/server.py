"""The offline server: the Messages API on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from socket import create_server, socket
from types import TracebackType
from typing import Self

from tornado.httpserver import HTTPServer

from ..messages.errors import InputError
from .handlers import Service, application
from .journal import Journal, RecordedRequest
from .replies.prefix_cache import PrefixCache
from .server_batches import MAX_BATCH, ServerBatches, batch_judge

HOST = "127.0.0.1"
JOURNAL = "CLAUDE_MAGIC_OFFLINE_JOURNAL"
# Above the API's own limit, so that a request just over it gets the API's answer.
_READ_AT_MOST = MAX_BATCH + 8 * 1024 * 1024


class OfflineServer:
    """A strict, deterministic Messages API server; as a context manager it runs inside the block.

    `port` 0 takes a free one. `behaviours` are names from behaviours.BEHAVIOURS, one for each
    POST /v1/messages, then normal answers. `pace` is seconds between deltas, `batch_pace`
    between the requests of a batch; `keep` is how many requests are remembered, bodies and all but
    those of large batches. Where CLAUDE_MAGIC_OFFLINE_JOURNAL names a file, each
    request that was found good is added to it as a line of JSON: version, beta and body.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        behaviours: Iterable[str] = (),
        pace: float = 0.0,
        batch_pace: float = 0.0,
        keep: int = 100,
    ) -> None:
        self._port = port
        named = os.environ.get(JOURNAL)
        self._journal = Journal(behaviours, keep, Path(named) if named else None)
        cache = PrefixCache()
        batches = ServerBatches(batch_judge(self._journal, cache), batch_pace)
        self._service = Service(self._journal, cache, batches, pace)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> Self:
        """Binds the port and serves from a daemon thread. Raises InputError for a taken port."""
        try:
            listening = create_server((HOST, self._port))
        except (OSError, OverflowError) as fault:
            raise InputError(
                f"Port {self._port} cannot be used for the offline server ({fault}): "
                "choose another one, or 0 for a free one."
            ) from fault
        listening.setblocking(False)
        self._port = listening.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listening, ready)),
            name="claude-magic offline server",
            daemon=True,
        )
        self._thread.start()
        ready.wait()
        return self

    def stop(self) -> None:
        """Closes the port and every connection; returns when that is done."""
        thread, self._thread = self._thread, None
        if thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join()

    async def _serve(self, listening: socket, ready: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = HTTPServer(application(self._service), max_body_size=_READ_AT_MOST)
        server.add_socket(listening)
        ready.set()
        await self._stopping.wait()
        self._journal.server_closes()
        server.stop()
        await server.close_all_connections()
        await self._service.batches.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL, without /v1."""
        return f"http://{HOST}:{self._port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The last requests, the oldest first."""
        return self._journal.requests

    @property
    def disconnects(self) -> int:
        """How many clients went away before their answer was complete."""
        return self._journal.disconnects

    @property
    def disconnected(self) -> threading.Event:
        """Set when a client goes away before its answer is complete; clear it to wait again."""
        return self._journal.disconnected

    def behave(self, *behaviours: str) -> None:
        """Adds behaviours for the next questions, after those not used yet."""
        self._journal.behave(behaviours)
