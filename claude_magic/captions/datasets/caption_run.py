"""Captions for many images: from whatever holds them, through an engine, to a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ...messages.dependencies import broken
from ...messages.errors import ClaudeError, ImageError, InputError, Interrupted
from ...value_classes import frozen
from ..image_question import GoOn, ImageAsker, Job, JobBudget, SameTrouble
from ..job import Access, Wanted, job_of
from ..limits import Limit, Threads
from .batch_job import DISCOUNT, LIMITS, Batching, BatchParts
from .batch_post import Limits
from .checkpoint import Checkpoint
from .remote import THREADS_A_SLOT
from .rows import ImageRows, rows_of
from .work import Bar, CaptionWork, Tally, ask_row

if TYPE_CHECKING:
    from ...messages.transport.client import Client
    from ..image_question import Job

Engine = Literal["threads", "batches", "daft"]
ENGINES: tuple[Engine, ...] = ("threads", "batches", "daft")
CONCURRENCY = 16
"""Requests at once, unless told otherwise; rate limits make it fewer."""


@frozen
class How:
    """How a job runs. `out` is the table's file, None for none; `budget` in USD.

    `limits` are what one batch may hold. `go_on` is asked where the same goes wrong with one image
    after the other; without it the job ends there.
    """

    out: Path | None = None
    concurrency: int = CONCURRENCY
    budget: float | None = None
    progress: bool = True
    engine: Engine = "threads"
    limits: Limits = LIMITS
    go_on: GoOn | None = None


class CaptionRun:
    """One run of a job: what was asked, what came of it. A context manager: it holds a file.

    Raises InputError before anything is sent: no images, no such schema, a file that cannot be.
    """

    def __init__(self, images: object, wanted: Wanted, how: How, access: Access) -> None:
        if how.engine not in ENGINES:
            raise InputError(f"{how.engine!r} is no engine: use one of {', '.join(ENGINES)}.")
        if how.concurrency < 1:
            raise InputError("concurrency must be at least 1.")
        self.images: ImageRows = rows_of(images)
        self.how, self.access, self.wanted = how, access, wanted
        self.job = job_of(wanted, access, DISCOUNT if how.engine == "batches" else 1.0)
        self.notices = (*self.job.notices, *filter(None, [self.images.skipped]))
        self.tally = Tally()
        self.checkpoint = Checkpoint(checkpoint_path(how.out), self.job.digest)
        self.work = CaptionWork(self.job, self.checkpoint, self.tally)
        self.stopped = ""
        """Why some rows were not asked about, if that is so."""
        self._said = ""

    def __enter__(self) -> CaptionRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.checkpoint.close()

    def ask(self) -> None:
        """Ask about every image that is not known yet.

        What concerns all images is raised while nothing has come; later on it is the error of the
        rows that are left, so that what was paid is not lost. Raises Interrupted.
        """
        try:
            self._ask()
        except ClaudeError as error:
            if not len(self.checkpoint):
                raise
            self.stopped = str(error)
            for row in self.images:
                self.work.skip(row, str(error))
        except KeyboardInterrupt:
            raise Interrupted(self._stopped()) from None

    def _ask(self) -> None:
        purse = JobBudget(self.how.budget, self.access.spend)
        if self.how.engine == "daft":
            self._daft(purse)
            return
        with (
            self.access.client(self.how.concurrency) as (client, limit),
            self._bar() as bar,
        ):
            if self.how.engine == "batches":
                self._batches(client, limit, purse, bar)
            else:
                self._threads(client, limit, purse, bar)

    def _daft(self, purse: JobBudget) -> None:
        from .daft_engine import Dafting
        from .remote import RemoteServer

        reach = RemoteServer(self.access, purse)
        with self._bar() as bar:
            trouble = SameTrouble(self.how.go_on)
            dafting = Dafting(self.wanted, reach, self.work, bar, self.how.concurrency)
            dafting.run(self.images, trouble)

    def _batches(self, client: Client, limit: Limit, purse: JobBudget, bar: Bar) -> None:
        clock, threads = self.access.clock, self.how.concurrency
        limits, go_on = self.how.limits, self.how.go_on
        parts = BatchParts(client, limit, purse, bar, self.work, clock, threads, limits, go_on)
        batching = Batching(self.job, parts)
        try:
            batching.run(self.images)
        except KeyboardInterrupt:
            self._said = batching.stop()
            raise

    def _threads(self, client: Client, limit: Limit, purse: JobBudget, bar: Bar) -> None:
        trouble = SameTrouble()
        do = ask_row(self.work, ImageAsker(client, self.job, purse, limit), trouble)
        threads = Threads(do, THREADS_A_SLOT * self.how.concurrency)
        if self.how.go_on is not None:
            trouble.go_on = partial(threads.in_front, self.how.go_on)
        threads.run(self.images, bar.tick)

    def _bar(self) -> Bar:
        shown, free = self.how.progress, self.job.free
        return Bar(self.tally, self.images.count, shown=shown, free=free)

    def _stopped(self) -> str:
        count = len(self.checkpoint)
        if self.how.out is None:
            said = "Give `out` a file's name, and what came until then is kept."
            return f"you stopped it.{self._said} {said}"
        said = "Run it again to go on from there."
        return f"you stopped it; {count:,} answers are kept.{self._said} {said}"

    def rows(self) -> Iterator[tuple[str, Mapping[str, Any] | None, str]]:
        """Label, record and error of each row, in the order of the images."""
        return self.work.rows()


def checkpoint_path(out: Path | None) -> Path | None:
    """Where the answers are kept as they come: beside the table."""
    return None if out is None else out.with_name(f"{out.name}.checkpoint.jsonl")


def check(how: How) -> How:
    """`how` with its file's place made certain. Raises InputError for what cannot be.

    Packages that are missing are said here, before anything is paid.
    """
    # The table is one of pandas, made by pyarrow; tqdm shows how far it is.
    for name in ("pandas", "pyarrow", "tqdm"):
        try:
            import_module(name)
        except ImportError as error:
            raise InputError(
                broken(error, name)
                or f"Captions for many images need {name}: pip install 'claude-magic[caption]'"
            ) from None
    if how.engine == "daft":
        try:
            import daft  # noqa: F401 - the engine
        except ImportError as error:
            raise InputError(
                broken(error, "daft")
                or "Captions on Daft need daft: pip install 'claude-magic[scale]'"
            ) from None
    if how.out is None:
        return how
    from .table import check_suffix

    out = how.out.expanduser().absolute()
    check_suffix(out)
    return replace(how, out=out)


_LOOKED_AT = 50
"""Images that an estimate prepares, to reckon from."""


def frame(run: CaptionRun) -> Any:
    """The table of a run as a DataFrame, written to its file if it has one.

    polars where the images came from a polars column, else pandas, with the column's own index.
    """
    import pyarrow as pa

    from .table import Table, write

    table = Table(_schema(run.job))
    groups = table.groups(table.row(*row) for row in run.rows())
    whole = pa.Table.from_batches(groups, table.schema)
    if run.how.out is not None:
        write(run.how.out, table.schema, whole.to_batches())
    if run.images.polars:
        import polars

        return polars.from_arrow(whole)
    made = whole.to_pandas()
    if run.images.names is not None:
        made.index = run.images.names
    return made


def written(run: CaptionRun) -> None:
    """Write the table of a run to its file, some rows at a time."""
    from .table import Table, write

    if run.how.out is not None:
        table = Table(_schema(run.job))
        write(run.how.out, table.schema, table.groups(table.row(*row) for row in run.rows()))


def _schema(job: Job) -> Mapping[str, Any]:
    """The schema of the values themselves, not as the API is asked for them."""
    original: Mapping[str, Any] = getattr(job.shape, "original", job.shape.schema)
    return original


def estimate(run: CaptionRun) -> str:
    """How many images there are, and what they would cost, in words. Nothing is sent.

    All are read, to tell what is known already and what is there twice; of those to ask about
    some are looked at, evenly apart.
    """
    found = list(run.images)
    step = max(1, len(found) // _LOOKED_AT)
    claimed = looked = tokens = 0
    prices = 0.0
    for place, row in enumerate(found):
        image = run.work.claimed(row)
        claimed += image is not None
        if image is None or place % step:
            continue
        try:
            body = run.job.request(run.work.content(image[1])).body
        except ImageError as error:
            run.work.failed(row, str(error))
            continue
        more, price = run.job.estimate(body)
        looked, tokens, prices = looked + 1, tokens + more, prices + (price or 0.0)
    share = claimed / max(1, looked)
    said = f"{len(found):,} images, {claimed:,} to ask {run.job.model.id} about"
    if run.tally.errors:
        said += f", {run.tally.errors:,} that cannot be read"
    return (
        f"{said}: about {round(tokens * share):,} tokens in, ${prices * share:,.2f} with the "
        f"answers; reckoned from {looked:,}. Nothing was sent."
    )
