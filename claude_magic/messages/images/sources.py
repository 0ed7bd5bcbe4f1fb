"""From whatever a notebook can show to a picture: bytes, a Pillow image, or a URL.

Everything is recognised by what it offers or by where its class comes from; no plotting library
is imported here.
"""

from __future__ import annotations

import binascii
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import urlsplit

from ...value_classes import frozen
from ..errors import ImageError
from ..plain_text import count
from .plots import families, figure_png, shown

if TYPE_CHECKING:
    from PIL import Image

    from .depth import Shown

MAX_FILE_BYTES = 256_000_000

_DATA_URL = re.compile(r"data:image/[\w.+-]+(?:;[\w.=-]+)*;base64,", re.IGNORECASE)
_OTHER_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
# The first that a bundle has; of one picture in two forms, the exact one.
_BUNDLE_ORDER = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml")


# By name: they are imported where there are pixels to look at.
_IMAGES = {("PIL.Image", "Image"), (f"{__package__}.depth", "Shown")}


@frozen
class ImageLink:
    """An image that the server gets by itself: `source` is a `url` or `file` source block."""

    source: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The URL or file id."""
        return str(self.source.get("url") or self.source.get("file_id") or "")


@frozen
class Page:
    """A page of a file, or a frame of an animation; `number` counts from 1."""

    source: object
    number: int


PictureSource: TypeAlias = "bytes | ImageLink | Image.Image | Shown"


# What of a folder is taken for an image. What a suffix may also stand for otherwise is left out.
_SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".webp", ".svg", ".bmp", ".dib",
     ".tif", ".tiff", ".avif", ".jp2", ".j2k", ".j2c", ".jpf", ".jpx", ".ico", ".icns", ".ppm",
     ".pgm", ".pbm", ".pnm", ".pfm", ".fits", ".fit", ".fts", ".psd", ".tga", ".qoi", ".dds",
     ".pcx", ".sgi"}
)  # fmt: skip


@frozen
class FolderImages:
    """The image files of a folder, sorted, and a line on what else is in it; "" if nothing is."""

    files: Sequence[Path]
    skipped: str


def images_within(folder: Path, *, below: bool = False) -> FolderImages:
    """The images of a folder, with `below` those of its folders too; hidden files do not count."""
    every = sorted(p for p in (folder.rglob("*") if below else folder.glob("*")) if p.is_file())
    seen = [p for p in every if not any(part[:1] == "." for part in p.relative_to(folder).parts)]
    files = [p for p in every if p.suffix.lower() in _SUFFIXES]
    others = [p.suffix.lower() or p.name for p in seen if p.suffix.lower() not in _SUFFIXES]
    if not others:
        return FolderImages(files, "")
    kinds = sorted(set(others), key=lambda kind: (-others.count(kind), kind))
    named = ", ".join(kinds[:_MOST_KINDS]) + (" and others" if kinds[_MOST_KINDS:] else "")
    return FolderImages(files, f"{named}: {count(len(others), 'file')} skipped, no images")


_MOST_KINDS = 8


def picture(source: object) -> PictureSource:
    """The picture that `source` is or shows; its bytes are not looked at yet.

    Raises: ImageError that names the type of `source` if it shows none, or says what went wrong.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str):
        return _from_text(source)
    if isinstance(source, os.PathLike):
        return _from_file(os.fspath(source))
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if any((c.__module__, c.__name__) in _IMAGES for c in type(source).__mro__):
        return cast("Image.Image | Shown", source)
    if hasattr(type(source), "__array_interface__"):
        return _from_array(source)
    return _from_object(source)


def _from_text(text: str) -> PictureSource:
    if re.match(r"https?://", text, re.IGNORECASE):
        return url_link(text)
    if text[:5].lower() == "data:":
        found = _DATA_URL.match(text)
        if found is None:
            raise ImageError("the data: URL is not data:image/...;base64,...: pass the bytes")
        return from_base64(text[found.end() :])
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        return text.encode(errors="replace")  # the source of an SVG
    if _OTHER_URL.match(text):
        raise ImageError(f"{text[:60]!r}: only http and https addresses, data: URLs and paths work")
    return _from_file(text)


def url_link(url: str) -> ImageLink:
    """The source block of an image at an http(s) address.

    Raises: ImageError if it is no such address.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\x00]", url):
        raise ImageError(f"{url[:60]!r} is not an address: write it as https://host/path")
    return ImageLink({"type": "url", "url": url})


def from_base64(text: str) -> bytes:
    """The bytes of base64 `text`; line breaks are fine.

    Raises: ImageError if it is anything else.
    """
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError as error:
        raise ImageError(f"the image's base64 is damaged ({error}): pass the bytes") from None


def _from_file(path: str | bytes) -> bytes:
    name = os.fsdecode(path)
    short = name if len(name) <= 120 else f"{name[:60]}...{name[-40:]}"
    try:
        file = Path(name).expanduser()
        if not file.is_file():
            what = "is a folder" if file.is_dir() else "is not there, or is not a file"
            raise ImageError(f"{short!r} {what}: pass the path of an image")
        if file.stat().st_size > MAX_FILE_BYTES:
            raise ImageError(f"{short!r} is over {MAX_FILE_BYTES // 10**6} MB: scale it down first")
        return file.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: ~ of nobody
        # The text of an OSError repeats the path, whatever its length.
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{short!r} cannot be read ({reason}): pass another path") from None


def _from_mapping(value: Mapping[Any, Any]) -> PictureSource:
    """From an image block, or from a mimebundle as outputs and notebooks hold it."""
    if value.get("type") == "image":
        match value.get("source"):
            case {"type": "base64", "data": str(data)}:
                return from_base64(data)
            case {"type": "url", "url": str(url)}:
                return url_link(url)
            case {"type": "file", "file_id": str(file_id)}:
                return ImageLink({"type": "file", "file_id": file_id})
        raise ImageError("the image block has no source of type base64, url or file: build it anew")
    kinds = [kind for kind in _BUNDLE_ORDER if value.get(kind)]
    if not kinds:
        raise ImageError("a dict is not an image: pass a figure, an image, bytes, a path or a URL")
    return _from_bundle(kinds[0], value[kinds[0]])


def _from_bundle(kind: str, value: object) -> bytes:
    """The bytes of one entry: text or bytes; base64 but for SVG; in notebooks a list of lines."""
    if isinstance(value, list):
        value = "".join(str(line) for line in value)
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ImageError(
            f"the {kind} of this output is of type {type(value).__name__}: pass its bytes"
        )
    return value.encode(errors="replace") if kind == "image/svg+xml" else from_base64(value)


def _from_array(array: Any) -> PictureSource:
    # DataFrame.hist() and plt.subplots() give arrays of Axes.
    if array.__array_interface__["typestr"] == "|O" and array.size:
        return _from_object(array.flat[0])
    from .pixels import from_array

    return from_array(array)


def _from_object(source: object) -> PictureSource:
    png = figure_png(source)
    if png is not None:
        return png
    if "IPython" in families(source):
        data, url = getattr(source, "data", None), getattr(source, "url", None)
        if isinstance(data, bytes):
            return data
        if isinstance(url, str):
            return _from_text(url)
    bundle = shown(source)
    for kind in _BUNDLE_ORDER:
        if bundle.get(kind):
            return _from_bundle(kind, bundle[kind])
    raise ImageError(
        f"{type(source).__name__} is not an image: "
        "pass a figure, a PIL image, an array, image bytes, a path or a URL"
    )
