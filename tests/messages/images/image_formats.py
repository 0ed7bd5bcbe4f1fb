"""Images of all formats: which go as they are, and which are converted to what."""

from __future__ import annotations

import numpy as np
import PIL
from packaging.version import Version
from PIL import Image

from tests.messages.images.image_samples import halves, photo, saved

RED, BLUE = (255, 0, 0), (0, 0, 255)


def turned(orientation: int) -> bytes:
    """An EXIF block; 6 is shown turned by 90 degrees clockwise."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue", "lime")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


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


SIXTEEN = np.array([[0, 257 * 128, 65535] * 20] * 40, np.uint16)
PALETTE_ALPHA = saved(halves((255, 0, 0, 128), (0, 0, 255, 255), "RGBA").quantize(4))

YCBCR = halves(RED, BLUE).convert("YCbCr")
READS_PLAIN_YCBCR = Version(PIL.__version__) >= Version("13")  # to those before they are damaged

CONVERTED = {
    "animated gif": (animation("GIF"), "RGB", RED, "first of 3 frames"),
    "animated webp": (animation("WEBP"), "RGB", RED, "first of 3 frames"),
    "animated png": (animation("PNG"), "RGB", RED, "first of 3 frames"),
    "tiff of three pages": (animation("TIFF"), "RGB", RED, "page 1 of 3"),
    "cmyk jpeg": (saved(halves(RED, BLUE).convert("CMYK"), "JPEG"), "RGB", RED, None),
    "cmyk tiff": (saved(halves(RED, BLUE).convert("CMYK"), "TIFF"), "RGB", RED, None),
    "16 bit": (saved(Image.fromarray(SIXTEEN)), "L", (0,), None),
    "16 bit tiff": (saved(Image.fromarray(SIXTEEN), "TIFF"), "L", (0,), None),
    "palette with alpha": (PALETTE_ALPHA, "RGBA", (255, 0, 0, 128), None),
    "bmp": (saved(halves(RED, BLUE), "BMP"), "RGB", RED, None),
    "tiff": (saved(halves(RED, BLUE), "TIFF", compression="tiff_lzw"), "RGB", RED, None),
    "float tiff": (saved(halves(0.5, 1.0, "F"), "TIFF"), "L", (128,), None),
    "32 bit tiff": (
        saved(halves(-50, 205, "I"), "TIFF"), "L", (0,), "32 bit signed, shown from -50 to 205"
    ),
    "bilevel tiff": (saved(halves(1, 0, "1"), "TIFF"), "L", (255,), None),
    "ycbcr tiff": (saved(YCBCR, "TIFF", compression="tiff_lzw"), "RGB", RED, None),
    **({"plain ycbcr tiff": (saved(YCBCR, "TIFF"), "RGB", RED, None)} if READS_PLAIN_YCBCR else {}),
    "ppm": (saved(halves(RED, BLUE), "PPM"), "RGB", RED, None),
    "jpeg 2000": (saved(halves(RED, BLUE), "JPEG2000"), "RGB", RED, None),
    "avif": (saved(halves(RED, BLUE), "AVIF", quality=100), "RGB", RED, None),
    "icon": (saved(halves(RED, BLUE, size=(64, 64)), "ICO", sizes=[(64, 64)]), "RGB", RED, None),
    "svg": (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="400">'
        b'<rect width="600" height="400" fill="red"/></svg>', "RGB", RED, None
    ),
}  # fmt: skip
