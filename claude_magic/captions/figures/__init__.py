"""What the kernel still knows of a figure: its marks, its spec, its table."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from ...messages.images.plots import altair_spec, chart_kind, families
from ...messages.plain_text import trim_middle

MOST_CHARACTERS = 6_000
NOT_READ = "figure whose values were not read"
"""How the text ends of a figure of which only its library is known."""


def figure_data(source: object, limit: int = MOST_CHARACTERS) -> str:
    """The data behind `source`, a figure of Matplotlib, seaborn, Plotly or Altair, as short text.

    plotnine's figures and seaborn's objects are drawn by them as Matplotlib figures, and read.
    Of bokeh's it is said that they were not. Empty for anything else, and where its library has
    changed so that it cannot be read: a caption is then written from the picture alone.
    """
    try:
        found = _text(source)
    except Exception:  # another library's objects: what they raise is no fault of the figure
        return f"a plotnine {NOT_READ}" if "plotnine" in families(source) else ""
    return trim_middle(found, limit)


def bundle_data(bundle: Mapping[str, Any], limit: int = MOST_CHARACTERS) -> str:
    """The data behind a displayed Plotly or Vega-Lite figure, from the specification it came with.

    `bundle` is the output's mimebundle, as in a notebook's file too; empty where there is no such
    specification.
    """
    try:
        found = _specified(bundle)
    except Exception:  # a specification may hold anything
        return ""
    return trim_middle(found, limit)


def _specified(bundle: Mapping[str, Any]) -> str:
    for media_type, spec in bundle.items():
        kind = chart_kind(media_type)
        if isinstance(spec, Mapping) and kind == "Plotly":
            return _plotly(spec)
        if isinstance(spec, Mapping) and kind == "Vega-Lite":
            return _vega(spec)
    html = bundle.get("text/html", "")
    spec = altair_spec("".join(html) if isinstance(html, list) else str(html))
    return _vega(spec) if spec else ""


def _text(source: Any) -> str:
    libraries = families(source)
    if {"matplotlib", "seaborn", "pandas", "numpy", "plotnine"} & libraries:
        from .matplotlib_figure import matplotlib_text

        figure = _matplotlib(source, libraries)
        return matplotlib_text(figure) if figure is not None else ""
    if "bokeh" in libraries and hasattr(type(source), "select"):
        return f"a bokeh {NOT_READ}"
    if "plotly" in libraries and hasattr(type(source), "to_plotly_json"):
        return _plotly(source.to_plotly_json())
    if "altair" in libraries and hasattr(type(source), "to_dict"):
        return _vega(source.to_dict())
    return ""


def _matplotlib(source: Any, libraries: set[str]) -> Any:
    """The Matplotlib figure that `source` is, belongs to or draws; None where there is none."""
    from ...messages.images.plots import matplotlib_figure

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # who drew it has seen them
        if "plotnine" in libraries and hasattr(type(source), "draw"):
            from matplotlib import pyplot

            figure = source.draw()
            pyplot.close(figure)  # else a notebook shows it at the end of the cell
            return figure
        if "seaborn" in libraries and hasattr(type(source), "on"):  # of its objects, not yet drawn
            from matplotlib.figure import Figure

            figure = Figure()
            source.on(figure).plot()
            return figure
    return matplotlib_figure(source)


def _plotly(spec: Mapping[str, Any]) -> str:
    from .json_figure import plotly_text

    return plotly_text(spec)


def _vega(spec: Mapping[str, Any]) -> str:
    from .json_figure import vega_text

    return vega_text(spec)
