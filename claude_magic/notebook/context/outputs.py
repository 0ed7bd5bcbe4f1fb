"""What a cell displayed as content blocks: one correct image, or honest text."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ...messages.blocks import Block, text
from ...messages.errors import ImageError
from ...messages.plain_text import TEXT_LIMIT, mask_addresses, terminal_text, trim_middle
from ...value_classes import frozen
from .html_reading import ShownHTML, read_html

if TYPE_CHECKING:
    from ...messages.images.prepare import Prepared

__all__ = ["Rendered", "output_blocks", "terminal_text"]

Prepare: TypeAlias = "Callable[[object], Prepared]"
"""`messages.images.prepare` with its keywords bound. Raises ImageError."""

ChartPNG: TypeAlias = Callable[[str, Mapping[str, Any]], bytes]
"""A PNG of a chart's spec, from the kind of chart and the spec. Raises ImageError."""

IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml")
_BOKEH = "application/vnd.bokehjs_exec.v0+json"
_WIDGET = "application/vnd.jupyter.widget-view+json"
_MOST_HTML = 2_000_000
_MOST_DRAWN = 40_000_000  # matplotlib's animations hold at most 20 MB of frames
_HOLDS_PICTURE = r"data:image/|<svg\b"
_ONLY_AN_OBJECT = r"<[\w.]+(?: object)?(?: at 0x[\w…]+)?>"
# How matplotlib prints a figure: beside its picture, or in place of one that is empty.
_FIGURE = r"<(?:Figure|[\w.]*Figure) size [^<>]* with (?P<axes>\d+) Axes>"
_FIGURE_ALONE = "[A figure was displayed here without a picture.]"
# What is named and not sent, by the beginning of its media type.
_NAMED = {
    "application/pdf": "A figure or document was displayed here as PDF only",
    "video/": "A video was displayed here",
    "audio/": "Sound was displayed here",
}
_AS_PNG = "show it as PNG too, %config InlineBackend.figure_formats = ['png', 'pdf']"
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

    HTML that is only a picture counts as that; its label, or that it is an animation, stands above.

    PNG and JPEG of one output are one picture. What cannot be sent is said in the text and in the
    notes, with the alt text that `metadata` has for it. Text is cut in the middle at `limit`
    characters.
    """
    prepare = prepare or default_prepare()
    notes: list[str] = []
    image = _picture(bundle, prepare, notes) or _chart(bundle, prepare, draw, notes, limit)
    if image:
        return Rendered(image, tuple(notes))
    html = _html(bundle)
    if html.picture and (drawn := _drawn(html, prepare, notes)):
        return Rendered(drawn, tuple(notes))
    remarks = _remarks(bundle, metadata or {}, notes)
    parts = [*remarks, words_of(bundle, limit, html)]
    if (
        html.scripted
        and not remarks
        and (not parts[-1] or re.fullmatch(_ONLY_AN_OBJECT, parts[-1]))
    ):
        parts = ["[What a script draws was displayed here; it was not sent.]"]
        notes.append("what a script draws left out")
    shown = "\n".join(part for part in parts if part.strip())
    if not shown and (unknown := [kind for kind in bundle if not re.fullmatch(SILENT, kind)]):
        notes.append(f"an output left out: nothing to send in {unknown[0]}")
        shown = f"[An output of type {unknown[0]} was displayed here; it was not sent.]"
    return Rendered((text(shown),) if shown else (), tuple(notes))


def default_prepare() -> Prepare:
    """`messages.images.prepare`, imported with the first picture."""
    from ...messages.images.prepare import prepare

    return prepare


def _picture(bundle: Mapping[str, Any], prepare: Prepare, notes: list[str]) -> tuple[Block, ...]:
    """The first picture of the bundle that can be prepared; else none, with notes that say why."""
    failures = []
    for kind in _image_kinds(bundle):
        try:
            prepared = prepare(_image_bytes(kind, bundle[kind]))
        except ImageError as error:
            failures.append(f"{kind} left out: {error}")
            continue
        if prepared.note:
            notes.append(prepared.note)
        return prepared.blocks
    notes += failures
    return ()


def _image_kinds(bundle: Mapping[str, Any]) -> list[str]:
    """The image types that a bundle holds, those first that need the least to be sent."""
    held = [
        kind for kind, value in bundle.items() if kind.startswith("image/") and value is not None
    ]
    known = [kind for kind in IMAGES if kind in held]
    return [*known, *(kind for kind in held if kind not in IMAGES)]


def _drawn(html: ShownHTML, prepare: Prepare, notes: list[str]) -> tuple[Block, ...]:
    """The picture that HTML is, below its label; none where it cannot be prepared."""
    try:
        prepared = prepare(html.picture)
    except ImageError as error:
        notes.append(f"a picture in HTML left out: {error}")
        return ()
    notes += [prepared.note] if prepared.note else []
    label = html.words
    if html.frames > 1:
        label = f"[An animation of {html.frames} frames; this is the first.]"
        notes.append(f"of an animation the first of {html.frames} frames")
    return (text(label), *prepared.blocks) if label else prepared.blocks


def holds_picture(bundle: Mapping[str, Any]) -> bool:
    """Whether an output holds a picture as it is, one that need not be drawn first."""
    if any(kind.startswith("image/") for kind in bundle):
        return True
    return bool(_html(bundle).picture)


def _html(bundle: Mapping[str, Any]) -> ShownHTML:
    """What a bundle's HTML shows; nothing where its text says it better."""
    source = joined(bundle.get("text/html", ""))
    if not source:
        return ShownHTML()
    if re.search(_HOLDS_PICTURE, source):
        return read_html(source) if len(source) <= _MOST_DRAWN else ShownHTML()
    telling = _plain(bundle)
    if telling and not re.fullmatch(_ONLY_AN_OBJECT, telling):
        return ShownHTML()
    return read_html(trim_middle(source, _MOST_HTML))


def _plain(bundle: Mapping[str, Any]) -> str:
    return mask_addresses(terminal_text(joined(bundle.get("text/plain", ""))).strip())


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
) -> tuple[Block, ...]:
    """A figure that a front end draws from its spec: as a picture, else as the spec."""
    found = chart_spec(bundle)
    if found is None:
        return ()
    from ...messages.images.plots import chart_png, spec_text

    kind, spec = found
    try:
        return prepare((draw or chart_png)(kind, spec)).blocks
    except ImageError as error:
        notes.append(f"{error}; its specification was sent as text".replace(".;", ";"))
        return (text(spec_text(kind, spec, limit)),)


def chart_spec(bundle: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """The kind of a chart and its specification, if the bundle holds one."""
    html = joined(bundle.get("text/html", ""))
    if "vegaEmbed" not in html and not any(kind.startswith("application/") for kind in bundle):
        return None
    from ...messages.images.plots import altair_spec, chart_kind

    for media_type, value in bundle.items():
        kind = chart_kind(media_type)
        if kind and isinstance(value, Mapping):
            return kind, value
    spec = altair_spec(html)
    return ("Vega-Lite", spec) if spec else None


def _remarks(bundle: Mapping[str, Any], metadata: Mapping[str, Any], notes: list[str]) -> list[str]:
    """What the model is told of what it cannot see; the user's notes are added to."""
    remarks = []
    for kind in _image_kinds(bundle):
        if kind == "image/svg+xml":
            remarks.append(f"[An SVG figure, as its source:]\n{trim_middle(joined(bundle[kind]))}")
            notes.append("the SVG was sent as source text")
            break
        about = metadata.get(kind)
        alt = about.get("alt") if isinstance(about, Mapping) else None
        described = f" Its alt text: {alt}" if alt else ""
        remarks.append(f"[A figure ({kind}) could not be sent.{described}]")
        break
    for kind, what in _NAMED.items():
        named = [held for held in bundle if held.startswith(kind)]
        if named:
            remarks.append(f"[{what}; it was not sent.]")
            hint = f": {_AS_PNG}" if kind == "application/pdf" else ""
            notes.append(f"{named[0]} left out{hint}")
    if _BOKEH in bundle:
        remarks.append("[A Bokeh figure was displayed here; it cannot be seen from its output.]")
        notes.append("a Bokeh figure left out: show it with export_png, or use -i on a PNG of it")
    if _WIDGET in bundle:
        remarks.append("[A widget was displayed here; only its text form can be sent.]")
    return remarks


def words_of(bundle: Mapping[str, Any], limit: int, html: ShownHTML | None = None) -> str:
    """The words of a bundle in the form that says most in the fewest characters."""
    html = html or _html(bundle)
    plain = terminal_text(joined(bundle.get("text/plain", "")))
    if figure := re.fullmatch(_FIGURE, plain.strip()):
        # Beside other forms it says nothing, nor where nothing was drawn.
        alone = set(bundle) == {"text/plain"} and figure["axes"] != "0"
        plain = _FIGURE_ALONE if alone else ""
    for kind in ("text/markdown", "text/latex"):
        if shown := joined(bundle.get(kind, "")):
            return mask_addresses(trim_middle(shown, limit))
    if plain.strip() and not re.fullmatch(_ONLY_AN_OBJECT, mask_addresses(plain.strip())):
        return trim_middle(plain, limit)
    if "application/json" in bundle:
        value = bundle["application/json"]
        return trim_middle(json.dumps(value, ensure_ascii=False, default=str), limit)
    if html.words:
        return mask_addresses(trim_middle(html.words, limit))
    return mask_addresses(plain)


def joined(value: object) -> str:
    """The text of a bundle's entry; a saved notebook keeps it as a list of lines."""
    if isinstance(value, (list, tuple)):
        return "".join(map(str, value))
    return "" if value is None else str(value)
