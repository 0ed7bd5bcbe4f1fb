"""Pillow images of 8 bits from bytes and arrays, and as the smallest bytes that show them well.

Imports Pillow, so it is imported only where pixels are looked at.

Imports Pillow, so it is imported only where an image has to be encoded.
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import replace
from typing import Any

from PIL import Image, ImageChops, ImageCms, UnidentifiedImageError

from ...value_classes import frozen
from ..dependencies import unmet
from ..errors import ImageError
from .structure import MAX_BYTES, MAX_PNG_BYTES, check_size, orientation

# One decoder for each type that was sniffed, so that none is reached by what a file pretends.
_DECODERS = {
    "image/png": ("PNG",),
    "image/jpeg": ("JPEG", "MPO"),
    "image/gif": ("GIF",),
    "image/webp": ("WEBP",),
    "image/bmp": ("BMP",),
    "image/tiff": ("TIFF",),
    "image/jp2": ("JPEG2000",),
    "image/x-icon": ("ICO",),
    "image/avif": ("AVIF",),
    "image/x-portable-anymap": ("PPM",),
}
# As a profile's description has it, in ICC version 2 and 4.
_SRGB_NAMES = (b"sRGB", "sRGB".encode("utf-16-be"))
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def opened(data: bytes, kind: str) -> Image.Image:
    """The image, its header read and its size checked, no pixel decoded yet.

    Raises: ImageError if there is no decoder for `kind`, or the header is damaged.
    """
    decoders = _DECODERS.get(kind)
    if decoders is None:
        name = kind.removeprefix("image/").upper()
        raise ImageError(f"{name} images cannot be read: save it as PNG or JPEG first")
    try:
        image = Image.open(io.BytesIO(data), formats=decoders)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError("the image has too many pixels: scale it down first") from None
    except Exception as error:
        # A decoder given damaged bytes raises nearly anything; all of it means the same here.
        raise unreadable(error) from error
    check_size(*image.size)
    return image


def unreadable(error: Exception) -> ImageError:
    """The error for an image that a decoder gave up on, or that Pillow is too old for."""
    if old := unmet("PIL"):
        return ImageError(old)
    return ImageError(f"the image cannot be decoded ({_brief(error)}): save it again and retry")


def _brief(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "its header is damaged"  # Pillow names an object and its address
    return (str(error) or type(error).__name__)[:200]


def frames(image: Image.Image) -> int:
    """How many frames or pages a file has; 1 for a photograph with a built-in preview.

    Raises: ImageError if the file is damaged.
    """
    if image.format == "MPO":
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception as error:  # as in opened()
        raise unreadable(error) from error


def fingerprint(image: Image.Image) -> str:
    """SHA-256 in hex of all that the picture is made of: pixels, palette, profile, orientation.

    Raises: ImageError if the pixels cannot be decoded.
    """
    kept = [image.info.get(name) for name in ("exif", "icc_profile", "transparency")]
    try:
        pixels = image.tobytes()
        palette = image.getpalette("RGBA")
    except Exception as error:  # as in opened()
        raise unreadable(error) from error
    head = (image.mode, image.size, image.format, image.tell(), palette, kept)
    return hashlib.sha256(repr(head).encode() + pixels).hexdigest()


def drafted(image: Image.Image, long_edge: int) -> Image.Image:
    """`image`, its decoder told that a JPEG need not be larger than `long_edge` (changes it).

    A JPEG is then decoded at 1/2, 1/4 or 1/8 of its size, still at least `long_edge` large.
    """
    if max(image.size) > long_edge:
        image.draft(None, size_within(image.size, long_edge))
    return image


def size_within(pixels: tuple[int, int], long_edge: int) -> tuple[int, int]:
    """`pixels` scaled so that the longer side is `long_edge`; the shorter keeps one pixel."""
    factor = long_edge / max(pixels)
    return max(1, round(pixels[0] * factor)), max(1, round(pixels[1] * factor))


def eight_bit(image: Image.Image) -> Image.Image:
    """`image` in L, RGB, RGBA or CMYK with 8 bits a channel; 16 bits are scaled, not clipped.

    It is `image` itself where nothing has to change.

    Raises: ImageError if the pixels cannot be decoded.
    """
    try:
        image.load()
        return _eight_bit(image)
    except ImageError:
        raise
    except Exception as error:  # as in opened()
        raise unreadable(error) from error


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _scaled(image, 0, 65535)
    if image.mode in ("I", "F"):
        # Nothing says what white is: 0 to 1 or the 8 or 16 bit range if they hold it, else its own.
        low, high = (float(end) for end in image.getextrema())  # type: ignore[arg-type]
        tops = (1, 255, 65535) if image.mode == "F" else (255, 65535)
        top = next((t for t in tops if high <= t), high)
        return _scaled(image, min(low, 0), top)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        # Four channels cost twice as much to resize as three.
        opaque = rgba.getchannel("A").getextrema() == (255, 255)
        return rgba.convert("L" if image.mode == "LA" else "RGB") if opaque else rgba
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _scaled(image: Image.Image, low: float, high: float) -> Image.Image:
    factor = 255 / ((high - low) or 1)
    return image.convert("F").point(lambda v: v * factor + (0.5 - low * factor)).convert("L")


def upright(image: Image.Image, exif: bytes | None) -> Image.Image:
    """`image` turned as its EXIF block says."""
    turn = _UPRIGHT.get(orientation(exif or b""))
    return image if turn is None else image.transpose(turn)


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """`image` in L, RGB or RGBA with sRGB colours; a damaged profile is ignored."""
    if profile and image.mode != "L" and not any(name in profile for name in _SRGB_NAMES):
        try:
            return _by_profile(image, profile)
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # the colours as the numbers have them: near enough to talk about
    return image.convert("RGB") if image.mode == "CMYK" else image


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    colours = image.convert("RGB") if image.mode == "RGBA" else image
    result = ImageCms.profileToProfile(
        colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    if result is None:  # only if told to work in place
        return image
    if image.mode == "RGBA":
        result.putalpha(image.getchannel("A"))
    return result


def from_array(array: Any) -> Image.Image:
    """The image that a NumPy array shows: HxW, HxWx1, HxWx3 or HxWx4.

    uint8 as it is; bool black and white; uint16 and floats from 0 to 1 scaled to 8 bits.

    Raises: ImageError that says shape and dtype if it is none of these.
    """
    import numpy as np

    values = np.asarray(array)
    what = f"an array of shape {values.shape} and dtype {values.dtype}"
    channels = values.shape[2] if values.ndim == 3 else 1
    if values.ndim not in (2, 3) or channels not in (1, 3, 4):
        hint = "pass height x width, or height x width x 1, 3 or 4"
        if values.ndim == 3 and values.shape[0] in (1, 3, 4):
            hint = "its channels come first: pass array.transpose(1, 2, 0)"
        raise ImageError(f"{what} is not an image: {hint}")
    check_size(values.shape[1], values.shape[0])
    if channels == 1:
        values = values.reshape(values.shape[:2])
    if values.dtype == np.uint16:
        values = (values.astype(np.uint32) + 128) // 257
    elif values.dtype == np.bool_:
        values = values * np.uint8(255)
    elif values.dtype.kind == "f":
        if not (values.min() >= -1e-6 and values.max() <= 1 + 1e-6):  # NaN is neither
            raise ImageError(f"{what} has values outside 0 to 1: scale it, or show it by imshow")
        values = np.clip(values, 0, 1) * 255 + 0.5
    elif values.dtype != np.uint8:
        raise ImageError(f"{what} is not an image: pass uint8, uint16, bool or floats from 0 to 1")
    return Image.fromarray(np.ascontiguousarray(values.astype(np.uint8)))


THUMBNAIL_BYTES = 5000
THUMBNAIL_EDGE = 320
_THUMBNAIL_STEPS = ((320, 70), (320, 45), (320, 25), (256, 30), (200, 30), (144, 30), (96, 30))

_QUALITIES = (85, 60)
# Share of pixels equal to their left neighbour: figures 0.8 and more, photographs below 0.4.
_FLAT = 0.55
# Pixels below which a PNG is small whatever it shows: digits, icons, sprites.
_SMALL = 40_000


@frozen
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
