"""An image is sent as the smallest bytes that show it well, or refused with one line."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import subprocess
import sys
import threading
import zlib

import image_samples as samples
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from image_samples import halves, near, photo, saved, sent, sent_bytes, with_chunk
from PIL import Image, ImageChops, ImageCms

from claude_magic.messages.blocks import image_base64, image_url
from claude_magic.messages.errors import ImageError
from claude_magic.messages.image_limits import MAX_BYTES
from claude_magic.messages.images import ImageCache, fit_many, prepare, thumbnail
from claude_magic.messages.sniff import media_type, size

RED, BLUE = (255, 0, 0), (0, 0, 255)


def turned(orientation: int) -> bytes:
    """An EXIF block; 6 is shown turned by 90 degrees clockwise."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def truncated(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue", "lime")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


# What is refused ------------------------------------------------------------------------------

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
    "svg with an entity bomb": (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', "entities"),
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


# What goes as it is ---------------------------------------------------------------------------

AS_IT_IS = {
    "palette png": saved(halves("red", "blue").quantize(4)),
    "grey png": saved(photo(60, 40, "L")),
    "png with alpha": saved(photo(60, 40, "RGBA")),
    "jpeg": saved(photo(60, 40), "JPEG"),
    "progressive jpeg": saved(photo(60, 40), "JPEG", progressive=True),
    "grey jpeg": saved(photo(60, 40, "L"), "JPEG"),
    "jpeg with a colour profile": saved(photo(60, 40), "JPEG", icc_profile=b"profile"),
    "gif of one frame": saved(halves("red", "blue"), "GIF"),
    "webp": saved(photo(60, 40), "WEBP"),
    "lossless webp with alpha": saved(photo(60, 40, "RGBA"), "WEBP", lossless=True),
}


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
        "import sys; from claude_magic.messages.images import prepare;"
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


# What is converted ----------------------------------------------------------------------------


SIXTEEN = np.array([[0, 257 * 128, 65535] * 20] * 40, np.uint16)
PALETTE_ALPHA = saved(halves((255, 0, 0, 128), (0, 0, 255, 255), "RGBA").quantize(4))
GREY = (128, 128, 128)

CONVERTED = {
    "animated gif": (animation("GIF"), "RGB", RED, "first of 3 frames"),
    "animated webp": (animation("WEBP"), "RGB", RED, "first of 3 frames"),
    "animated png": (animation("PNG"), "RGB", RED, "first of 3 frames"),
    "tiff of three pages": (animation("TIFF"), "RGB", RED, "first of 3 frames"),
    "cmyk jpeg": (saved(halves(RED, BLUE).convert("CMYK"), "JPEG"), "RGB", RED, None),
    "cmyk tiff": (saved(halves(RED, BLUE).convert("CMYK"), "TIFF"), "RGB", RED, None),
    "16 bit": (saved(Image.fromarray(SIXTEEN)), "L", (0,), None),
    "16 bit tiff": (saved(Image.fromarray(SIXTEEN), "TIFF"), "L", (0,), None),
    "palette with alpha": (PALETTE_ALPHA, "RGBA", (255, 0, 0, 128), None),
    "bmp": (saved(halves(RED, BLUE), "BMP"), "RGB", RED, None),
    "tiff": (saved(halves(RED, BLUE), "TIFF", compression="tiff_lzw"), "RGB", RED, None),
    "float tiff": (saved(halves(0.5, 1.0, "F"), "TIFF"), "L", (128,), None),
    "32 bit tiff": (saved(halves(-50, 205, "I"), "TIFF"), "L", (0,), None),
    "bilevel tiff": (saved(halves(1, 0, "1"), "TIFF"), "L", (255,), None),
    "lab tiff": (saved(halves(RED, BLUE).convert("YCbCr"), "TIFF"), "RGB", RED, None),
    "ppm": (saved(halves(RED, BLUE), "PPM"), "RGB", RED, None),
    "jpeg 2000": (saved(halves(RED, BLUE), "JPEG2000"), "RGB", RED, None),
    "avif": (saved(halves(RED, BLUE), "AVIF", quality=100), "RGB", RED, None),
    "icon": (saved(halves(RED, BLUE, size=(64, 64)), "ICO", sizes=[(64, 64)]), "RGB", RED, None),
    "svg": (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="400">'
        b'<rect width="600" height="400" fill="red"/></svg>', "RGB", RED, None
    ),
}  # fmt: skip


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


# Cache, thumbnails, many images ---------------------------------------------------------------


def test_an_image_is_encoded_once() -> None:
    cache = ImageCache()
    first = prepare(saved(photo(), "BMP"), cache=cache)
    assert prepare(saved(photo(), "BMP"), cache=cache) is first
    assert prepare(saved(photo(), "BMP"), cache=cache, long_edge=300) is not first


def test_an_image_in_memory_is_encoded_once_until_it_changes() -> None:
    cache = ImageCache()
    image = photo()
    first = prepare(image, cache=cache)
    assert prepare(image.copy(), cache=cache) is first
    image.putpixel((5, 5), RED)
    assert prepare(image, cache=cache) is not first


def test_two_palettes_over_the_same_indices_are_two_images() -> None:
    cache = ImageCache()
    one, other = Image.new("P", (9, 9)), Image.new("P", (9, 9))
    one.putpalette([255, 0, 0])
    other.putpalette([0, 0, 255])
    assert prepare(one, cache=cache).block != prepare(other, cache=cache).block


def test_the_cache_forgets_the_longest_unused_first() -> None:
    cache = ImageCache(max_bytes=100)

    def get(name: str) -> object:
        return cache.get_or_make(("bytes", name, 0), object, lambda _: 40)

    a, b = get("a"), get("b")
    assert get("a") is a
    get("c")
    assert get("a") is a
    assert get("b") is not b


def test_what_is_larger_than_the_cache_is_not_held() -> None:
    cache = ImageCache(max_bytes=10)
    first = prepare(photo(), cache=cache)
    assert prepare(photo(), cache=cache) == first
    assert prepare(photo(), cache=cache) is not first


def test_an_error_is_not_held() -> None:
    cache = ImageCache()
    for _ in range(2):
        with pytest.raises(ImageError):
            prepare(b"text", cache=cache)


def test_threads_share_a_cache() -> None:
    cache = ImageCache(max_bytes=60_000)
    images = [saved(photo(40 + n, 40), "BMP") for n in range(6)]
    expected = [prepare(image) for image in images]
    wrong: list[int] = []

    def ask() -> None:
        for _ in range(20):
            wrong.extend(n for n, i in enumerate(images) if prepare(i, cache=cache) != expected[n])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


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
