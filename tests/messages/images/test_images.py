"""An image is sent as the smallest bytes that show it well."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageChops

from claude_magic.messages.images.prepare import prepare
from claude_magic.messages.images.sniff import media_type, size
from claude_magic.messages.images.structure import MAX_BYTES
from tests.messages.images import image_samples as samples
from tests.messages.images.image_formats import AS_IT_IS, CONVERTED, turned
from tests.messages.images.image_samples import photo, saved, sent, sent_bytes, with_chunk

# What goes as it is ---------------------------------------------------------------------------


@pytest.mark.parametrize("data", AS_IT_IS.values(), ids=AS_IT_IS)
def test_an_image_that_fits_goes_as_it_is(data: bytes) -> None:
    made = prepare(data)
    assert sent_bytes(made) == data
    assert made.block["source"]["media_type"] == media_type(data)
    assert (made.width, made.height, made.note) == (60, 40, None)
    assert made.digest == hashlib.sha256(data).hexdigest()


PRIVATE = {
    "an upright orientation": saved(photo(60, 40), "JPEG", exif=turned(1)),
    "a damaged exif block": saved(photo(60, 40), "JPEG", exif=b"Exif\0\0II*\0\xff\xff"),
    "a comment": saved(photo(60, 40), "JPEG", comment=b"taken at home"),
    "something after its end": saved(photo(60, 40), "JPEG") + b"taken at home",
}


@pytest.mark.parametrize("case", PRIVATE)
def test_what_a_camera_wrote_beside_the_picture_stays_here(case: str) -> None:
    made = prepare(PRIVATE[case])
    assert sent_bytes(made) == saved(photo(60, 40), "JPEG")


def test_an_inline_figure_is_sent_without_pillow() -> None:
    """In a process of its own, as the tests use Pillow themselves."""
    program = (
        "import sys; from claude_magic.messages.images.prepare import prepare;"
        "prepare(sys.stdin.buffer.read()); sys.exit('PIL' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], input=samples.figure_png(), check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf", b"prVt"])
def test_chunks_that_do_not_change_the_picture_are_removed(name: bytes) -> None:
    png = samples.figure_png()
    made = prepare(with_chunk(png, name, b"Software\0Matplotlib version"))
    assert made.block == prepare(png).block
    assert b"Matplotlib" not in sent_bytes(made)
    assert not ImageChops.difference(sent(made), Image.open(io.BytesIO(png))).getbbox()


@pytest.mark.parametrize("name", ["gamma", "transparency", "density"])
def test_chunks_that_change_the_picture_stay(name: str) -> None:
    grey = saved(Image.new("L", (60, 40)))
    data = {
        "gamma": with_chunk(grey, b"gAMA", (45455).to_bytes(4, "big")),
        "transparency": with_chunk(grey, b"tRNS", b"\0\0"),
        "density": saved(Image.new("L", (60, 40)), dpi=(300, 300)),
    }[name]
    assert sent_bytes(prepare(data)) == data


# How it is encoded ----------------------------------------------------------------------------


def test_a_photograph_becomes_a_jpeg() -> None:
    made = prepare(photo(2000, 1500))
    assert made.block["source"]["media_type"] == "image/jpeg"
    assert (made.width, made.height) == size(sent_bytes(made)) == (1568, 1176)


def test_a_photograph_with_transparency_becomes_a_webp_that_keeps_it() -> None:
    image = photo(2000, 1500, "RGBA")
    image.putalpha(photo(2000, 1500, "L"))
    made = prepare(image)
    assert made.block["source"]["media_type"] == "image/webp"
    assert sent(made).getchannel("A").getextrema() != (255, 255)


def test_an_alpha_channel_that_is_opaque_is_dropped() -> None:
    made = prepare(photo(2000, 1500, "RGBA"))
    assert made.block == prepare(photo(2000, 1500)).block


def test_a_figure_that_is_too_large_becomes_a_png() -> None:
    made = prepare(samples.figure_png(3000, 2000))
    assert made.block["source"]["media_type"] == "image/png"
    assert (made.width, made.height) == (1568, 1045)


@pytest.mark.parametrize("spread", [8, 40, 256])
@pytest.mark.parametrize("count", [2, 100, 256])
def test_few_colours_become_an_exact_palette(count: int, spread: int) -> None:
    """Also where they are much alike, and some are rare."""
    random = np.random.default_rng(count + spread)
    colours = random.integers(0, spread, (count, 3)).astype(np.uint8)
    share = random.exponential(1, count) ** 3
    picked = random.choice(count, (300, 400), p=share / share.sum())
    picked.flat[:count] = range(count)
    image = Image.fromarray(colours[picked])
    made = prepare(image)
    assert sent(made).mode == "P"
    assert not ImageChops.difference(sent(made).convert("RGB"), image).getbbox()


def test_a_photograph_saved_as_png_is_encoded_again() -> None:
    png = saved(photo(1400, 1000))
    made = prepare(png)
    assert made.block["source"]["media_type"] == "image/jpeg"
    assert len(sent_bytes(made)) < len(png) / 4


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_noise_is_made_to_fit_5_mb_of_base64(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2200, 2200, 3 + (kind == "WEBP")), np.uint8)
    made = prepare(noise, long_edge=8000)
    assert len(sent_bytes(made)) <= MAX_BYTES
    assert max(made.width, made.height) >= 1000


@pytest.mark.parametrize("shape", [(1, 20000), (20000, 1), (3, 30000)], ids=str)
def test_an_extreme_shape_keeps_at_least_one_pixel(shape: tuple[int, int]) -> None:
    made = prepare(Image.new("RGB", shape))
    assert min(made.width, made.height) == 1
    assert max(made.width, made.height) == 1568


def test_no_side_is_over_8000_pixels_whatever_is_asked_for() -> None:
    assert prepare(saved(Image.new("L", (9000, 10))), long_edge=10_000).width == 8000


def test_what_is_smaller_than_the_limit_is_not_enlarged() -> None:
    assert prepare(Image.new("RGB", (7, 5))).width == 7


def test_the_source_image_stays_as_it_is() -> None:
    image = Image.open(io.BytesIO(saved(photo(), "JPEG", comment=b"mine")))
    image.load()
    before = (image.size, image.mode, dict(image.info), image.tobytes())
    prepare(image, long_edge=200)
    prepare(image)
    assert (image.size, image.mode, dict(image.info), image.tobytes()) == before


@pytest.mark.parametrize("data", [d for d, *_ in CONVERTED.values()], ids=CONVERTED)
def test_the_same_input_gives_the_same_bytes(data: bytes) -> None:
    assert prepare(data) == prepare(bytearray(data))
