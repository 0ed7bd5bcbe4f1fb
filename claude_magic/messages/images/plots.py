"""What the objects of plotting libraries show, asked of the objects themselves: picture or spec.

A figure's own code runs here, and may raise anything: it becomes an ImageError that says so.
"""

from __future__ import annotations

import io
import json
import re
from array import array
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from ..dependencies import broken
from ..errors import ImageError
from ..plain_text import trim_middle

T = TypeVar("T")

_MOST_AXES = 1_000
_REPRS = {
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "image/svg+xml": "_repr_svg_",
}


def families(value: object) -> set[str]:
    """The top-level packages that the classes of `value` come from, subclasses included."""
    return {cls.__module__.partition(".")[0] for cls in type(value).__mro__}


def figure_png(source: object) -> bytes | None:
    """PNG bytes of a Matplotlib, seaborn, Plotly or Altair object; None if it is none of them.

    Raises: ImageError if it cannot draw itself.
    """
    figure = matplotlib_figure(source)
    if figure is not None:
        return _attempt(source, "", lambda: _saved(figure))
    libraries = families(source)
    if "plotly" in libraries and hasattr(type(source), "to_image"):
        chart: Any = source
        hint = "pip install kaleido (it needs Chrome), or pass its JSON as text"
        return _attempt(source, hint, lambda: bytes(chart.to_image(format="png")))
    if "altair" in libraries and hasattr(type(source), "save"):
        hint = "pip install vl-convert-python, or pass its JSON as text"
        return _attempt(source, hint, lambda: _altair_png(source))
    return None


def shown(source: object) -> Mapping[str, Any]:
    """What `source` shows by its own `_repr_mimebundle_`, `_repr_png_` and so on, by media type.

    Looked up on the class, as a DataFrame's columns and a mock's attributes could have any name.

    Raises: ImageError if these methods raise.
    """
    kind = type(source)
    thing: Any = source
    bundle: dict[str, Any] = {}
    if hasattr(kind, "_repr_mimebundle_"):
        # Called as IPython calls it: some classes have no defaults.
        method = partial(thing._repr_mimebundle_, include=None, exclude=None)
        got = _without_metadata(_attempt(source, "", method))
        bundle = dict(got) if isinstance(got, Mapping) else {}
    if not any(entry.startswith("image/") for entry in bundle):
        for media_type, name in _REPRS.items():
            if hasattr(kind, name):
                bundle[media_type] = _without_metadata(_attempt(source, "", getattr(source, name)))
    return bundle


def _without_metadata(result: object) -> object:
    """The first part of the (value, metadata) that these methods may return."""
    return result[0] if isinstance(result, tuple) and result else result


def matplotlib_figure(source: object) -> Any:
    """The figure that `source` is, or belongs to (Axes, artists, seaborn's grids); else None.

    So is an array of the Axes of one figure, as `DataFrame.hist()` gives it.
    """
    if _is_figure(source):
        return source
    if {"numpy", "pandas"} & families(source):
        return _figure_of_all(source)
    # `fig` only where there is no `figure`: seaborn has deprecated it.
    for name in ("figure", "fig"):
        figure: Any = _attempt(source, "", partial(getattr, source, name, None))
        if not _is_figure(figure) and "matplotlib" in families(figure):
            figure = getattr(figure, "figure", None)  # of a subfigure
        if _is_figure(figure):
            return figure
    return None


def _figure_of_all(array: Any) -> Any:
    """The one figure that everything in an array belongs to; else None."""
    if str(getattr(array, "dtype", "")) != "object" or not 0 < array.size <= _MOST_AXES:
        return None
    items = list(array.flat if hasattr(array, "flat") else array)
    figures = [
        getattr(item, "figure", None) if "matplotlib" in families(item) else None for item in items
    ]
    same = _is_figure(figures[0]) and all(figure is figures[0] for figure in figures)
    return figures[0] if same else None


def _is_figure(value: object) -> bool:
    return "matplotlib" in families(value) and hasattr(type(value), "savefig")


def _saved(figure: Any) -> bytes:
    out = io.BytesIO()
    # As the inline backend draws it.
    figure.savefig(out, format="png", dpi="figure", bbox_inches="tight")
    return out.getvalue()


def _altair_png(chart: Any) -> bytes:
    out = io.BytesIO()
    chart.save(out, format="png")
    return out.getvalue()


def _attempt(source: object, hint: str, draw: Callable[[], T]) -> T:
    try:
        return draw()
    except Exception as error:
        # Code of another library: whatever it raises, the user's question is about the image.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:160].rstrip(",:")
        hint = hint or "draw it in a cell first, or pass a path"
        raise ImageError(f"{type(source).__name__} gave no image ({reason}): {hint}") from error


PLOTLY = re.compile(r"application/vnd\.plotly\.v\d+\+json")
VEGALITE = re.compile(r"application/vnd\.vegalite\.v(\d+)[+.]json")
VEGA = re.compile(r"application/vnd\.vega\.v(\d+)[+.]json")

_ALTAIR_HTML = re.compile(r"\}\)\((?=\{)")
_KEPT = 8
"""Items kept of a long list in a spec."""
_KEPT_CHARACTERS = 300
# How Plotly 6 writes arrays: base64 of little-endian numbers, with numpy's name of their type.
_TYPECODES = {
    "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d",
}  # fmt: skip


def chart_kind(media_type: str) -> str | None:
    """ "Plotly", "Vega-Lite" or "Vega" for the media type of a figure's spec, else None."""
    for kind, pattern in (("Plotly", PLOTLY), ("Vega-Lite", VEGALITE), ("Vega", VEGA)):
        if pattern.fullmatch(media_type):
            return kind
    return None


def altair_spec(html: str) -> Mapping[str, Any] | None:
    """The Vega-Lite spec within the HTML that Altair displays by default."""
    if "vegaEmbed" not in html:
        return None
    for call in _ALTAIR_HTML.finditer(html):
        try:
            spec, _ = json.JSONDecoder().raw_decode(html, call.end())
        except ValueError:
            continue
        if "vega" in str(spec.get("$schema", "")):
            return dict(spec)
    return None


def chart_png(kind: str, spec: Mapping[str, Any]) -> bytes:
    """A PNG of a figure's spec, made on this machine: what the spec names by URL is not fetched.

    Raises ImageError if the package that draws it (vl-convert, plotly with kaleido) is not
    installed, or cannot draw it.
    """
    try:
        return _plotly_png(spec) if kind == "Plotly" else _vega_png(kind, spec)
    except ImportError as error:
        package = "vl-convert-python" if kind != "Plotly" else "kaleido"
        raise ImageError(
            broken(error, "vl_convert", "plotly", "kaleido")
            or f"a {kind} figure is drawn by {package}: install it"
        ) from error
    except Exception as error:  # both libraries raise whatever their engines report
        reason = " ".join(str(error).split())[:200]
        raise ImageError(f"the {kind} figure could not be drawn: {reason}") from error


def spec_text(kind: str, spec: Mapping[str, Any], limit: int) -> str:
    """The spec as JSON with long lists cut and themes left out."""
    layout = spec.get("layout")
    if kind == "Plotly" and isinstance(layout, Mapping):
        layout = {k: v for k, v in layout.items() if k != "template"}
        spec = {"data": spec.get("data", []), "layout": layout}
    short = json.dumps(_shortened(spec), ensure_ascii=False, default=str)
    return f"{kind} figure, as its specification:\n{trim_middle(short, limit)}"


def _plotly_png(spec: Mapping[str, Any]) -> bytes:
    import kaleido  # type: ignore[import-not-found]  # noqa: F401 - without it plotly cannot
    import plotly.io

    figure = {"data": spec.get("data", []), "layout": spec.get("layout", {})}
    return bytes(plotly.io.to_image(figure, format="png", validate=False))


def _vega_png(kind: str, spec: Mapping[str, Any]) -> bytes:
    import vl_convert

    draw = vl_convert.vegalite_to_png if kind == "Vega-Lite" else vl_convert.vega_to_png
    return bytes(draw(dict(spec), scale=2, allowed_base_urls=[]))


def _shortened(value: Any) -> Any:
    if isinstance(value, Mapping):
        if "bdata" in value and "dtype" in value:
            return _decoded(value)
        return {str(k): _shortened(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        kept = [_shortened(item) for item in value[:_KEPT]]
        rest = len(value) - len(kept)
        return [*kept, f"… {rest:,} more"] if rest else kept
    if isinstance(value, str):
        return trim_middle(value, _KEPT_CHARACTERS)
    return value


def decoded_array(encoded: Mapping[str, Any]) -> list[float] | None:
    """The numbers of an array that Plotly wrote as base64; None for a type that is not known."""
    code = _TYPECODES.get(str(encoded.get("dtype")).lstrip("<|"), "")
    try:
        return list(array(code, b64decode(encoded["bdata"])))
    except (ValueError, TypeError, KeyError):
        return None


def _decoded(encoded: Mapping[str, Any]) -> Any:
    """The first numbers of an array that Plotly wrote as base64."""
    numbers = decoded_array(encoded)
    if numbers is None:
        return f"array of {encoded['dtype']}"
    kept: list[Any] = [float(f"{n:.6g}") if isinstance(n, float) else n for n in numbers[:_KEPT]]
    rest = len(numbers) - len(kept)
    return [*kept, f"… {rest:,} more"] if rest else kept
