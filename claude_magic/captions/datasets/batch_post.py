"""Batches put together, sent, looked after and canceled; each step is in the checkpoint first.

What a kill can lose is the answer to the request that creates a batch. So its keys are noted before
it leaves, and the next run looks among the server's newest batches for one that nobody noted.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ...messages.body import encode
from ...messages.errors import (
    APIError,
    ClaudeError,
    ConnectionFailed,
    NotFound,
    ProtocolError,
    ServerError,
)
from ...messages.transport.batches import MOST_BYTES, MOST_REQUESTS, count, has_ended
from ...messages.transport.cancel import Cancel

if TYPE_CHECKING:
    from ...messages.transport.client import Client
    from ...messages.transport.retry import Clock
    from ..limits import Limit
    from .checkpoint import Checkpoint

_KEY_BYTES = 32
# 43 characters of a key, a hyphen and these make the 64 that the API takes.
_TAG_BYTES = 15


@dataclass(frozen=True)
class Limits:
    """What one batch may hold. Ours are below those of the API.

    A chunk is in memory until it has left, and is lost where sending it fails; its answers come
    when the last of them is there.
    """

    requests: int = 20_000
    size: int = 128_000_000

    def __post_init__(self) -> None:
        if not (1 <= self.requests <= MOST_REQUESTS and 1 <= self.size <= MOST_BYTES):
            raise ValueError(f"{self} is not within the limits of the API")


class CustomIds:
    """The `custom_id` of a request: the key of its image, and a mark of the job that asks."""

    def __init__(self, job: str) -> None:
        """`job` is the digest of the job, in hex."""
        mark = hashlib.sha256(bytes.fromhex(job)).digest()[:_TAG_BYTES]
        self._tail = "-" + base64.urlsafe_b64encode(mark).decode()

    def of(self, key: bytes) -> str:
        """The id for the image with this key."""
        return base64.urlsafe_b64encode(key).decode().rstrip("=") + self._tail

    def key(self, custom_id: object) -> bytes | None:
        """The key that stands in an id; None for one of another job."""
        if not isinstance(custom_id, str) or not custom_id.endswith(self._tail):
            return None
        try:
            key = base64.urlsafe_b64decode(custom_id.removesuffix(self._tail) + "=")
        except ValueError:
            return None
        return key if len(key) == _KEY_BYTES else None


class Chunk:
    """Requests for one batch, as JSON with the commas between them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.parts: list[bytes] = []
        self.keys = bytearray()
        self.size = len('{"requests":[]}')
        self.price = 0.0
        self.betas: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.parts)

    def takes(self, request: bytes) -> bool:
        """Whether there is room for a request; the first always has it."""
        fits = self.size + len(request) + 1 <= self._limits.size
        return not self.parts or (fits and len(self) < self._limits.requests)

    def add(self, key: bytes, request: bytes, price: float) -> None:
        """Add a request, for which `price` in USD is held back."""
        part = b"," + request if self.parts else request
        self.parts.append(part)
        self.keys += key
        self.size += len(part)
        self.price += price


def as_request(custom_id: str, body: Mapping[str, Any]) -> bytes:
    """One request of a batch as JSON."""
    return b'{"custom_id":"%b","params":%b}' % (custom_id.encode("ascii"), encode(body))


@dataclass(frozen=True)
class SentBatch:
    """A batch that was sent, or is to be: `id` is "" until the server has said that it has it.

    `keys` are those of its images, one after the other; `price` in USD is held back for it; `at` is
    when it was sent, in seconds since 1970. `here`: by this run. `canceled`: no more is wanted.
    """

    name: str
    count: int
    price: float
    at: float
    keys: bytes = field(repr=False)
    id: str = ""
    here: bool = False
    canceled: bool = False

    @classmethod
    def of(cls, chunk: Chunk, at: float) -> SentBatch:
        """The chunk as it is about to be sent."""
        name = uuid.uuid4().hex[:12]
        return cls(name, len(chunk), chunk.price, at, bytes(chunk.keys), here=True)

    @classmethod
    def noted(cls, name: str, note: Mapping[str, Any]) -> SentBatch:
        """From what a checkpoint has kept. Raises ValueError and KeyError for what is no note."""
        return cls(
            name,
            int(note["count"]),
            float(note["price"]),
            float(note["at"]),
            base64.b64decode(note["keys"]),
            id=str(note.get("id", "")),
            canceled=bool(note.get("canceled")),
        )

    def as_note(self) -> dict[str, Any]:
        """What a checkpoint keeps before it is sent."""
        keys = base64.b64encode(self.keys).decode()
        return {"count": self.count, "price": self.price, "at": self.at, "keys": keys}

    def taken(self, batch: str) -> SentBatch:
        """The same, now that the server has it under an id."""
        return replace(self, id=batch)

    def each_key(self) -> Iterator[bytes]:
        """The keys of its images."""
        for start in range(0, len(self.keys), _KEY_BYTES):
            yield self.keys[start : start + _KEY_BYTES]

    @property
    def share(self) -> float:
        """USD held back for one of its requests."""
        return self.price / max(1, self.count)


T = TypeVar("T")

_TRIES = 3
# Seconds that our clock and the server's may be apart.
_SKEW = 3600.0
# Seconds that canceling may take in all: who stops a job waits for it.
_CANCELING = 10.0


class Post:
    """Sends the batches of one job. `open` are those that are under way."""

    def __init__(self, client: Client, limit: Limit, checkpoint: Checkpoint, clock: Clock) -> None:
        self._batches = client.batches
        self._limit = limit
        self._checkpoint = checkpoint
        self._clock = clock
        self.open: list[SentBatch] = []

    def go_on(self, cancel: Cancel) -> None:
        """Find the batches that an earlier run has left under way."""
        for name, note in list(self._checkpoint.notes.items()):
            try:
                sent = SentBatch.noted(name, note)
            except (KeyError, TypeError, ValueError):
                self._checkpoint.note(name, over=True)
                continue
            found = self._known(sent, cancel) if sent.id else self._unnoted(sent, cancel)
            if found is None:
                self._checkpoint.note(name, over=True)
                continue
            self._enter(sent, found)

    def send(self, chunk: Chunk, cancel: Cancel) -> SentBatch:
        """The chunk as a batch under way. Raises RateLimited where too much is waiting."""
        sent = SentBatch.of(chunk, self._clock.wall())
        self._checkpoint.note(sent.name, **sent.as_note())
        try:
            batch = self._create(chunk, sent, cancel)
        except APIError as error:
            if not isinstance(error, ServerError):
                self._checkpoint.note(sent.name, over=True)  # refused for certain
            raise
        return self._enter(sent, batch)

    def ended(self, sent: SentBatch, cancel: Cancel) -> bool:
        """Whether all of a batch is over."""
        with self._slot(cancel):
            return has_ended(self._batches.retrieve(sent.id, cancel))

    def results(self, sent: SentBatch, cancel: Cancel) -> Iterator[Mapping[str, Any]]:
        """The results of a batch that has ended, as they are read."""
        with self._slot(cancel):
            yield from self._batches.results(sent.id, cancel)

    def over(self, sent: SentBatch) -> None:
        """All of a batch is known: forget it."""
        self._checkpoint.note(sent.name, over=True)
        self.open.remove(sent)

    def stop(self) -> tuple[int, int]:
        """Cancel what is under way; how many batches are, and how many could not be."""
        cancel = Cancel()
        timer = threading.Timer(_CANCELING, cancel.set)
        timer.daemon = True
        timer.start()
        canceled = failed = 0
        try:
            for name, note in list(self._checkpoint.notes.items()):
                done = self._cancel(SentBatch.noted(name, note), cancel)
                if done:
                    self._checkpoint.note(name, canceled=True)
                canceled += done is True
                failed += done is False
        finally:
            timer.cancel()
        return canceled, failed

    def why(self, result: Mapping[str, Any]) -> ClaudeError:
        """The error of a request of a batch."""
        return self._batches.error(result)

    def _cancel(self, sent: SentBatch, cancel: Cancel) -> bool | None:
        """Whether nothing more of a batch is begun; None where the server never got it."""
        try:
            if not sent.id:
                found = self._unnoted(sent, cancel)
                if found is None:
                    return None
                sent = sent.taken(found["id"])
                self._checkpoint.note(sent.name, id=sent.id)
            with self._slot(cancel):
                self._batches.cancel(sent.id, cancel)
        except APIError as error:
            return error.status in (400, 404, 409)  # it has ended by itself
        except (ConnectionFailed, ProtocolError, KeyboardInterrupt):
            return False
        return True

    def _create(self, chunk: Chunk, sent: SentBatch, cancel: Cancel) -> Mapping[str, Any]:
        def create() -> Mapping[str, Any]:
            return self._batches.create(chunk.parts, betas=chunk.betas, cancel=cancel)

        for _ in range(_TRIES - 1):
            try:
                return self._with_slot(create, cancel)
            except (ConnectionFailed, ProtocolError, ServerError):
                # It may have been taken all the same.
                found = self._unnoted(sent, cancel)
                if found is not None:
                    return found
        return self._with_slot(create, cancel)

    def _known(self, sent: SentBatch, cancel: Cancel) -> Mapping[str, Any] | None:
        """The batch as the server has it; None where it has no such batch any more."""
        try:
            return self._with_slot(lambda: self._batches.retrieve(sent.id, cancel), cancel)
        except NotFound as error:
            if error.error_type != "not_found_error":
                raise
            return None

    def _unnoted(self, sent: SentBatch, cancel: Cancel) -> Mapping[str, Any] | None:
        """The batch of which it is not known whether the server has it, if it has."""
        noted = {note.get("id") for note in self._checkpoint.notes.values()}
        newest = self._with_slot(lambda: self._batches.newest(cancel), cancel)
        fitting = [
            batch
            for batch in newest
            if batch["id"] not in noted
            and batch["id"] not in self._checkpoint.past
            and count(batch) == sent.count
            and _created(batch) >= sent.at - _SKEW
        ]
        # Of several the oldest: results that are of another job are seen by their ids.
        return fitting[-1] if fitting else None

    def _enter(self, sent: SentBatch, batch: Mapping[str, Any]) -> SentBatch:
        if not sent.id:
            self._checkpoint.note(sent.name, id=batch["id"])
            sent = sent.taken(batch["id"])
        if batch.get("processing_status") == "canceling":
            sent = replace(sent, canceled=True)
        self.open.append(sent)
        return sent

    @contextmanager
    def _slot(self, cancel: Cancel) -> Iterator[None]:
        with self._limit.slot(cancel):
            yield

    def _with_slot(self, ask: Callable[[], T], cancel: Cancel) -> T:
        with self._slot(cancel):
            return ask()


def _created(batch: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(str(batch.get("created_at"))).timestamp()
    except ValueError:
        return 0.0
