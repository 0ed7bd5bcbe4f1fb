"""The answers of a job as a table, one row an image, in the order of the images.

Imports pyarrow: imported where a table is made. Rows are written in groups, so that a table as
large as the disk takes no more memory than one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from ..messages.errors import InputError
from .columns import WHOLE, column_types, fitted

BEFORE = {"source": pa.string()}
AFTER = {
    "input_tokens": pa.int64(),
    "output_tokens": pa.int64(),
    "cost": pa.float64(),
    "error": pa.string(),
}
_GROUP = 5_000


class Table:
    """The columns of a job whose values fit `schema`.

    Raises InputError for a property that is named as one of the columns around it.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.properties = column_types(schema)
        taken = [name for name in self.properties if name in {**BEFORE, **AFTER}]
        if taken:
            raise InputError(
                f"The table has a column {taken[0]!r} of its own: name the property otherwise."
            )
        self.schema = pa.schema({**BEFORE, **self.properties, **AFTER})

    def groups(self, rows: Iterator[Mapping[str, Any]]) -> Iterator[pa.RecordBatch]:
        """The rows, each a dict by column names, as record batches of some thousand rows."""
        held: list[Mapping[str, Any]] = []
        for row in rows:
            held.append(row)
            if len(held) == _GROUP:
                yield self._batch(held)
                held = []
        if held:
            yield self._batch(held)

    def row(self, source: str, record: Mapping[str, Any] | None, error: str) -> Mapping[str, Any]:
        """One row from the record of a checkpoint, or from an error."""
        if record is None:
            return {"source": source, "error": error or "not asked"}
        value, usage = record.get("value"), record.get("usage", {})
        given = value if isinstance(value, Mapping) else {WHOLE: value}
        return {
            "source": source,
            **{name: fitted(given.get(name), kind) for name, kind in self.properties.items()},
            "input_tokens": usage.get("input"),
            "output_tokens": usage.get("output"),
            "cost": record.get("cost"),
        }

    def _batch(self, rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
        columns = [pa.array([r.get(f.name) for r in rows], f.type) for f in self.schema]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)
