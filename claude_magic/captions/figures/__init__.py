"""What the kernel still knows of a figure: its marks, its spec, its table."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

from ...messages.images.plots import altair_spec, chart_kind, families
from ...messages.plain_text import trim_middle

MOST_CHARACTERS = 6_000
NOT_READ = "figure whose values were not read"
"""How the text ends of a figure of which only its library is known."""

# Libraries whose figures are not read, the class that all of those have among theirs, and what
# stands in what they display.
_OTHERS = {
    "bokeh": ("LayoutDOM", "bokehjs_exec"),
    "holoviews": ("Dimensioned", "holoviews_exec"),
    "pyecharts": ("Base", "echarts.init"),
    "lets_plot": ("FeatureSpec", "LetsPlot."),
    "pygal": ("BaseGraph", "pygal.Config"),
    "bqplot": ("Figure", "bqplot"),
    "folium": ("Map", "L.map("),
}


def figure_data(source: object, limit: int = MOST_CHARACTERS) -> str:
    """The data behind `source`, a figure of Matplotlib, seaborn, Plotly or Altair, as short text.

    plotnine's figures and seaborn's objects are drawn by them as Matplotlib figures, and read. Of a
    figure whose values cannot be read, because its library is another or has changed, that is
    said. Empty for what is no figure.
    """
    try:
        found = _text(source)
    except Exception:  # another library's objects: what they raise is no fault of the figure
        known = sorted({"matplotlib", "plotly", "altair", "plotnine"} & families(source))
        found = _not_read(known[-1]) if known else ""
    return trim_middle(found, limit)


def bundle_data(bundle: Mapping[str, Any], limit: int = MOST_CHARACTERS) -> str:
    """The data behind a displayed Plotly, Vega-Lite or Vega figure, from its specification.

    `bundle` is the output's mimebundle, as in a notebook's file too. Of a figure whose values
    cannot be read that is said; empty where there is no figure but a picture.
    """
    try:
        found = _specified(bundle)
    except Exception:  # a specification may hold anything
        found = next((_not_read(kind) for each in bundle if (kind := chart_kind(each))), "")
    return trim_middle(found, limit)


def _not_read(library: str) -> str:
    article = "an" if library[:1].lower() in "aeiou" else "a"
    return f"{article} {library} {NOT_READ}"


def _specified(bundle: Mapping[str, Any]) -> str:
    for media_type, spec in bundle.items():
        kind = chart_kind(media_type)
        if isinstance(spec, Mapping) and kind == "Plotly":
            return _plotly(spec)
        if isinstance(spec, Mapping) and kind is not None:
            return _vega(spec, kind)
    given = bundle.get("text/html", "")
    html = "".join(given) if isinstance(given, list) else str(given)
    spec = altair_spec(html)
    if spec:
        return _vega(spec, "Vega-Lite")
    if "Plotly.newPlot(" in html:
        return _not_read("Plotly")
    for library, (_, mark) in _OTHERS.items():
        if mark in html or any(mark in media_type for media_type in bundle):
            return _not_read(library)
    return ""


def _text(source: Any) -> str:
    libraries = families(source)
    if {"matplotlib", "seaborn", "pandas", "numpy", "plotnine"} & libraries:
        from .matplotlib_figure import matplotlib_text

        figure = _matplotlib(source, libraries)
        return matplotlib_text(figure) if figure is not None else ""
    if "plotly" in libraries and hasattr(type(source), "to_plotly_json"):
        return _plotly(json.loads(source.to_json(validate=False)))
    if "altair" in libraries and hasattr(type(source), "to_dict"):
        return _vega(source.to_dict(), "Vega-Lite")
    for library, (base, _) in _OTHERS.items():
        if library in libraries and base in {cls.__name__ for cls in type(source).__mro__}:
            return _not_read(library)
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
    from .plotly.plotly_figure import plotly_text

    return plotly_text(spec)


def _vega(spec: Mapping[str, Any], kind: str) -> str:
    from .vega.vega_figure import vega_text

    return vega_text(spec, kind)
