"""Pillow images of 8 bits from bytes and arrays, and as the smallest bytes that show them well.

Imports Pillow, so it is imported only where an image has to be decoded or encoded.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PIL import Image, ImageChops, ImageCms, UnidentifiedImageError

from ...value_classes import frozen
from ..dependencies import unmet
from ..errors import ImageError
from .depth import (
    FLOATS,
    Shown,
    array_in_8_bits,
    deep_band,
    deep_colours,
    deep_file,
    in_8_bits,
    integers,
    read_fits_header,
)
from .structure import MAX_BYTES, MAX_PNG_BYTES, check_page, check_size, orientation

# One decoder for each type that was sniffed, so that none is reached by what a file pretends.
_DECODERS: Mapping[str, tuple[str, ...]] = {
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
    "image/fits": ("FITS",),
    "image/vnd.adobe.photoshop": ("PSD",),
    "image/qoi": ("QOI",),
    "image/vnd.ms-dds": ("DDS",),
    "image/icns": ("ICNS",),
    "image/sgi": ("SGI",),
    "image/j2c": ("JPEG2000",),
    "image/x-sun-raster": ("SUN",),
}
# What Pillow knows by name and cannot draw, or by starting another program.
_NOT_DRAWN = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
# Several pictures in their files are one in several sizes, or in layers.
_ONE_PICTURE = {"MPO", "PSD", "ICNS", "ICO", "CUR", "DDS"}
_UNKNOWN_TIFF = (
    "the TIFF is damaged, or holds numbers that Pillow does not read (of 64 bits, for example): "
    "save it in 8, 16 or 32 bits, or pass the array"
)
_PAGED = {"TIFF", "DCX"}
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


def opened(data: bytes, kind: str | None) -> Image.Image:
    """The image, its header read and its size checked, no pixel decoded yet.

    `kind` None stands for what no magic bytes tell: it is what Pillow takes it for.

    Raises: ImageError if there is no decoder for `kind`, or the header is damaged.
    """
    decoders = others() if kind is None else _DECODERS.get(kind)
    if decoders is None:
        name = str(kind).removeprefix("image/").upper()
        raise ImageError(f"{name} images cannot be read: save it as PNG or JPEG first")
    try:
        image = Image.open(io.BytesIO(data), formats=decoders)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError("the image has too many pixels: scale it down first") from None
    except Exception as error:
        # A decoder given damaged bytes raises nearly anything; all of it means the same here.
        if kind == "image/tiff" and isinstance(error, UnidentifiedImageError):
            raise ImageError(_UNKNOWN_TIFF) from error
        raise unreadable(error) from error
    check_size(*image.size)
    if image.format == "FITS":
        read_fits_header(image, data)
    return image


def others() -> list[str]:
    """The names of all decoders that draw by themselves."""
    Image.init()
    return [name for name in Image.ID if name not in _NOT_DRAWN]


def known(data: bytes) -> bool:
    """Whether Pillow takes these bytes for an image of some kind, whole or not."""
    try:
        Image.open(io.BytesIO(data), formats=others())
    except UnidentifiedImageError:
        return False
    except Exception:  # damaged, or too large: opened() says which
        return True
    return True


def whole_jpeg(data: bytes) -> bytes | None:
    """A JPEG without its end, ended; None where some of its pixels are missing.

    A decoder goes on with what it likes where a scan is cut off. So the scan is ended in three
    ways: none of what was drawn may depend on what would have followed.

    Raises: ImageError if it cannot be decoded at all.
    """
    data = data.removesuffix(b"\xff")  # half of the end
    ended = data + _END
    drawn = [_drawn(data + tail + _END) for tail in _TAILS]
    return ended if all(other == drawn[0] for other in drawn[1:]) else None


_END = b"\xff\xd9"
_TAILS = (b"", b"\x55" * 4096, b"\xb6" * 4096)


def _drawn(data: bytes) -> bytes:
    image = opened(data, "image/jpeg")
    try:
        return image.tobytes()
    except Exception as error:  # as in opened()
        raise unreadable(error) from error


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
    """How many frames or pages a file has; 1 for a photograph with a built-in preview, or layers.

    Raises: ImageError if the file is damaged.
    """
    if image.format in _ONE_PICTURE:
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception as error:  # as in opened()
        raise unreadable(error) from error


def fingerprint(shown: Shown) -> str:
    """SHA-256 in hex of all that the picture is made of: pixels, palette, profile, orientation.

    What is said of it counts too.

    Raises: ImageError if the pixels cannot be decoded.
    """
    image = shown.image
    kept = [image.info.get(name) for name in ("exif", "icc_profile", "transparency")]
    try:
        # To decode it would lose what is told by its low bytes.
        deep = deep_file(image)
        pixels, palette = deep or image.tobytes(), None if deep else image.getpalette("RGBA")
    except Exception as error:  # as in opened()
        raise unreadable(error) from error
    head = (image.mode, image.size, image.format, image.tell(), palette, kept, shown.note)
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


def eight_bit(image: Image.Image) -> Shown:
    """`image` in L, RGB, RGBA or CMYK with 8 bits a channel; what holds more is scaled, and said.

    It is `image` itself where nothing has to change.

    Raises: ImageError if the pixels cannot be decoded.
    """
    try:
        deep = deep_colours(image)
        if deep is not None:
            return deep
        image.load()
        band = deep_band(image)
        return Shown(_eight_bit(image)) if band is None else in_8_bits(band)
    except ImageError:
        raise
    except Exception as error:  # as in opened()
        raise unreadable(error) from error


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        # Four channels cost twice as much to resize as three.
        opaque = rgba.getchannel("A").getextrema() == (255, 255)
        return rgba.convert("L" if image.mode == "LA" else "RGB") if opaque else rgba
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


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


def from_array(array: Any) -> Shown:
    """The image that a NumPy array shows: HxW, HxWx1, HxWx3 or HxWx4.

    uint8 as it is; bool black and white; other integers and floats by the range that they hold.

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
    note = None
    if values.dtype == np.bool_:
        values = values * np.uint8(255)
    elif values.dtype.kind == "f":
        values, note = array_in_8_bits(values, FLOATS)
    elif values.dtype.kind in "iu" and values.dtype != np.uint8:
        bits, signed = 8 * values.dtype.itemsize, values.dtype.kind == "i"
        values, note = array_in_8_bits(values, integers(bits, signed=signed))
    elif values.dtype != np.uint8:
        raise ImageError(f"{what} is not an image: pass bool, integers or floats")
    return Shown(Image.fromarray(np.ascontiguousarray(values)), note)


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

    `frame` is the place, from 0, of the picture among the `frames` of its source, which are
    pages where it is `paged`. `note` says how
    its values are shown, where that is not as they were.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    frame: int = 0
    frames: int = 1
    note: str | None = None
    paged: bool = False


def encode_bytes(data: bytes, kind: str | None, long_edge: int, page: int | None = None) -> Encoded:
    """The first picture in `data` (sniffed as `kind`), its longer side at most `long_edge`.

    `page`, from 1, is another one.

    Raises: ImageError if it cannot be decoded, or is not there.
    """
    image = drafted(opened(data, kind), long_edge)
    if page is not None:
        check_page(page, frames(image))
        _turn_to(image, page)
    return encode_image(image, long_edge)


def _turn_to(image: Image.Image, page: int) -> None:
    if page == 1:
        return
    try:
        image.seek(page - 1)
    except Exception as error:  # as in opened()
        raise unreadable(error) from error
    check_size(*image.size)


def encode_image(image: Image.Image, long_edge: int) -> Encoded:
    """The image, upright, in sRGB, its longer side at most `long_edge`. `image` stays as it is.

    Raises: ImageError if it is too large, or its pixels cannot be decoded.
    """
    check_size(*image.size)
    count = frames(image)
    shown = _pixels(image, long_edge)
    encoded = _smallest(shown.image)
    frame = image.tell() if count > 1 else 0
    paged = image.format in _PAGED
    return replace(encoded, frame=frame, frames=count, note=shown.note, paged=paged)


def _pixels(image: Image.Image, long_edge: int) -> Shown:
    # A picture that was made from a file's (rotated, cropped) has no format, but keeps its EXIF
    # block: only the file's own picture is still to be turned. (Pillow turns a TIFF itself.)
    exif = _bytes_of(image, "exif") if image.format else None
    profile = _bytes_of(image, "icc_profile")
    # The cheap steps last: they then work on fewer pixels.
    shown = eight_bit(image)
    result = upright(in_srgb(_shrunk(shown.image, long_edge), profile), exif)
    # Pillow writes profile, comment and transparency from `info`, and they no longer hold.
    result = result.copy() if result is image else result
    result.info = {}
    return Shown(result, shown.note)


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
    image = _pixels(drafted(opened(data, kind), THUMBNAIL_EDGE), THUMBNAIL_EDGE).image
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    for edge, quality in _THUMBNAIL_STEPS:
        small = _shrunk(image, edge)
        encoded = _saved(small, "WEBP", quality=quality)
        if len(encoded) <= THUMBNAIL_BYTES:
            break
    return Encoded(encoded, "image/webp", *small.size)
