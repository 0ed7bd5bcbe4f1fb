"""One line on a variable: what it is and how large, nothing of what it says."""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from .table_text import shape_text

_MOST_COLUMNS = 30
_LABEL_WIDTH = 40
_ARRAYS = frozenset(
    ("numpy", "torch", "tensorflow", "jax", "jaxlib", "scipy", "xarray", "cupy", "polars", "PIL")
)
"""Packages whose objects have a `shape`, `dtype` or `size` that is cheap to ask for."""
_HIDDEN = frozenset(("In", "Out", "get_ipython", "exit", "quit", "open"))


def summary_line(name: str, value: object) -> str | None:
    """`df: DataFrame, 3 rows x 1 column: a int64`; None for what nobody asks about.

    Never a value: a string or a number can be a secret. No `repr` and no `len` of a foreign type
    is called, so nothing is computed. None for private names, modules, IPython's own variables,
    and functions and classes that were not defined in the notebook.
    """
    if name.startswith("_") or name in _HIDDEN or isinstance(value, ModuleType):
        return None
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType, type)):
        return _defined(name, value)
    return f"{name}: {_facts(value)}"


def _defined(name: str, value: Any) -> str | None:
    """A function's parameters by name only: a default is a value."""
    if getattr(value, "__module__", None) != "__main__":
        return None
    if isinstance(value, type):
        return f"{name}: class"
    code = getattr(value, "__code__", None)
    if code is None:
        return f"{name}: function"
    count = code.co_argcount + code.co_kwonlyargcount
    return f"{name}: function({', '.join(code.co_varnames[:count])})"


def _facts(value: object) -> str:
    kind = type(value)
    pandas = sys.modules.get("pandas")
    if pandas and isinstance(value, pandas.DataFrame):
        return f"{kind.__name__}, {_frame(value)}"
    if pandas and isinstance(value, pandas.Series):
        return f"{kind.__name__}, {len(value):,} values, {value.dtype}"
    if isinstance(value, (str, bytes, bytearray)):
        unit = "characters" if isinstance(value, str) else "bytes"
        return f"{kind.__name__}, {len(value):,} {unit}"
    if kind in (list, tuple, set, frozenset, dict):
        size = len(value)  # type: ignore[arg-type]
        return f"{kind.__name__}, {size:,} {'item' if size == 1 else 'items'}"
    package = kind.__module__.partition(".")[0]
    if package == "builtins":
        return kind.__name__
    full = kind.__qualname__ if package == "__main__" else f"{package}.{kind.__qualname__}"
    return ", ".join([full, *(_array_facts(value) if package in _ARRAYS else [])])


def _array_facts(value: Any) -> list[str]:
    facts: list[str] = []
    if getattr(value, "shape", None) == ():  # a number, whose type says it all
        return facts
    for attribute, label in (("shape", "shape "), ("dtype", ""), ("size", "size ")):
        found = getattr(value, attribute, None)
        if found is None or callable(found) or (attribute == "size" and facts):
            continue
        facts.append(label + (str(tuple(found)) if attribute == "shape" else str(found)))
    return facts


def _frame(frame: Any) -> str:
    rows, columns = frame.shape
    shown = [
        f"{_label(label)} {dtype}"
        for label, dtype in zip(
            frame.columns[:_MOST_COLUMNS], frame.dtypes.iloc[:_MOST_COLUMNS], strict=True
        )
    ]
    if columns > _MOST_COLUMNS:
        shown.append(f"… {columns - _MOST_COLUMNS:,} more")
    return shape_text(rows, columns) + (f": {', '.join(shown)}" if shown else "")


def _label(label: object) -> str:
    if isinstance(label, tuple):
        return "/".join(map(_label, label))
    if not isinstance(label, (str, int, float)):
        return type(label).__name__
    shown = " ".join(str(label).split())
    return shown if len(shown) <= _LABEL_WIDTH else shown[: _LABEL_WIDTH - 1] + "…"
