"""What kind of file some bytes are, and how large the picture in them is, from the header alone.

No decoder is involved: this is what is asked before anything is decoded, and what an inline
figure that is sent as it is needs at all.
"""

from __future__ import annotations

import binascii
import re
import struct
from collections.abc import Iterator

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"%PDF-", "application/pdf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"%!PS", "application/postscript"),
    (b"\xc5\xd0\xd3\xc6", "application/postscript"),
    (b"SIMPLE  =", "image/fits"),
    (b"8BPS\x00\x01", "image/vnd.adobe.photoshop"),
    (b"qoif", "image/qoi"),
    (b"DDS \x7c\x00\x00\x00", "image/vnd.ms-dds"),
    (b"icns\x00", "image/icns"),
    (b"\x01\xda\x00", "image/sgi"),
    (b"\x01\xda\x01", "image/sgi"),
    (b"\xff\x4f\xff\x51", "image/j2c"),
    (b"\x59\xa6\x6a\x95", "image/x-sun-raster"),
)
_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}
_SVG_PROLOG = re.compile(
    r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE\s+(?:[\w.-]+:)?svg(?=[\s>\[])[^\[>]*"
    # What it declares: comments and quoted texts may hold a bracket.
    r"(?:\[(?>(?><!--.*?-->)|\"[^\"]*\"|'[^']*'|[^\]\"'])*+\])?\s*>)",
    re.DOTALL,
)
_SVG_ROOT = re.compile(r"\s*<(?:[\w.-]+:)?svg[\s>/]")
_SVG_HEAD = 65536
_PDF_HEAD = 1024
_BASE64_HEADS = (64, 4096, 262_144)


def media_type(data: bytes) -> str | None:
    """The media type by magic bytes, or None. A name or a claimed type has no say.

    Besides images: `application/pdf`, `application/postscript` and `application/gzip` (a
    compressed SVG is one). Of images these are those that magic bytes tell for certain: Pillow
    knows others.
    """
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(data[3], 64), 4))}
        return "image/avif" if brands & _AVIF else "image/heic" if brands & _HEIC else None
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "image/bmp"
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3] in b" \t\r\n#" and len(data) > 6:
        return "image/x-portable-anymap"
    if _is_svg(data[:_SVG_HEAD]):
        return "image/svg+xml"
    return "application/pdf" if _is_pdf(data) else None


def _is_pdf(data: bytes) -> bool:
    """Whether the header of a PDF stands within the first kilobyte, and what a PDF has after it.

    Readers take it there. A text that speaks of PDF may hold the same words: it has no objects.
    """
    header = re.search(rb"%PDF-[12]\.\d", data[:_PDF_HEAD])
    return (
        bool(header)
        and re.search(rb"\d\s+\d+\s+obj\b", data) is not None
        and (b"%%EOF" in data or b"startxref" in data)
    )


def _is_svg(data: bytes) -> bool:
    """Whether the first element is `svg`, after any prolog, comments and `<!DOCTYPE svg ...>`."""
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    head = data.decode("utf-16" if wide else "utf-8-sig", "replace")
    at = 0
    while before := _SVG_PROLOG.match(head, at):
        at = before.end()
    return _SVG_ROOT.match(head, at) is not None


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as PNG, JPEG, GIF or WebP bytes state them; None for others.

    None too if the header is cut off. Nothing is decoded, and the values are not checked.
    """
    try:
        match media_type(data):
            case "image/png":
                return struct.unpack_from(">II", data, 16) if data[12:16] == b"IHDR" else None
            case "image/gif":
                return struct.unpack_from("<HH", data, 6)
            case "image/webp":
                return _webp_size(data)
            case "image/jpeg":
                return _jpeg_size(data)
    except (struct.error, IndexError):
        pass  # the header is cut off
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    match data[12:16]:
        case b"VP8X":
            return 1 + _u24(data, 24), 1 + _u24(data, 27)
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
    return None


def _u24(data: bytes, at: int) -> int:
    low, high = struct.unpack_from("<HB", data, at)
    return int(low | high << 16)


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    for marker, start, _ in jpeg_segments(data):
        if is_frame_header(marker):
            height, width = struct.unpack_from(">HH", data, start + 1)
            return width, height
    return None


def is_frame_header(marker: int) -> bool:
    """Whether a JPEG marker is a start of frame (SOF0 to SOF15 without DHT, JPG and DAC)."""
    return 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each segment of a JPEG up to the first scan as (marker, start, end of its payload).

    Ends early where the bytes are cut off; `end` may lie past the last byte.
    """
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # no payload
            at += 2
        elif marker == 0xD9:
            return
        else:
            end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            if end < at + 4:
                return
            yield marker, at + 4, end
            if marker == 0xDA:
                return
            at = end


def size_of_base64(data: str) -> tuple[int, int] | None:
    """`size()` of base64 text, decoding only as much of its head as the answer needs.

    A JPEG may hold a thumbnail or a profile before its size, so more is tried. Line breaks in
    the text are fine; None if it is not base64.
    """
    for length in (*_BASE64_HEADS, len(data)):
        head = "".join(data[:length].split())
        try:
            found = size(binascii.a2b_base64(head[: len(head) // 4 * 4]))
        except ValueError:  # binascii.Error, or text that is not ASCII
            return None
        if found or length >= len(data):
            return found
    return None
