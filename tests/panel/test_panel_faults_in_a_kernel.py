"""Whatever a view says and a server does, the panel says what is wrong and goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kernels import Kernel, kernel
from tests.panel.panels import Panel, prompts, text_of

ERRORS = {
    "an unknown name": ("{{ no_such_name }}", "no_such_name"),
    "an empty question": ("   ", "The question is empty"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_a_question_that_cannot_be_asked_comes_back_with_a_line(panel: Panel, case: str) -> None:
    words, said = ERRORS[case]
    assert said in panel.one("notice", request=panel.ask(words))["text"]


def test_a_server_that_refuses_is_said_in_one_line_and_nothing_is_kept(
    panel: Panel, own: Kernel
) -> None:
    own.run("%claude_config base_url=http://127.0.0.1:9 model=test")
    end = panel.ended(panel.ask("Anybody?"))
    assert end["turn"] is None
    assert "\n" not in end["error"]
    assert "127.0.0.1" in end["error"]
    assert prompts(panel) == []


NONSENSE: dict[str, Any] = {
    "no message": None,
    "a list": [1],
    "no type": {"view": "x"},
    "unknown type": {"type": "approve_everything"},
    "ask without the rest": {"type": "ask", "request": "r", "text": "Hi"},
    "ask with a wrong type": {"type": "ask", "request": 1, "text": "Hi"},
    "a view that is no id": {"type": "hello", "view": "<script>"},
    "decide on nothing": {"type": "decide", "approval": "x", "answer": "once", "reason": ""},
    "stop of nothing": {"type": "stop", "run": "x"},
    "a turn that is not there": {"type": "switch", "turn": "x"},
    "a picture that is not there": {"type": "picture", "turn": "x", "index": -5},
    "a strange bundle": {
        "type": "attach",
        "attachment": "a",
        "label": "x",
        "bundle": {"image/png": 5, "text/plain": [1], "application/json": {"a": "b"}},
    },
}


UNFIT: dict[str, tuple[Any, str, str]] = {
    "no message": (None, "", "the message is of no kind that was agreed"),
    "a view that is no id": ({"type": "hello", "view": "<b>"}, "", "hello.view is not of the form"),
    "a question without the rest": (
        {"type": "ask", "request": "r-1", "text": "Hi"},
        "r-1",
        "ask has no cell",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_is_not_of_the_agreed_form_is_left_out_with_one_line(panel: Panel, case: str) -> None:
    said, request, line = UNFIT[case]
    panel.say_raw(said)
    notice = panel.one("notice", request=request)["text"]
    assert line in notice
    assert "\n" not in notice


@pytest.mark.parametrize("case", NONSENSE)
def test_whatever_comes_in_the_next_question_works(running_panel: Panel, case: str) -> None:
    running_panel.say_raw(NONSENSE[case])
    assert "> Still there?" in text_of(running_panel.asked("Still there?"))


@pytest.fixture(scope="module")
def running_panel(running_kernel: Kernel) -> Panel:
    made = Panel.of_widget(running_kernel)
    made.hello()
    return made


def test_the_key_is_in_no_message(tmp_path: Path) -> None:
    with kernel(tmp_path, ANTHROPIC_API_KEY="sk-ant-canary-0123456789") as started:
        panel = Panel.of_widget(started)
        panel.hello()
        started.run("key = 'sk-ant-canary-0123456789'", cell="A")
        turn = panel.asked("Is sk-ant-canary-0123456789 my key?", cell="A")
        panel.say({"type": "sent", "turn": turn["id"]})
        panel.one("sent")
        assert "canary" not in str(started.requests())
    said = [m for m in panel.messages if m["type"] not in ("carried",)]
    assert "canary" not in str(said)
