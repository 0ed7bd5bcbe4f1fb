"""An image of a format that the API does not take is converted, and looks the same."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from claude_magic.messages.images.prepare import prepare
from tests.messages.images.image_formats import BLUE, CONVERTED, RED, SIXTEEN, turned
from tests.messages.images.image_samples import halves, near, photo, saved, sent, sent_bytes


@pytest.mark.parametrize(("data", "mode", "left", "note"), CONVERTED.values(), ids=CONVERTED)
def test_other_formats_are_converted(
    data: bytes, mode: str, left: tuple[int, ...], note: str | None
) -> None:
    made = prepare(data)
    image = sent(made)
    pixel = image.convert(mode).getpixel((0, 0))
    assert near(pixel if len(left) > 1 else (pixel,), left)
    assert made.note == note
    assert made.block["source"]["media_type"] in {"image/png", "image/jpeg", "image/webp"}
    assert getattr(image, "n_frames", 1) == 1
    assert image.mode in {"L", "P", "RGB", "RGBA"}
    assert (image.mode == "RGBA") >= (mode == "RGBA")


def test_16_bits_are_scaled_not_clipped() -> None:
    image = sent(prepare(saved(Image.fromarray(SIXTEEN))))
    assert [image.getpixel((x, 0)) for x in range(3)] == [0, 128, 255]


def test_a_cmyk_jpeg_with_inverted_values_keeps_its_colours() -> None:
    """Adobe writes CMYK inverted, and says so in its marker; Pillow writes it that way, too."""
    data = saved(Image.new("CMYK", (60, 40), (0, 0, 0, 0)), "JPEG")
    assert b"Adobe" in data
    assert near(sent(prepare(data)).convert("RGB").getpixel((9, 9)), (255, 255, 255))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("source", [lambda b: b, lambda b: Image.open(io.BytesIO(b))],
                         ids=["bytes", "pillow"])  # fmt: skip
def test_the_exif_orientation_is_applied(kind: str, source: object) -> None:
    """Red stood left; turned by 90 degrees clockwise it stands on top."""
    data = saved(halves(RED, BLUE), kind, exif=turned(6), quality=100)
    made = prepare(source(data))  # type: ignore[operator]
    assert (made.width, made.height) == (40, 60)
    image = sent(made).convert("RGB")
    assert near(image.getpixel((20, 5)), RED, 20)
    assert near(image.getpixel((20, 55)), BLUE, 20)
    assert 0x0112 not in image.getexif()


@pytest.mark.parametrize("turn", range(1, 9))
def test_each_orientation_is_turned_as_pillow_turns_it(turn: int) -> None:
    from PIL import ImageOps

    data = saved(photo(60, 40), exif=turned(turn))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    shown = sent(prepare(data))
    assert shown.size == expected.size
    assert np.abs(np.asarray(shown, int) - np.asarray(expected, int)).mean() < 9


def test_an_image_that_its_user_has_turned_is_not_turned_again() -> None:
    opened = Image.open(io.BytesIO(saved(halves(RED, BLUE), "JPEG", exif=turned(6))))
    made = prepare(opened.rotate(-90, expand=True))
    assert (made.width, made.height) == (40, 60)


def red_and_blue_swapped() -> bytes:
    """An RGB profile whose red is sRGB's blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = profile.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    return renamed.replace(b"rXYZ", b"swap").replace(b"bXYZ", b"rXYZ").replace(b"swap", b"bXYZ")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_of_another_profile_become_srgb(mode: str) -> None:
    source = halves((255, 0, 0, 128)[: len(mode)], (0, 0, 255, 255)[: len(mode)], mode)
    made = sent(prepare(saved(source, "TIFF", icc_profile=red_and_blue_swapped())))
    assert near(made.convert("RGB").getpixel((5, 5)), BLUE)
    assert made.convert("RGBA").getpixel((5, 5))[3] == (128 if mode == "RGBA" else 255)


def test_a_profile_that_cannot_be_read_is_ignored() -> None:
    plain = saved(photo(60, 40), "TIFF")
    damaged = saved(photo(60, 40), "TIFF", icc_profile=b"nonsense")
    assert prepare(damaged).block == prepare(plain).block


def test_nothing_of_the_source_but_its_picture_is_sent() -> None:
    data = saved(
        photo(2000, 1500), "JPEG", comment=b"private", exif=turned(6), icc_profile=b"private"
    )
    assert b"private" not in sent_bytes(prepare(data))
