"""The pixel sent is the pixel clicked, whatever the size of the screen and of the screenshot."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from claude_magic.computer import ComputerTool, Workplace
from claude_magic.messages.models import Model
from tests.computer.calls_as_sent import NEWEST, OLDER, call, images
from tests.computer.recorder import Recorder

SCREENS = {
    "1024 x 768": ((1024, 768), NEWEST, (1024, 768)),
    "1280 x 800": ((1280, 800), OLDER, (1280, 800)),
    "1920 x 1080 as it is": ((1920, 1080), NEWEST, (1920, 1080)),
    "1920 x 1080 scaled": ((1920, 1080), OLDER, (1456, 819)),
    "2560 x 1440 scaled": ((2560, 1440), NEWEST, (2000, 1125)),
}
# Shares of width and height.
AT = [(0, 0), (1, 1), (0.5, 0.5), (0.123, 0.777), (1, 0)]


@pytest.fixture
def workplace(installed: None, request: pytest.FixtureRequest) -> Iterator[Workplace]:
    made = Workplace(size=request.param)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("workplace", "model", "sent"), SCREENS.values(), ids=SCREENS, indirect=["workplace"]
)
def test_a_click_on_what_a_screenshot_shows_arrives_on_it(
    workplace: Workplace, model: Model, sent: tuple[int, int], tmp_path: Path
) -> None:
    width, height = workplace.size
    # What is smaller than a pixel of the screenshot would not be seen.
    edge = 1 if sent == workplace.size else 3
    places = [(round(right * (width - edge)), round(down * (height - edge))) for right, down in AT]
    window = Recorder(tmp_path / "events.jsonl")
    workplace.app = window.command(edge, *(f"{x},{y}" for x, y in places))
    tool = ComputerTool(workplace)
    tool.definitions(model, anthropic=True)
    # Out of the way first: the pointer is on a screenshot as well.
    away = {"coordinate": [sent[0] // 3, sent[1] // 4]}
    calls = [call("mouse_move", model=model, **away), call("screenshot", model=model)]
    (image,) = images(list(tool.run(calls))[1])
    screen = Image.open(io.BytesIO(base64.b64decode(image["source"]["data"])))
    assert screen.size == sent
    scale = sent[0] / width
    found = [darkest(screen, round(x * scale), round(y * scale)) for x, y in places]
    clicks = [call("left_click", model=model, coordinate=list(point)) for point in found]
    assert not any(result.get("is_error") for result in tool.run(clicks))
    window.until(lambda: len(window.of("release")) == len(places))
    for (x, y), (on_x, on_y) in zip(places, window.places("press"), strict=True):
        assert x <= on_x < x + edge
        assert y <= on_y < y + edge


def darkest(screen: Image.Image, x: int, y: int) -> tuple[int, int]:
    """The middle of what is darkest near this place."""
    left, top = max(0, x - 9), max(0, y - 9)
    near = screen.convert("L").crop(
        (left, top, min(screen.width, x + 9), min(screen.height, y + 9))
    )
    least, most = near.getextrema()
    assert most - least > 100, "there is nothing to click on"
    box = near.point(lambda value: 255 if value == least else 0).getbbox()
    assert box is not None
    return left + (box[0] + box[2] - 1) // 2, top + (box[1] + box[3] - 1) // 2
