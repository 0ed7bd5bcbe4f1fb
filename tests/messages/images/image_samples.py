"""Real images for the tests, made by Pillow and Matplotlib."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from claude_magic.messages.blocks import ImageBlock
from claude_magic.messages.images.prepare import Prepared


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def photo(width: int = 800, height: int = 600, mode: str = "RGB") -> Image.Image:
    """Smooth colours with noise, as a camera gives them."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(7).normal(0, 8, (height, width, 3))
    bands = [128 + 90 * np.sin(x / 90 + band) * np.cos(y / 70) for band in range(3)]
    pixels = np.clip(np.stack(bands, -1) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def halves(left: Any, right: Any, mode: str = "RGB", size: tuple[int, int] = (60, 40)):
    """The left half in one colour, the right in the other."""
    image = Image.new(mode, size, right)
    image.paste(left, (0, 0, size[0] // 2, size[1]))
    return image


def figure_png(width: int = 640, height: int = 480) -> bytes:
    """A line plot as the inline backend sends it, with Matplotlib's own text chunk."""
    out = io.BytesIO()
    line_plot(width, height).savefig(out, format="png")
    return out.getvalue()


def line_plot(width: int = 640, height: int = 480) -> Any:
    from matplotlib.figure import Figure

    figure = Figure((width / 100, height / 100), dpi=100)
    axes = figure.subplots()
    axes.plot(np.sin(np.arange(200) / 9))
    axes.set_title("Residuals")
    return figure


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    """`png` with one more chunk after its header."""
    return png[:33] + chunk(name, body) + png[33:]


def header_only(width: int, height: int) -> bytes:
    """A PNG that says it is that large, with nothing behind it."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def sent_bytes(made: Prepared | ImageBlock) -> bytes:
    block = made.block if isinstance(made, Prepared) else made
    source = block["source"]
    assert source["type"] == "base64"
    return base64.b64decode(source["data"], validate=True)


def sent(made: Prepared | ImageBlock) -> Image.Image:
    return Image.open(io.BytesIO(sent_bytes(made)))


def near(pixel: Any, expected: tuple[int, ...], by: int = 6) -> bool:
    return all(abs(a - b) <= by for a, b in zip(pixel, expected, strict=True))
