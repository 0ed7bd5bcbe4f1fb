"""What a run has come to: its table, as a DataFrame or a file; before it, what it would cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..messages.errors import ImageError

if TYPE_CHECKING:
    from .job import Job
    from .run import Run

_LOOKED_AT = 50
"""Images that an estimate prepares, to reckon from."""


def frame(run: Run) -> Any:
    """The table of a run as a DataFrame, written to its file if it has one.

    polars where the images came from a polars column, else pandas, with the column's own index.
    """
    import pyarrow as pa

    from .table import Table
    from .table_files import write

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


def written(run: Run) -> None:
    """Write the table of a run to its file, some rows at a time."""
    from .table import Table
    from .table_files import write

    if run.how.out is not None:
        table = Table(_schema(run.job))
        write(run.how.out, table.schema, table.groups(table.row(*row) for row in run.rows()))


def _schema(job: Job) -> Mapping[str, Any]:
    """The schema of the values themselves, not as the API is asked for them."""
    original: Mapping[str, Any] = getattr(job.shape, "original", job.shape.schema)
    return original


def estimate(run: Run) -> str:
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
