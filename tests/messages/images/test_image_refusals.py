"""What is no whole image, or too large, is refused with one line, and nothing else is raised."""

from __future__ import annotations

import gzip
import io
import struct
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from claude_magic.messages.errors import ImageError
from claude_magic.messages.images.prepare import ImageCache, prepare, thumbnail
from tests.messages.images import image_samples as samples
from tests.messages.images.image_formats import AS_IT_IS, CONVERTED
from tests.messages.images.image_samples import photo, saved, with_chunk


def truncated(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


FIGURE = samples.figure_png()

REFUSED = {
    "text labelled image/png": (b"Traceback (most recent call last)", "not an image"),
    "0x0 image": (samples.header_only(0, 0), "0x0 pixels: there is nothing"),
    "20000x20000": (samples.header_only(20000, 20000), "20000x20000 pixels, over the limit"),
    "20000x20000 bmp": (
        b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, 20000, 20000, 1, 24, *[0] * 6),
        "too many pixels",
    ),
    "a header and nothing else": (samples.header_only(60, 40)[:33], "cut off or damaged"),
    "truncated png": (truncated(samples.figure_png()), "PNG image is cut off"),
    "truncated jpeg": (truncated(saved(photo(), "JPEG")), "JPEG image is cut off"),
    "truncated jpeg with a preview": (
        truncated(saved(photo(), "JPEG", exif=b"Exif\0\0\xff\xd8\xff\xd9")), "JPEG image is cut off"
    ),
    "truncated large jpeg": (truncated(saved(photo(3000, 2000), "JPEG")), "JPEG image is cut off"),
    "truncated gif": (truncated(saved(photo(), "GIF")), "GIF image is cut off"),
    "truncated webp": (truncated(saved(photo(), "WEBP")), "WEBP image is cut off"),
    "truncated bmp": (truncated(saved(photo(), "BMP")), "cannot be decoded"),
    "truncated tiff": (truncated(saved(photo(), "TIFF")), "cannot be decoded"),
    "a damaged chunk": (samples.figure_png().replace(b"IDAT", b"IDBT", 1), "save it again"),
    "a flipped bit": (FIGURE[:9999] + bytes([FIGURE[9999] ^ 1]) + FIGURE[10000:], "or damaged"),
    "a damaged header": (b"\0\0\0\x1cftypavif" + bytes(40), "its header is damaged"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "export it as JPEG"),
    "svgz": (gzip.compress(b"<svg/>"), "decompress it first"),
    "pdf": (b"%PDF-1.7", "attach it with -f"),
    "nothing": (b"", "no bytes"),
    "svg with an entity bomb": (
        b'<!DOCTYPE svg [<!ENTITY a "b"><!ENTITY c "&c;">]><svg/>', "entities stand for too much"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_a_whole_image_is_refused_in_one_line(data: bytes, says: str) -> None:
    with pytest.raises(ImageError, match=says) as caught:
        prepare(data)
    assert "\n" not in str(caught.value)
    assert ":" in str(caught.value)  # ... and what to do


def test_an_image_over_the_pixel_cap_is_not_decoded() -> None:
    """There is nothing to decode behind this header: its size is all that was looked at."""
    with pytest.raises(ImageError, match="over the limit of 89 megapixels"):
        prepare(saved(Image.new("1", (10000, 10000))))


def test_a_pillow_image_over_the_pixel_cap_is_not_decoded() -> None:
    with pytest.warns(Image.DecompressionBombWarning):
        image = Image.open(io.BytesIO(samples.header_only(10000, 10000)))
    for cache in (None, ImageCache()):
        with pytest.raises(ImageError, match="over the limit"):
            prepare(image, cache=cache)


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"tEXt"])
@pytest.mark.parametrize("edge", [1568, 100], ids=["as it is", "decoded"])
def test_a_200_mb_compressed_text_chunk_is_dropped_without_being_inflated(
    name: bytes, edge: int
) -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(10_000_000)) for _ in range(20)) + packer.flush()
    body = b"Comment\0" + (b"\1\0\0\0" if name == b"iTXt" else b"\0") + bomb
    made = prepare(with_chunk(samples.figure_png(), name, body), long_edge=edge)
    assert made.block == prepare(samples.figure_png(), long_edge=edge).block


# Anything at all ------------------------------------------------------------------------------

WHOLE = [*AS_IT_IS.values(), *(data for data, *_ in CONVERTED.values())]


@given(st.sampled_from([data[:12] for data in WHOLE] + [b""]), st.binary(max_size=300))
@settings(max_examples=300)
def test_random_bytes_raise_nothing_but_our_error(head: bytes, tail: bytes) -> None:
    try:
        prepare(head + tail)
    except ImageError as error:
        assert "\n" not in str(error)


@given(
    st.sampled_from(WHOLE), st.integers(0, 10**6), st.binary(min_size=1, max_size=8), st.booleans()
)
@example(WHOLE[0], 20, b"\xff", False)
@settings(max_examples=400)
def test_damaged_images_raise_nothing_but_our_error(
    data: bytes, at: int, patch: bytes, decoded: bool
) -> None:
    at %= len(data)
    try:
        made = prepare(data[:at] + patch + data[at + len(patch) :], long_edge=30 if decoded else 99)
        thumbnail(made.block)
    except ImageError as error:
        assert "\n" not in str(error)
