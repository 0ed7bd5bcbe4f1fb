"""What the objects of plotting libraries show, asked of the objects themselves.

A figure's own code runs here, and may raise anything: it becomes an ImageError that says so.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from .errors import ImageError

T = TypeVar("T")

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
    """The figure that `source` is, or belongs to (Axes, artists, seaborn's grids); else None."""
    if _is_figure(source):
        return source
    # `fig` only where there is no `figure`: seaborn has deprecated it.
    for name in ("figure", "fig"):
        figure: Any = _attempt(source, "", partial(getattr, source, name, None))
        if not _is_figure(figure) and "matplotlib" in families(figure):
            figure = getattr(figure, "figure", None)  # of a subfigure
        if _is_figure(figure):
            return figure
    return None


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
