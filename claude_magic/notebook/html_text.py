"""The text of HTML that a cell displayed; nothing in it is run or loaded."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_UNSEEN = frozenset({"script", "style", "head", "template", "noscript", "svg"})
_BLOCKS = re.compile(
    "address|article|blockquote|br|caption|dd|div|dl|dt|figcaption|figure|footer|form|h[1-6]"
    "|header|hr|li|main|nav|ol|p|pre|section|table|tbody|tfoot|thead|tr|ul"
)
_CELLS = frozenset({"td", "th"})


def html_text(html: str) -> str:
    """The words of `html`, one line a block or table row, cells separated by " | "."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (re.sub(r"[^\S\n]+", " ", line).strip() for line in "".join(reader.parts).split("\n"))
    rows = (line.removeprefix("|").strip() for line in lines)
    return "\n".join(row for row in rows if row)


class _Reader(HTMLParser):
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
        elif _BLOCKS.fullmatch(tag):
            self.parts.append("\n")
        elif tag == "img" and not self._unseen and (alt := dict(attrs).get("alt")):
            self.parts.append(f"[image: {alt}]")

    def handle_endtag(self, tag: str) -> None:
        self._preformatted = max(0, self._preformatted - (tag == "pre"))
        if self._unseen and tag == self._unseen[-1]:
            self._unseen.pop()
        elif _BLOCKS.fullmatch(tag):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data if self._preformatted else re.sub(r"\s+", " ", data))
