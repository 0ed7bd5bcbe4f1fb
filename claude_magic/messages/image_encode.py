"""An image as the smallest bytes that show it well: what is sent, and thumbnails.

Imports Pillow, so it is imported only where an image has to be encoded.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace

from PIL import Image, ImageChops

from .image_limits import MAX_BYTES, MAX_PNG_BYTES, check_size
from .image_pixels import drafted, eight_bit, frames, in_srgb, opened, size_within, upright

THUMBNAIL_BYTES = 5000
THUMBNAIL_EDGE = 320
_THUMBNAIL_STEPS = ((320, 70), (320, 45), (320, 25), (256, 30), (200, 30), (144, 30), (96, 30))

_QUALITIES = (85, 60)
# Share of pixels equal to their left neighbour: figures 0.8 and more, photographs below 0.4.
_FLAT = 0.55
# Pixels below which a PNG is small whatever it shows: digits, icons, sprites.
_SMALL = 40_000


@dataclass(frozen=True)
class Encoded:
    """`data` is PNG, JPEG or WebP as `media_type` says; sizes in pixels.

    `frame` is the place, from 0, of the picture among the `frames` of its source.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    frame: int = 0
    frames: int = 1


def encode_bytes(data: bytes, kind: str, long_edge: int) -> Encoded:
    """The first picture in `data` (sniffed as `kind`), its longer side at most `long_edge`.

    Raises: ImageError if it cannot be decoded.
    """
    return encode_image(drafted(opened(data, kind), long_edge), long_edge)


def encode_image(image: Image.Image, long_edge: int) -> Encoded:
    """The image, upright, in sRGB, its longer side at most `long_edge`. `image` stays as it is.

    Raises: ImageError if it is too large, or its pixels cannot be decoded.
    """
    check_size(*image.size)
    count = frames(image)
    encoded = _smallest(_pixels(image, long_edge))
    return replace(encoded, frame=image.tell(), frames=count)


def _pixels(image: Image.Image, long_edge: int) -> Image.Image:
    # A picture that was made from a file's (rotated, cropped) has no format, but keeps its EXIF
    # block: only the file's own picture is still to be turned. (Pillow turns a TIFF itself.)
    exif = _bytes_of(image, "exif") if image.format else None
    profile = _bytes_of(image, "icc_profile")
    # The cheap steps last: they then work on fewer pixels.
    result = upright(in_srgb(_shrunk(eight_bit(image), long_edge), profile), exif)
    # Pillow writes profile, comment and transparency from `info`, and they no longer hold.
    result = result.copy() if result is image else result
    result.info = {}
    return result


def _bytes_of(image: Image.Image, name: str) -> bytes | None:
    value = image.info.get(name)  # in an image that a user made, this may be anything
    return value if isinstance(value, bytes) else None


def _shrunk(image: Image.Image, long_edge: int) -> Image.Image:
    if max(image.size) <= long_edge:
        return image
    size = size_within(image.size, long_edge)
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _smallest(image: Image.Image) -> Encoded:
    png = _exact_palette(image) or (_saved(image, "PNG") if _is_flat(image) else None)
    if png is not None and len(png) <= MAX_PNG_BYTES:
        return Encoded(png, "image/png", *image.size)
    # JPEG for photographs: some servers that speak this API cannot read WebP. It has no alpha.
    if image.mode == "RGBA":
        return _lossy(image, "WEBP", method=2, alpha_quality=90)
    return _lossy(image, "JPEG")


def _lossy(image: Image.Image, kind: str, **options: int) -> Encoded:
    """The image at good quality, then at fair quality, then smaller, until it may be sent."""
    while True:
        for quality in _QUALITIES:
            data = _saved(image, kind, quality=quality, **options)
            if len(data) <= MAX_BYTES:
                return Encoded(data, f"image/{kind.lower()}", *image.size)
            if len(data) > 2 * MAX_BYTES:
                break  # fair quality would not be enough
        factor = min(0.9, 0.9 * math.sqrt(MAX_BYTES / len(data)))
        image = _shrunk(image, int(max(image.size) * factor))


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _exact_palette(image: Image.Image) -> bytes | None:
    """A palette PNG that has exactly the image's colours, or None if there is none."""
    if image.mode != "RGB" or image.getcolors(256) is None:
        return None
    # With no more colours than places, median cut gives each colour its own.
    palette = image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return _saved(palette, "PNG")


def _is_flat(image: Image.Image) -> bool:
    """Whether most pixels equal their left neighbour, as in figures, or there are only a few."""
    if image.width * image.height <= _SMALL:
        return True
    grey = image.convert("L")
    equal = ImageChops.difference(grey, ImageChops.offset(grey, 1, 0)).histogram()[0]
    return equal >= _FLAT * grey.width * grey.height


def thumbnail_bytes(data: bytes, kind: str) -> Encoded:
    """The image on white as WebP of at most 5,000 bytes, its longer side at most 320 px.

    Raises: ImageError if it cannot be decoded.
    """
    image = _pixels(drafted(opened(data, kind), THUMBNAIL_EDGE), THUMBNAIL_EDGE)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    for edge, quality in _THUMBNAIL_STEPS:
        small = _shrunk(image, edge)
        encoded = _saved(small, "WEBP", quality=quality)
        if len(encoded) <= THUMBNAIL_BYTES:
            break
    return Encoded(encoded, "image/webp", *small.size)
