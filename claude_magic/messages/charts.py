"""Plotly and Vega-Lite figures: their picture where it can be made, else a spec that is short."""

from __future__ import annotations

import json
import re
from array import array
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from .errors import ImageError
from .plain_text import trim_middle

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
        raise ImageError(f"a {kind} figure is drawn by {package}: install it") from error
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
