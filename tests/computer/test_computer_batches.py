"""The calls of one reply: in their order, until one fails, stopped when they are to stop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from claude_magic.computer import ComputerTool, DesktopStep, Workplace
from claude_magic.messages.blocks import Block
from claude_magic.messages.errors import DesktopError, InputError, Interrupted
from claude_magic.messages.images.sniff import size_of_base64
from claude_magic.messages.models import MODELS, Model, unknown
from claude_magic.messages.transport.cancel import Cancel
from claude_magic.offline.referee.referee import check
from claude_magic.offline.referee.request_checks import Refusal
from tests.computer.calls_as_sent import FORMS, NEWEST, OLDER, accepted, call, images, words
from tests.computer.fake_computer import FakeComputer

NOT_EXECUTED = "Not executed: an earlier computer action in this turn failed."
CTRL = 0xFFE3


class Bench:
    """A tool for one question, on a computer that writes down what it is told."""

    def __init__(self, model: Model = NEWEST, *, size: tuple[int, int] = (1280, 800)) -> None:
        self.computers: list[FakeComputer] = []
        self.shown: list[DesktopStep] = []
        self.workplace = Workplace(size=size, start=self._start)
        self.tool = ComputerTool(self.workplace, on_step=self.shown.append)
        self.model = model
        self.tool.definitions(model, anthropic=True)
        self.at_start: Callable[[str], None] = lambda name: None

    def _start(self, width: int, height: int) -> FakeComputer:
        self.computers.append(FakeComputer(width, height))
        self.computers[-1].during = self.at_start
        return self.computers[-1]

    @property
    def done(self) -> list[tuple[object, ...]]:
        """What the computer was told, without the looking."""
        return [what for what in self.computers[-1].done if what[0] != "screenshot"]

    def run(self, *calls: Block, **how: object) -> list[Block]:
        results = list(self.tool.run(calls, **how))  # type: ignore[arg-type]
        accepted(self.tool, self.model, calls, results)
        return results


@pytest.mark.parametrize("model", FORMS.values(), ids=FORMS)
def test_a_batch_is_run_in_its_order_and_each_call_has_its_result(model: Model) -> None:
    bench = Bench(model)
    calls = [
        call("left_click", model=model, coordinate=[10, 20]),
        call("type", model=model, text="hi"),
        call("cursor_position", model=model),
        call("screenshot", model=model),
    ]
    results = bench.run(*calls)
    assert bench.done == [
        ("move", 10, 20),
        ("press", 1),
        ("release", 1),
        ("type", ord("h"), ord("i")),
    ]
    assert [r["tool_use_id"] for r in results] == [c["id"] for c in calls]
    assert [words(r) for r in results] == ["OK", "OK", "X=10, Y=20", ""]
    assert [len(images(r)) for r in results] == [0, 0, 0, 1]
    assert not any(r.get("is_error") for r in results)
    assert [r.get("toolset_name") for r in results] == [c.get("toolset_name") for c in calls]


@pytest.mark.parametrize("model", FORMS.values(), ids=FORMS)
def test_after_the_first_failure_no_call_is_carried_out(model: Model) -> None:
    bench = Bench(model)
    results = bench.run(
        call("left_click", model=model, coordinate=[10, 20]),
        call("left_click", model=model, coordinate=[10, 8000]),
        call("type", model=model, text="never"),
        call("screenshot", model=model),
    )
    assert bench.done == [("move", 10, 20), ("press", 1), ("release", 1)]
    assert [bool(r.get("is_error")) for r in results] == [False, True, True, True]
    assert "outside the screenshot" in words(results[1])
    assert [words(r) for r in results[2:]] == [NOT_EXECUTED, NOT_EXECUTED]


def test_a_batch_that_follows_a_failed_one_is_carried_out() -> None:
    bench = Bench()
    bench.run(call("left_click", coordinate=[10, 8000]))
    (result,) = bench.run(call("left_click", coordinate=[10, 20]))
    assert not result.get("is_error")


def test_a_batch_that_ends_without_a_screenshot_shows_the_screen_unasked() -> None:
    bench = Bench()
    *_, last = bench.run(call("left_click", coordinate=[1, 1]), call("key", text="Return"))
    assert words(last) == "OK"
    assert len(images(last)) == 1


@pytest.mark.parametrize("name", ["cursor_position", "screenshot"])
def test_a_batch_that_only_looks_shows_no_more_than_was_asked_for(name: str) -> None:
    (result,) = Bench().run(call(name))
    assert len(images(result)) == (name == "screenshot")


def test_a_call_that_is_not_allowed_fails_with_the_reason() -> None:
    bench = Bench()
    asked: list[str] = []

    def approve(asked_for: Block) -> str | None:
        asked.append(asked_for["name"])
        return "Not that field." if asked_for["name"] == "type" else None

    results = bench.run(
        call("screenshot"),
        call("left_click", coordinate=[1, 1]),
        call("type", text="secret"),
        call("key", text="Return"),
        approve=approve,
    )
    assert bench.done == [("move", 1, 1), ("press", 1), ("release", 1)]
    assert words(results[2]) == "This call was not allowed by the user: Not that field."
    assert words(results[3]) == NOT_EXECUTED
    # What only looks is not asked about, and nothing after the failure.
    assert asked == ["left_click", "type"]


def test_a_call_is_asked_about_once_those_before_it_are_done() -> None:
    bench = Bench()
    done_when_asked: list[int] = []

    def approve(_: Block) -> str | None:
        done_when_asked.append(len(bench.done))
        return None

    bench.run(call("key", text="a"), call("key", text="b"), approve=approve)
    assert done_when_asked == [0, 1]


def test_nobody_is_asked_about_a_call_that_makes_no_sense() -> None:
    def approve(_: Block) -> str | None:
        raise AssertionError("asked")

    (result,) = Bench().run(call("key", text="no such key"), approve=approve)
    assert result["is_error"]


CLICKS = {
    "left_click": [("press", 1), ("release", 1)],
    "middle_click": [("press", 2), ("release", 2)],
    "right_click": [("press", 3), ("release", 3)],
    "double_click": [("press", 1), ("release", 1)] * 2,
    "triple_click": [("press", 1), ("release", 1)] * 3,
}


@pytest.mark.parametrize(("name", "pressed"), CLICKS.items(), ids=CLICKS)
def test_keys_are_held_around_a_click(name: str, pressed: list[tuple[str, int]]) -> None:
    bench = Bench()
    bench.run(call(name, coordinate=[1, 2], text="ctrl"))
    assert bench.done == [("keys down", CTRL), ("move", 1, 2), *pressed, ("keys up", CTRL)]


def test_a_drag_goes_all_the_way_with_the_button_down() -> None:
    bench = Bench()
    bench.run(call("left_click_drag", start_coordinate=[100, 100], coordinate=[220, 40]))
    first, second, *between, last = bench.done
    assert (first, second, last) == (("move", 100, 100), ("press", 1), ("release", 1))
    assert len(between) > 5
    assert between[-1] == ("move", 220, 40)


def test_a_wheel_turns_as_often_as_asked() -> None:
    bench = Bench()
    bench.run(call("scroll", scroll_direction="right", scroll_amount=3, coordinate=[5, 5]))
    assert bench.done == [("move", 5, 5), *[("press", 7), ("release", 7)] * 3]


def test_a_key_is_pressed_as_often_as_asked() -> None:
    bench = Bench()
    bench.run(call("key", text="ctrl+a b", repeat=2))
    assert bench.done == [("strike", CTRL, ord("a")), ("strike", ord("b"))] * 2


def test_a_key_is_held_as_long_as_asked() -> None:
    bench = Bench()
    bench.run(call("hold_key", text="a", duration=300))
    assert bench.done == [("keys down", ord("a")), ("keys up", ord("a"))]
    assert bench.computers[0].waited >= 300


def test_a_long_text_goes_in_small_pieces() -> None:
    bench = Bench()
    bench.run(call("type", text="x" * 95))
    assert [len(what) - 1 for what in bench.done] == [10] * 9 + [5]


STOPS = {
    "a click": (call("left_click", coordinate=[1, 1]), "press"),
    "a drag": (call("left_click_drag", start_coordinate=[1, 1], coordinate=[9, 9]), "press"),
    "typing": (call("type", text="x" * 95), "type"),
    "a wait": (call("wait", duration=300), "wait"),
    "a held key": (call("hold_key", text="a", duration=300), "keys down"),
    "a click with a key": (call("left_click", text="ctrl"), "keys down"),
    "scrolling": (call("scroll", scroll_direction="up", scroll_amount=9), "press"),
    "keys": (call("key", text="a", repeat=100), "strike"),
    "a screenshot": (call("screenshot"), "screenshot"),
    "the start of a program": (call("screenshot"), "open"),
}


@pytest.mark.parametrize(("asked", "when"), STOPS.values(), ids=STOPS)
@pytest.mark.parametrize("how", ["stopped", "interrupted"])
def test_whatever_is_stopped_leaves_nothing_pressed(asked: Block, when: str, how: str) -> None:
    bench = Bench()
    bench.workplace.app = "xcalc"
    cancel = Cancel()

    def stop(name: str) -> None:
        if name == when:
            if how == "interrupted":
                raise KeyboardInterrupt
            cancel.set()

    bench.at_start = stop
    with pytest.raises(KeyboardInterrupt) as raised:
        list(bench.tool.run([asked], cancel=cancel))
    assert isinstance(raised.value, Interrupted) == (how == "stopped")
    assert bench.done[-1] == ("let go",)
    # The next question goes on with the same computer, the program still open.
    bench.computers[0].during = lambda name: None
    (result,) = bench.run(call("key", text="Return"))
    assert not result.get("is_error")
    assert len(bench.computers) == 1
    assert [what for what in bench.done if what[0] == "open"] == [("open", "xcalc")]


def test_a_question_that_was_stopped_before_does_nothing() -> None:
    bench = Bench()
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Interrupted):
        list(bench.tool.run([call("key", text="a")], cancel=cancel))
    assert bench.done == [("let go",)]


def test_the_results_before_an_interrupt_stand() -> None:
    bench = Bench()
    results: list[Block] = []
    run = bench.tool.run([call("key", text="a"), call("wait", duration=9), call("key", text="b")])

    def interrupt(name: str) -> None:
        if results:
            raise KeyboardInterrupt

    bench.at_start = interrupt
    with pytest.raises(KeyboardInterrupt):
        for result in run:
            results.append(result)
    assert [words(result) for result in results] == ["OK"]


def test_a_button_that_a_question_left_down_is_released_at_its_end() -> None:
    bench = Bench()
    bench.run(call("left_mouse_down"))
    bench.tool.ended([])
    assert bench.done == [("press", 1), ("let go",)]
    bench.tool.ended([])
    assert bench.done == [("press", 1), ("let go",)]


def test_a_button_stays_down_from_one_reply_to_the_next() -> None:
    bench = Bench()
    bench.run(call("left_mouse_down"))
    bench.run(call("mouse_move", coordinate=[5, 5]), call("left_mouse_up"))
    assert bench.done == [("press", 1), ("move", 5, 5), ("release", 1)]


def test_a_computer_that_ends_in_the_middle_fails_the_call_and_the_next_one_is_new() -> None:
    bench = Bench()

    def end(name: str) -> None:
        if name == "strike":
            bench.computers[0].alive = False

    bench.at_start = end
    first, second, third = bench.run(
        call("key", text="a"), call("key", text="b"), call("key", text="c")
    )
    assert first["is_error"]
    assert "has ended" in words(first)
    assert (words(second), words(third)) == (NOT_EXECUTED, NOT_EXECUTED)
    bench.at_start = lambda name: None
    (result,) = bench.run(call("screenshot"))
    assert not result.get("is_error")
    assert len(bench.computers) == 2


def test_each_step_is_shown_as_it_is_done() -> None:
    bench = Bench()
    results = bench.tool.run(
        [call("left_click", coordinate=[1, 1]), call("key", text="nokey"), call("wait", duration=1)]
    )
    next(results)
    assert [step.line for step in bench.shown] == ["left_click at 1, 1"]
    list(results)
    assert bench.tool.steps == bench.shown
    assert [(step.line, bool(step.picture), bool(step.error)) for step in bench.shown] == [
        ("left_click at 1, 1", True, False),
        ("key: 'nokey'", False, True),
        ("wait for 1 s", False, True),
    ]


def test_a_picture_of_all_steps_is_there_once_there_is_one() -> None:
    bench = Bench()
    assert bench.tool.strip() is None
    bench.run(call("screenshot"), call("key", text="a"))
    strip = bench.tool.strip()
    assert strip is not None
    assert strip.startswith(b"\x89PNG")


def test_a_screenshot_of_a_large_screen_is_sent_as_large_as_the_model_sees() -> None:
    for model, expected in ((OLDER, (1456, 819)), (NEWEST, (1920, 1080))):
        bench = Bench(model, size=(1920, 1080))
        result, zoomed = bench.run(
            call("screenshot", model=model), call("zoom", model=model, region=[0, 0, 100, 100])
        )
        assert size_of_base64(images(result)[0]["source"]["data"]) == expected
        assert size_of_base64(images(zoomed)[0]["source"]["data"]) == (expected[1], expected[1])


DEFINITIONS = {
    "claude-sonnet-5-5": ([{"type": "computer_toolset_20260801"}], ()),
    "claude-opus-4-7": (
        [
            {
                "type": "computer_20251124",
                "name": "computer",
                "display_width_px": 1280,
                "display_height_px": 800,
                "enable_zoom": True,
            }
        ],
        ("computer-use-2025-11-24",),
    ),
    "claude-haiku-4-5": (
        [
            {
                "type": "computer_20250124",
                "name": "computer",
                "display_width_px": 1280,
                "display_height_px": 800,
            }
        ],
        ("computer-use-2025-01-24",),
    ),
}


@pytest.mark.parametrize("model", DEFINITIONS)
def test_each_model_is_offered_the_newest_form_that_it_takes(model: str) -> None:
    tool = ComputerTool(Workplace())
    tools, betas = DEFINITIONS[model]
    assert tool.definitions(MODELS[model], anthropic=True) == tools
    assert tool.betas(MODELS[model]) == betas


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_known_model_takes_what_it_is_offered_and_what_comes_back(model: Model) -> None:
    bench = Bench(model, size=(2560, 1440))
    bench.run(call("left_click", model=model, coordinate=[1, 1]), call("screenshot", model=model))


def test_the_newest_models_refuse_the_older_forms() -> None:
    tool = ComputerTool(Workplace())
    tool.definitions(OLDER, anthropic=True)
    for name in ("claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-sonnet-4-5"):
        with pytest.raises(Refusal, match="does not support tool types"):
            _accepted_by(MODELS[name], tool)


def _accepted_by(model: Model, tool: ComputerTool) -> None:
    body = {
        "model": model.id,
        "max_tokens": 10,
        "tools": tool.definitions(OLDER, anthropic=True),
        "messages": [{"role": "user", "content": "Look."}],
    }
    check(body, {"anthropic-version": "2023-06-01", "anthropic-beta": tool.betas(OLDER)[0]})


def test_a_model_or_a_server_that_knows_no_computer_is_refused_before_anything_is_sent() -> None:
    tool = ComputerTool(Workplace())
    with pytest.raises(InputError, match="llama does not know the computer tool"):
        tool.definitions(unknown("llama"), anthropic=True)
    with pytest.raises(InputError, match="this server does not know the computer tool"):
        tool.definitions(NEWEST, anthropic=False)


def test_a_program_that_does_not_open_is_an_error_and_tried_again() -> None:
    bench = Bench()
    bench.workplace.app = "nosuch"

    def fail(name: str) -> None:
        if name == "open":
            raise DesktopError("The program 'nosuch' ended with status 127.")

    bench.at_start = fail
    for _ in range(2):
        with pytest.raises(DesktopError, match="nosuch"):
            list(bench.tool.run([call("screenshot")]))
    assert [what[0] for what in bench.done if what[0] == "open"] == ["open", "open"]


def test_closing_ends_the_computer_and_the_next_use_starts_another() -> None:
    bench = Bench()
    bench.run(call("screenshot"))
    bench.workplace.close()
    bench.workplace.close()
    assert bench.computers[0].done[-1] == ("close",)
    bench.run(call("screenshot"))
    assert len(bench.computers) == 2
