"""Pictures of a screen: from its bytes, at the size that is sent, with the pointer marked.

Imports Pillow, so it is imported only where there is a picture.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ..messages.images.prepare import MANY_IMAGES_EDGE
from ..messages.models import Model
from ..messages.usage import scaled_size
from ..value_classes import frozen

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


ScreenPoint = tuple[int, int]
Box = tuple[int, int, int, int]


@frozen
class Scale:
    """Sizes in pixels of the screen, and of the screenshots that are sent: never larger."""

    screen: ScreenPoint
    sent: ScreenPoint

    @classmethod
    def of(cls, screen: ScreenPoint, model: Model) -> Scale:
        """The largest screenshots that `model` sees as they are, in a long conversation too.

        The API refuses larger ones, and the model names places in the pixels that it saw.
        """
        width, height = scaled_size(*screen, model)
        if max(width, height) > MANY_IMAGES_EDGE:
            factor = MANY_IMAGES_EDGE / max(width, height)
            width, height = max(1, round(width * factor)), max(1, round(height * factor))
        return cls(screen, (width, height))

    def to_screen(self, point: ScreenPoint) -> ScreenPoint:
        """The screen's pixel in the middle of a pixel of the screenshot."""
        x, y = (
            math.floor((at + 0.5) * full / small)
            for at, full, small in zip(point, self.screen, self.sent, strict=True)
        )
        return x, y

    def to_sent(self, point: ScreenPoint) -> ScreenPoint:
        """The pixel of the screenshot that shows this pixel of the screen."""
        x, y = (
            math.floor((at + 0.5) * small / full)
            for at, full, small in zip(point, self.screen, self.sent, strict=True)
        )
        return x, y

    def box_to_screen(self, box: Box) -> Box:
        """The screen's pixels that a region of the screenshot shows, right and bottom excluded."""
        (width, height), (small_width, small_height) = self.screen, self.sent
        left, top, right, bottom = box
        return (
            math.floor(left * width / small_width),
            math.floor(top * height / small_height),
            math.ceil(right * width / small_width),
            math.ceil(bottom * height / small_height),
        )

    def fitted(self, size: ScreenPoint) -> ScreenPoint:
        """The largest size of this shape that fits a screenshot."""
        factor = min(self.sent[0] / size[0], self.sent[1] / size[1])
        return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
