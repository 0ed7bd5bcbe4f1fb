"""The answers of a job as a table, one row an image, and the table as a file.

Imports pyarrow: imported where a table is made.

Imports pyarrow: imported where a table is made. Rows are written in groups, so that a table as
large as the disk takes no more memory than one of them.

Imports pyarrow: imported where a table is written.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from ...files import replacing
from ...messages.errors import InputError

_PLAIN = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}
_DEEPEST = 6


WHOLE = "value"
"""The column of a value that has no properties."""


def column_types(schema: Mapping[str, Any]) -> dict[str, pa.DataType]:
    """The type of each property; of what is no plain value or list of them: text, in JSON."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        return {WHOLE: _type(schema, schema, 0)}
    return {name: _type(part, schema, 0) for name, part in properties.items()}


def fitted(value: Any, kind: pa.DataType) -> Any:
    """A value as a column of this type takes it; None for one that it does not take."""
    if value is None:
        return None
    if pa.types.is_string(kind):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if pa.types.is_boolean(kind):
        return value if isinstance(value, bool) else None
    if pa.types.is_list(kind):
        return (
            [fitted(item, kind.value_type) for item in value] if isinstance(value, list) else None
        )
    try:
        if pa.types.is_integer(kind):
            return int(value) if -(2**63) <= int(value) < 2**63 else None
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _type(part: Any, root: Mapping[str, Any], depth: int) -> pa.DataType:
    if not isinstance(part, Mapping) or depth > _DEEPEST:
        return pa.string()
    reference = part.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        return _type(root.get("$defs", {}).get(name), root, depth + 1)
    if isinstance(part.get("anyOf"), list):
        others = [p for p in part["anyOf"] if p != {"type": "null"}]
        return _type(others[0], root, depth + 1) if len(others) == 1 else pa.string()
    kind = part.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), None) if len(kind) <= 2 else None
    if kind == "array":
        return pa.list_(_type(part.get("items"), root, depth + 1))
    return _PLAIN.get(str(kind), pa.string())


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
        """One row from the record of an answer, or of what an error has cost."""
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
            "error": error or None,
        }

    def _batch(self, rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
        columns = [pa.array([r.get(f.name) for r in rows], f.type) for f in self.schema]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


WriteBatch: TypeAlias = Callable[[pa.RecordBatch], None]


def check_suffix(path: Path) -> None:
    """Nothing. Raises InputError for a file of a kind that no table is written as."""
    if path.suffix.lower() not in _WRITERS:
        known = ", ".join(_WRITERS)
        raise InputError(f"{path.name}: a table is written as {known}; name the file so.")


def write(path: Path, schema: pa.Schema, groups: Iterable[pa.RecordBatch]) -> None:
    """Write the table to `path`, by its suffix; the file is there when it is whole.

    Raises InputError where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as made, _WRITERS[path.suffix.lower()](made, schema) as put:
            for group in groups:
                put(group)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}).") from None


@contextmanager
def _parquet(path: Path, schema: pa.Schema) -> Iterator[WriteBatch]:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield writer.write_batch


@contextmanager
def _csv(path: Path, schema: pa.Schema) -> Iterator[WriteBatch]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(schema.names)

        def put(group: pa.RecordBatch) -> None:
            for row in group.to_pylist():
                writer.writerow([_cell(value) for value in row.values()])

        yield put


@contextmanager
def _json_lines(path: Path, schema: pa.Schema) -> Iterator[WriteBatch]:  # noqa: ARG001 - as the others
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def put(group: pa.RecordBatch) -> None:
            for row in group.to_pylist():
                file.write(json.dumps(row, ensure_ascii=False) + "\n")

        yield put


def _cell(value: Any) -> Any:
    """A list as JSON: a cell of CSV holds one text."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


_WRITERS: Mapping[str, Callable[[Path, pa.Schema], Any]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _json_lines,
}
