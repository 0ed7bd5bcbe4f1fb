"""Message Batches: what one may be, requests that wait on disk, are judged, and their results.

Source: the batch-processing page and the request types of the `anthropic` package. The API looks at
`params` only when their turn comes: what is wrong with them is the result of that request.

In memory is the one request whose turn it is. Results stand in another order than the requests did,
as they may with the API.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from .journal import EXPIRED, Journal, refuse, refuse_particular
from .model_list import page
from .referee.referee import check
from .referee.request_checks import Refusal, bad, list_of, mapping, record, string
from .replies.answer import answer_as
from .replies.prefix_cache import PrefixCache

MAX_BATCH = 256 * 1024 * 1024
"""Bytes of a request that creates a batch."""
_MOST_REQUESTS = 100_000
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _custom_id(value: Any, path: str) -> None:
    string(value, path)
    if not _CUSTOM_ID.fullmatch(value):
        raise bad(f"{path}: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")


_SHAPE = record({"requests": list_of(record({"custom_id": _custom_id, "params": mapping}))})


def check_create(body: Mapping[str, Any]) -> None:
    """Raises Refusal where this creates no batch; `params` are not looked into."""
    _SHAPE(body, "")
    count = len(body["requests"])
    if not count:
        raise bad("requests: List should have at least 1 item after validation, not 0")
    if count > _MOST_REQUESTS:
        raise bad(
            f"requests: List should have at most {_MOST_REQUESTS} items after validation, "
            f"not {count}"
        )
    seen: set[str] = set()
    for request in body["requests"]:
        name = request["custom_id"]
        if name in seen:
            raise bad(f"requests: custom_id '{name}' is not unique within the batch")
        seen.add(name)


def check_params(params: Mapping[str, Any]) -> None:
    """Raises Refusal for what an ordinary request may be and one in a batch may not."""
    if params.get("stream"):
        raise bad("stream: streaming is not supported in a batch")
    if params.get("speed") == "fast":
        raise bad("speed: fast mode is not supported in a batch")
    if params.get("fallbacks"):
        raise bad("fallbacks: not supported in a batch")
    if params.get("max_tokens") == 0:
        raise bad("max_tokens: must be greater than 0 in a batch")


EXPIRY = timedelta(hours=24)
_KINDS = ("succeeded", "errored", "canceled", "expired")
_PIECE = 256 * 1024

Judge: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, str]], Mapping[str, Any]]
"""Gives the result of one request of a batch, which came with these headers."""


@dataclass
class ServerBatch:
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


class ServerBatches:
    """The batches of one server; `pace` is seconds between requests. Used by its loop's thread."""

    def __init__(self, judge: Judge, pace: float) -> None:
        self._judge = judge
        self._pace = pace
        self._batches: dict[str, ServerBatch] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def create(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> ServerBatch:
        """A batch of these requests, whose processing has begun. Raises Refusal."""
        check_create(body)
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="claude-magic-batches-")
        name = f"msgbatch_offline_{secrets.token_hex(8)}"
        requests: list[Any] = body["requests"]
        batch = ServerBatch(
            name, Path(self._folder.name), headers, len(requests), datetime.now(UTC)
        )
        with batch.requests.open("w", encoding="utf-8") as file:
            for request in requests:
                file.write(json.dumps(request) + "\n")
        self._batches[name] = batch
        task = asyncio.get_running_loop().create_task(self._process(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return batch

    def get(self, name: str) -> ServerBatch:
        """The batch of this id. Raises Refusal if there is none."""
        if name not in self._batches:
            raise Refusal(404, "not_found_error", f"message_batch: {name}")
        return self._batches[name]

    def page(self, query: Mapping[str, str], url: str) -> dict[str, Any]:
        """A page of all batches, the newest first. Raises Refusal."""
        newest = [batch.told(url) for batch in reversed(self._batches.values())]
        return page(newest, query, "message_batch")

    def cancel(self, batch: ServerBatch) -> None:
        """Begins no further request. Raises Refusal where all are over."""
        if batch.ended is not None:
            raise bad(f"Batch {batch.name} has ended and can not be canceled")
        batch.canceled = batch.canceled or datetime.now(UTC)
        batch.stopping.set()

    def delete(self, batch: ServerBatch) -> None:
        """Forgets a batch. Raises Refusal where it is not over."""
        if batch.ended is None:
            raise bad(f"Batch {batch.name} cannot be deleted while it is processing: cancel it")
        del self._batches[batch.name]
        for path in batch.results:
            path.unlink(missing_ok=True)

    def results(self, batch: ServerBatch) -> Iterator[bytes]:
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

    async def _process(self, batch: ServerBatch) -> None:
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


def batch_judge(journal: Journal, cache: PrefixCache) -> Judge:
    """What gives the results of a server's batches."""

    def judge(request: Mapping[str, Any], headers: Mapping[str, str]) -> Mapping[str, Any]:
        behaviour = journal.next_behaviour()
        if behaviour == EXPIRED:
            return {"type": "expired"}
        try:
            refuse(behaviour)
            check_params(request["params"])
            asked = check(request["params"], headers)
            journal.accept(headers, asked.body, request["custom_id"])
            refuse_particular(asked, behaviour)
        except Refusal as no:
            return {"type": "errored", "error": {**no.body(""), "request_id": None}}
        charge = cache.charge(asked)
        message = answer_as(behaviour, asked, charge, journal.next_number())
        message["usage"]["service_tier"] = "batch"
        return {"type": "succeeded", "message": message}

    return judge
