"""Answers as a table: its columns from any schema, its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.captions.datasets.table import Table, check_suffix, column_types, fitted, write
from claude_magic.messages.errors import InputError

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "count": {"type": "integer"},
        "share": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "seen": {"type": ["boolean", "null"]},
        "kind": {"enum": ["a", "b"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "sizes": {"type": "array", "items": {"$ref": "#/$defs/Size"}},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "more": {"type": "object"},
    },
    "$defs": {"Size": {"type": "integer"}},
}
TYPES = {
    "name": pa.string(),
    "count": pa.int64(),
    "share": pa.float64(),
    "seen": pa.bool_(),
    "kind": pa.string(),
    "tags": pa.list_(pa.string()),
    "sizes": pa.list_(pa.int64()),
    "either": pa.string(),
    "more": pa.string(),
}
VALUE = {
    "name": "é", "count": 3, "share": None, "seen": True, "kind": "a", "tags": ["x"],
    "sizes": [1, 2], "either": 7, "more": {"k": [1]},
}  # fmt: skip


def made(*rows: tuple[str, Any, str], schema: Any = SCHEMA) -> pa.Table:
    table = Table(schema)
    groups = table.groups(table.row(*row) for row in rows)
    return pa.Table.from_batches(groups, table.schema)


RECORD = {"value": VALUE, "usage": {"input": 700, "output": 90}, "cost": 0.002}


def test_each_property_is_a_column_of_its_type() -> None:
    assert column_types(SCHEMA) == TYPES


def test_a_row_has_the_source_the_values_the_usage_and_the_cost() -> None:
    (row,) = made(("a.png", RECORD, "")).to_pylist()
    assert row == {
        "source": "a.png",
        **VALUE,
        "either": "7",
        "more": '{"k": [1]}',
        "input_tokens": 700,
        "output_tokens": 90,
        "cost": 0.002,
        "error": None,
    }


def test_a_row_that_failed_has_an_error_and_nothing_else() -> None:
    rows = made(("a.png", None, "broken"), ("b.png", None, "")).to_pylist()
    assert [row["error"] for row in rows] == ["broken", "not asked"]
    assert {
        value for row in rows for name, value in row.items() if name not in ("source", "error")
    } == {None}


def test_a_value_without_properties_has_one_column() -> None:
    record = {**RECORD, "value": [1, 2]}
    table = made(("a", record, ""), schema={"type": "array", "items": {"type": "integer"}})
    assert table["value"].to_pylist() == [[1, 2]]


@pytest.mark.parametrize("name", ["source", "cost", "error", "input_tokens"])
def test_a_property_named_as_a_column_of_ours_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"has a column '{name}' of its own"):
        Table({"type": "object", "properties": {name: {"type": "string"}}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, st.sampled_from(list(TYPES.values())))
def test_any_value_is_fitted_to_any_column(value: Any, kind: pa.DataType) -> None:
    pa.array([fitted(value, kind)], kind)


READ = {
    ".parquet": pd.read_parquet,
    ".csv": pd.read_csv,
    ".jsonl": lambda path: pd.read_json(path, lines=True),
}


@pytest.mark.parametrize("suffix", READ)
def test_a_table_is_written_and_read_again(tmp_path: Path, suffix: str) -> None:
    table = made(("a.png", RECORD, ""), ("b.png", None, 'broken, "so"\nit is'))
    path = tmp_path / "new" / f"out{suffix}"
    write(path, table.schema, table.to_batches())
    back = READ[suffix](path)
    assert list(back.columns) == table.schema.names
    assert back["error"][1] == 'broken, "so"\nit is' and back["name"][0] == "é"
    tags = back["tags"][0]
    assert list(json.loads(tags) if isinstance(tags, str) else tags) == ["x"]
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_table_that_breaks_off_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    table = made(("a.png", RECORD, ""))

    def groups() -> Any:
        yield table.to_batches()[0]
        raise OSError("no space left")

    with pytest.raises(InputError, match="cannot be written"):
        write(path, table.schema, groups())
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["out", "out.txt", "out.xlsx", "out.json"])
def test_a_file_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"is written as \.parquet, \.csv, \.jsonl"):
        check_suffix(Path(name))
