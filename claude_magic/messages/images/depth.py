"""Samples of more than 8 bits as 8 bits: by the range that the image holds, and in words.

A camera's 12 bits in a file of 16 would be black, and the numbers of a simulation white, if the
range of the type were taken for the range of the picture. What was chosen is said, since a model
cannot see it.

The rule. The range goes from the least to the greatest value; the ten-thousandth part of the
pixels at either end (hot pixels, dust) is left out of it where that makes it less than half as
wide. Where it is at least half of what the type can hold, or the values are floats within 0 to 1
that are not all dark, the image is a rendering: it is shown as it is, and there is nothing to say.

Imports Pillow, so it is imported only where pixels are looked at.
"""

from __future__ import annotations

import io
import math
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from PIL import Image, ImageChops, ImageMath

from ...value_classes import frozen
from ..errors import ImageError

LEFT_OUT = 10_000
"""One pixel in so many, at either end, may lie outside of what is shown."""
_FEW = 1_000
"""Of fewer pixels none is left out."""
_DARK = 1 / 8
_ROUNDING = 1e-6
_MOST_COUNTED = 4_000_000
_LARGEST_FLOAT = 3.4e38
# Tags of TIFF, and what they hold.
_BITS, _PHOTOMETRIC, _SIGN = 258, 262, 339
_WHITE_IS_LEAST = 0
_SIGNED = 2
_MOST_HEADER = 1_000_000
FITS_HEADER = "fits header"
"""The entry of an image's `info` that holds the numbers of a FITS file's header by their names."""


@frozen
class Shown:
    """An image of 8 bits; `note` says from what values it was scaled, None where it is as it was.

    `size` is that of the image.
    """

    image: Image.Image
    note: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.size


@frozen
class Samples:
    """What the numbers are: `kind` in words, `low` to `high` what their type holds.

    Both ends are None where the type says nothing of it: floats, and integers of 32 and 64 bits.
    A value is `zero` + `unit` * the number that is stored.
    """

    kind: str
    low: int | None = None
    high: int | None = None
    zero: float = 0
    unit: float = 1

    @property
    def floats(self) -> bool:
        """Whether they are no integers."""
        return self.kind == "floating point"


FLOATS = Samples("floating point")


def integers(bits: int, *, signed: bool = False) -> Samples:
    """Integers of so many bits."""
    kind = f"{bits} bit signed" if signed else f"{bits} bit"
    if bits > 16:
        return Samples(kind)
    return (
        Samples(kind, -(1 << bits - 1), (1 << bits - 1) - 1)
        if signed
        else (Samples(kind, 0, (1 << bits) - 1))
    )


@frozen
class Range:
    """The values that are shown as black and as white, and what is said of it."""

    black: float
    white: float
    note: str | None = None

    @property
    def factor(self) -> float:
        """Steps of 8 bits for each unit."""
        return 255 / ((self.white - self.black) or 1)


def chosen(
    samples: Samples, low: float, high: float, inner: Callable[[], tuple[float, float]]
) -> Range:
    """The range to show of values from `low` to `high`.

    `inner` gives what is left of that range without the few pixels at either end.
    """
    black, white = low, high
    if high > low:
        inner_low, inner_high = inner()
        if inner_low < inner_high and 2 * (inner_high - inner_low) < high - low:
            black, white = inner_low, inner_high
    if samples.low is not None and samples.high is not None:
        if 2 * (white - black) >= samples.high - samples.low:
            return Range(samples.low, samples.high)
    elif samples.floats and low >= -_ROUNDING and white >= _DARK and high <= 1 + _ROUNDING:
        return Range(0, 1)
    return Range(black, white, _in_words(samples, low, high, black, white))


def _in_words(samples: Samples, low: float, high: float, black: float, white: float) -> str:
    def said(value: float) -> str:
        value = samples.zero + samples.unit * value
        whole = not samples.floats and value == round(value)
        return f"{round(value):,}" if whole else f"{value:.4g}"

    if low == high:
        return f"{samples.kind}, every value is {said(low)}"
    unsigned = samples.low == 0 and samples.zero == 0 and samples.high is not None
    of = f" of {said(samples.high or 0)}" if unsigned else ""
    note = f"{samples.kind}, shown from {said(black)} to {said(white)}{of}"
    if (low, high) != (black, white):
        note += f"; a few pixels lie outside, from {said(low)} to {said(high)}"
    return note


def with_odd(note: str | None, samples: Samples, odd: int) -> str | None:
    """The note, and how many values are not finite."""
    if not odd:
        return note
    which = "1 value is" if odd == 1 else f"{odd:,} values are"
    return f"{note or samples.kind}; {which} NaN or infinite, shown black"


@frozen
class Band:
    """The numbers of an image in one band as they are stored, and what they are."""

    image: Image.Image
    samples: Samples
    white_is_least: bool = False


def deep_band(image: Image.Image) -> Band | None:
    """The band of a decoded image in grey of more than 8 bits; None of any other image.

    A file says more of it than Pillow's mode: how many bits of 16 are used, and which sign.
    """
    if image.format == "FITS" and image.mode in ("I;16", "I", "F"):
        return _of_fits(image)
    tags = getattr(image, "tag_v2", None) if image.format == "TIFF" else None
    bits, sign, least = (
        (tags.get(_BITS, (0,))[0], tags.get(_SIGN, (1,))[0], tags.get(_PHOTOMETRIC))
        if tags is not None
        else (0, 1, None)
    )
    if image.mode == "L" and sign == _SIGNED:
        moved = image.point([value ^ 0x80 for value in range(256)])
        return Band(moved, Samples("8 bit signed", 0, 255, zero=-128))
    if image.mode == "F":
        return Band(image, FLOATS, least == _WHITE_IS_LEAST)
    if image.mode.startswith("I;16"):
        return Band(image, integers(bits if 8 < bits < 16 else 16), least == _WHITE_IS_LEAST)
    if image.mode == "I":
        if image.format == "PPM":  # Pillow scales what it holds to 16 bits
            return Band(image, integers(16))
        if bits == 32 and sign != _SIGNED:
            image = ImageMath.lambda_eval(lambda a: a["v"] + (a["v"] < 0) * 2.0**32, v=image)
        signed = sign == _SIGNED or tags is None
        return Band(image, integers(bits or 32, signed=signed), least == _WHITE_IS_LEAST)
    return None


def read_fits_header(image: Image.Image, data: bytes) -> None:
    """Keep the numbers of a FITS file's header with its image, not decoded yet (changes it).

    What the file holds is big-endian, which not every version of Pillow knows.
    """
    numbers: dict[str, float] = {}
    for at in range(0, min(len(data), _MOST_HEADER), 80):
        card = data[at : at + 80].decode("ascii", "replace")
        name, _, value = card.partition("=")
        if name.strip() == "END":
            break
        with suppress(ValueError):  # a text, or a comment
            numbers[name.strip()] = float(value.partition("/")[0].replace("D", "E"))
    image.info[FITS_HEADER] = numbers
    order = {"I;16": "I;16B", "I": "I;32B", "F": f"F;{-numbers.get('BITPIX', -32):.0f}BF"}
    tiles: list[Any] = getattr(image, "tile", [])
    if image.mode in order and tiles and tiles[0].codec_name == "raw":
        args = (order[image.mode], *tiles[0].args[1:])
        cast("Any", image).tile = [tiles[0]._replace(args=args)]


def _of_fits(image: Image.Image) -> Band:
    """FITS holds signed integers; its header says what is to be added, so as to have others."""
    header = image.info.get(FITS_HEADER, {})
    zero, unit = header.get("BZERO", 0.0), header.get("BSCALE", 1.0)
    if image.mode == "F":
        return Band(image, FLOATS)
    if image.mode == "I":
        return Band(image, replace(integers(32, signed=True), zero=zero, unit=unit))
    moved = ImageMath.lambda_eval(
        lambda a: a["v"] + 32768 - (a["v"] >= 32768) * 65536, v=image.convert("I")
    )
    zero -= 32768 * unit
    kind = "16 bit" if zero == 0 else "16 bit signed"
    return Band(moved, Samples(kind, 0, 65535, zero=zero, unit=unit))


def in_8_bits(band: Band) -> Shown:
    """The band in 8 bits by the range that it holds.

    Raises: ImageError if no value is finite.
    """
    bands, note = from_bands([band.image], band.samples)
    return Shown(ImageChops.invert(bands[0]) if band.white_is_least else bands[0], note)


def from_bands(
    bands: Sequence[Image.Image], samples: Samples
) -> tuple[list[Image.Image], str | None]:
    """Bands of mode I;16, I or F in 8 bits (L), all by one range, and what is said of it.

    Raises: ImageError if no value is finite.
    """
    values, odd = [], 0
    lows, highs = [], []
    for band in bands:
        value, low, high, not_finite = _finite(band.convert("F"))
        values.append(value)
        odd += not_finite
        if low <= high:
            lows.append(low)
            highs.append(high)
    if not lows:
        raise ImageError("the image holds no finite value: there is nothing to show")
    low, high = min(lows), max(highs)
    found = chosen(samples, low, high, lambda: _inner(values, low, high))
    factor = found.factor
    offset = 0.5 - found.black * factor
    scaled = [value.point(lambda v: v * factor + offset).convert("L") for value in values]
    return scaled, with_odd(found.note, samples, odd)


def _finite(image: Image.Image) -> tuple[Image.Image, float, float, int]:
    """A mode F image without NaN and infinity, its extremes, and how many values were such.

    These get the least value. The extremes are the wrong way round where no value is finite.
    """
    is_finite = ImageMath.lambda_eval(lambda a: (a["v"] - a["v"]) == 0, v=image)
    if is_finite.getextrema() == (1, 1):
        low, high = (float(end) for end in image.getextrema())  # type: ignore[arg-type]
        return image, low, high, 0
    mask = is_finite.convert("L").point([0] + [255] * 255)
    odd = mask.histogram()[0]

    def filled(value: float) -> Image.Image:
        return Image.composite(image, Image.new("F", image.size, value), mask)

    low = float(filled(_LARGEST_FLOAT).getextrema()[0])  # type: ignore[arg-type]
    high = float(filled(-_LARGEST_FLOAT).getextrema()[1])  # type: ignore[arg-type]
    return filled(low), low, high, odd


def _inner(bands: Sequence[Image.Image], low: float, high: float) -> tuple[float, float]:
    """The range that is left without the few pixels at either end."""
    counted = [_sample(band) for band in bands]
    count = sum(band.width * band.height for band in counted)
    few = _few(count)
    if not few:
        return low, high
    return _at(counted, low, high, few), _at(counted, low, high, count - 1 - few)


def _few(count: int) -> int:
    return max(1, count // LEFT_OUT) if count >= _FEW else 0


def _sample(band: Image.Image) -> Image.Image:
    """`band`, or of a large one as many pixels as tell the same."""
    pixels = band.width * band.height
    if pixels <= _MOST_COUNTED:
        return band
    factor = math.sqrt(_MOST_COUNTED / pixels)
    size = max(1, int(band.width * factor)), max(1, int(band.height * factor))
    return band.resize(size, Image.Resampling.NEAREST)


def _at(bands: Sequence[Image.Image], low: float, high: float, rank: int) -> float:
    """The value at this place, from 0, of all values in their order: by histograms."""
    for _ in range(3):
        width = (high - low) / 256
        if not width or low + width == low:
            break
        counts = [0] * 256
        factor, offset = 1 / width, -low / width
        for band in bands:
            steps = band.point(lambda v, f=factor, o=offset: v * f + o)
            counts = [a + b for a, b in zip(counts, steps.convert("L").histogram(), strict=True)]
        below = 0
        step = 0
        while step < 255 and below + counts[step] <= rank:
            below += counts[step]
            step += 1
        low, high = low + step * width, low + (step + 1) * width
    return low


def array_in_8_bits(values: Any, samples: Samples) -> tuple[Any, str | None]:
    """A NumPy array of numbers as uint8 by the range that it holds, and what is said of it.

    Raises: ImageError if no value is finite.
    """
    import numpy as np

    colours = values[..., :3] if values.ndim == 3 else values
    finite = np.isfinite(colours)
    odd = int(finite.size - finite.sum())
    held = colours[finite] if odd else colours
    if not held.size:
        raise ImageError("the array holds no finite value: there is nothing to show")
    low, high = float(held.min()), float(held.max())

    def inner() -> tuple[float, float]:
        few = _few(held.size)
        if not few:
            return low, high
        ranked = np.partition(held.ravel(), [few, held.size - 1 - few])
        return float(ranked[few]), float(ranked[-1 - few])

    found = chosen(samples, low, high, inner)
    wide = np.where(finite, colours, low).astype(np.float64)
    scaled = np.clip((wide - found.black) * found.factor + 0.5, 0, 255)
    if values.ndim == 3 and values.shape[2] == 4:
        # How much of a pixel is there has the range of its type, whatever the colours hold.
        top = samples.high or 1
        alpha = np.clip(
            np.nan_to_num(values[..., 3:].astype(np.float64)) * (255 / top) + 0.5, 0, 255
        )
        scaled = np.concatenate([scaled, alpha], axis=2)
    return scaled.astype(np.uint8), with_odd(found.note, samples, odd)


_HIGH_BYTES = re.compile(r"RGBA?;16(?P<order>[BLN])")
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def deep_colours(image: Image.Image) -> Shown | None:
    """A file's picture of 16 bits a colour, by the range that it holds; None where it is no such.

    Pillow keeps the high bytes of such a picture. Where these have less than half of the range,
    the low ones are read as well: by the same decoder, told that the bytes stand the other way
    round. The picture must not have been decoded yet, and is not decoded here.
    """
    data = deep_file(image)
    if data is None:
        return None
    high, low = (_again(image, data) for _ in range(2))
    order = _HIGH_BYTES.search(str(low.tile[0].args))["order"]  # type: ignore[index]
    high.load()
    ends = [end for band in high.split()[:3] for end in cast("tuple[int, int]", band.getextrema())]
    if 2 * (max(ends) - min(ends)) >= 255:
        return None
    low.tile = [_swapped(tile, f";16{order}", f";16{_OTHER_ORDER[order]}") for tile in low.tile]
    low.load()
    pairs = zip(high.split(), low.split(), strict=True)
    deep = [
        ImageMath.lambda_eval(lambda a: a["high"] * 256 + a["low"], high=above, low=below)
        for above, below in pairs
    ]
    bands, note = from_bands(deep[:3], integers(16))
    return Shown(Image.merge(high.mode, [*bands, *high.split()[3:]]), note)


def deep_file(image: Image.Image) -> bytes | None:
    """The file of an image of 16 bits a colour that is not decoded yet; None of any other."""
    tiles: Sequence[Any] = getattr(image, "tile", [])
    file = getattr(image, "fp", None)
    if not tiles or file is None or not _HIGH_BYTES.search(str(tiles[0].args)):
        return None
    place = file.tell()
    file.seek(0)
    data: bytes = file.read()
    file.seek(place)
    return data


def _again(image: Image.Image, data: bytes) -> Any:
    """The same picture, opened anew: `image` stays as it is."""
    opened = Image.open(io.BytesIO(data), formats=[str(image.format)])
    opened.seek(image.tell())
    return opened


def _swapped(tile: Any, old: str, new: str) -> Any:
    args = tile.args
    if isinstance(args, tuple):
        return tile._replace(args=(str(args[0]).replace(old, new), *args[1:]))
    return tile._replace(args=str(args).replace(old, new))
