"""Screenshots fit what the model sees, and places are found again on the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_magic.computer.screen_pictures import Scale
from claude_magic.messages.models import MODELS
from claude_magic.messages.usage import scaled_size

STANDARD = MODELS["claude-opus-4-6"]
HIGH = MODELS["claude-sonnet-5-5"]
SIZES = {
    "XGA": ((1024, 768), (1024, 768), (1024, 768)),
    "WXGA": ((1280, 800), (1280, 800), (1280, 800)),
    "full HD": ((1920, 1080), (1456, 819), (1920, 1080)),
    "over 2000 pixels": ((2560, 1440), (1456, 819), (2000, 1125)),
    "4K": ((3840, 2160), (1456, 819), (2000, 1125)),
}


@pytest.mark.parametrize(("screen", "standard", "high"), SIZES.values(), ids=SIZES)
def test_a_screenshot_is_as_large_as_the_model_sees_and_many_may_be(
    screen: tuple[int, int], standard: tuple[int, int], high: tuple[int, int]
) -> None:
    assert Scale.of(screen, STANDARD).sent == standard
    assert Scale.of(screen, HIGH).sent == high


sides = st.integers(240, 3840)
models = st.sampled_from([STANDARD, HIGH])


@given(st.tuples(sides, sides), models, st.data())
def test_a_pixel_of_the_screenshot_is_the_same_pixel_again(screen, model, data) -> None:  # type: ignore[no-untyped-def]
    scale = Scale.of(screen, model)
    x = data.draw(st.integers(0, scale.sent[0] - 1))
    y = data.draw(st.integers(0, scale.sent[1] - 1))
    on_screen = scale.to_screen((x, y))
    assert scale.to_sent(on_screen) == (x, y)
    assert 0 <= on_screen[0] < screen[0]
    assert 0 <= on_screen[1] < screen[1]


@given(st.tuples(sides, sides), models)
def test_no_model_scales_a_screenshot_again(screen: tuple[int, int], model) -> None:  # type: ignore[no-untyped-def]
    sent = Scale.of(screen, model).sent
    assert scaled_size(*sent, model) == sent
    assert max(sent) <= 2000


@given(st.tuples(sides, sides), models, st.data())
def test_a_region_is_shown_as_large_as_fits_a_screenshot(screen, model, data) -> None:  # type: ignore[no-untyped-def]
    scale = Scale.of(screen, model)
    width, height = scale.sent
    left, right = sorted(data.draw(st.tuples(st.integers(0, width - 1), st.integers(0, width - 1))))
    top, bottom = sorted(
        data.draw(st.tuples(st.integers(0, height - 1), st.integers(0, height - 1)))
    )
    x0, y0, x1, y1 = scale.box_to_screen((left, top, right + 1, bottom + 1))
    assert 0 <= x0 < x1 <= screen[0]
    assert 0 <= y0 < y1 <= screen[1]
    shown = scale.fitted((x1 - x0, y1 - y0))
    assert shown[0] <= width
    assert shown[1] <= height
    assert shown[0] == width or shown[1] == height


def test_on_a_screen_that_is_not_scaled_every_place_is_itself() -> None:
    scale = Scale.of((1280, 800), STANDARD)
    assert scale.to_screen((0, 0)) == (0, 0)
    assert scale.to_screen((1279, 799)) == (1279, 799)
    assert scale.to_sent((640, 400)) == (640, 400)
    assert scale.box_to_screen((10, 20, 30, 40)) == (10, 20, 30, 40)
