"""Values as text for a model: tables and arrays by shape and first rows, others by a bounded repr.

pandas, polars and numpy are never imported here: a value of theirs means that they are loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from ...messages.blocks import replace_surrogates
from ...messages.plain_text import count, mask_addresses

_MOST_ITEMS = 4_000
"""Items written of a value in all, nested ones counted."""
_MOST_CHARACTERS = 20_000
"""Characters written of one string."""
_DEEPEST = 20


def bounded_repr(value: object) -> str:
    """`repr(value)` with what is too much left out of its middle, and said where it stood.

    Only built-in containers are cut before they are written. Sets are sorted, since their order
    changes from kernel to kernel; object addresses are masked. A repr that raises is named.
    """
    return mask_addresses(_Writer().write(value, 0))


def safe_repr(value: object) -> str:
    """`repr(value)`, or a remark in angle brackets if that raises."""
    try:
        return repr(value)
    except Exception as error:  # a foreign __repr__ may raise anything; the reader is told
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"


class _Writer:
    def __init__(self) -> None:
        self._left = _MOST_ITEMS
        self._open: set[int] = set()

    def write(self, value: object, depth: int) -> str:
        kind = type(value)
        if isinstance(value, (str, bytes, bytearray)) and len(value) > _MOST_CHARACTERS:
            rest = len(value) - _MOST_CHARACTERS
            return f"{value[:_MOST_CHARACTERS]!r} … {rest:,} more"
        if kind not in (list, tuple, set, frozenset, dict):
            return safe_repr(value)
        if id(value) in self._open or depth == _DEEPEST:
            return "[...]" if kind is list else "(...)" if kind is tuple else "{...}"
        self._open.add(id(value))
        try:
            return self._container(value, depth + 1)
        finally:
            self._open.discard(id(value))

    def _container(self, value: Any, depth: int) -> str:
        if isinstance(value, dict):
            keys = self._some(value)
            items = [f"{self.write(k, depth)}: {self.write(value[k], depth)}" for k in keys]
            return "{" + self._joined(items, len(value)) + "}"
        if isinstance(value, (set, frozenset)):
            return self._set(value, depth)
        items = [self.write(item, depth) for item in self._some(value)]
        text = self._joined(items, len(value))
        if isinstance(value, list):
            return f"[{text}]"
        return f"({text},)" if len(value) == 1 else f"({text})"

    def _set(self, value: set[object] | frozenset[object], depth: int) -> str:
        if not value:
            return f"{type(value).__name__}()"
        # Sorted before it is cut: which items come first is not the same in the next kernel.
        written = sorted(mask_addresses(self.write(item, depth)) for item in value)
        text = "{" + self._joined(written[:_MOST_ITEMS], len(value)) + "}"
        return text if isinstance(value, set) else f"frozenset({text})"

    def _some(self, value: Any) -> list[Any]:
        """The items that are still to be written: all, or as many as there is room for."""
        size = len(value)
        count = min(size, self._left)
        self._left -= count
        if count == size or isinstance(value, dict):
            return list(islice(value, count))
        tail = count // 3
        return [*value[: count - tail], *value[size - tail :]]

    @staticmethod
    def _joined(items: list[str], size: int) -> str:
        if len(items) < size:
            middle = len(items) - len(items) // 3
            items[middle:middle] = [f"… {size - len(items):,} more …"]
        return ", ".join(items)


ROWS, COLUMNS = 10, 20
_MOST_SCHEMA_COLUMNS = 60
_MOST_CELLS = 50_000_000
"""Larger tables and arrays are not read through for missing values and extremes (seconds)."""
_CELL_WIDTH = 80
_CORNER = 6
_PLAIN_MODULES = frozenset({"builtins", "datetime", "decimal", "numpy", "pandas"})


def table_text(value: object, name: str | None = None) -> str | None:
    """A pandas or polars table or series, or a numpy array, as text; None for anything else."""
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pandas and isinstance(value, pandas.DataFrame):
        return _pandas_frame(value, name)
    if pandas and isinstance(value, pandas.Series):
        return _pandas_series(value, name)
    if type(value).__module__.partition(".")[0] == "polars":
        return _polars(value, name)
    if numpy and isinstance(value, numpy.ndarray):
        return _array(value, name)
    return None


def shape_text(rows: int, columns: int) -> str:
    """`1,000 rows x 3 columns`."""
    return f"{count(rows, 'row')} x {count(columns, 'column')}"


def cell_text(value: object) -> str:
    """One value as a cell of a table: at most 80 characters, in one line, floats to 10 digits."""
    if isinstance(value, float):  # numpy's float64 is one
        return f"{value:.10g}"
    text = str(value) if isinstance(value, str) or _is_plain(value) else bounded_repr(value)
    text = " ".join(text.split()) if "\n" in text or "\r" in text else text
    return replace_surrogates(text if len(text) <= _CELL_WIDTH else text[: _CELL_WIDTH - 1] + "…")


def _pandas_frame(frame: Any, name: str | None) -> str:
    rows, columns = frame.shape
    missing: list[int] | None = None
    if rows * columns <= _MOST_CELLS:
        missing = [int(n) for n in frame.isna().sum().to_numpy()]
    labels = [cell_text(label) for label in frame.columns[: max(_MOST_SCHEMA_COLUMNS, COLUMNS)]]
    head = frame.iloc[:ROWS, :COLUMNS]
    index_names, index_rows = _index(frame.index, len(head))
    values = [head.iloc[:, i].tolist() for i in range(head.shape[1])]
    shown = [[*index_rows[row], *(v[row] for v in values)] for row in range(len(head))]
    return _joined(
        f"{_title(frame, name)}: {shape_text(rows, columns)}",
        _schema(labels, [str(t) for t in frame.dtypes], missing, columns),
        _csv(index_names + labels[:COLUMNS], shown, rows, columns),
    )


def _pandas_series(series: Any, name: str | None) -> str:
    rows = len(series)
    title = f"{_title(series, name)}: {count(rows, 'value')}, {series.dtype}"
    if rows <= _MOST_CELLS:
        title += f", {int(series.isna().sum()):,} missing"
        if getattr(series.dtype, "kind", "") in "iuf" and series.count():
            low, mean, high = (cell_text(float(x)) for x in _range(series))
            title += f"; min {low}, mean {mean}, max {high}"
    head = series.iloc[:ROWS]
    index_names, index_rows = _index(series.index, len(head))
    label = "value" if series.name is None else cell_text(series.name)
    shown = [[*i, v] for i, v in zip(index_rows, head.tolist(), strict=True)]
    return _joined(title, _csv([*index_names, label], shown, rows, 1))


def _range(series: Any) -> tuple[Any, Any, Any]:
    return series.min(), series.mean(), series.max()


def _index(index: Any, count: int) -> tuple[list[str], list[list[object]]]:
    """Names and first values of a pandas index; nothing for the plain 0, 1, 2 …"""
    if type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1:
        return [], [[] for _ in range(count)]
    names = ["index" if n is None else cell_text(n) for n in index.names]
    values = [list(v) if len(names) > 1 else [v] for v in index[:count].tolist()]
    return names, values


def _polars(value: Any, name: str | None) -> str | None:
    """None for all but tables and series: a lazy one is not to be computed."""
    kind = type(value).__name__
    if kind not in ("DataFrame", "Series"):
        return None
    title = f"polars {_title(value, name)}"
    value = value.to_frame() if kind == "Series" else value
    schema = {str(column): str(dtype) for column, dtype in value.schema.items()}
    missing = [int(n) for n in value.null_count().row(0)] if schema else []
    labels = list(schema)
    head = value.select(labels[:COLUMNS]).head(ROWS)
    return _joined(
        f"{title}: {shape_text(value.height, value.width)}",
        _schema(labels[:_MOST_SCHEMA_COLUMNS], list(schema.values()), missing, value.width),
        _csv(labels[:COLUMNS], [list(row) for row in head.rows()], value.height, value.width),
    )


def _array(array: Any, name: str | None) -> str:
    import numpy as np

    facts = [f"shape {array.shape}", str(array.dtype), *_statistics(array)]
    corner = np.asarray(array)
    outside = corner.size > _CORNER * _CORNER
    if outside:
        while corner.ndim > 2:
            corner = corner[0]
        corner = corner[(slice(_CORNER),) * corner.ndim]
    values = np.array2string(
        corner,
        max_line_width=100,
        threshold=_CORNER * _CORNER,
        separator=", ",
        formatter={"float_kind": lambda x: f"{x:.6g}", "object": cell_text},
    )
    intro = f"corner (up to {_CORNER} along the last axes):\n" if outside else ""
    return _joined(f"{_title(array, name)}: {', '.join(facts)}", intro + values)


def _statistics(array: Any) -> Iterable[str]:
    """Extremes, mean and what is not a number, of numbers; the count of True, of bools."""
    import numpy as np

    if array.dtype.kind == "b":
        yield f"{int(array.sum()):,} True"
    if array.dtype.kind not in "iuf" or not array.size:
        return
    if array.size > _MOST_CELLS:
        yield "too large to read through"
        return
    finite = np.asarray(array).ravel()
    if array.dtype.kind == "f":
        nan, infinite = int(np.isnan(finite).sum()), int(np.isinf(finite).sum())
        finite = finite[np.isfinite(finite)] if nan or infinite else finite
        yield f"{nan:,} NaN"
        if infinite:
            yield f"{infinite:,} infinite"
    if finite.size:
        mean = finite.mean(dtype=np.float64)
        yield f"min {finite.min():.6g}, mean {mean:.6g}, max {finite.max():.6g}"


def _schema(
    labels: Sequence[str], types: Sequence[str], missing: Sequence[int] | None, columns: int
) -> str:
    lines = ["columns:" if missing is not None else "columns (missing values not counted):"]
    for i, label in enumerate(labels):
        gaps = f", {missing[i]:,} missing" if missing and missing[i] else ""
        lines.append(f"  {label}: {types[i]}{gaps}")
    if columns > len(labels):
        lines.append(f"  … {columns - len(labels):,} more columns")
    return "\n".join(lines) if columns else ""


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]], total: int, width: int) -> str:
    import csv
    from io import StringIO

    if not total or not width:
        return ""
    scope = f"first {len(rows)} rows" if total > len(rows) else "all rows"
    if width > COLUMNS:
        scope += f", first {COLUMNS} columns"
    lines = StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([cell_text(value) for value in row] for row in rows)
    return f"{scope} (CSV):\n{lines.getvalue().rstrip()}"


def _joined(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _title(value: object, name: str | None) -> str:
    return f"{type(value).__name__} {name}" if name else type(value).__name__


def _is_plain(value: object) -> bool:
    """Whether `str` of a value says what it is: a scalar of Python, numpy or pandas."""
    if isinstance(value, (list, tuple, dict, set, frozenset, bytes)):
        return False
    return type(value).__module__.partition(".")[0] in _PLAIN_MODULES
