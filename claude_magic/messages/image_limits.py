"""How large an image may be: to be decoded, and to be sent."""

from __future__ import annotations

from .errors import ImageError

# Pillow's own threshold, above which it warns of a decompression bomb.
MAX_PIXELS = 89_478_485
# The API's limit for a side, in pixels.
MAX_EDGE = 8000
# 5 MB of base64, which every server takes, in bytes before base64.
MAX_BYTES = 3_750_000
# A PNG above this is a photograph, or noise, for which there are better encodings.
MAX_PNG_BYTES = 1_500_000


def check_size(width: int, height: int) -> None:
    """Nothing.

    Raises: ImageError if there is no pixel, or there are more than may be decoded.
    """
    if width <= 0 or height <= 0:
        raise ImageError(f"the image is {width}x{height} pixels: there is nothing in it")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"the image is {width}x{height} pixels, over the limit of "
            f"{MAX_PIXELS // 10**6} megapixels: scale it down first"
        )


def sendable_size(data: bytes, kind: str) -> bool:
    """Whether these bytes are few enough to be sent."""
    return len(data) <= (MAX_PNG_BYTES if kind == "image/png" else MAX_BYTES)
