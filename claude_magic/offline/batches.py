"""Message Batches: requests that wait on disk, are judged and answered one by one, and results.

In memory is the one request whose turn it is. Results stand in another order than the requests did,
as they may with the API.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from .paging import page
from .refusal import Refusal, bad
from .rules_batches import check_create

EXPIRY = timedelta(hours=24)
_KINDS = ("succeeded", "errored", "canceled", "expired")
_PIECE = 256 * 1024

Judge: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, str]], Mapping[str, Any]]
"""Gives the result of one request of a batch, which came with these headers."""


@dataclass
class Batch:
    """One batch: what the API tells of it, and the files with its requests and results."""

    name: str
    folder: Path
    headers: Mapping[str, str]
    count: int
    created: datetime
    canceled: datetime | None = None
    ended: datetime | None = None
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_KINDS, 0))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def requests(self) -> Path:
        return self.folder / f"{self.name}.requests"

    @property
    def results(self) -> Sequence[Path]:
        """The files of results: those of every second request come first."""
        return [self.folder / f"{self.name}.results.{n}" for n in (1, 0)]

    def told(self, url: str) -> dict[str, Any]:
        """The batch as the API tells of it. Until all is over every request is processing."""
        over = self.ended is not None
        status = "ended" if over else "canceling" if self.canceled else "in_progress"
        counts = self.counts if over else dict.fromkeys(_KINDS, 0)
        return {
            "id": self.name,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": {"processing": 0 if over else self.count, **counts},
            "created_at": self.created.isoformat(),
            "expires_at": (self.created + EXPIRY).isoformat(),
            "ended_at": self.ended.isoformat() if self.ended else None,
            "cancel_initiated_at": self.canceled.isoformat() if self.canceled else None,
            "archived_at": None,
            "results_url": f"{url}/v1/messages/batches/{self.name}/results" if over else None,
        }


class Batches:
    """The batches of one server; `pace` is seconds between requests. Used by its loop's thread."""

    def __init__(self, judge: Judge, pace: float) -> None:
        self._judge = judge
        self._pace = pace
        self._batches: dict[str, Batch] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def create(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> Batch:
        """A batch of these requests, whose processing has begun. Raises Refusal."""
        check_create(body)
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="claude-magic-batches-")
        name = f"msgbatch_offline_{secrets.token_hex(8)}"
        requests: list[Any] = body["requests"]
        batch = Batch(name, Path(self._folder.name), headers, len(requests), datetime.now(UTC))
        with batch.requests.open("w", encoding="utf-8") as file:
            for request in requests:
                file.write(json.dumps(request) + "\n")
        self._batches[name] = batch
        task = asyncio.get_running_loop().create_task(self._process(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return batch

    def get(self, name: str) -> Batch:
        """The batch of this id. Raises Refusal if there is none."""
        if name not in self._batches:
            raise Refusal(404, "not_found_error", f"message_batch: {name}")
        return self._batches[name]

    def page(self, query: Mapping[str, str], url: str) -> dict[str, Any]:
        """A page of all batches, the newest first. Raises Refusal."""
        newest = [batch.told(url) for batch in reversed(self._batches.values())]
        return page(newest, query, "message_batch")

    def cancel(self, batch: Batch) -> None:
        """Begins no further request. Raises Refusal where all are over."""
        if batch.ended is not None:
            raise bad(f"Batch {batch.name} has ended and can not be canceled")
        batch.canceled = batch.canceled or datetime.now(UTC)
        batch.stopping.set()

    def delete(self, batch: Batch) -> None:
        """Forgets a batch. Raises Refusal where it is not over."""
        if batch.ended is None:
            raise bad(f"Batch {batch.name} cannot be deleted while it is processing: cancel it")
        del self._batches[batch.name]
        for path in batch.results:
            path.unlink(missing_ok=True)

    def results(self, batch: Batch) -> Iterator[bytes]:
        """The lines of results in pieces. Raises Refusal before the end."""
        if batch.ended is None:
            raise Refusal(404, "not_found_error", f"Batch {batch.name} has no results yet")
        return _pieces(batch.results)

    async def close(self) -> None:
        """Ends all work, and deletes the files."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._folder is not None:
            self._folder.cleanup()

    async def _process(self, batch: Batch) -> None:
        later, sooner = (path.open("w", encoding="utf-8") for path in reversed(batch.results))
        with batch.requests.open(encoding="utf-8") as requests, later, sooner:
            for place, line in enumerate(requests):
                await self._wait(batch.stopping)
                request = json.loads(line)
                result = (
                    {"type": "canceled"}
                    if batch.stopping.is_set()
                    else self._judge(request, batch.headers)
                )
                batch.counts[result["type"]] += 1
                file = sooner if place % 2 else later
                said = {"custom_id": request["custom_id"], "result": result}
                file.write(json.dumps(said, ensure_ascii=False) + "\n")
        batch.requests.unlink()
        batch.ended = datetime.now(UTC)

    async def _wait(self, stopping: asyncio.Event) -> None:
        """Let the server do something else, for the pace between two requests at least."""
        if not self._pace or stopping.is_set():
            await asyncio.sleep(0)
            return
        waiting: Awaitable[Any] = stopping.wait()
        try:
            await asyncio.wait_for(waiting, self._pace)
        except TimeoutError:
            return


def _pieces(paths: Sequence[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
