"""Pictures of a screen: the pointer marked, all steps on one strip."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from claude_magic.computer.screen_pictures import marked, png, screen_image, strip

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "PNG"
    return image.convert("RGB")


def test_a_screen_is_its_pixels_with_the_pointer_on_them() -> None:
    told = {"size": [3, 2], "pointer": [2, 1], "shape": [2, 2], "hot": [1, 1]}
    blue = bytes([255, 0, 0, 0])
    # Premultiplied: opaque red, half white, nothing, opaque green.
    shape = bytes([0, 0, 255, 255, 128, 128, 128, 128, 0, 0, 0, 0, 0, 255, 0, 255])
    image = screen_image(told, blue * 6 + shape)
    assert image.mode == "RGB"
    pixels = [[image.getpixel((x, y)) for x in range(3)] for y in range(2)]
    assert pixels[0][:2] == [(0, 0, 255), (255, 0, 0)]
    assert pixels[0][2] in [(127, 127, 255), (128, 128, 255)]
    assert pixels[1] == [(0, 0, 255), (0, 0, 255), (0, 255, 0)]


def test_a_screen_without_a_pointer_is_its_pixels() -> None:
    told = {"size": [1, 1], "pointer": [0, 0], "shape": [0, 0], "hot": [0, 0]}
    assert screen_image(told, bytes([1, 2, 3, 0])).getpixel((0, 0)) == (3, 2, 1)


def test_a_ring_stands_around_the_pointer_and_not_on_it() -> None:
    image = Image.new("RGB", (200, 100), "black")
    shown = opened(marked(image, (100, 50)))
    assert shown.getpixel((100, 50)) == BLACK
    assert shown.getpixel((100, 50 - 13)) not in (BLACK, WHITE)
    assert shown.getpixel((100 + 13, 50)) not in (BLACK, WHITE)
    assert image.getcolors() == [(20_000, BLACK)]


@pytest.mark.parametrize("place", [(0, 0), (199, 99)])
def test_a_pointer_in_a_corner_is_marked_as_far_as_there_is_a_picture(
    place: tuple[int, int],
) -> None:
    shown = opened(marked(Image.new("RGB", (200, 100)), place))
    assert shown.size == (200, 100)
    assert len(shown.getcolors() or ()) > 1


@pytest.mark.parametrize(
    ("count", "rows", "columns"), [(1, 1, 1), (3, 1, 3), (5, 2, 3), (48, 16, 3)]
)
def test_the_steps_stand_in_rows_of_three(count: int, rows: int, columns: int) -> None:
    sheet = opened(strip([png(Image.new("RGB", (1280, 800), "blue"))] * count))
    assert sheet.size == (columns * 380 + (columns - 1) * 8, rows * 238 + (rows - 1) * 8)


def test_of_very_many_steps_the_last_are_shown() -> None:
    pictures = [png(Image.new("RGB", (64, 40), "red"))] * 3
    pictures += [png(Image.new("RGB", (64, 40), "blue"))] * 48
    sheet = opened(strip(pictures))
    assert sheet.height == 16 * 238 + 15 * 8
    # Between the numbers and the gaps nothing of the first three is left.
    assert all(sheet.getpixel((x, 120))[0] < 100 for x in (190, 578, 966))  # type: ignore[index]


def test_pictures_of_several_sizes_stand_beside_each_other() -> None:
    sizes = [(1280, 800), (300, 900), (5, 5)]
    sheet = opened(strip([png(Image.new("RGB", size)) for size in sizes]))
    assert sheet.size == (3 * 380 + 2 * 8, 1140)
