"""An SVG as PNG: rebuilt so that drawing it reads nothing else, drawn in a process of its own.

The source is parsed once by expat and written anew from what it reported, so the renderer never
sees a byte that was not looked at.

A few hundred bytes of SVG can keep a renderer busy for hours (feTurbulence, feMorphology), ask
it for terabytes (a pattern's tile) or overflow its stack, which would end the kernel. In another
process all three are an error message; it costs about 20 ms to start.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from ...value_classes import frozen
from ..dependencies import missing, unmet
from ..errors import ImageError
from .sniff import size_of_base64

MAX_SOURCE = 5_000_000
MAX_ELEMENTS = 200_000
MAX_DEPTH = 500
MAX_EXPANDED = 4 * MAX_SOURCE
"""Characters of text and attributes, entities expanded."""
_MOST_NESTED = 8
_TOO_MUCH = "the SVG's entities stand for too much: save the figure as PNG"
_REFERENCE = re.compile(r"&([^#;&\s][^;&\s]*);")
MAX_INNER_PIXELS = 25_000_000

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_XML = "http://www.w3.org/XML/1998/namespace"
_NOT_DRAWN = {"script", "foreignObject", "metadata", "title", "desc"}
_INNER = re.compile(r"\s*data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)
_OUTSIDE_URL = re.compile(r"url\(\s*(?!['\"]?\s*#)[^)]*\)?", re.IGNORECASE)
_IMPORT = re.compile(r"@import[^;]*;?", re.IGNORECASE)
_LENGTH = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([a-z]*)\s*")
_UNITS = {
    **{"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54},
    **{"mm": 96 / 25.4, "em": 16.0, "ex": 8.0},
}


@frozen
class Drawing:
    """`inner` is the markup within the root element, `root` that element's other attributes.

    `width` and `height` in CSS pixels, finite and over 0.
    """

    inner: str
    root: Mapping[str, str]
    width: float
    height: float
    has_text: bool

    def markup(self, width: int, height: int) -> str:
        """The whole SVG, to be drawn `width` by `height` pixels large."""
        root = {"viewBox": f"0 0 {self.width:g} {self.height:g}", **self.root}
        root |= {"xmlns": _SVG, "width": str(width), "height": str(height)}
        return f"<svg{_written(root)}>{self.inner}</svg>"


def inert(source: bytes) -> Drawing:
    """The drawing without scripts, foreign elements and references to the outside.

    Entities that the file declares itself stand for their text, within bounds; nothing that it
    names elsewhere is loaded.

    Raises: ImageError if it is too large or too deep, declares entities that stand elsewhere or
    for too much, or is not well-formed.
    """
    if len(source) > MAX_SOURCE:
        raise ImageError(f"the SVG is over {MAX_SOURCE // 1_000_000} MB: save the figure as PNG")
    rebuilt = _Rebuilt()
    entities = _Entities(source.count(b"&"))
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.EntityDeclHandler = entities.declared
    parser.EndDoctypeDeclHandler = entities.check
    parser.StartElementHandler = rebuilt.start
    parser.EndElementHandler = rebuilt.end
    parser.CharacterDataHandler = rebuilt.text
    try:
        parser.Parse(source, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # not XML, or its encoding
        raise ImageError(f"the SVG is not well-formed ({error}): save it again") from None
    width, height = _size(rebuilt.root)
    return Drawing("".join(rebuilt.parts), rebuilt.root, width, height, rebuilt.has_text)


class _Entities:
    """What a file declares: checked before any of it is expanded."""

    def __init__(self, ampersands: int) -> None:
        """`ampersands` is how many the file has: no more entities than that are expanded."""
        self._ampersands = ampersands
        self._values: dict[str, str] = {}

    def declared(
        self, name: str, parameter: int, value: str | None, *_elsewhere: str | None
    ) -> None:
        """Take an entity down. Raises ImageError for one of a DTD, or that stands elsewhere."""
        if parameter or value is None:
            raise ImageError(
                "the SVG declares an entity that stands elsewhere, or is one of a DTD: save the "
                "figure as PNG"
            )
        self._values.setdefault(name, value)  # the first one counts

    def check(self) -> None:
        """Nothing. Raises ImageError where the file could stand for more than may be drawn."""
        sizes: dict[str, tuple[int, int]] = {}
        longest = max((self._size(name, sizes, 0)[0] for name in self._values), default=0)
        if longest * self._ampersands > MAX_EXPANDED:
            raise ImageError(_TOO_MUCH)

    def _size(self, name: str, sizes: dict[str, tuple[int, int]], depth: int) -> tuple[int, int]:
        """The characters that an entity stands for in the end, and how deep entities nest in it."""
        if name not in sizes:
            if depth > _MOST_NESTED:  # it may hold itself
                raise ImageError(_TOO_MUCH)
            value = self._values.get(name, "")
            inner = [self._size(n, sizes, depth + 1) for n in _REFERENCE.findall(value)]
            nested = 1 + max((level for _, level in inner), default=0)
            if nested > _MOST_NESTED:
                raise ImageError(_TOO_MUCH)
            sizes[name] = len(value) + sum(size for size, _ in inner), nested
        return sizes[name]


class _Rebuilt:
    """Takes expat's events and keeps the markup that may be drawn."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.root: dict[str, str] = {}
        self.has_text = False
        self._depth = 0
        self._elements = 0
        self._characters = 0
        self._dropped_at: int | None = None
        self._style: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise ImageError("the SVG has too many elements: save the figure as PNG")
        self._count(sum(map(len, attributes.values())))
        space, _, local = name.rpartition(" ")
        if self._depth == 1:
            if local != "svg" or space not in ("", _SVG):
                raise ImageError("the SVG does not begin with an svg element: save it again")
            self.root = dict(_kept(local, attributes))
        elif self._dropped_at is None:
            if space not in ("", _SVG) or local in _NOT_DRAWN:
                self._dropped_at = self._depth
                return
            self.has_text |= local == "text"
            self._style = [] if local == "style" else self._style
            self.parts.append(f"<{local}{_written(dict(_kept(local, attributes)))}>")

    def end(self, name: str) -> None:
        if self._dropped_at is None and self._depth > 1:
            local = name.rpartition(" ")[2]
            if local == "style" and self._style is not None:
                self.parts.append(escape(_without_outside("".join(self._style))))
                self._style = None
            self.parts.append(f"</{local}>")
        elif self._dropped_at == self._depth:
            self._dropped_at = None
        self._depth -= 1

    def _count(self, characters: int) -> None:
        """Entities and the defaults of attributes may say much with little."""
        self._characters += characters
        if self._characters > MAX_EXPANDED:
            raise ImageError(_TOO_MUCH)

    def text(self, value: str) -> None:
        self._count(len(value))
        if self._dropped_at is None:
            # A rule may come in pieces: it is looked at when it is whole.
            if self._style is not None:
                self._style.append(value)
            else:
                self.parts.append(escape(value))


def _kept(element: str, attributes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The attributes that draw something, names without a prefix but for `xml:`."""
    plain_href = "href" in attributes
    for name, value in attributes.items():
        space, _, local = name.rpartition(" ")
        if local == "href" and space in ("", _XLINK):
            if space and plain_href:
                continue
            if value.lstrip().startswith("#"):
                yield "href", value
            elif element in ("image", "feImage") and _is_small_picture(value):
                yield "href", "".join(value.split())
        elif space == _XML and local in ("space", "lang"):
            yield f"xml:{local}", value
        elif not space and not local.lower().startswith("on"):
            yield local, _without_outside(value)


def _is_small_picture(url: str) -> bool:
    """Whether `url` holds, itself, a raster image that is safe to decode (an SVG is not)."""
    found = _INNER.match(url)
    pixels = size_of_base64(url[found.end() :]) if found else None
    return pixels is not None and 0 < pixels[0] * pixels[1] <= MAX_INNER_PIXELS


def _without_outside(css: str) -> str:
    return _IMPORT.sub("", _OUTSIDE_URL.sub("none", css)) if "(" in css or "@" in css else css


def _written(attributes: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())


def _size(root: dict[str, str]) -> tuple[float, float]:
    """Width and height in CSS pixels, as a browser would take them from the root element."""
    box = [_number(part) for part in re.split(r"[\s,]+", root.get("viewBox", "").strip())]
    if len(box) != 4 or None in box or not (box[2] and box[3]):
        root.pop("viewBox", None)
        box = [None, None, None, None]
    width, height = _number(root.get("width", "")), _number(root.get("height", ""))
    if box[2] and box[3]:
        if width is None:
            width = box[2] if height is None else height * box[2] / box[3]
        if height is None:
            height = width * box[3] / box[2]
    width, height = 300.0 if width is None else width, 150.0 if height is None else height
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise ImageError(f"the SVG is {width:g} by {height:g} pixels large: there is nothing in it")
    return width, height


def _number(text: str) -> float | None:
    """A length in CSS pixels; None for a percentage, `auto` and what is not a length."""
    found = _LENGTH.fullmatch(text)
    return float(found[1]) * _UNITS[found[2]] if found and found[2] in _UNITS else None


SECONDS = 10.0
# Vectors can be drawn larger at no loss, and a model reads little in an icon of 24 px.
SMALLEST_LONG_EDGE = 512
_CHILD = Path(__file__).with_name("svg_child.py")
# What a process needs to start and to find fonts; nothing else, so no key.
_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "SYSTEMROOT", "WINDIR", "USERPROFILE", "LOCALAPPDATA"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH"),
    *("XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CONFIG_HOME"),
)


def rasterise(source: bytes, long_edge: int, *, seconds: float = SECONDS) -> bytes:
    """PNG bytes of the SVG on white, its longer side at most `long_edge` pixels.

    `seconds` is how long drawing may take. No file but fonts is read, no address opened.

    Raises: ImageError if the SVG is refused (svg_guard.py), cannot be drawn or takes too long.
    """
    drawing = inert(source)
    long_side = max(drawing.width, drawing.height)
    scale = min(max(long_side, SMALLEST_LONG_EDGE), long_edge) / long_side
    width, height = (max(1, round(side * scale)) for side in (drawing.width, drawing.height))
    return _draw(drawing.markup(width, height), fonts=drawing.has_text, seconds=seconds)


def _draw(markup: str, *, fonts: bool, seconds: float) -> bytes:
    found = importlib.util.find_spec("resvg_py")
    if found is None or found.origin is None:
        raise ImageError(missing("resvg_py") or "resvg-py is no package: install it again")
    folder = Path(found.origin).parent.parent
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and nothing of the SVG in its arguments
            [sys.executable, "-I", "-S", _CHILD, folder, "fonts" if fonts else "plain"],
            input=markup.encode(),
            capture_output=True,
            timeout=seconds,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ImageError(
            f"the SVG was not drawn within {seconds:g} s: save the figure as PNG"
        ) from None
    except OSError as error:
        raise ImageError(f"no process to draw the SVG in: {error}") from error
    if done.returncode and (old := unmet("resvg_py")):
        raise ImageError(old)
    if done.returncode:
        reason = done.stderr.decode(errors="replace") if done.returncode == 1 else "out of bounds"
        raise ImageError(f"the SVG cannot be drawn ({reason[:200]}): save the figure as PNG")
    return done.stdout
