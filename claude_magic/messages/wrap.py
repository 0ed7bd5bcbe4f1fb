"""Text of cells, outputs and files, marked as data that cannot end its own mark."""

from __future__ import annotations

import itertools
from hashlib import sha256


def wrap(tag: str, text: str, **attributes: object) -> str:
    """`text`, verbatim, between `<tag-1f2e3d4c name="value">` and `</tag-1f2e3d4c>`.

    The eight hex digits are the start of a digest of tag, attributes and text, taken again with
    the next counter for as long as text or attributes hold them. So the same content gives the
    same bytes (prompt caches and replay need that), the content needs no escaping that a model
    would have to read through, and no content can hold the closing tag: not one that was written
    against this function either, since the digits that it foresees are passed over.

    An attribute that is None is left out; in the others what could end a tag is escaped.
    """
    shown = "".join(
        f' {name}="{_escaped(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    nonce = _nonce(tag, shown, text)
    return f"<{tag}-{nonce}{shown}>\n{text}\n</{tag}-{nonce}>"


def _nonce(tag: str, shown: str, text: str) -> str:
    """Eight hex digits that stand in none of the arguments, in upper case neither."""
    content = f"{tag}\0{shown}\0{text}"
    folded = content.lower()
    digest = sha256(content.encode("utf-8", "surrogatepass"))
    for attempt in itertools.count():
        nonce = sha256(digest.digest() + b"%d" % attempt).hexdigest()[:8]
        if nonce not in folded:
            return nonce
    raise AssertionError  # a text of 32 GB would be needed to hold every nonce


def _escaped(value: str) -> str:
    """An attribute's value without quotes, angle brackets and line breaks."""
    one_line = " ".join(value.split())
    for character, entity in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        one_line = one_line.replace(character, entity)
    return one_line
