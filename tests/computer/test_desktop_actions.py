"""Every action, in every form of the tool, as a real program on a real X server receives it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import pytest
from PIL import Image, ImageChops

from claude_magic.computer import ComputerTool, Workplace
from claude_magic.computer.desktop import VirtualDesktop
from claude_magic.messages.blocks import Block
from claude_magic.messages.models import Model
from tests.computer.calls_as_sent import FORMS, NEWEST, OLDER, accepted, call, images, words
from tests.computer.recorder import Recorder

SHIFT_STATE, CONTROL_STATE = 1, 4
F12 = 0xFFC9
IN_CANVAS, IN_TEXT = [200, 100], [200, 500]


class Used:
    """The module's desktop with its recording window, used through the tool by one model."""

    def __init__(self, desktop: VirtualDesktop, window: Recorder, model: Model) -> None:
        self.window = window
        self.model = model
        workplace = Workplace(size=desktop.size, start=lambda width, height: desktop)
        self.tool = ComputerTool(workplace)
        self.tool.definitions(model, anthropic=True)

    def does(self, name: str, **given: object) -> Block:
        """The result of one call, of which the API is asked whether it takes it."""
        asked = call(name, model=self.model, **given)
        (result,) = self.tool.run([asked])
        accepted(self.tool, self.model, [asked], [result])
        assert not result.get("is_error"), words(result)
        return result

    def screen(self) -> Image.Image:
        """A screenshot as the model gets it."""
        (image,) = images(self.does("screenshot"))
        return Image.open(io.BytesIO(base64.b64decode(image["source"]["data"])))


@pytest.fixture(params=[NEWEST, OLDER], ids=["the toolset", "the older tool"])
def used(
    desktop: VirtualDesktop, window: Recorder, request: pytest.FixtureRequest
) -> Iterator[Used]:
    """The oldest form differs in names alone, which `test_computer_calls` reads."""
    yield Used(desktop, window, request.param)
    desktop.let_go()
    assert not desktop._ask("look").told["pressed"]


@pytest.fixture(autouse=True)
def begin_anew(desktop: VirtualDesktop, window: Recorder) -> None:
    """The window as it was, and nothing written down."""
    window.forget()
    desktop.strike([F12])
    window.until(lambda: window.of("reset") and window.of("key up"))
    window.until(lambda: window.text.startswith("line 1\n"))
    window.forget()


def test_a_left_click_arrives_where_it_was_sent(used: Used) -> None:
    used.does("left_click", coordinate=IN_CANVAS)
    used.window.until(lambda: used.window.of("release"))
    (press,) = used.window.of("press")
    assert (press["button"], press["at"], press["ctrl"], press["shift"]) == (
        1,
        IN_CANVAS,
        False,
        False,
    )


@pytest.mark.parametrize(("name", "button"), [("right_click", 3), ("middle_click", 2)])
def test_the_other_buttons_are_theirs(used: Used, name: str, button: int) -> None:
    used.does(name, coordinate=IN_CANVAS)
    used.window.until(lambda: used.window.of("release"))
    assert [press["button"] for press in used.window.of("press")] == [button]


def test_a_click_without_a_place_is_where_the_pointer_is(used: Used) -> None:
    used.does("mouse_move", coordinate=[77, 88])
    used.does("left_click")
    used.window.until(lambda: used.window.of("release"))
    assert used.window.places("press") == [(77, 88)]


def test_two_clicks_are_a_double_click_and_three_a_triple_click(used: Used) -> None:
    used.does("double_click", coordinate=[300, 50])
    used.window.until(lambda: used.window.of("double"))
    assert not used.window.of("triple")
    used.does("triple_click", coordinate=[600, 50])
    used.window.until(lambda: used.window.of("triple"))


def test_modifier_keys_are_down_during_a_click_and_up_after_it(used: Used) -> None:
    used.does("left_click", coordinate=IN_CANVAS, text="ctrl+shift")
    used.does("left_click", coordinate=IN_CANVAS)
    used.window.until(lambda: len(used.window.of("release")) == 2)
    assert [(p["ctrl"], p["shift"]) for p in used.window.of("press")] == [
        (True, True),
        (False, False),
    ]


def test_a_drag_selects_text(used: Used) -> None:
    used.does("left_click_drag", start_coordinate=[2, 310], coordinate=[400, 400])
    used.does("type", text="X")
    used.window.until(lambda: used.window.text.startswith("X"))
    assert "line 1\n" not in used.window.text.split("line 9\n")[0]


def test_a_drag_moves_on_the_way_with_the_button_down(used: Used) -> None:
    used.does("left_click_drag", start_coordinate=[100, 50], coordinate=[500, 250])
    used.window.until(lambda: used.window.of("release"))
    assert used.window.places("press") == [(100, 50)]
    assert used.window.places("release") == [(500, 250)]
    dragged = [e["at"] for e in used.window.of("motion") if e["state"] & 256]
    assert len(dragged) > 5
    assert dragged[-1] == [500, 250]


def test_a_button_is_pressed_and_released_on_its_own(used: Used) -> None:
    used.does("mouse_move", coordinate=[100, 50])
    used.does("left_mouse_down")
    used.does("mouse_move", coordinate=[140, 60])
    used.window.until(lambda: used.window.of("press"))
    assert not used.window.of("release")
    used.does("left_mouse_up")
    used.window.until(lambda: used.window.of("release"))
    assert used.window.places("press") == [(100, 50)]
    assert used.window.places("release") == [(140, 60)]


def test_the_pointer_is_where_it_was_moved(used: Used) -> None:
    used.does("mouse_move", coordinate=[432, 123])
    assert words(used.does("cursor_position")) == "X=432, Y=123"


def test_the_wheel_scrolls_the_text_under_it(used: Used) -> None:
    used.does("scroll", coordinate=IN_TEXT, scroll_direction="down", scroll_amount=5)
    used.window.until(lambda: used.window.of("top") and used.window.of("top")[-1]["at"] > 0.05)
    down = used.window.of("top")[-1]["at"]
    used.does("scroll", coordinate=IN_TEXT, scroll_direction="up", scroll_amount=3)
    used.window.until(lambda: used.window.of("top")[-1]["at"] < down)
    used.does("scroll", scroll_direction="up", scroll_amount=50)
    used.window.until(lambda: used.window.of("top")[-1]["at"] == 0)


def test_the_wheel_turns_with_keys_held_in_four_directions(used: Used) -> None:
    for direction in ("up", "down", "left", "right"):
        used.does(
            "scroll",
            coordinate=IN_CANVAS,
            scroll_direction=direction,
            scroll_amount=2,
            text="ctrl",
        )
    used.window.until(lambda: len(used.window.of("press")) == 8)
    assert all(p["ctrl"] for p in used.window.of("press"))
    # Tk calls the buttons 6 and 7, left and right, 4 and 5 with Shift.
    turned = [(p["button"], p["shift"]) for p in used.window.of("press")]
    assert turned == [(b, sideways) for sideways in (False, True) for b in (4, 4, 5, 5)]


def test_typed_text_is_what_the_program_holds(used: Used) -> None:
    text = "Hello, World! <>|\\{}[]~`@#$%^&*()_+-=;:'\",./? äöü ÄÖÜ ß é€ñ → 中文 Привет ☃ 🧬"
    used.does("left_click", coordinate=[2, 310])
    used.does("key", text="ctrl+Home")
    used.does("type", text=text + "\n")
    used.window.until(lambda: used.window.text.startswith(text + "\nline 1\n"))


def test_caps_lock_does_not_change_what_is_typed(used: Used) -> None:
    used.does("left_click", coordinate=[2, 310])
    used.does("key", text="ctrl+Home")
    used.does("key", text="Caps_Lock")
    used.does("type", text="aBcß1\n")
    used.does("key", text="Caps_Lock")
    used.window.until(lambda: used.window.text.startswith("aBcß1\nline 1\n"))


def test_a_key_is_pressed_with_its_modifiers_and_as_often_as_asked(used: Used) -> None:
    used.does("key", text="ctrl+shift+F5")
    used.does("key", text="Right", repeat=3)
    used.window.until(lambda: len(used.window.of("key up")) == 6)
    pressed = [(e["key"], e["state"] & 5) for e in used.window.of("key down")]
    assert pressed == [
        ("Control_L", 0),
        ("Shift_L", CONTROL_STATE),
        ("F5", CONTROL_STATE | SHIFT_STATE),
        *[("Right", 0)] * 3,
    ]


def test_a_held_key_repeats_and_is_let_go(used: Used) -> None:
    used.does("hold_key", text="Down", duration=1)
    used.window.until(lambda: used.window.of("key up"))
    downs = [e["key"] for e in used.window.of("key down")]
    assert len(downs) > 3
    assert set(downs) == {"Down"}


def test_a_wait_changes_nothing(used: Used) -> None:
    assert words(used.does("wait", duration=0.1)) == "OK"
    assert used.window.events == []


def test_a_screenshot_shows_the_program_and_the_pointer(used: Used) -> None:
    used.does("mouse_move", coordinate=[640, 150])
    screen = used.screen()
    assert screen.size == (1280, 800)
    assert screen.convert("RGB").getpixel((900, 40)) == (255, 255, 255)
    around = screen.convert("L").crop((620, 130, 670, 180))
    assert around.getextrema()[0] < 100


def test_a_zoom_shows_a_region_as_large_as_a_screenshot(
    desktop: VirtualDesktop, window: Recorder
) -> None:
    used = Used(desktop, window, NEWEST)
    used.does("mouse_move", coordinate=[1000, 100])
    whole = used.screen().convert("RGB")
    (image,) = images(used.does("zoom", region=[0, 300, 160, 400]))
    zoomed = Image.open(io.BytesIO(base64.b64decode(image["source"]["data"]))).convert("RGB")
    assert zoomed.size == (1280, 800)
    expected = whole.crop((0, 300, 160, 400)).resize((1280, 800), Image.Resampling.LANCZOS)
    # The same but for the program's blinking cursor.
    same = ImageChops.difference(zoomed, expected).convert("L").histogram()[0]
    assert same > 0.97 * 1280 * 800


def test_the_oldest_form_has_no_zoom_and_the_api_is_told_so(
    desktop: VirtualDesktop, window: Recorder
) -> None:
    for model in FORMS.values():
        tools = Used(desktop, window, model).tool.definitions(model, anthropic=True)
        assert tools[0].get("enable_zoom") == (
            True if model.computer == "computer_20251124" else None
        )
