"""An image as it is sent: `prepare()` is the one way from anything a notebook shows to a block.

Pillow is imported only when an image has to be decoded: a figure that already fits goes as it is.
"""

from __future__ import annotations

import binascii
import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from ...value_classes import frozen
from ..blocks import Base64Source, Block, ImageBlock, image_base64, image_note
from ..errors import ImageError
from ..once import OwnLock
from .sniff import media_type, size, size_of_base64
from .sources import ImageLink, Page, from_base64, picture
from .structure import (
    MAX_EDGE,
    Incomplete,
    NoSuchPage,
    check_page,
    check_size,
    incomplete,
    jpeg_within,
    sendable_size,
)
from .structure import check as check_structure

if TYPE_CHECKING:
    from .depth import Shown
    from .pixels import Encoded

CacheKey = tuple[str, str, int]
"""What was made, the SHA-256 of what it was made from, and the long edge in pixels."""


class ImageCache:
    """Holds up to `max_bytes` of results, the longest unused leave first. Safe across threads.

    Owned by whoever asks for images (a Session); the default holds a long notebook's figures.
    """

    def __init__(self, max_bytes: int = 64_000_000) -> None:
        self._max_bytes = max_bytes
        self._held: OrderedDict[CacheKey, tuple[object, int]] = OrderedDict()
        self._bytes = 0
        self._lock = OwnLock()

    def get_or_make(self, key: CacheKey, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """The result held for `key`, else that of `make()`, whose `size` in bytes counts.

        Two threads that ask at once may both make it: the result is the same. What `make` raises
        is not held.
        """
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return cast(T, self._held[key][0])
        value = make()
        self._put(key, value, size(value))
        return value

    def _put(self, key: CacheKey, value: object, size: int) -> None:
        with self._lock:
            self._bytes -= self._held.pop(key, (None, 0))[1]
            self._held[key] = (value, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, (_, gone) = self._held.popitem(last=False)
                self._bytes -= gone


__all__ = ["ImageCache", "Prepared", "fit_many", "prepare", "smaller", "thumbnail"]

LONG_EDGE = 1568
MANY_IMAGES_EDGE = 2000

T = TypeVar("T")

_SENDABLE = {"image/png", "image/jpeg", "image/gif", "image/webp"}
_REFUSED = {
    "application/pdf": "this is a PDF, not an image: attach it with -f",
    "application/gzip": "this is compressed (an SVGZ is): decompress it first",
    "application/postscript": "PostScript is not drawn here: save it as PNG, or as PDF for -f",
    "image/heic": "HEIC images cannot be read: export it as JPEG first",
}


@frozen
class Prepared:
    """An image as it is sent.

    `width` and `height` in pixels as sent, 0 for an image that the server fetches. `digest` is
    the SHA-256 in hex of the bytes sent (of the URL for one that is fetched). `note` says what
    of the source is not shown, such as an animation's other frames, and from what values it was
    scaled.
    """

    block: ImageBlock
    width: int
    height: int
    digest: str
    note: str | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The image, and what a model is to know of how it is shown."""
        return (self.block, image_note(self.note)) if self.note else (self.block,)


def prepare(
    source: object, *, long_edge: int = LONG_EDGE, cache: ImageCache | None = None
) -> Prepared:
    """The image that `source` is or shows, as a block that every server takes.

    `source`: bytes, path, http(s) or data: URL, image block, mimebundle, PIL image, NumPy array,
    a figure of Matplotlib, seaborn, Plotly or Altair, or what has `_repr_png_` and the like; a
    `Page` of a file.
    The longer side is at most `long_edge` pixels, the base64 at most 5 MB. An image that already
    is so goes as it is, without text chunks. The same source gives the same bytes.

    Raises: ImageError if it is not an image, is damaged, or is too large to be decoded.
    """
    page = source.number if isinstance(source, Page) else None
    found = picture(source.source if isinstance(source, Page) else source)
    if page is not None and not isinstance(found, bytes):
        raise ImageError("only of a file a page can be chosen: pass its path")
    if isinstance(found, ImageLink):
        block = cast(ImageBlock, {"type": "image", "source": dict(found.source)})
        return Prepared(block, 0, 0, _sha256(found.name.encode(errors="replace")))
    long_edge = min(long_edge, MAX_EDGE)
    if isinstance(found, bytes):
        data = found
        make = partial(_from_bytes, data, long_edge, page)
        made = "bytes" if page is None else f"page {page}"
        return _kept(cache, made, partial(_sha256, data), long_edge, make)
    from .depth import Shown
    from .pixels import fingerprint

    check_size(*found.size)  # before the fingerprint decodes it
    shown = found if isinstance(found, Shown) else Shown(found)
    make = partial(_from_pillow, shown, long_edge)
    return _kept(cache, "pixels", partial(fingerprint, shown), long_edge, make)


def thumbnail(block: ImageBlock, *, cache: ImageCache | None = None) -> str | None:
    """A `data:` URI of at most 5,000 bytes of image; None if the server fetches the image.

    Raises: ImageError if the block's image cannot be decoded.
    """
    if block["source"]["type"] != "base64":
        return None
    text = block["source"]["data"]
    digest = partial(_sha256, text.encode(errors="replace"))
    return _kept(cache, "thumbnail", digest, 0, lambda: _thumbnail(from_base64(text)))


def fit_many(
    block: ImageBlock, long_edge: int = MANY_IMAGES_EDGE, *, cache: ImageCache | None = None
) -> ImageBlock:
    """`block` for a request of over 20 images, in which no side may exceed 2000 pixels.

    It is the same block if it fits or is fetched by the server.

    Raises: ImageError if an image that does not fit cannot be decoded.
    """
    if block["source"]["type"] != "base64":
        return block
    pixels = size_of_base64(block["source"]["data"])
    if pixels is not None and max(pixels) <= long_edge:
        return block
    return prepare(block, long_edge=long_edge, cache=cache).block


def smaller(
    block: ImageBlock,
    *,
    side: int | None = None,
    characters: int | None = None,
    cache: ImageCache | None = None,
) -> ImageBlock | None:
    """`block` with at most so many pixels a side, and characters of base64.

    None where it is so already, is fetched by the server, or cannot be made so.

    Raises: ImageError if it cannot be decoded.
    """
    source = block["source"]
    pixels = size_of_base64(source["data"]) if source["type"] == "base64" else None
    if source["type"] != "base64" or pixels is None:
        return None
    edge = min(side or max(pixels), max(pixels))
    if edge == max(pixels) and len(source["data"]) <= (characters or len(source["data"])):
        return None
    while edge >= _LEAST_EDGE:
        made = prepare(block, long_edge=edge, cache=cache)
        held = len(cast("Base64Source", made.block["source"])["data"])
        if characters is None or held <= characters:
            return made.block
        edge = int(max(made.width, made.height) * min(0.9, math.sqrt(characters / held)))
    return None


_LEAST_EDGE = 16


def _kept(
    cache: ImageCache | None, made: str, digest: Callable[[], str], edge: int, make: Callable[[], T]
) -> T:
    """The result of `make` from `cache` or new; it depends on `digest` and `edge` alone."""
    if cache is None:
        return make()
    return cache.get_or_make((made, digest(), edge), make, _bytes_held)


def _bytes_held(made: object) -> int:
    if isinstance(made, Prepared) and made.block["source"]["type"] == "base64":
        return len(made.block["source"]["data"])
    return len(str(made))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _from_bytes(data: bytes, long_edge: int, page: int | None = None) -> Prepared:
    kind = media_type(data)
    if kind is None:
        return _of_other_kind(data, long_edge, page)
    if kind in _REFUSED:
        raise ImageError(_REFUSED[kind])
    if kind == "image/svg+xml":
        from .svg import rasterise

        return _from_bytes(rasterise(data, long_edge), long_edge, page)
    if kind not in _SENDABLE:
        return _decoded(data, kind, long_edge, page)
    pixels = size(data)
    if pixels is not None:
        check_size(*pixels)
    try:
        structure = check_structure(data, kind)
    except Incomplete as fault:
        return _mended(data, kind, long_edge, page, fault)
    if pixels is None:
        return _mended(data, kind, long_edge, page, incomplete(kind))
    whole, count = structure.data, structure.frames
    check_page(page, count)
    if page is not None and page > 1:  # `whole` may hold the first picture alone
        return _decoded(data, kind, long_edge, page, count)
    if structure.plain and max(pixels) <= long_edge and sendable_size(whole, kind):
        return _prepared(whole, kind, pixels, _frame_note(0, count))
    return _decoded(whole, kind, long_edge, count=count)


def _mended(
    data: bytes, kind: str, long_edge: int, page: int | None, fault: ImageError
) -> Prepared:
    """The image encoded anew, where what is wrong with its container leaves the picture whole.

    Raises: `fault` where pixels are missing.
    """
    try:
        return _decoded(data, kind, long_edge, page)
    except NoSuchPage:
        raise
    except ImageError:
        if kind != "image/jpeg":
            raise fault from None
    from .pixels import whole_jpeg

    try:
        whole = whole_jpeg(data)
    except ImageError:
        whole = None
    if whole is None:
        raise fault
    return _decoded(whole, kind, long_edge, page)


def _of_other_kind(data: bytes, long_edge: int, page: int | None) -> Prepared:
    """What no magic bytes tell: a JPEG with something before it, or what Pillow takes it for."""
    inner = jpeg_within(data)
    if inner is not None:
        return _from_bytes(inner, long_edge, page)
    from .pixels import encode_bytes, known

    if not known(data):
        raise ImageError(_not_an_image(data))
    return _from_encoded(encode_bytes(data, None, long_edge, page))


def _not_an_image(data: bytes) -> str:
    if not data:
        return "there are no bytes in this image: pass another one"
    return f"these bytes are not an image (they begin with {data[:16]!r}): pass a PNG or JPEG"


def _decoded(
    data: bytes, kind: str, long_edge: int, page: int | None = None, count: int = 1
) -> Prepared:
    from .pixels import encode_bytes

    return _from_encoded(encode_bytes(data, kind, long_edge, page), count)


def _from_pillow(shown: Shown, long_edge: int) -> Prepared:
    from .pixels import encode_image

    encoded = encode_image(shown.image, long_edge)
    return _from_encoded(encoded, note=shown.note)


def _from_encoded(made: Encoded, count: int = 1, note: str | None = None) -> Prepared:
    count = max(count, made.frames)
    notes = [_frame_note(made.frame, count, paged=made.paged), note or made.note]
    said = "; ".join(note for note in notes if note) or None
    return _prepared(made.data, made.media_type, (made.width, made.height), said)


def _prepared(data: bytes, kind: str, pixels: tuple[int, int], note: str | None = None) -> Prepared:
    text = binascii.b2a_base64(data, newline=False).decode()
    return Prepared(image_base64(kind, text), *pixels, _sha256(data), note)


def _frame_note(frame: int, count: int, *, paged: bool = False) -> str | None:
    if count == 1:
        return None
    if paged:
        return f"page {frame + 1} of {count}"
    return f"frame {frame + 1} of {count}" if frame else f"first of {count} frames"


def _thumbnail(data: bytes) -> str:
    from .pixels import THUMBNAIL_BYTES, THUMBNAIL_EDGE, thumbnail_bytes

    kind = media_type(data)
    if kind is None:
        raise ImageError(_not_an_image(data))
    pixels = size(data)
    if pixels is None or max(pixels) > THUMBNAIL_EDGE or len(data) > THUMBNAIL_BYTES:
        small = thumbnail_bytes(data, kind)
        data, kind = small.data, small.media_type
    return f"data:{kind};base64,{binascii.b2a_base64(data, newline=False).decode()}"
