"""What every viewer shows is sent; what cannot be drawn is refused in one line."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from claude_magic.messages.errors import ImageError
from claude_magic.messages.images.prepare import prepare
from tests.messages.images.image_samples import figure_png, halves, near, photo, saved, sent
from tests.messages.images.other_formats import BLUE, RED, SIZE, fits, only_read, opened, written

PICTURES = Path(__file__).with_name("pictures")
FORMATS = {**written(), **only_read()}


@pytest.mark.met("N15")
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_that_pillow_reads_is_sent(name: str) -> None:
    made = prepare(FORMATS[name])
    image = sent(made).convert("RGB")
    grey = image.getpixel((2, 2)) == (255, 255, 255)
    left, right = ((255,) * 3, (0,) * 3) if grey else (RED, BLUE)
    assert near(image.getpixel((2, 2)), left, 20)
    assert near(image.getpixel((image.width - 3, image.height - 3)), right, 20)
    assert made.note is None or made.note.startswith("floating point")


@pytest.mark.met("N15")
def test_the_table_holds_what_pillow_writes() -> None:
    assert {"TGA", "QOI", "DDS", "ICNS", "PCX", "PPM", "SGI", "JPEG2000", "TIFF"} <= set(FORMATS)


def jpeg(image: Image.Image, **options: object) -> bytes:
    return saved(image, "JPEG", quality=95, **options)


PHOTO = photo(160, 120)
FRAMES = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue", "lime")]
GIF = saved(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:])
PNG = figure_png()
WEBP = saved(PHOTO, "WEBP", quality=95)
JPEGS = {
    "baseline": jpeg(PHOTO),
    "progressive": jpeg(PHOTO, progressive=True),
    "with restarts": jpeg(PHOTO, restart_marker_blocks=3),
    "grey": jpeg(PHOTO.convert("L")),
    "cmyk": jpeg(PHOTO.convert("CMYK")),
    "an odd size": jpeg(photo(157, 113)),
}
APP14 = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x01"


def wrong_length(data: bytes) -> bytes:
    """With a segment that says that it is shorter than it is."""
    return data[:2] + APP14.replace(b"\x00\x0e", b"\x00\x0c", 1) + data[2:]


def between_segments(data: bytes) -> bytes:
    """With bytes that belong to nothing after the first segment."""
    end = 4 + int.from_bytes(data[4:6], "big")
    return data[:end] + b"\0\0\0" + data[end:]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "bytes before it": lambda data: b"\r\n junk \0" + data,
    "a header of 128 bytes before it": lambda data: bytes(range(1, 129)) + data,
    "bytes after it": lambda data: data + b"\0" * 500,
    "no end": lambda data: data[:-2],
    "half an end": lambda data: data[:-1],
    "a wrong length": wrong_length,
    "fill bytes": lambda data: data[:2] + b"\xff\xff\xff" + data[2:],
    "bytes between segments": between_segments,
}


@pytest.mark.met("N15")
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_whose_picture_is_whole_is_sent(kind: str, damage: Callable[[bytes], bytes]) -> None:
    whole = sent(prepare(JPEGS[kind])).convert("RGB")
    made = sent(prepare(damage(JPEGS[kind]))).convert("RGB")
    assert made.size == whole.size
    difference = np.abs(np.asarray(made, int) - np.asarray(whole, int))
    assert difference.mean() < 4


CUT = {
    **{f"{name} jpeg": (data, "JPEG image is cut off") for name, data in JPEGS.items()},
    "gif": (saved(PHOTO.quantize(64), "GIF"), "GIF image is cut off"),
    "png": (PNG, "PNG image is cut off"),
    "webp": (WEBP, "WEBP image is cut off"),
    **{
        name: (data, "cannot be decoded|cut off")
        for name, data in FORMATS.items()
        if name in ("BMP", "TGA", "PPM", "SGI", "PSD", "SUN", "TIFF", "FITS")
    },
}


@pytest.mark.met("N15")
@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("name", CUT)
def test_an_image_whose_pixels_are_missing_is_refused_in_one_line(name: str, share: float) -> None:
    data, says = CUT[name]
    if name == "progressive jpeg" or (name == "FITS" and share == 0.9):
        share = 0.5 * share  # what is cut off is padding, or a scan that only refines others
    with pytest.raises(ImageError, match=says) as caught:
        prepare(data[: int(len(data) * share)])
    assert "\n" not in str(caught.value)


WITHOUT_END = {
    "gif without its trailer": GIF[:-1],
    "gif with junk for a trailer": GIF[:-1] + b"\x00\x00",
    "png without its end": PNG[:-12],
    "png with half of its end": PNG[:-5],
}


@pytest.mark.met("N15")
@pytest.mark.parametrize("data", WITHOUT_END.values(), ids=WITHOUT_END)
def test_a_picture_without_what_ends_its_file_is_sent(data: bytes) -> None:
    made = sent(prepare(data)).convert("RGB")
    expected = Image.open(io.BytesIO(data)).convert("RGB")
    assert made.size == expected.size
    difference = np.asarray(ImageChops.difference(made, expected), int)
    assert difference.mean() < 4


@pytest.mark.met("N15")
@pytest.mark.parametrize("name", ["photoshop-200dpi-broken.jpg", "truncated_app14.jpg",
                                  "test_extents_transparency.gif"])  # fmt: skip
def test_files_that_every_viewer_opens_are_sent(name: str) -> None:
    data = (PICTURES / name).read_bytes()
    made = sent(prepare(data)).convert("RGBA")
    expected = opened(data).convert("RGBA")
    assert made.size == expected.size


@pytest.mark.met("N15")
def test_a_file_that_only_holds_a_picture_is_none() -> None:
    song = b"ID3\x04\0\0\0\0\x10\0APIC\0\0\x08\0\0\0\0image/jpeg\0\x03\0" + jpeg(PHOTO)
    with pytest.raises(ImageError, match="not an image"):
        prepare(song + b"\x55" * 40_000)


@pytest.mark.met("N15")
def test_what_another_program_would_have_to_draw_is_named() -> None:
    with pytest.raises(ImageError, match="PostScript is not drawn here: save it as PNG"):
        prepare(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")


FITS_KINDS = {
    "bytes": (np.uint8, {}, 0, 255, None),
    "signed": (np.int16, {}, -200, 900, "16 bit signed, shown from -200 to 900"),
    "unsigned": (
        np.int16, {"BZERO": 32768, "BSCALE": 1}, -32768, -30000,
        "16 bit, shown from 0 to 2,768 of 65,535",
    ),
    "of 32 bits": (np.int32, {}, -5, 70000, "32 bit signed, shown from -5 to 70,000"),
    "floats": (np.float32, {}, -2, 30, "floating point, shown from -2 to 30"),
    "floats of 64 bits": (np.float64, {}, -2, 30, "floating point, shown from -2 to 30"),
    "calibrated": (
        np.int16, {"BZERO": 5.0, "BSCALE": 0.5}, 0, 100, "16 bit signed, shown from 5 to 55"
    ),
}  # fmt: skip


@pytest.mark.met("N13")
@pytest.mark.parametrize("kind", FITS_KINDS)
def test_a_fits_image_is_read_as_its_header_says(kind: str) -> None:
    dtype, header, low, high, note = FITS_KINDS[kind]
    values = np.linspace(low, high, SIZE[0] * SIZE[1]).reshape(SIZE[::-1]).astype(dtype)
    made = prepare(fits(values, **header))
    assert made.note == note
    expected = (values.astype(float) - low) * 255 / (high - low)
    assert np.abs(np.asarray(sent(made).convert("L"), float) - expected).max() <= 1


@pytest.mark.met("N15")
def test_a_red_half_is_not_blue_whatever_the_order_of_colours() -> None:
    """So that the table above can fail."""
    swapped = saved(halves(BLUE, RED, size=SIZE), "TGA")
    assert near(sent(prepare(swapped)).convert("RGB").getpixel((2, 2)), BLUE, 20)
