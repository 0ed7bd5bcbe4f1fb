"""What bytes are, and how large, is read from the bytes alone."""

from __future__ import annotations

import base64
import gzip
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from claude_magic.messages.images.sniff import media_type, size, size_of_base64


def saved(kind: str, mode: str = "RGB", pixels: tuple[int, int] = (37, 23), **options: object):
    out = io.BytesIO()
    Image.new(mode, pixels).save(out, kind, **options)
    return out.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
DOCTYPE = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">'

TYPES = {
    "png": (saved("PNG"), "image/png"),
    "jpeg": (saved("JPEG"), "image/jpeg"),
    "gif": (saved("GIF"), "image/gif"),
    "webp": (saved("WEBP"), "image/webp"),
    "bmp": (saved("BMP"), "image/bmp"),
    "tiff": (saved("TIFF"), "image/tiff"),
    "jpeg 2000": (saved("JPEG2000"), "image/jp2"),
    "icon": (saved("ICO", "RGBA", (32, 32)), "image/x-icon"),
    "ppm": (saved("PPM"), "image/x-portable-anymap"),
    "avif": (saved("AVIF"), "image/avif"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
    "avif under a general brand": (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "image/avif"),
    "pdf": (b"%PDF-1.7\n", "application/pdf"),
    "svg": (SVG, "image/svg+xml"),
    "svg after a prolog": (b"<?xml version='1.0'?>\n" + SVG, "image/svg+xml"),
    "svg after a byte order mark": (b"\xef\xbb\xbf \n" + SVG, "image/svg+xml"),
    "svg in utf-16": (SVG.decode().encode("utf-16"), "image/svg+xml"),
    "svg with a doctype": (b"<?xml?><!-- a > b -->" + DOCTYPE + SVG, "image/svg+xml"),
    "svg with entities": (b"<!DOCTYPE svg [<!ENTITY a 'b>'>]>" + SVG, "image/svg+xml"),
    "svg with a prefix": (b"<s:svg xmlns:s='x'/>", "image/svg+xml"),
    "svgz": (gzip.compress(SVG), "application/gzip"),
    "svg within html": (b"<!DOCTYPE html><html>" + SVG, None),
    "svg within a comment": (b"<!-- <svg> --><p>", None),
    "a comment without end": (b"<!-- <svg>", None),
    "text": (b"BMW is a car, PNG is a format", None),
    "python 2 bytes": (b"P1", None),
    "a wave file": (b"RIFF\0\0\0\0WAVEfmt ", None),
    "nothing": (b"", None),
}


@pytest.mark.parametrize(("data", "expected"), TYPES.values(), ids=TYPES)
def test_the_type_is_told_by_the_bytes(data: bytes, expected: str | None) -> None:
    assert media_type(data) == expected


SIZES = {
    "png": saved("PNG"),
    "jpeg": saved("JPEG"),
    "progressive jpeg": saved("JPEG", progressive=True),
    "jpeg with a comment": saved("JPEG", comment=b"\xff\xc0" * 9000),
    "grey jpeg": saved("JPEG", "L"),
    "gif": saved("GIF"),
    "lossy webp": saved("WEBP"),
    "lossless webp": saved("WEBP", lossless=True),
    "webp with an alpha channel": saved("WEBP", "RGBA"),
    "webp with a profile": saved("WEBP", icc_profile=b"any"),
}


@pytest.mark.parametrize("data", SIZES.values(), ids=SIZES)
def test_the_size_is_read_from_the_header(data: bytes) -> None:
    assert size(data) == (37, 23)


@pytest.mark.parametrize("data", SIZES.values(), ids=SIZES)
def test_the_size_is_read_from_base64_text(data: bytes) -> None:
    assert size_of_base64(base64.b64encode(data).decode()) == (37, 23)
    assert size_of_base64(base64.encodebytes(data).decode()) == (37, 23)


def test_the_size_from_base64_needs_only_the_head() -> None:
    """What comes after the header is not even looked at: here it is no base64."""
    assert size_of_base64(base64.b64encode(saved("PNG")).decode()[:64] + "*" * 999) == (37, 23)


@pytest.mark.parametrize("data", SIZES.values(), ids=SIZES)
def test_a_header_that_is_cut_off_has_no_size(data: bytes) -> None:
    assert {size(data[:end]) for end in range(9)} == {None}


@pytest.mark.parametrize("text", ["not base64!", "é" * 100, "", "QUJD"])
def test_text_that_holds_no_image_has_no_size(text: str) -> None:
    assert size_of_base64(text) is None


def test_sizes_are_as_stated_even_if_absurd() -> None:
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 0, 2**31)
    assert size(png) == (0, 2**31)


HEADS = st.sampled_from([data[:12] for data, _ in TYPES.values()] + [b""])


@given(HEADS, st.binary(max_size=200))
def test_random_bytes_never_raise(head: bytes, tail: bytes) -> None:
    media_type(head + tail)
    size(head + tail)
    size_of_base64(base64.b64encode(head + tail).decode())


@given(st.text(max_size=80))
def test_random_text_as_base64_never_raises(text: str) -> None:
    size_of_base64(text)
