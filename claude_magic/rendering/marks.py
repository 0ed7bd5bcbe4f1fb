"""Numbers of footnotes in a text on its way to the screen.

A mark looks like `⁽1⁾`, with two code points within that no text holds (Unicode keeps them free
for a program's own use), so that a reply cannot write one. Its brackets are punctuation: emphasis
that ends before a mark ends where it would without it.
"""

from __future__ import annotations

import re
from urllib.parse import quote

OPENING, CLOSING = "\u207d", "\u207e"
_START, _END = "\ufdd0", "\ufdd1"
_MARK = re.compile(f"{OPENING}{_START}(\\d+){_END}{CLOSING}")
# As the parser writes it into an address that it ended up in.
_IN_ADDRESS = re.compile(f"{quote(OPENING + _START)}\\d+{quote(_END + CLOSING)}")


def mark(number: int) -> str:
    """The mark of a footnote."""
    return f"{OPENING}{_START}{number}{_END}{CLOSING}"


def unmarked(text: str) -> str:
    """A text of somebody else's without what could be taken for a mark."""
    return text.replace(_START, "").replace(_END, "")


def spelled(text: str) -> str:
    """The text with its marks as they are read: `[1]`."""
    return _MARK.sub(r"[\1]", text)


def pieces(text: str) -> list[str]:
    """The text cut at its marks: every second piece is a number."""
    return _MARK.split(text) if _START in text else [text]


def address(url: str) -> str:
    """An address, as the parser writes it, without the marks that ended up in it."""
    return _IN_ADDRESS.sub("", url)
