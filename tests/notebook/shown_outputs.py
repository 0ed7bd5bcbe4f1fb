"""Outputs of every form that a cell may show, and the cells that show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
GIF = "R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs="
WEBP = "UklGRhwAAABXRUJQVlA4TBAAAAAvAAAAEAcQERGIiP4HAA=="
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/>'
    "</svg>"
)
VEGA = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {"values": [{"a": 1, "b": 2}, {"a": 2, "b": 1}]},
    "mark": "bar",
    "encoding": {"x": {"field": "a"}, "y": {"field": "b"}},
}
_OBJECT = "<module.Thing at 0x7f0000000000>"
BUNDLES: dict[str, Mapping[str, Any]] = {
    "words": {"text/plain": "42"},
    "a table": {"text/plain": "   a\n0  1", "text/html": "<table><tr><td>1</td></tr></table>"},
    "a styled table": {"text/plain": _OBJECT, "text/html": "<table><tr><td>7</td></tr></table>"},
    "HTML alone": {"text/html": "<p>Only <b>HTML</b></p>"},
    "HTML that is a picture": {
        "text/plain": "<IPython.core.display.HTML object>",
        "text/html": f'<img src="data:image/png;base64,{PNG}">',
    },
    "HTML that draws": {"text/plain": _OBJECT, "text/html": f"<div>{SVG}</div>"},
    "HTML that a script draws": {
        "text/plain": _OBJECT,
        "text/html": "<div id='x'></div><script>draw('x')</script>",
    },
    "a chart in HTML, as Altair shows it": {
        "text/plain": "alt.Chart(...)",
        "text/html": '<div id="v"></div><script>(function(spec, embedOpt){'
        'vegaEmbed("#v", spec, embedOpt);})(' + str(VEGA).replace("'", '"') + ", {});</script>",
    },
    "a chart's specification": {
        "text/plain": "<VegaLite 5 object>",
        "application/vnd.vegalite.v5+json": VEGA,
    },
    "PNG": {"text/plain": "<Figure size 640x480 with 1 Axes>", "image/png": PNG},
    "GIF": {"text/plain": "<IPython.core.display.Image object>", "image/gif": GIF},
    "WebP": {"text/plain": _OBJECT, "image/webp": WEBP},
    "SVG": {"text/plain": "<IPython.core.display.SVG object>", "image/svg+xml": SVG},
    "an unknown kind of picture": {"text/plain": _OBJECT, "image/x-portable-graymap": "AAAA"},
    "Markdown": {"text/plain": "<IPython.core.display.Markdown object>", "text/markdown": "**b**"},
    "maths": {"text/plain": "<IPython.core.display.Math object>", "text/latex": "$x^2$"},
    "JSON": {"text/plain": "<IPython.core.display.JSON object>", "application/json": {"a": [1]}},
    "PDF": {"text/plain": _OBJECT, "application/pdf": "JVBERi0="},
    "a film": {"text/plain": "<IPython.core.display.Video object>", "video/mp4": "AAAA"},
    "a widget": {
        "text/plain": "IntSlider(value=0)",
        "application/vnd.jupyter.widget-view+json": {"model_id": "none", "version_major": 2},
    },
    "a Bokeh figure": {"application/vnd.bokehjs_exec.v0+json": "", "text/html": "<div></div>"},
    "something unknown": {"application/x-unknown": "thing"},
    "a script": {
        "text/plain": "<IPython.core.display.Javascript object>",
        "application/javascript": "1",
    },
}


def sources() -> list[str]:
    """A cell for each of them."""
    shows = "from IPython.display import display"
    return [shows, *(f"# {name}\ndisplay({dict(b)!r}, raw=True)" for name, b in BUNDLES.items())]


def without_states(blocks: Iterable[Any]) -> list[Any]:
    """The blocks of a question, without how cells stand and the random part of tags."""
    return [
        {**block, "text": _TAG.sub(r"<\1>", block["text"])} if block["type"] == "text" else block
        for block in blocks
    ]


_TAG = re.compile(r"<(/?[a-z]+)-[0-9a-f]{8}[^>]*>")
