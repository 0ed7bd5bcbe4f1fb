"""An image of more than 8 bits is shown by the range that it holds, and that range is said.

What a model is sent is compared with what the rule says, computed here from the numbers.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from claude_magic.messages.errors import ImageError
from claude_magic.messages.images.prepare import ImageCache, prepare
from tests.messages.images.image_samples import chunk, saved, sent
from tests.messages.images.tiff_files import tiff

PICTURES = Path(__file__).with_name("pictures")
RANDOM = np.random.default_rng(5)


def ramp(low: float, high: float, dtype: Any) -> Any:
    """64 x 64 values from `low` to `high`, each end in more than a few pixels."""
    steps = np.linspace(low, high, 64)
    return (
        np.repeat(np.round(steps) if np.dtype(dtype).kind in "iu" else steps, 64)
        .reshape(64, 64)
        .astype(dtype)
    )


def shown(array: Any, low: float, high: float) -> Any:
    """The array as it looks in 8 bits if `low` is black and `high` is white."""
    return np.clip((array.astype(float) - low) * 255 / (high - low), 0, 255)


def as_array(array: Any) -> object:
    return array


def as_tiff(array: Any) -> bytes:
    return tiff(array)


def as_big_endian_tiff(array: Any) -> bytes:
    return tiff(array, order=">")


def as_pillow(array: Any) -> Image.Image:
    return Image.fromarray(array)


def as_png(array: Any) -> bytes:
    return saved(Image.fromarray(array))


def as_opened_png(array: Any) -> Image.Image:
    return Image.open(io.BytesIO(as_png(array)))


def as_pgm(array: Any) -> bytes:
    return b"P5 64 64 65535\n" + array.astype(">u2").tobytes()


def as_deep_colour_tiff(array: Any) -> bytes:
    return tiff(np.dstack([array] * 3))


def as_big_endian_colour_tiff(array: Any) -> bytes:
    return tiff(np.dstack([array] * 3), order=">")


def as_colour_array(array: Any) -> Any:
    return np.dstack([array] * 3)


def png_of(colours: Any, kind: int) -> bytes:
    """A PNG of 16 bits a channel; Pillow writes none in colour."""
    import struct
    import zlib

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in colours)
    head = struct.pack(">IIBBBBB", colours.shape[1], colours.shape[0], 16, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def as_deep_colour_png(array: Any) -> bytes:
    return png_of(np.dstack([array] * 3), 2)


def as_deep_png_with_alpha(array: Any) -> bytes:
    return png_of(np.dstack([*[array] * 3, np.full_like(array, 65535)]), 6)


FORMS_16 = (
    as_array, as_tiff, as_big_endian_tiff, as_pillow, as_png, as_opened_png, as_pgm,
    as_deep_colour_tiff, as_big_endian_colour_tiff, as_colour_array, as_deep_colour_png,
    as_deep_png_with_alpha,
)  # fmt: skip
FORMS_32 = (as_array, as_tiff, as_big_endian_tiff, as_pillow, as_colour_array)
FORMS_LITTLE = (as_array, as_tiff, as_big_endian_tiff, as_colour_array)

# The type, the ends of what it holds, the ends that are black and white, and what is said.
Case = tuple[str, float, float, float, float, str | None]
DEPTHS: dict[str, Case] = {
    "12 bits used of 16": (
        "uint16", 0, 4095, 0, 4095, "16 bit, shown from 0 to 4,095 of 65,535"
    ),
    "dark with an offset": (
        "uint16", 300, 700, 300, 700, "16 bit, shown from 300 to 700 of 65,535"
    ),
    "bright with an offset": (
        "uint16", 60000, 61000, 60000, 61000, "16 bit, shown from 60,000 to 61,000 of 65,535"
    ),
    "all 16 bits": ("uint16", 0, 65535, 0, 65535, None),
    "most of 16 bits": ("uint16", 2000, 50000, 0, 65535, None),
    "one value": ("uint16", 9, 9, 9, 9, "16 bit, every value is 9"),
    "signed": (
        "int16", -500, 3000, -500, 3000, "16 bit signed, shown from -500 to 3,000"
    ),
    "all that is signed": ("int16", -32768, 32767, -32768, 32767, None),
    "32 bit": (
        "int32", -70000, 90000, -70000, 90000, "32 bit signed, shown from -70,000 to 90,000"
    ),
    "floats within 0 to 1": ("float32", 0, 1, 0, 1, None),
    "floats of half the range": ("float32", 0.25, 0.75, 0, 1, None),
    "dark floats": (
        "float32", 0, 0.01, 0, 0.01, "floating point, shown from 0 to 0.01"
    ),
    "floats of 8 bits": (
        "float32", 0, 255, 0, 255, "floating point, shown from 0 to 255"
    ),
    "negative floats": (
        "float32", -3.5, 1200, -3.5, 1200, "floating point, shown from -3.5 to 1200"
    ),
    "floats of 64 bits": (
        "float64", -1, 1, -1, 1, "floating point, shown from -1 to 1"
    ),
    "unsigned of 32 bits": (
        "uint32", 0, 4_000_000_000, 0, 4_000_000_000, "32 bit, shown from 0 to 4,000,000,000"
    ),
    "signed of 8 bits": (
        "int8", -20, 20, -20, 20, "8 bit signed, shown from -20 to 20"
    ),
    "all that is signed of 8 bits": ("int8", -128, 127, -128, 127, None),
}  # fmt: skip
FORMS: dict[str, tuple[Callable[[Any], object], ...]] = {
    "uint16": FORMS_16,
    "int16": FORMS_LITTLE,
    "int32": FORMS_32,
    "float32": FORMS_32,
    "float64": (as_array, as_colour_array),
    "uint32": (as_array, as_tiff),
    "int8": (as_array, as_tiff),
}
CASES = [
    pytest.param(form, case, id=f"{name}, {form.__name__.replace('_', ' ')}")
    for name, case in DEPTHS.items()
    for form in FORMS[case[0]]
]


@pytest.mark.met("N13")
@pytest.mark.parametrize(("form", "case"), CASES)
def test_values_are_shown_by_the_range_that_they_hold_and_it_is_said(
    form: Callable[[Any], object], case: Case
) -> None:
    dtype, low, high, black, white, note = case
    values = ramp(low, high, dtype)
    made = prepare(form(values))
    assert made.note == note
    pixels = np.asarray(sent(made).convert("RGB"), float)
    expected = shown(values, black, white) if white > black else np.zeros((64, 64))
    for band in range(3):
        assert np.abs(pixels[..., band] - expected).max() <= 1


@pytest.mark.met("N13")
def test_what_is_said_stands_after_the_image_in_the_request() -> None:
    image, said = prepare(ramp(37, 4012, "uint16")).blocks
    assert image["type"] == "image"
    assert said["text"] == "[Of the image above: 16 bit, shown from 37 to 4,012 of 65,535.]"


@pytest.mark.met("N13")
@pytest.mark.parametrize("form", [as_deep_colour_png, as_deep_png_with_alpha, as_deep_colour_tiff])
def test_an_opened_image_of_16_bits_a_colour_is_the_same_each_time(
    form: Callable[[Any], bytes],
) -> None:
    data, cache = form(ramp(0, 900, "uint16")), ImageCache()
    image = Image.open(io.BytesIO(data))
    first = prepare(image, cache=cache)
    assert first.note == "16 bit, shown from 0 to 900 of 65,535"
    assert prepare(image, cache=cache) == first == prepare(image) == prepare(data)


@pytest.mark.met("N13")
def test_a_dark_microscopy_image_is_not_black() -> None:
    made = prepare(PICTURES / "16bit.cropped.tif")
    assert made.note == "16 bit, shown from 291 to 694 of 65,535"
    assert sent(made).convert("L").getextrema() == (0, 255)


@pytest.mark.met("N13")
@pytest.mark.parametrize("form", [as_array, as_tiff, as_pillow])
@pytest.mark.parametrize("size", [64, 190])
def test_a_few_hot_pixels_do_not_make_an_image_black(
    form: Callable[[Any], object], size: int
) -> None:
    values = RANDOM.integers(100, 1100, (size, size)).astype(np.uint16)
    values[3, 4] = 65535
    made = prepare(form(values))
    assert made.note is not None
    assert made.note.endswith(f"; a few pixels lie outside, from {values.min()} to 65,535")
    ranked = np.sort(values.ravel())
    few = max(1, values.size // 10_000)
    pixels = np.asarray(sent(made).convert("L"), float)
    assert np.abs(pixels - shown(values, ranked[few], ranked[-1 - few])).max() <= 1


@pytest.mark.met("N13")
def test_sparse_spots_are_kept_where_they_are_more_than_a_few_pixels() -> None:
    values = RANDOM.integers(90, 110, (400, 400)).astype(np.uint16)
    values[100:110, 100:110] = 4000
    made = prepare(values)
    assert made.note == "16 bit, shown from 90 to 4,000 of 65,535"


@pytest.mark.met("N13")
def test_numbers_that_pillow_does_not_read_are_named() -> None:
    with pytest.raises(ImageError, match="save it in 8, 16 or 32 bits, or pass the array"):
        prepare(tiff(ramp(0, 1, "float64")))


NOT_FINITE = {"NaN": math.nan, "infinity": math.inf, "minus infinity": -math.inf}


@pytest.mark.met("N13")
@pytest.mark.parametrize("form", [as_array, as_tiff, as_pillow])
@pytest.mark.parametrize("odd", NOT_FINITE.values(), ids=NOT_FINITE)
@pytest.mark.parametrize("at", [(0, 0), (9, 30)])
def test_what_is_not_finite_is_black_and_counted(
    form: Callable[[Any], object], odd: float, at: tuple[int, int]
) -> None:
    values = ramp(-5, 50, "float32")
    values[at] = odd
    made = prepare(form(values))
    assert made.note == (
        "floating point, shown from -5 to 50; 1 value is NaN or infinite, shown black"
    )
    pixels = np.asarray(sent(made).convert("L"), float)
    expected = shown(np.where(np.isfinite(values), values, -5), -5, 50)
    assert np.abs(pixels - expected).max() <= 1


@pytest.mark.met("N13")
@pytest.mark.parametrize("form", [as_array, as_tiff, as_pillow])
def test_an_image_without_any_finite_value_is_an_error(form: Callable[[Any], object]) -> None:
    with pytest.raises(ImageError, match="no finite value: there is nothing to show"):
        prepare(form(np.full((4, 5), math.nan, "float32")))


@pytest.mark.met("N13")
@pytest.mark.parametrize(("low", "high"), [(0, 65535), (200, 900)])
def test_white_is_least_where_the_file_says_so(low: int, high: int) -> None:
    values = ramp(low, high, "uint16")
    made = prepare(tiff(values, photometric=0))
    pixels = np.asarray(sent(made).convert("L"), float)
    assert np.abs(pixels - (255 - shown(values, low, high))).max() <= 1


@pytest.mark.met("N13")
def test_one_range_holds_for_all_colours_and_none_for_alpha() -> None:
    colours = np.dstack([ramp(low, low + 100, "uint16") for low in (100, 300, 700)])
    alpha = np.full((64, 64, 1), 65535, np.uint16)
    made = prepare(np.concatenate([colours, alpha], axis=2))
    assert made.note == "16 bit, shown from 100 to 800 of 65,535"
    pixels = np.asarray(sent(made).convert("RGB"), float)
    assert np.abs(pixels - shown(colours, 100, 800)).max() <= 1


@pytest.mark.met("N13")
def test_a_page_of_a_stack_is_shown_by_its_own_range() -> None:
    pages = [Image.fromarray(ramp(0, high, "uint16")) for high in (1000, 4000)]
    stack = Image.open(io.BytesIO(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])))
    stack.seek(1)
    assert prepare(stack).note == "page 2 of 2; 16 bit, shown from 0 to 4,000 of 65,535"


@pytest.mark.met("N13")
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK",
                                  "YCbCr", "LAB", "HSV"])  # fmt: skip
def test_nothing_is_said_of_modes_of_8_bits(mode: str) -> None:
    """However dark they are: every viewer shows them so."""
    image = Image.new("L", (64, 64), 3).convert("RGB" if mode == "RGBa" else "L")
    via = {"PA": "LA", "RGBa": "RGBA"}.get(mode)
    image = image.convert(via) if via else image
    made = prepare(image.convert("RGB").convert(mode) if mode == "LAB" else image.convert(mode))
    assert made.note is None
