"""Whether an image's bytes are whole, how large it may be, and whether it goes without decoding.

Only containers are walked (PNG chunks, JPEG segments, GIF blocks, RIFF chunks); no pixel is
decoded and nothing is inflated, so a compressed bomb stays compressed.
"""

from __future__ import annotations

import re
import struct
import zlib

from ...value_classes import frozen
from ..errors import ImageError
from .sniff import is_frame_header, jpeg_segments

# What changes the picture. Text, time and private chunks do not: they go, so that the same
# figure gives the same bytes whichever version wrote it. Without acTL an animation is its
# first picture.
_PNG_KEPT = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND"),
    *(b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"cICP", b"pHYs"),
}
# EXIF and XMP (where and when it was taken), IPTC, comments.
_JPEG_PRIVATE = {0xE1, 0xED, 0xFE}
_GIF_BLOCKS = {0x21: 2, 0x2C: 10}


class Incomplete(ImageError):  # noqa: N818 - it may still be drawn
    """The container is cut off or not as it should be; all of the picture may be there yet."""


@frozen
class Structure:
    """`data`: the bytes without what does not change the picture; `frames`: of an animation.

    `plain` means that every reader shows these bytes right: 8 bit or less, grey or RGB, upright,
    no animation, no palette with transparency.
    """

    data: bytes
    plain: bool
    frames: int = 1


def check(data: bytes, kind: str) -> Structure:
    """The structure of a PNG, JPEG, GIF or WebP.

    Raises: Incomplete if the container is cut off or not as it should be, ImageError if the bytes
    are damaged.
    """
    walk = {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif, "image/webp": _webp}[kind]
    try:
        return walk(data)
    except (struct.error, IndexError):
        raise incomplete(kind) from None


def incomplete(kind: str) -> Incomplete:
    """The error for an image of this type that is cut off."""
    return Incomplete(_in_words(kind))


def _in_words(kind: str) -> str:
    name = kind.removeprefix("image/").upper()
    return f"the {name} image is cut off or damaged: save it again and retry"


_START = re.compile(rb"\xff\xd8\xff[\xc0-\xc4\xdb\xdd\xe0-\xef\xfe]")
_MOST_BEFORE = _MOST_AFTER = 1024


def jpeg_within(data: bytes) -> bytes | None:
    """The JPEG that a few bytes stand before, and at most a few after; None if there is none.

    What is not a picture, and only holds one (the cover of a song), is no such.
    """
    found = _START.search(data, 1, _MOST_BEFORE)
    if found is None:
        return None
    inner = data[found.start() :]
    return inner if len(inner) - inner.rfind(b"\xff\xd9") <= _MOST_AFTER else None


def orientation(exif: bytes) -> int:
    """The EXIF orientation, 1 (upright) to 8; 1 if `exif` has none or is damaged."""
    tiff = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, at)
        for entry in range(entries):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, at + 2 + entry * 12)
            if tag == 0x0112 and kind == 3:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass  # damaged: it says nothing
    return 1


def _png(data: bytes) -> Structure:
    view = memoryview(data)
    kept: list[bytes | memoryview] = [view[:8]]
    seen: set[bytes] = set()
    plain, frames, at = True, 1, 8
    while b"IEND" not in seen:
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data) or (name == b"IHDR") != (at == 8):
            raise incomplete("image/png")
        body = view[at + 8 : end - 4]
        rotated = name == b"eXIf" and orientation(bytes(body)) != 1
        if name in _PNG_KEPT or rotated:
            (crc,) = struct.unpack_from(">I", data, end - 4)
            if zlib.crc32(view[at + 4 : end - 4]) != crc:
                raise ImageError(_in_words("image/png"))
            kept.append(view[at:end])
            plain = plain and not rotated
        elif not name[0] & 0x20:
            raise ImageError("the PNG holds a chunk that no standard knows: save it again as PNG")
        elif name == b"acTL":
            frames = max(int.from_bytes(body[:4], "big"), 1)
        seen.add(name)
        at = end
    if b"IDAT" not in seen:
        raise incomplete("image/png")
    depth, colour = data[24], data[25]
    plain = plain and depth <= 8 and not (colour == 3 and b"tRNS" in seen)
    return Structure(b"".join(kept), plain, frames)


def _jpeg(data: bytes) -> Structure:
    view = memoryview(data)
    kept: list[bytes | memoryview] = [view[:2]]
    plain, scan, frame = True, 0, False
    for marker, start, end in jpeg_segments(data):
        if is_frame_header(marker):
            frame = True
            # Baseline and progressive Huffman, 8 bit, one or three components.
            usual = marker in (0xC0, 0xC1, 0xC2) and data[start] == 8
            plain = plain and usual and data[start + 5] in (1, 3)
        elif marker == 0xE1 and orientation(data[start:end]) != 1:
            plain = False
        elif marker == 0xDA:
            scan = end
        if marker not in _JPEG_PRIVATE:
            kept.append(view[start - 4 : end])
    # 0xFF is always stuffed within a scan, so the first FFD9 after its start is the real end.
    last = data.find(b"\xff\xd9", scan) + 2
    if not frame or not scan or last < 2:
        raise incomplete("image/jpeg")
    if not plain:
        return Structure(data, plain)
    return Structure(b"".join([*kept, view[scan:last]]), plain)


def _gif(data: bytes) -> Structure:
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    frames = 0
    # A missing trailer after a whole picture is common, and harmless.
    while at < len(data) and data[at] != 0x3B:
        block = data[at]
        if block not in _GIF_BLOCKS:
            raise incomplete("image/gif")
        step = _GIF_BLOCKS[block]
        if block == 0x2C:
            frames += 1
            flags = data[at + 9]
            step += 1 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        at += step
        while data[at]:
            at += 1 + data[at]
        at += 1
    if not frames:
        raise incomplete("image/gif")
    return Structure(data, plain=frames == 1, frames=frames)


def _webp(data: bytes) -> Structure:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise incomplete("image/webp")
    at, frames, pictures, plain = 12, 0, 0, True
    while at + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise incomplete("image/webp")
        frames += name == b"ANMF"
        pictures += name in (b"VP8 ", b"VP8L")
        if name == b"EXIF" and orientation(data[at + 8 : at + 8 + length]) != 1:
            plain = False
        at += 8 + length + (length & 1)
    if not frames + pictures:
        raise incomplete("image/webp")
    return Structure(data[:end], plain and not frames, max(frames, 1))


# Pillow's own threshold, above which it warns of a decompression bomb.
MAX_PIXELS = 89_478_485
# The API's limit for a side, in pixels.
MAX_EDGE = 8000
# 5 MB of base64, which every server takes, in bytes before base64.
MAX_BYTES = 3_750_000
# A PNG above this is a photograph, or noise, for which there are better encodings.
MAX_PNG_BYTES = 1_500_000


class NoSuchPage(ImageError):  # noqa: N818 - as its tree has them
    """A page was named that is not there."""


def check_page(page: int | None, count: int) -> None:
    """Nothing.

    Raises: NoSuchPage if `page`, which counts from 1, is none of `count`.
    """
    if page is not None and not 1 <= page <= count:
        has = "one page" if count == 1 else f"{count} pages, which count from 1"
        raise NoSuchPage(f"there is no page [{page}]: it has {has}")


def check_size(width: int, height: int) -> None:
    """Nothing.

    Raises: ImageError if there is no pixel, or there are more than may be decoded.
    """
    if width <= 0 or height <= 0:
        raise ImageError(f"the image is {width}x{height} pixels: there is nothing in it")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"the image is {width}x{height} pixels, over the limit of "
            f"{MAX_PIXELS // 10**6} megapixels: scale it down first"
        )


def sendable_size(data: bytes, kind: str) -> bool:
    """Whether these bytes are few enough to be sent."""
    return len(data) <= (MAX_PNG_BYTES if kind == "image/png" else MAX_BYTES)
