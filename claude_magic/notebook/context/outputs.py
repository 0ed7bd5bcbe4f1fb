"""What a cell displayed as content blocks: one correct image, or honest text."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from ...messages.blocks import Block, text
from ...messages.errors import ImageError
from ...messages.plain_text import TEXT_LIMIT, mask_addresses, terminal_text, trim_middle
from ...value_classes import frozen

if TYPE_CHECKING:
    from ...messages.images.prepare import Prepared

_UNSEEN = frozenset({"script", "style", "head", "template", "noscript", "svg"})
_BLOCKS = (
    "address|article|blockquote|br|caption|dd|div|dl|dt|figcaption|figure|footer|form|h[1-6]"
    "|header|hr|li|main|nav|ol|p|pre|section|table|tbody|tfoot|thead|tr|ul"
)
_CELLS = frozenset({"td", "th"})


def html_text(html: str) -> str:
    """The words of `html`, one line a block or table row, cells separated by " | "."""
    reader = _reader()()
    reader.feed(html)
    reader.close()
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in "".join(reader.parts).split("\n"))
    rows = (line.removeprefix("|").strip() for line in lines)
    return "\n".join(row for row in rows if row)


@cache
def _reader() -> Callable[[], Any]:
    """The parser's class, made with the first HTML: few questions carry any."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__(convert_charrefs=True)
            self.parts: list[str] = []
            self._unseen: list[str] = []
            self._preformatted = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self._preformatted += tag == "pre"
            if tag in _UNSEEN:
                self._unseen.append(tag)
            elif tag in _CELLS:
                self.parts.append(" | ")
            elif re.fullmatch(_BLOCKS, tag):
                self.parts.append("\n")
            elif tag == "img" and not self._unseen and (alt := dict(attrs).get("alt")):
                self.parts.append(f"[image: {alt}]")

        def handle_endtag(self, tag: str) -> None:
            self._preformatted = max(0, self._preformatted - (tag == "pre"))
            if self._unseen and tag == self._unseen[-1]:
                self._unseen.pop()
            elif re.fullmatch(_BLOCKS, tag):
                self.parts.append("\n")

        def handle_data(self, data: str) -> None:
            if not self._unseen:
                self.parts.append(data if self._preformatted else re.sub(r"\s+", " ", data))

    return Reader


__all__ = ["Rendered", "output_blocks", "terminal_text"]

Prepare: TypeAlias = "Callable[[object], Prepared]"
"""`messages.images.prepare` with its keywords bound. Raises ImageError."""

ChartPNG: TypeAlias = Callable[[str, Mapping[str, Any]], bytes]
"""A PNG of a chart's spec, from the kind of chart and the spec. Raises ImageError."""

IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml")
_BOKEH = "application/vnd.bokehjs_exec.v0+json"
_WIDGET = "application/vnd.jupyter.widget-view+json"
_MOST_HTML = 2_000_000
_ONLY_AN_OBJECT = r"<[\w.]+(?: object)?(?: at 0x[\w…]+)?>"
# Sent instead of a picture or beside it, these say nothing to a model; no note is due.
SILENT = r"text/plain|application/javascript|application/vnd\.(?:bokehjs|holoviews).*"


@frozen
class Rendered:
    """Content blocks for the model, and notes for the user on what was left out or changed."""

    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()


def output_blocks(
    bundle: Mapping[str, Any],
    metadata: Mapping[str, Any] | None = None,
    *,
    prepare: Prepare | None = None,
    draw: ChartPNG | None = None,
    limit: int = TEXT_LIMIT,
) -> Rendered:
    """The blocks of one output's mimebundle: one image if it holds one that can be sent, else text.

    PNG and JPEG of one output are one picture. What cannot be sent is said in the text and in the
    notes, with the alt text that `metadata` has for it. Text is cut in the middle at `limit`
    characters.
    """
    prepare = prepare or default_prepare()
    notes: list[str] = []
    image = _picture(bundle, prepare, notes) or _chart(bundle, prepare, draw, notes, limit)
    if image is not None:
        return Rendered((image,), tuple(notes))
    parts = [*_remarks(bundle, metadata or {}, notes), words_of(bundle, limit)]
    shown = "\n".join(part for part in parts if part.strip())
    if not shown and (unknown := [kind for kind in bundle if not re.fullmatch(SILENT, kind)]):
        notes.append(f"an output left out: nothing to send in {unknown[0]}")
    return Rendered((text(shown),) if shown else (), tuple(notes))


def default_prepare() -> Prepare:
    """`messages.images.prepare`, imported with the first picture."""
    from ...messages.images.prepare import prepare

    return prepare


def _picture(bundle: Mapping[str, Any], prepare: Prepare, notes: list[str]) -> Block | None:
    """The first picture of the bundle that can be prepared; else None, with notes that say why."""
    failures = []
    for kind in IMAGES:
        if kind not in bundle or bundle[kind] is None:
            continue
        try:
            prepared = prepare(_image_bytes(kind, bundle[kind]))
        except ImageError as error:
            failures.append(f"{kind} left out: {error}")
            continue
        if prepared.note:
            notes.append(prepared.note)
        return prepared.block
    notes += failures
    return None


def _image_bytes(kind: str, value: object) -> bytes:
    """The bytes of an image of a mimebundle: base64 text, SVG source, a list of lines, bytes."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    source = joined(value)
    if kind == "image/svg+xml":
        return source.encode("utf-8", "replace")
    try:
        return b64decode(source)
    except ValueError as error:
        raise ImageError("it is not base64; show the figure again") from error


def _chart(
    bundle: Mapping[str, Any],
    prepare: Prepare,
    draw: ChartPNG | None,
    notes: list[str],
    limit: int,
) -> Block | None:
    """A figure that a front end draws from its spec: as a picture, else as the spec."""
    found = chart_spec(bundle)
    if found is None:
        return None
    from ...messages.images.plots import chart_png, spec_text

    kind, spec = found
    try:
        return prepare((draw or chart_png)(kind, spec)).block
    except ImageError as error:
        notes.append(f"{error}; its specification was sent as text".replace(".;", ";"))
        return text(spec_text(kind, spec, limit))


def chart_spec(bundle: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    from ...messages.images.plots import altair_spec, chart_kind

    for media_type, value in bundle.items():
        kind = chart_kind(media_type)
        if kind and isinstance(value, Mapping):
            return kind, value
    spec = altair_spec(joined(bundle.get("text/html", "")))
    return ("Vega-Lite", spec) if spec else None


def _remarks(bundle: Mapping[str, Any], metadata: Mapping[str, Any], notes: list[str]) -> list[str]:
    """What the model is told of what it cannot see; the user's notes are added to."""
    remarks = []
    for kind in IMAGES:
        if kind not in bundle or bundle[kind] is None:
            continue
        if kind == "image/svg+xml":
            remarks.append(f"[An SVG figure, as its source:]\n{trim_middle(joined(bundle[kind]))}")
            notes.append("the SVG was sent as source text")
            break
        about = metadata.get(kind)
        alt = about.get("alt") if isinstance(about, Mapping) else None
        described = f" Its alt text: {alt}" if alt else ""
        remarks.append(f"[A figure ({kind}) could not be sent.{described}]")
        break
    if _BOKEH in bundle:
        remarks.append("[A Bokeh figure was displayed here; it cannot be seen from its output.]")
        notes.append("a Bokeh figure left out: show it with export_png, or use -i on a PNG of it")
    if _WIDGET in bundle:
        remarks.append("[A widget was displayed here; only its text form can be sent.]")
    return remarks


def words_of(bundle: Mapping[str, Any], limit: int) -> str:
    """The words of a bundle in the form that says most in the fewest characters."""
    plain = terminal_text(joined(bundle.get("text/plain", "")))
    for kind in ("text/markdown", "text/latex"):
        if shown := joined(bundle.get(kind, "")):
            return mask_addresses(trim_middle(shown, limit))
    if plain.strip() and not re.fullmatch(_ONLY_AN_OBJECT, mask_addresses(plain.strip())):
        return trim_middle(plain, limit)
    if "application/json" in bundle:
        value = bundle["application/json"]
        return trim_middle(json.dumps(value, ensure_ascii=False, default=str), limit)
    if words := html_text(trim_middle(joined(bundle.get("text/html", "")), _MOST_HTML)):
        return mask_addresses(trim_middle(words, limit))
    return mask_addresses(plain)


def joined(value: object) -> str:
    """The text of a bundle's entry; a saved notebook keeps it as a list of lines."""
    if isinstance(value, (list, tuple)):
        return "".join(map(str, value))
    return "" if value is None else str(value)
