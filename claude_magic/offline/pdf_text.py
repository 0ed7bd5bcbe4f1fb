"""The words of a simple PDF, whose text stands in plain strings; no other encoding is read."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"\[(?P<parts>(?:\\.|[^\\\]])*)\]\s*TJ|(?P<one>\((?:\\.|[^\\()])*\))\s*Tj")
# A string, or a number that moves the next one away: a space, in most documents.
_PIECE = re.compile(rb"\((?P<text>(?:\\.|[^\\()])*)\)|(?P<gap>-\d{3,})")
_ESCAPE = re.compile(rb"\\(\d{1,3}|.)", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\n", b"t": b"\t", b"b": b"", b"f": b""}
_MOST_BYTES = 2_000_000
_PLAIN = re.compile(r"[A-Za-z]{3}")


def pages_of(data: bytes) -> int:
    """The number of pages that can be seen from outside; 0 where they are packed."""
    return len(re.findall(rb"/Type\s*/Page\b", data))


def first_words(data: bytes) -> str:
    """The first line of text that can be read, empty where there is none."""
    for stream in _streams(data):
        for found in _SHOWN.finditer(stream):
            shown = found["parts"] if found["one"] is None else found["one"]
            pieces = [b" " if p["gap"] else _unescaped(p["text"]) for p in _PIECE.finditer(shown)]
            line = " ".join(b"".join(pieces).decode("latin-1").split())
            if _PLAIN.search(line) and line.isprintable():
                return line
    return ""


def _streams(data: bytes) -> Iterator[bytes]:
    for found in _STREAM.finditer(data):
        try:
            yield zlib.decompressobj().decompress(found[1], _MOST_BYTES)
        except zlib.error:
            yield found[1]


def _unescaped(text: bytes) -> bytes:
    def plain(found: re.Match[bytes]) -> bytes:
        if found[1].isdigit():
            return bytes([int(found[1], 8) & 0xFF]) if found[1].translate(None, b"89") else b""
        return _ESCAPES.get(found[1], found[1])

    return _ESCAPE.sub(plain, text)
