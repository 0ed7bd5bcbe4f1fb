"""An image made smaller: a thumbnail of few bytes, and one that fits among many in a request."""

from __future__ import annotations

import base64

import pytest
from PIL import Image

from claude_magic.messages.blocks import image_base64
from claude_magic.messages.errors import ImageError
from claude_magic.messages.images.prepare import ImageCache, fit_many, prepare, thumbnail
from claude_magic.messages.images.sniff import media_type, size
from tests.image_blocks import image_url
from tests.messages.images import image_samples as samples
from tests.messages.images.image_formats import BLUE, RED
from tests.messages.images.image_samples import halves, photo, saved, sent_bytes

THUMBNAILS = {
    "figure": samples.figure_png(),
    "photograph": saved(photo(1568, 1176), "JPEG"),
    "noise": saved(Image.effect_noise((1500, 1500), 200)),
    "noise with alpha": saved(Image.merge("RGBA", [Image.effect_noise((700, 700), 200)] * 4)),
    "thin": saved(photo(3000, 4)),
    "small": saved(halves(RED, BLUE)),
}


@pytest.mark.parametrize("data", THUMBNAILS.values(), ids=THUMBNAILS)
def test_a_thumbnail_has_at_most_5000_bytes_and_320_pixels(data: bytes) -> None:
    text = thumbnail(prepare(data).block, cache=ImageCache())
    assert text is not None
    head, _, body = text.partition(";base64,")
    raw = base64.b64decode(body, validate=True)
    assert head == f"data:{media_type(raw)}"
    assert len(raw) <= 5000
    pixels = size(raw)
    assert pixels is not None
    assert 48 <= max(pixels) <= 320


def test_a_thumbnail_is_made_once() -> None:
    cache = ImageCache()
    block = prepare(photo()).block
    assert thumbnail(block, cache=cache) is thumbnail(block, cache=cache)


def test_an_image_that_the_server_fetches_has_no_thumbnail_and_is_not_shrunk() -> None:
    block = image_url("https://example.org/ant.jpg")
    assert thumbnail(block) is None
    assert fit_many(block) is block


def test_a_thumbnail_of_what_is_no_image_is_an_error() -> None:
    with pytest.raises(ImageError, match="not an image"):
        thumbnail(image_base64("image/png", base64.b64encode(b"text").decode()))


def test_in_a_request_of_many_images_none_is_over_2000_pixels() -> None:
    large = prepare(photo(2500, 1000), long_edge=2576).block
    assert size(sent_bytes(fit_many(large))) == (2000, 800)


def test_an_image_that_fits_among_many_is_left_alone() -> None:
    block = prepare(photo(2000, 100), long_edge=2576).block
    assert fit_many(block) is block
