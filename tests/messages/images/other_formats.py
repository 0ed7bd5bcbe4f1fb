"""Images in every format that Pillow reads: those that it writes, and a few bytes of the others."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from PIL import Image

from claude_magic.messages.images.pixels import others
from tests.messages.images.image_samples import halves, saved

RED, BLUE = (255, 0, 0), (0, 0, 255)
SIZE = (64, 32)

# What a format cannot hold otherwise.
_MODES = {"XBM": "1", "MSP": "1", "SPIDER": "F", "BLP": "P"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "AVIF": {"quality": 100},
    "ICO": {"sizes": [SIZE]},
    "JPEG": {"quality": 100},
    "WEBP": {"lossless": True},
}
# These are stubs, what is no picture, or (IM) about to leave Pillow, which warns of it.
_NOT_WRITTEN = {"PDF", "PALM", "MPO", "IM"}


def written() -> dict[str, bytes]:
    """By format: red and blue halves, black and white ones where there is no colour."""
    formats = set(Image.registered_extensions().values())
    return {
        name: _saved(name)
        for name in sorted(formats & Image.SAVE.keys() & set(others()) - _NOT_WRITTEN)
    }


def _saved(name: str) -> bytes:
    mode = _MODES.get(name, "RGB")
    size = (64, 64) if name == "ICNS" else SIZE
    if mode == "RGB":
        return saved(halves(RED, BLUE, size=size), name, **_OPTIONS.get(name, {}))
    if mode == "P":
        return saved(halves(RED, BLUE, size=size).quantize(4), name)
    return saved(halves(1, 0, mode, size), name)


def only_read() -> dict[str, bytes]:
    """By format: the same halves, in formats that Pillow does not write."""
    return {
        "PSD": psd(), "SUN": sun(), "CUR": cursor(), "DCX": dcx(), "GBR": brush(), "XPM": xpm(),
        "FITS": fits(np.asarray(halves(255, 0, "L", SIZE))),
    }  # fmt: skip


def psd() -> bytes:
    planes = np.asarray(halves(RED, BLUE, size=SIZE)).transpose(2, 0, 1).tobytes()
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, SIZE[1], SIZE[0], 8, 3)
    return head + struct.pack(">III", 0, 0, 0) + struct.pack(">H", 0) + planes


def sun() -> bytes:
    pixels = np.asarray(halves(RED, BLUE, size=SIZE))[..., ::-1].tobytes()
    return struct.pack(">8I", 0x59A66A95, *SIZE, 24, len(pixels), 1, 0, 0) + pixels


def cursor() -> bytes:
    icon = saved(halves(RED, BLUE, size=SIZE), "ICO", sizes=[SIZE], bitmap_format="bmp")
    return b"\0\0\2\0" + icon[4:]


def dcx() -> bytes:
    return struct.pack("<III", 987654321, 12, 0) + saved(halves(RED, BLUE, size=SIZE), "PCX")


def brush() -> bytes:
    pixels = np.asarray(halves((*RED, 255), (*BLUE, 255), "RGBA", SIZE)).tobytes()
    name = b"halves\0"
    return struct.pack(">5I", 28 + len(name), 2, *SIZE, 4) + b"GIMP\0\0\0\1" + name + pixels


def xpm() -> bytes:
    row = "a" * (SIZE[0] // 2) + "b" * (SIZE[0] // 2)
    lines = [f"{SIZE[0]} {SIZE[1]} 2 1", "a c #FF0000", "b c #0000FF", *[row] * SIZE[1]]
    body = ",\n".join(f'"{line}"' for line in lines)
    return f"/* XPM */\nstatic char * halves[] = {{\n{body}}};\n".encode()


def fits(array: Any, **header: float) -> bytes:
    """A FITS file of one plane, its rows from the bottom up as that format has them."""
    values = np.asarray(array)
    size = values.dtype.itemsize
    bits = -8 * size if values.dtype.kind == "f" else 8 * size
    numbers = {"BITPIX": bits, "NAXIS": 2, "NAXIS1": values.shape[1], "NAXIS2": values.shape[0]}
    cards = ["SIMPLE  =                    T"]
    cards += [f"{name:<8}= {number:>20}" for name, number in (numbers | header).items()]
    head = "".join(card.ljust(80) for card in [*cards, "END"])
    head = head.ljust(-(-len(head) // 2880) * 2880)
    pixels = np.ascontiguousarray(values[::-1], values.dtype.newbyteorder(">")).tobytes()
    return head.encode() + pixels.ljust(-(-len(pixels) // 2880) * 2880, b"\0")


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))
