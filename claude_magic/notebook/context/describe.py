"""A Python object as a model reads it: text that says what it is, or an image."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from inspect import cleandoc, getdoc, getsource, isroutine, signature
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from ...messages.blocks import Block, text
from ...messages.errors import ImageError
from ...messages.plain_text import TEXT_LIMIT, mask_addresses, trim_middle
from .outputs import default_prepare, output_blocks
from .table_text import bounded_repr, safe_repr, shape_text, table_text

if TYPE_CHECKING:
    from .outputs import Prepare


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


__all__ = ["describe", "summary_line", "trim_middle"]

_MOST_STRING = 4_000_000
"""A string longer than any model's context is cut; every other one goes as it is."""
_MOST_SOURCE = 3_000
_PLAIN = (date, time, timedelta, PurePath)
"""Their `str` is what a reader expects; a datetime is a date."""
_PLAIN_ELSEWHERE = {"decimal": "Decimal", "fractions": "Fraction", "numpy": "generic"}
"""The same, of modules that need not be loaded."""
_RICH = {
    "_repr_markdown_": "text/markdown",
    "_repr_latex_": "text/latex",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_svg_": "image/svg+xml",
    "_repr_html_": "text/html",
}


def describe(
    value: object,
    name: str | None = None,
    *,
    prepare: Prepare | None = None,
    limit: int = TEXT_LIMIT,
) -> list[Block]:
    """The blocks that show `value` to a model: text, or one image and what is to be said of it.

    Text as it is; a table as its schema and first rows; an array as shape, type, extremes and a
    corner; a figure or picture as an image; a function as its source; what Jupyter can show as
    Jupyter shows it; else the repr. All but text is cut in the middle at `limit` characters, and
    has its object addresses masked. A picture that cannot be sent becomes text that says why.
    """
    if isinstance(value, str):
        return [text(trim_middle(str(value), _MOST_STRING))]
    picture = _picture(value)
    if picture is not None:
        return _image(picture, name, prepare)
    table = table_text(value, name)
    if table is not None:
        return [text(mask_addresses(trim_middle(table, limit)))]
    bundle = _rich_bundle(value)
    if bundle:
        rendered = output_blocks(bundle, prepare=prepare, limit=limit)
        if rendered.blocks:
            return [*rendered.blocks]
    words = mask_addresses(_words(value, name))
    if len(words) > limit and isinstance(value, (list, tuple, set, frozenset, dict)):
        words = f"{type(value).__name__} of {len(value):,} items:\n{words}"
    return [text(trim_middle(words, limit))]


def _words(value: object, name: str | None) -> str:
    loaded = ((sys.modules.get(module), name) for module, name in _PLAIN_ELSEWHERE.items())
    found = (getattr(module, name, None) for module, name in loaded)  # or a file of that name
    if isinstance(value, (*_PLAIN, *(kind for kind in found if isinstance(kind, type)))):
        return str(value)
    if isinstance(value, type) or isroutine(value):
        return _definition(value, name)
    return bounded_repr(value)


def _definition(value: Any, name: str | None) -> str:
    """A short source as it stands; else the signature and the documentation."""
    try:
        source = getsource(value)
    except (OSError, TypeError):  # built in, or typed into a terminal
        source = ""
    if source and len(source) <= _MOST_SOURCE:
        return cleandoc(source) if source[:1].isspace() else source.rstrip()
    try:
        parameters = str(signature(value))
    except Exception:  # none is known, or a default's repr raises: the name still says what it is
        parameters = "(…)"
    kind = "class " if isinstance(value, type) else ""
    shown = name or getattr(value, "__name__", type(value).__name__)
    return f"{kind}{shown}{parameters}\n{getdoc(value) or ''}".rstrip()


def _picture(value: object) -> Any:
    """What `prepare` is to be given for a figure, a plot's axes, a picture or its bytes."""
    if isinstance(value, (bytes, bytearray)):
        from ...messages.images.sniff import media_type

        kind = media_type(bytes(value[:4096])) or ""
        return bytes(value) if kind.startswith("image/") else None
    loaded = sys.modules
    if (pil := loaded.get("PIL.Image")) and isinstance(value, pil.Image):
        return value
    if (figures := loaded.get("matplotlib.figure")) and isinstance(value, figures.FigureBase):
        return _root_figure(value)
    if (axes := loaded.get("matplotlib.axes")) and isinstance(value, axes.Axes):
        return _root_figure(value.figure)
    if type(value).__module__.partition(".")[0] == "seaborn" and hasattr(value, "figure"):
        return _root_figure(value.figure)
    return None


def _root_figure(figure: Any) -> Any:
    """The figure that a subfigure is drawn in; a figure is its own."""
    while figure is not figure.figure:
        figure = figure.figure
    return figure


def _image(picture: object, name: str | None, prepare: Prepare | None) -> list[Block]:
    try:
        prepared = (prepare or default_prepare())(picture)
    except ImageError as error:
        return [text(f"[{name or 'An image'} could not be sent: {error}]")]
    return list(prepared.blocks)


def _rich_bundle(value: object) -> dict[str, Any]:
    """The mimebundle that Jupyter would make of a value; empty if it would only take its repr."""
    kind = type(value)
    if isinstance(value, type):
        return {}
    package = kind.__module__.partition(".")[0]
    if package == "plotly" and hasattr(value, "to_plotly_json"):
        return {"application/vnd.plotly.v1+json": value.to_plotly_json()}
    bundle = _called(value, "_repr_mimebundle_")
    shown = dict(bundle) if isinstance(bundle, Mapping) else {}
    for method, media_type in _RICH.items():
        if media_type not in shown and (result := _called(value, method)):
            shown[media_type] = result
    return {**shown, "text/plain": mask_addresses(safe_repr(value))} if shown else {}


def _called(value: object, method: str) -> Any:
    """What a display method of a value's class returns, without its metadata; None if none."""
    found: Callable[[object], Any] | None = getattr(type(value), method, None)
    if found is None:
        return None
    try:
        result = found(value)
    except Exception:  # Jupyter too goes on to the next form when one raises
        return None
    return result[0] if isinstance(result, tuple) and result else result
