"""What HTML that a cell displayed shows: its words, or the picture that it only is."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from ...value_classes import frozen

_UNSEEN = frozenset({"script", "style", "head", "template", "noscript", "svg"})
_BLOCKS = (
    "address|article|blockquote|br|caption|dd|div|dl|dt|figcaption|figure|footer|form|h[1-6]"
    "|header|hr|li|main|nav|ol|p|pre|section|table|tbody|tfoot|thead|tr|ul"
)
_CELLS = frozenset({"td", "th"})
# What stands between their tags is for who cannot show them.
_MEDIA = {
    "video": "a video",
    "audio": "a recording of sound",
    "iframe": "a page in a frame",
    "object": "an embedded object",
    "canvas": "a drawing",
}
_PICTURE = r"data:image/[\w.+-]+(?:;[\w=.+-]+)*;base64,(?P<base64>[\s\S]*)"
# What matplotlib's `to_jshtml` writes: a line of a script for each frame, with `\` at line ends.
_FRAME = r"frames\[\d+\] = \"(data:image/[^\"]*)\""
_SVG = r"<svg\b[\s\S]*?</svg>"
_LONGEST_ADDRESS = 200
_LONGEST_LABEL = 200


@frozen
class ShownHTML:
    """What HTML shows.

    `words` has one line a block or table row, cells separated by " | ". `picture` is an image
    file, where the HTML is nothing else: then `words` are its label, if any; of an animation it
    is the first of `frames`. `scripted`: what it shows, a script draws.
    """

    words: str = ""
    picture: bytes = b""
    frames: int = 0
    scripted: bool = False


def read_html(html: str) -> ShownHTML:
    """What `html` shows; what is neither text nor its only picture is named among the words."""
    reader = _reader()()
    reader.feed(html)
    reader.close()
    if frames := re.findall(_FRAME, reader.scripts):
        return ShownHTML("", _file(re.sub(r"\\\s*", "", frames[0])), len(frames))
    label = _lines(words for words, is_picture in reader.parts if not is_picture)
    if len(label) <= _LONGEST_LABEL:
        drawn = [] if label else re.findall(_SVG, html)
        if len(reader.pictures) == 1 and (picture := _file(reader.pictures[0])):
            return ShownHTML(label, picture)
        if len(drawn) == 1 and not reader.pictures:
            return ShownHTML("", drawn[0].encode("utf-8", "replace"))
    words = _lines(words for words, _ in reader.parts)
    scripted = not words and reader.elements and bool(reader.scripts.strip())
    return ShownHTML(words, scripted=scripted)


def _lines(parts: Iterable[str]) -> str:
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in "".join(parts).split("\n"))
    rows = (line.removeprefix("|").strip() for line in lines)
    return "\n".join(row for row in rows if row)


def _file(address: str) -> bytes:
    """The bytes of a picture's `data:` address; none for one that is no base64."""
    found = re.fullmatch(_PICTURE, address.strip())
    try:
        return b64decode(found["base64"]) if found else b""
    except ValueError:
        return b""


@cache
def _reader() -> Callable[[], Any]:
    """The parser's class, made with the first HTML: few questions carry any."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__(convert_charrefs=True)
            self.parts: list[tuple[str, bool]] = []  # words, and whether they are for a picture
            self.pictures: list[str] = []
            self.scripts = ""
            self.elements = False
            self._unseen: list[str] = []
            self._preformatted = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self._preformatted += tag == "pre"
            if tag in _MEDIA and not self._unseen:
                self._add(f"\n[{_media(tag, dict(attrs))}]\n")
            if tag in _UNSEEN or tag in _MEDIA:
                self._unseen.append(tag)
            elif tag in _CELLS:
                self._add(" | ")
            elif re.fullmatch(_BLOCKS, tag):
                self._add("\n")
                self.elements = True
            elif tag == "img" and not self._unseen:
                self._image(dict(attrs))
            elif tag == "embed" and not self._unseen:
                self._add("\n[an embedded object, not sent]\n")

        def handle_endtag(self, tag: str) -> None:
            self._preformatted = max(0, self._preformatted - (tag == "pre"))
            if self._unseen and tag == self._unseen[-1]:
                self._unseen.pop()
            elif re.fullmatch(_BLOCKS, tag):
                self._add("\n")

        def handle_data(self, data: str) -> None:
            if not self._unseen:
                self._add(data if self._preformatted else re.sub(r"\s+", " ", data))
            elif self._unseen[-1] == "script":
                self.scripts += data

        def _image(self, said: dict[str, str | None]) -> None:
            address = said.get("src") or ""
            held = address.lstrip().startswith("data:")
            self.pictures += [address] if held else []
            words = said.get("alt") or ("" if held else address[:_LONGEST_ADDRESS])
            self.parts.append((f"[image: {words}]" if words else "[image, not sent]", held))

        def _add(self, words: str) -> None:
            self.parts.append((words, False))

    return Reader


def _media(tag: str, said: Mapping[str, str | None]) -> str:
    address = (said.get("src") or said.get("data") or "")[:_LONGEST_ADDRESS]
    where = "" if not address or address.startswith("data:") else f" from {address}"
    return f"{_MEDIA[tag]}{where}, not sent"
