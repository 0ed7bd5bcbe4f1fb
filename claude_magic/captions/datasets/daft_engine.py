"""A job on Daft: this process on its local runner, many machines where it runs on Ray.

Images are read here, a chunk at a time, and prepared and asked about where Daft has its workers;
answers come back to the checkpoint here. Imports daft: imported where such a job is run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import daft

from ...messages import errors
from ...messages.blocks import Block
from ...messages.errors import ClaudeError
from ...messages.images.sources import ImageLink
from ...messages.usage import Usage
from ..image_question import ImageAnswer, SameTrouble
from ..job import Wanted, job_of
from .remote import THREADS_A_SLOT, Answering, RemoteServer
from .work import content_of, plain

if TYPE_CHECKING:
    from .rows import ImageRow, ImageRows
    from .work import Bar, CaptionWork

# A chunk: as much as is read ahead here, and held by Daft.
_MOST_ROWS = 2_000
_MOST_BYTES = 64_000_000
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")


class RowAsker:
    """What asks, on a worker of Daft: an answer as JSON."""

    def __init__(self, reach: RemoteServer, wanted: Wanted, concurrency: int) -> None:
        self._job = job_of(wanted, reach.access)
        self._answering = Answering(self._job, reach, concurrency)
        self._reach = reach

    @daft.method(return_dtype=daft.DataType.string())
    async def ask(self, key: str, image: bytes | None, link: str | None) -> str:
        """The answer about an image, or about one at an address; {} where it is kept already."""
        found = ImageLink(json.loads(link)) if link else image or b""

        def content() -> Sequence[Block]:
            return content_of(self._job, found)

        try:
            answer = await self._answering.answer(content)
            if self._reach.keep is not None:
                self._reach.keep(key, answer)
                return "{}"
        except ClaudeError as error:
            kind = type(error).__name__
            return json.dumps({"fatal": str(error), "kind": kind, "status": error.status})
        value, usage = plain(answer.value), asdict(answer.usage)
        said = {"value": value, "error": answer.error, "usage": usage, "cost": answer.cost}
        return json.dumps({**said, "trouble": answer.trouble})


class Dafting:
    """Asks the question of a job through Daft."""

    def __init__(
        self, wanted: Wanted, reach: RemoteServer, work: CaptionWork, bar: Bar, concurrency: int
    ) -> None:
        # In this process an answer is kept at once; Daft gives it back some time later.
        reach.keep = self._keep
        self._reach = reach
        self._work = work
        self._bar = bar
        self._trouble = SameTrouble()
        at_once = THREADS_A_SLOT * concurrency
        self._batch = at_once
        made = daft.cls(RowAsker, max_concurrency=at_once, max_retries=0, name_override="claude")
        self._asker = made(reach, wanted, concurrency)

    def run(self, images: ImageRows, trouble: SameTrouble) -> None:
        """Ask about every image that is not known. Raises what concerns all."""
        self._trouble = trouble
        for chunk in self._chunks(images):
            self._ask(chunk)

    def _chunks(self, images: ImageRows) -> Iterator[Sequence[tuple[str, Any]]]:
        chunk: list[tuple[str, Any]] = []
        size = 0
        for row in images:
            claimed = self._claimed(row)
            if claimed is None:
                self._work.tally.row()
                self._bar.tick()
                continue
            chunk.append(claimed)
            size += len(claimed[1]) if isinstance(claimed[1], bytes) else 0
            if len(chunk) >= _MOST_ROWS or size >= _MOST_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _claimed(self, row: ImageRow) -> tuple[str, bytes | ImageLink] | None:
        claimed = self._work.claimed(row)
        if claimed is None or isinstance(claimed[1], bytes | ImageLink):
            return claimed  # type: ignore[return-value]
        return claimed[0], _png(claimed[1])

    def _ask(self, chunk: Sequence[tuple[str, Any]]) -> None:
        table = daft.from_pydict(
            {
                "key": [key for key, _ in chunk],
                "image": [found if isinstance(found, bytes) else None for _, found in chunk],
                "link": [
                    json.dumps(dict(found.source)) if isinstance(found, ImageLink) else None
                    for _, found in chunk
                ],
            }
        )
        # Small batches, so that answers come back from other processes soon after they are there.
        asked = table.into_batches(self._batch).select(
            daft.col("key"),
            self._asker.ask(daft.col("key"), daft.col("image"), daft.col("link")).alias("answer"),
        )
        for row in asked.iter_rows():
            said = json.loads(str(row["answer"]))
            if "fatal" in said:
                raise _error(said)
            if said:
                usage = Usage(**said["usage"])
                answer = ImageAnswer(
                    said["value"], said["error"], usage, said["cost"], said["trouble"]
                )
                self._keep(str(row["key"]), answer)

    def _keep(self, key: str, answer: ImageAnswer) -> None:
        self._work.answered(key, answer)
        self._work.tally.row()
        self._bar.tick()
        self._trouble.check(answer)


def _error(said: Mapping[str, Any]) -> ClaudeError:
    """The error of a worker, as it was raised there."""
    kind = getattr(errors, str(said["kind"]), ClaudeError)
    if not (isinstance(kind, type) and issubclass(kind, ClaudeError)):
        kind = ClaudeError
    return kind(str(said["fatal"]), status=said["status"])


def _png(picture: Any) -> bytes:
    """A picture in memory as bytes that lose nothing."""
    import io

    out = io.BytesIO()
    picture.save(out, "PNG" if picture.mode in _PNG_MODES else "TIFF")
    return out.getvalue()
