"""A table as a file: Parquet, CSV or JSON lines, whole or not at all.

Imports pyarrow: imported where a table is written.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from ..files import replacing
from ..messages.errors import InputError

Put: TypeAlias = Callable[[pa.RecordBatch], None]


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
def _parquet(path: Path, schema: pa.Schema) -> Iterator[Put]:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield writer.write_batch


@contextmanager
def _csv(path: Path, schema: pa.Schema) -> Iterator[Put]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(schema.names)

        def put(group: pa.RecordBatch) -> None:
            for row in group.to_pylist():
                writer.writerow([_cell(value) for value in row.values()])

        yield put


@contextmanager
def _json_lines(path: Path, schema: pa.Schema) -> Iterator[Put]:  # noqa: ARG001 - as the others
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
