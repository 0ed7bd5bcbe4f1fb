"""A job over many rows: each image asked about once, what is known is not asked again."""

from __future__ import annotations

import threading
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block, text
from ..messages.errors import ImageError
from ..messages.image_sources import Link, Picture
from .asking import OVER_BUDGET, Answer, Asker, SameTrouble
from .checkpoint import Checkpoint
from .limit import Limit
from .progress import Tally
from .sources import Row, image_key

if TYPE_CHECKING:
    from ..messages.cancel import Cancel
    from .job import Job

_BYTES = (bytes, bytearray, memoryview, str, Path)


class Work:
    """What is to be done with each row, and what is remembered of it: some bytes a row.

    Threads share it. `rows` gives the table's rows at the end.
    """

    def __init__(self, job: Job, checkpoint: Checkpoint, tally: Tally) -> None:
        self.job = job
        self.checkpoint = checkpoint
        self.tally = tally
        self._lock = threading.Lock()
        # Figures are drawn and pictures decoded by code that may not be used by two threads.
        self._objects = threading.Lock()
        self._labels: list[str] = []
        self._keys: list[bytes | None] = []
        self._claimed: set[bytes] = set()
        self._errors: dict[bytes, str] = {}
        self._unread: dict[int, str] = {}

    def claimed(self, row: Row) -> tuple[str, Picture] | None:
        """The key and the picture of a row that is to be asked about.

        None where its image is known, or another row asks about it, or it cannot be read.
        """
        try:
            key, found = self._looked_at(row.source)
        except ImageError as error:
            self.skip(row, str(error))
            return None
        short = bytes.fromhex(key)
        self._enter(row, short)
        with self._lock:
            if key in self.checkpoint or short in self._claimed:
                return None
            self._claimed.add(short)
        return key, found

    def _looked_at(self, source: object) -> tuple[str, Picture]:
        if source is None:
            raise ImageError("there is no image in this row")
        if isinstance(source, _BYTES):
            return image_key(source)
        with self._objects:
            return image_key(source)

    def content(self, found: Picture) -> Sequence[Block]:
        """The content of the question about a picture. Raises ImageError."""
        return content_of(self.job, found)

    def failed(self, row: Row, error: str) -> None:
        """The row's image cannot be asked about."""
        with self._lock:
            self._unread[row.index] = error
        self.tally.failed(error)

    def skip(self, row: Row, error: str) -> None:
        """The row is in the table with an error; nothing is asked about it."""
        self._enter(row, None)
        self.failed(row, error)

    def reserve(self, keys: Iterable[bytes]) -> None:
        """Have the images with these keys taken for asked about."""
        with self._lock:
            self._claimed.update(keys)

    def release(self, keys: Iterable[bytes]) -> Container[int]:
        """Have the images with these keys asked about again; where their rows stand."""
        wanted = set(keys)
        with self._lock:
            self._claimed -= wanted
            return {n for n, key in enumerate(self._keys) if key in wanted}

    def unanswered(self, keys: Iterable[bytes], error: str) -> None:
        """There is no answer about these images yet."""
        with self._lock:
            self._errors.update(dict.fromkeys(keys, error))

    def answered(self, key: str, answer: Answer) -> None:
        """Keep an answer; one with an error is asked again by the next run."""
        if answer.error:
            with self._lock:
                self._errors[bytes.fromhex(key)] = answer.error
        else:
            self.checkpoint.add(key, record_of(answer))
        self.tally.answered(answer)

    def rows(self) -> Iterator[tuple[str, Mapping[str, Any] | None, str]]:
        """Label, record and error of each row, in order."""
        for index, (label, key) in enumerate(zip(self._labels, self._keys, strict=True)):
            if key is None:
                yield label, None, self._unread.get(index, "")
                continue
            record = self.checkpoint.get(key.hex())
            error = self._unread.get(index) or self._errors.get(key, "")
            yield label, record, "" if record else error

    def _enter(self, row: Row, key: bytes | None) -> None:
        """Note a row at its place: rows come in any order."""
        with self._lock:
            missing = row.index + 1 - len(self._labels)
            if missing > 0:
                self._labels += [""] * missing
                self._keys += [None] * missing
            self._labels[row.index] = row.label
            self._keys[row.index] = key


def content_of(job: Job, found: Picture) -> Sequence[Block]:
    """The content of a job's question about a picture. Raises ImageError."""
    from ..messages.images import prepare

    source = {"type": "image", "source": dict(found.source)} if isinstance(found, Link) else found
    return [prepare(source, long_edge=job.long_edge).block, text(job.prompt)]


def record_of(answer: Answer) -> dict[str, Any]:
    """An answer as a checkpoint keeps it."""
    usage = {**asdict(answer.usage), "input": answer.usage.input}
    return {"value": plain(answer.value), "usage": usage, "cost": answer.cost}


def plain(value: Any) -> Any:
    """A value as JSON: models and dataclasses as dicts, dates as texts."""
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value, serialize_unknown=True)


def ask_row(work: Work, asker: Asker, limit: Limit, trouble: SameTrouble) -> Any:
    """What a thread does with a row: find out whether to ask, prepare, wait for room, ask."""

    def do(row: Row, cancel: Cancel) -> None:
        claimed = work.claimed(row)
        if claimed is not None:
            key, found = claimed
            try:
                content = work.content(found)
            except ImageError as error:
                work.failed(row, str(error))
            else:
                with limit.slot(cancel):
                    answer = asker.ask(content, cancel)
                    # Kept before the next request leaves: should the job be killed now, no more
                    # is paid twice than may be under way at once.
                    work.answered(key, answer)
                if answer.error != OVER_BUDGET:
                    trouble.check(answer)
        work.tally.row()

    return do
