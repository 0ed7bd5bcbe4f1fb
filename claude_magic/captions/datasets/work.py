"""A job over many rows: each image asked about once, what is known is not asked again."""

from __future__ import annotations

import threading
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...messages.blocks import Block, text
from ...messages.errors import ImageError
from ...messages.images.sources import ImageLink, PictureSource
from ...messages.usage import Usage
from ..image_question import OVER_BUDGET, ImageAnswer, ImageAsker, SameTrouble
from .checkpoint import Checkpoint
from .rows import ImageRow, image_key

if TYPE_CHECKING:
    from ...messages.transport.cancel import Cancel
    from ..image_question import Job


@dataclass
class Tally:
    """What a job has done. Threads share it."""

    done: int = 0
    asked: int = 0
    errors: int = 0
    used: Usage = field(default_factory=Usage)
    cost: float = 0.0
    first_error: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __str__(self) -> str:
        said = [f"{self.done:,} rows, {self.asked:,} asked about", f"${self.cost:,.2f}"]
        if self.errors:
            said.append(f"{self.errors:,} failed, the first: {self.first_error}")
        return ", ".join(said)

    def answered(self, answer: ImageAnswer) -> None:
        """Count an answer, and what it used."""
        with self._lock:
            self.asked += 1
            self.used += answer.usage
            self.cost += answer.cost or 0.0
            if answer.error:
                self.errors += 1
                self.first_error = self.first_error or answer.error

    def failed(self, error: str) -> None:
        """Count a row that could not be asked about."""
        with self._lock:
            self.errors += 1
            self.first_error = self.first_error or error

    def row(self, count: int = 1) -> None:
        """Count rows that are over, however they ended."""
        with self._lock:
            self.done += count


class Bar:
    """A tqdm bar on a tally, shown in notebooks and terminals; nothing where `shown` is False."""

    def __init__(self, tally: Tally, total: int | None, *, shown: bool, free: bool) -> None:
        self._tally = tally
        self._cost = "would cost " if free else ""
        self._bar: Any = None
        if shown:
            from tqdm.auto import tqdm

            self._bar = tqdm(total=total, unit="image", smoothing=0.1)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self.tick()
            self._bar.close()

    def tick(self, doing: str = "") -> None:
        """Show what the tally has come to; `doing` stands before it."""
        if self._bar is None:
            return
        tally = self._tally
        said = [doing] if doing else []
        said += [
            f"{tally.used.input:,} in",
            f"{tally.used.output:,} out",
            f"{self._cost}${tally.cost:,.2f}",
        ]
        if tally.errors:
            said.append(f"{tally.errors:,} errors")
        self._bar.set_postfix_str(", ".join(said), refresh=False)
        self._bar.update(tally.done - self._bar.n)


_BYTES = (bytes, bytearray, memoryview, str, Path)


class CaptionWork:
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
        self._errors: dict[bytes, ImageAnswer] = {}
        self._unread: dict[int, str] = {}

    def claimed(self, row: ImageRow) -> tuple[str, PictureSource] | None:
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

    def _looked_at(self, source: object) -> tuple[str, PictureSource]:
        if source is None:
            raise ImageError("there is no image in this row")
        if isinstance(source, _BYTES):
            return image_key(source)
        with self._objects:
            return image_key(source)

    def content(self, found: PictureSource) -> Sequence[Block]:
        """The content of the question about a picture. Raises ImageError."""
        return content_of(self.job, found)

    def failed(self, row: ImageRow, error: str) -> None:
        """The row's image cannot be asked about."""
        with self._lock:
            self._unread[row.index] = error
        self.tally.failed(error)

    def skip(self, row: ImageRow, error: str) -> None:
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
            self._errors.update(dict.fromkeys(keys, ImageAnswer(error=error)))

    def answered(self, key: str, answer: ImageAnswer) -> None:
        """Keep an answer; one with an error is asked again by the next run."""
        if answer.error:
            with self._lock:
                self._errors[bytes.fromhex(key)] = answer
        else:
            self.checkpoint.add(key, record_of(answer))
        self.tally.answered(answer)

    def rows(self) -> Iterator[tuple[str, Mapping[str, Any] | None, str]]:
        """Label, record and error of each row, in order.

        Of rows that share one request the first bears what it used and cost: the sums are right.
        """
        borne: set[bytes] = set()
        for index, (label, key) in enumerate(zip(self._labels, self._keys, strict=True)):
            if key is None:
                yield label, None, self._unread.get(index, "")
                continue
            record, error = self.checkpoint.get(key.hex()), ""
            if record is None:
                failed = self._errors.get(key, ImageAnswer())
                error = self._unread.get(index) or failed.error or "not asked"
                record = record_of(failed)
            if key in borne:
                record = {**record, "usage": {"input": 0, "output": 0}, "cost": 0.0}
            borne.add(key)
            yield label, record, error

    def _enter(self, row: ImageRow, key: bytes | None) -> None:
        """Note a row at its place: rows come in any order."""
        with self._lock:
            missing = row.index + 1 - len(self._labels)
            if missing > 0:
                self._labels += [""] * missing
                self._keys += [None] * missing
            self._labels[row.index] = row.label
            self._keys[row.index] = key


def content_of(job: Job, found: PictureSource) -> Sequence[Block]:
    """The content of a job's question about a picture. Raises ImageError."""
    from ...messages.images.prepare import prepare

    source = (
        {"type": "image", "source": dict(found.source)} if isinstance(found, ImageLink) else found
    )
    return [*prepare(source, long_edge=job.long_edge).blocks, text(job.prompt)]


def record_of(answer: ImageAnswer) -> dict[str, Any]:
    """An answer as a checkpoint keeps it."""
    usage = {**asdict(answer.usage), "input": answer.usage.input}
    return {"value": plain(answer.value), "usage": usage, "cost": answer.cost}


def plain(value: Any) -> Any:
    """A value as JSON: models and dataclasses as dicts, dates as texts."""
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value, serialize_unknown=True)


def ask_row(work: CaptionWork, asker: ImageAsker, trouble: SameTrouble) -> Any:
    """What a thread does with a row: find out whether to ask, prepare, wait for room, ask."""

    def do(row: ImageRow, cancel: Cancel) -> None:
        claimed = work.claimed(row)
        if claimed is not None:
            key, found = claimed

            def keep(answer: ImageAnswer) -> None:
                work.answered(key, answer)
                trouble.check(answer)

            try:
                content = work.content(found)
            except ImageError as error:
                work.failed(row, str(error))
            else:
                answer = asker.ask(content, cancel, begin=trouble.wait, keep=keep)
                if answer.error == OVER_BUDGET:
                    work.answered(key, answer)
        work.tally.row()

    return do
