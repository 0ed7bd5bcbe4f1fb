"""Batches sent, looked after and canceled; each step is in the checkpoint before the next one.

What a kill can lose is the answer to the request that creates a batch. So its keys are noted before
it leaves, and the next run looks among the server's newest batches for one that nobody noted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ..messages.batches import count, has_ended
from ..messages.cancel import Cancel
from ..messages.errors import (
    APIError,
    ClaudeError,
    ConnectionFailed,
    NotFound,
    ProtocolError,
    ServerError,
)
from .batch_chunks import Chunk, Sent

if TYPE_CHECKING:
    from ..messages.client import Client
    from ..messages.retry import Clock
    from .checkpoint import Checkpoint
    from .limit import Limit

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
        self.open: list[Sent] = []

    def go_on(self, cancel: Cancel) -> None:
        """Find the batches that an earlier run has left under way."""
        for name, note in list(self._checkpoint.notes.items()):
            try:
                sent = Sent.noted(name, note)
            except (KeyError, TypeError, ValueError):
                self._checkpoint.note(name, over=True)
                continue
            found = self._known(sent, cancel) if sent.id else self._unnoted(sent, cancel)
            if found is None:
                self._checkpoint.note(name, over=True)
                continue
            self._enter(sent, found)

    def send(self, chunk: Chunk, cancel: Cancel) -> Sent:
        """The chunk as a batch under way. Raises RateLimited where too much is waiting."""
        sent = Sent.of(chunk, self._clock.wall())
        self._checkpoint.note(sent.name, **sent.as_note())
        try:
            batch = self._create(chunk, sent, cancel)
        except APIError as error:
            if not isinstance(error, ServerError):
                self._checkpoint.note(sent.name, over=True)  # refused for certain
            raise
        return self._enter(sent, batch)

    def ended(self, sent: Sent, cancel: Cancel) -> bool:
        """Whether all of a batch is over."""
        with self._slot(cancel):
            return has_ended(self._batches.retrieve(sent.id, cancel))

    def results(self, sent: Sent, cancel: Cancel) -> Iterator[Mapping[str, Any]]:
        """The results of a batch that has ended, as they are read."""
        with self._slot(cancel):
            yield from self._batches.results(sent.id, cancel)

    def over(self, sent: Sent) -> None:
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
                done = self._cancel(Sent.noted(name, note), cancel)
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

    def _cancel(self, sent: Sent, cancel: Cancel) -> bool | None:
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

    def _create(self, chunk: Chunk, sent: Sent, cancel: Cancel) -> Mapping[str, Any]:
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

    def _known(self, sent: Sent, cancel: Cancel) -> Mapping[str, Any] | None:
        """The batch as the server has it; None where it has no such batch any more."""
        try:
            return self._with_slot(lambda: self._batches.retrieve(sent.id, cancel), cancel)
        except NotFound as error:
            if error.error_type != "not_found_error":
                raise
            return None

    def _unnoted(self, sent: Sent, cancel: Cancel) -> Mapping[str, Any] | None:
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

    def _enter(self, sent: Sent, batch: Mapping[str, Any]) -> Sent:
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
