"""What can be said of an image from its pixels: format, size, frames, main colours."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass

# Several samples of what goes by one name; a pixel gets the name of the nearest sample.
_SAMPLES = {
    "black": ((0, 0, 0), (30, 30, 30)),
    "grey": ((70, 70, 70), (110, 110, 110), (150, 150, 150), (195, 195, 195)),
    "white": ((255, 255, 255), (235, 235, 235)),
    "red": ((255, 0, 0), (214, 39, 40), (160, 20, 20), (230, 90, 90)),
    "orange": ((255, 127, 14), (255, 165, 0), (250, 180, 110)),
    "brown": ((140, 86, 75), (110, 65, 25), (170, 120, 80)),
    "yellow": ((255, 255, 0), (240, 220, 70), (255, 250, 170), (188, 189, 34)),
    "green": ((0, 128, 0), (44, 160, 44), (0, 255, 0), (140, 210, 140), (30, 80, 30)),
    "turquoise": ((0, 255, 255), (23, 190, 207), (0, 128, 128), (33, 145, 140)),
    "blue": ((0, 0, 255), (31, 119, 180), (0, 0, 128), (100, 149, 237), (135, 200, 240)),
    "purple": ((128, 0, 128), (148, 103, 189), (68, 1, 84), (200, 160, 220)),
    "pink": ((255, 0, 255), (227, 119, 194), (255, 182, 193)),
}
_COLOURLESS = ("black", "grey", "white", "transparent")
_SIDE = 512
# A thin line across a figure covers a few thousandths of it.
_WORTH_NAMING = 0.002
_MOSTLY = 0.5
_AT_MOST = 3


@dataclass(frozen=True)
class Look:
    """`colours`: that of most pixels, then real colours before black, grey and white.

    `mostly` says that the first covers half or more.
    """

    format: str
    width: int
    height: int
    frames: int
    colours: tuple[str, ...]
    mostly: bool

    def __str__(self) -> str:
        moving = f", the first of {self.frames} frames" if self.frames > 1 else ""
        return f"{self.format}, {self.width} x {self.height} pixels{moving}, {self.in_colours}"

    @property
    def in_colours(self) -> str:
        """The colours in words: "mostly white with blue and black"."""
        first, *others = self.colours
        lead = f"{'mostly ' if self.mostly else ''}{first}"
        return f"{lead} with {' and '.join(others)}" if others else f"all {first}"


def look(data: bytes) -> Look:
    """What the bytes of a PNG, JPEG, GIF or WebP image show; of an animation, the first frame."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        # Picked, not blended pixels: blending would invent colours between a line and its ground.
        small = image.resize(
            (min(_SIDE, image.width), min(_SIDE, image.height)), Image.Resampling.NEAREST
        )
        if small.mode.startswith("I"):  # 16 bit: converting would clip, not scale
            small = small.point(lambda value: value * (1 / 256)).convert("L")
        small = small.convert("RGBA")
        # Sixteen steps a channel are enough for a name, and few enough to look all of them up.
        shares = _shares(small.point(lambda value: value // 16 * 17).tobytes())
        (first, share), *others = shares
        named = [name for name, part in others if part >= _WORTH_NAMING]
        named.sort(key=lambda name: name in _COLOURLESS)
        return Look(
            str(image.format),
            image.width,
            image.height,
            getattr(image, "n_frames", 1),
            (first, *named[: _AT_MOST - 1]),
            share >= _MOSTLY,
        )


def _shares(rgba: bytes) -> list[tuple[str, float]]:
    pixels = Counter(zip(rgba[::4], rgba[1::4], rgba[2::4], rgba[3::4], strict=True))
    named: Counter[str] = Counter()
    for (red, green, blue, alpha), number in pixels.items():
        named["transparent" if alpha < 128 else _nearest(red, green, blue)] += number
    total = named.total()
    return [
        (name, number / total)
        for name, number in sorted(named.items(), key=lambda item: (-item[1], item[0]))
    ]


def _nearest(red: int, green: int, blue: int) -> str:
    def distance(name: str) -> int:
        return min(
            (red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2 for r, g, b in _SAMPLES[name]
        )

    return min(_SAMPLES, key=distance)
