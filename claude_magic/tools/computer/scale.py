"""The size at which a screen is sent, and places on it in both sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...messages.images import MANY_IMAGES_EDGE
from ...messages.models import Model
from ...messages.usage import scaled_size

Point = tuple[int, int]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Scale:
    """Sizes in pixels of the screen, and of the screenshots that are sent: never larger."""

    screen: Point
    sent: Point

    @classmethod
    def of(cls, screen: Point, model: Model) -> Scale:
        """The largest screenshots that `model` sees as they are, in a long conversation too.

        The API refuses larger ones, and the model names places in the pixels that it saw.
        """
        width, height = scaled_size(*screen, model)
        if max(width, height) > MANY_IMAGES_EDGE:
            factor = MANY_IMAGES_EDGE / max(width, height)
            width, height = max(1, round(width * factor)), max(1, round(height * factor))
        return cls(screen, (width, height))

    def to_screen(self, point: Point) -> Point:
        """The screen's pixel in the middle of a pixel of the screenshot."""
        x, y = (
            math.floor((at + 0.5) * full / small)
            for at, full, small in zip(point, self.screen, self.sent, strict=True)
        )
        return x, y

    def to_sent(self, point: Point) -> Point:
        """The pixel of the screenshot that shows this pixel of the screen."""
        x, y = (
            math.floor((at + 0.5) * small / full)
            for at, full, small in zip(point, self.screen, self.sent, strict=True)
        )
        return x, y

    def box_to_screen(self, box: Box) -> Box:
        """The screen's pixels that a region of the screenshot shows, right and bottom excluded."""
        (width, height), (small_width, small_height) = self.screen, self.sent
        left, top, right, bottom = box
        return (
            math.floor(left * width / small_width),
            math.floor(top * height / small_height),
            math.ceil(right * width / small_width),
            math.ceil(bottom * height / small_height),
        )

    def fitted(self, size: Point) -> Point:
        """The largest size of this shape that fits a screenshot."""
        factor = min(self.sent[0] / size[0], self.sent[1] / size[1])
        return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
