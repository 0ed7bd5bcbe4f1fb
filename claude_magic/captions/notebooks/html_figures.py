"""The figures that a reader sees in the HTML and in the specifications of an output."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from ...messages.images.plots import chart_kind
from ...value_classes import frozen
from .markdown_images import heard, markdown_images

# What a library leaves in a page for its script to draw into: by a class or an attribute.
_DRAWN = {"plotly-graph-div": "Plotly chart", "bk-root": "Bokeh chart", "vega-embed": "Vega chart"}
_BOKEH = "application/vnd.bokehjs_exec"


@frozen
class SeenFigure:
    """A figure that holds no picture to send: what it is, and what is read aloud of it.

    `alt` None is nothing, "" says that it is decorative.
    """

    what: str
    alt: str | None = None


def seen_figures(bundle: Mapping[str, Any]) -> tuple[str, list[SeenFigure]]:
    """The media type of an output that draws without a picture of its own, and its figures."""
    for media_type in bundle:
        kind = chart_kind(media_type)
        if kind is not None or media_type.startswith(_BOKEH):
            return media_type, [SeenFigure(f"{kind or 'Bokeh'} chart")]
    html = _text(bundle.get("text/html"))
    if html:
        found = _Html()
        found.feed(html)
        found.close()
        return "text/html", found.figures
    words = _text(bundle.get("text/markdown"))
    images = markdown_images(words) if words else []
    return "text/markdown", [SeenFigure("image in Markdown", image.alt) for image in images]


class _Html(HTMLParser):
    """Notes the figures of a page; what stands in scripts is text to it."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: list[SeenFigure] = []
        # Within an SVG: how deep, what it is called by, and whether its title is being read.
        self._depth = 0
        self._name: str | None = None
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        if tag == "svg":
            if not self._depth:
                self._name = _named(about)
            self._depth += 1
        elif self._depth:
            self._in_title = tag == "title" and self._name is None
        elif tag == "img":
            alt = about.get("alt")
            words = alt if not alt else heard(alt, about.get("src", ""))
            self._see("image in HTML", words if words is not None else _named(about))
        elif tag in ("canvas", "iframe", "object", "embed"):
            self._see(f"{tag} in HTML", _named(about))
        else:
            drawn = [
                what for name, what in _DRAWN.items() if name in about.get("class", "").split()
            ]
            if not drawn and about.get("id", "").startswith("altair-viz"):
                drawn = ["Altair chart"]
            if not drawn and "data-root-id" in about:
                drawn = ["Bokeh chart"]
            for what in drawn[:1]:
                self._see(f"{what} in HTML", _named(about))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag == "svg":
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if self._in_title and data.strip():
            self._name = data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag == "svg" and self._depth:
            self._depth -= 1
            if not self._depth:
                self._see("SVG in HTML", self._name)

    def close(self) -> None:
        super().close()
        if self._depth:  # it is drawn all the same
            self._see("SVG in HTML", self._name)

    def _see(self, what: str, alt: str | None) -> None:
        self.figures.append(SeenFigure(what, alt))


def _named(about: Mapping[str, str]) -> str | None:
    """What an element is called by; "" where it says that it is to be passed over."""
    if about.get("aria-hidden") == "true" or about.get("role") in ("presentation", "none"):
        return ""
    words = about.get("aria-label", "").strip() or about.get("title", "").strip()
    return words or None


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")
