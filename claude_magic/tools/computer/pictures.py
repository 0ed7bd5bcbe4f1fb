"""Pictures of a screen: from its bytes, with the pointer marked, and of all steps on one strip.

Imports Pillow, so it is imported only where there is a picture.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

_MARK = "#d9480f"
_RADIUS = 14
_STRIP_COLUMNS = 3
_STRIP_WIDTH = 380
_STRIP_GAP = 8
_STRIP_MOST = 48
_GROUND = "#ffffff"


def screen_image(told: Mapping[str, Any], pixels: bytes) -> Image.Image:
    """The RGB image of a screen with its pointer, from what the keeper says of it."""
    width, height = told["size"]
    end = width * height * 4
    image = Image.frombytes("RGB", (width, height), pixels[:end], "raw", "BGRX")
    if all(told["shape"]):
        shape = Image.frombytes("RGBa", tuple(told["shape"]), pixels[end:], "raw", "BGRa")
        pointer = shape.convert("RGBA")
        (x, y), (left, top) = told["pointer"], told["hot"]
        image.paste(pointer, (x - left, y - top), pointer)
    return image


def marked(image: Image.Image, pointer: tuple[int, int]) -> bytes:
    """PNG bytes of the image with a ring around the pointer. `image` stays as it is."""
    x, y = pointer
    shown = image.convert("RGB")
    shown = shown.copy() if shown is image else shown
    draw = ImageDraw.Draw(shown)
    for radius, width, colour in ((_RADIUS + 1, 5, _GROUND), (_RADIUS, 3, _MARK)):
        box = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(box, outline=colour, width=width)
    return png(shown)


def small(picture: bytes, width: int, quality: int) -> bytes:
    """WebP bytes of a PNG picture, at most `width` pixels wide."""
    with Image.open(io.BytesIO(picture)) as image:
        shown = image.convert("RGB")
    shown.thumbnail((width, shown.height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    shown.save(out, "WEBP", quality=quality, method=2)
    return out.getvalue()


def strip(pictures: Sequence[bytes | None]) -> bytes:
    """PNG bytes of all the PNG pictures, small, numbered by their places from 1, in rows of three.

    Of more than 48 the last 48, with their own numbers. `pictures` must hold one.
    """
    numbered = [(number, data) for number, data in enumerate(pictures, 1) if data]
    small = [(number, _small(data)) for number, data in numbered[-_STRIP_MOST:]]
    height = max(image.height for _, image in small)
    columns = min(_STRIP_COLUMNS, len(small))
    rows = math.ceil(len(small) / columns)
    across, down = _STRIP_WIDTH + _STRIP_GAP, height + _STRIP_GAP
    sheet = Image.new("RGB", (columns * across - _STRIP_GAP, rows * down - _STRIP_GAP), _GROUND)
    for place, (number, image) in enumerate(small):
        _number(image, number)
        sheet.paste(image, (place % columns * across, place // columns * down))
    # Screens have few colours, and a palette makes the strip half as large.
    return png(sheet.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE))


def _small(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        height = max(1, round(image.height * _STRIP_WIDTH / image.width))
        return image.convert("RGB").resize((_STRIP_WIDTH, height), Image.Resampling.LANCZOS)


def _number(image: Image.Image, number: int) -> None:
    """Writes it into the lower left corner, where there is the bar with the windows."""
    font = ImageFont.load_default(14)
    draw = ImageDraw.Draw(image)
    _, top, right, bottom = draw.textbbox((6, 0), str(number), font=font)
    above = image.height - bottom - 4
    draw.rectangle((0, above + top - 4, right + 5, image.height), fill=_MARK)
    draw.text((6, above), str(number), fill=_GROUND, font=font)


def opened(data: bytes) -> Image.Image:
    """The RGB image that the bytes are; they have been checked."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def png(image: Image.Image) -> bytes:
    """PNG bytes of the image."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
