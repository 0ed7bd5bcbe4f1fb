"""Images and documents: types, sizes, numbers, and whether they can be read at all.

Source: the vision and PDF pages.
"""

from __future__ import annotations

import binascii
import io
from collections.abc import Mapping, Sequence
from typing import Any

from ..messages.models import Model
from ..messages.sniff import media_type, size
from ..messages.usage import scaled_size
from .asked import Asked, Placed
from .refusal import Refusal, bad

MAX_BASE64 = 10 * 1024 * 1024
MAX_SIDE = 8000
MANY_IMAGES = 20
MANY_IMAGES_MAX_SIDE = 2000


def check_media(asked: Asked) -> None:
    """Raises Refusal for an image or document that the API would not take."""
    every = list(asked.every_block())
    images = [placed for placed in every if placed.block["type"] == "image"]
    most = 600 if asked.model.context > 200_000 else 100
    if len(images) > most:
        raise bad(f"messages: at most {most} images are allowed in a request, found {len(images)}")
    sizes = {placed.path: check_image(placed, asked.model) for placed in images}
    _check_many(sizes)
    for placed in every:
        if placed.block["type"] == "document":
            _check_document(placed)
    _check_citations(asked, every)


def decoded(data: str, path: str) -> bytes:
    """The bytes of base64 text. Raises Refusal for line breaks, a `data:` prefix, bad padding."""
    try:
        # Strict mode, or line breaks and stray characters would be skipped.
        return binascii.a2b_base64(data.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as fault:
        raise bad(f"{path}.source.base64.data: invalid base64 data") from fault


def check_image(placed: Placed, model: Model) -> tuple[int, int] | None:
    """Width and height in pixels; None for an image that is not in the request."""
    source, path = placed.block["source"], f"{placed.path}.image"
    if source["type"] == "file":
        raise _no_such_file(source)
    if source["type"] == "url":
        return None
    if len(source["data"]) > MAX_BASE64:
        raise bad(
            f"{path}.source.base64: image exceeds 10 MB maximum: {len(source['data'])} bytes > "
            f"{MAX_BASE64} bytes"
        )
    data = decoded(source["data"], path)
    found = media_type(data)
    if found is not None and found != source["media_type"]:
        raise bad(
            f"{path}.source.base64.data: The image was specified using the "
            f"{source['media_type']} media type, but the image appears to be a {found} image"
        )
    measured = size(data)
    if measured is None:
        raise _unreadable(path)
    if max(measured) > MAX_SIDE:
        raise bad(
            f"{path}.source.base64.data: At least one of the image dimensions exceed max allowed "
            f"size: {MAX_SIDE} pixels",
            _too_large([placed.path], MAX_SIDE),
        )
    _check_readable(data, measured, path)
    if (placed.block.get("transformations") or {}).get("oversized_image") == "error":
        fits = scaled_size(*measured, model)
        if fits != measured:
            raise bad(
                f"{path}: the image is {measured[0]}x{measured[1]} pixels; the largest size that "
                f"fits is {fits[0]}x{fits[1]} pixels"
            )
    return measured


def _check_readable(data: bytes, measured: tuple[int, int], path: str) -> None:
    from PIL import Image

    # A second opinion on type and size, from a decoder, and proof that every pixel is there.
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            seen = image.size
    except Exception as fault:  # decoders raise a zoo of errors on damaged input
        raise _unreadable(path) from fault
    if seen != measured:
        raise _unreadable(path)


def _unreadable(path: str) -> Refusal:
    return bad(f"{path}.source.base64.data: Could not process image")


def _no_such_file(source: Mapping[str, Any]) -> Refusal:
    return Refusal(404, "not_found_error", f"File not found: {source['file_id']}")


def _too_large(paths: Sequence[str], side: int) -> dict[str, Any]:
    return {
        "error_code": "image_dimensions_too_large",
        "max_side_length_pixels": side,
        "paths": list(paths),
    }


def _check_many(sizes: Mapping[str, tuple[int, int] | None]) -> None:
    if len(sizes) <= MANY_IMAGES:
        return
    large = [path for path, size in sizes.items() if size and max(size) > MANY_IMAGES_MAX_SIDE]
    if large:
        raise bad(
            f"{large[0]}.image.source.base64.data: At least one of the image dimensions exceed "
            f"max allowed size for many-image requests: {MANY_IMAGES_MAX_SIDE} pixels",
            _too_large(large, MANY_IMAGES_MAX_SIDE),
        )


def _check_document(placed: Placed) -> None:
    source, path = placed.block["source"], f"{placed.path}.document"
    if source["type"] == "file":
        raise _no_such_file(source)
    if source["type"] == "base64" and b"%PDF-" not in decoded(source["data"], path)[:1024]:
        raise bad(f"{path}.source.base64.data: The PDF specified was not valid.")


def _check_citations(asked: Asked, every: Sequence[Placed]) -> None:
    citing = False
    for kind, name in (("document", "documents"), ("search_result", "search results")):
        wanted = {
            bool((placed.block.get("citations") or {}).get("enabled"))
            for placed in every
            if placed.block["type"] == kind
        }
        if len(wanted) > 1:
            raise bad(f"messages: citations must be enabled on all {name} or on none of them")
        citing = citing or True in wanted
    if citing and asked.schema is not None:
        raise bad("output_config.format: cannot be combined with citations.")
