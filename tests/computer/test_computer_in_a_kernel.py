"""A virtual desktop used from cells of a real kernel; the offline server says what to do on it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from claude_magic.notebook.tools.toolboxes import QUESTION_OF_RUN
from tests.computer.left_over import Footprint, environment, footprint, keeper_of
from tests.computer.recorder import Recorder
from tests.kernels import Kernel, Ran, kernel

CANARY = "sk-canary-computer-0123456789"
NEWEST, OLDEST = "claude-sonnet-5-5", "claude-haiku-4-5"
AUTO = "--approve auto"
# What one run may leave in the saved notebook, in characters.
SMALL = 400_000


@pytest.fixture(scope="module")
def window(shared_folder: Path) -> Recorder:
    return Recorder(shared_folder / "events.jsonl")


@pytest.fixture(scope="module")
def running(installed: None, shared_folder: Path) -> Iterator[Kernel]:
    network = {"HTTPS_PROXY": "http://127.0.0.1:9", "SSL_CERT_FILE": "/nowhere"}
    with kernel(shared_folder, ANTHROPIC_API_KEY=CANARY, **network) as started:
        yield started


def ask(kernel: Kernel, line: str, prompt: str, window: Recorder | None = None, **how: Any) -> Ran:
    """Ask for something on the desktop, with the recording window open on it."""
    app = f"--app '{window.command()}'" if window else ""
    options = f"--alone --fresh -c none --tools computer {app} {line}"
    return kernel.run(f"%%claude {options} -o run\nOn the desktop {prompt}", **how)


def there(kernel: Kernel) -> Footprint:
    """All that there is of the kernel's desktop."""
    keeper = keeper_of(kernel.value("__import__('os').getpid()"))
    assert keeper is not None
    return footprint(keeper)


def published(ran: Ran, mime: str = "text/plain") -> list[str]:
    """All that the cell showed, what was replaced later too."""
    shown = [m["content"]["data"] for m in ran.messages if "data" in m["content"]]
    return [data[mime] for data in shown if mime in data]


def said(kernel: Kernel) -> list[str]:
    """The texts of the results in the last request, in their order."""
    blocks = kernel.requests()[-1]["messages"][-1]["content"]
    return [b["content"][0].get("text", "image") for b in blocks if b["type"] == "tool_result"]


@pytest.mark.parametrize(
    ("model", "kind"),
    [(NEWEST, "computer_toolset_20260801"), (OLDEST, "computer_20250124")],
    ids=["the toolset", "the older tool"],
)
def test_a_run_is_carried_out_shown_step_by_step_and_bound(
    running: Kernel, window: Recorder, model: str, kind: str
) -> None:
    orders = f"click at 300, 200, type `{kind} ☃`, press `Return`."
    ran = ask(running, f"-m {model} {AUTO}", orders, window)
    window.until(lambda: f"{kind} ☃" in window.text)
    assert (300, 200) in window.places("press")
    (tool,) = running.requests()[-1]["tools"]
    assert tool["type"] == kind
    # Each step has a line, and while it ran, its picture; a strip of all stands at the end.
    lines = [line.split(" · ")[0] for line in ran.shown().split("\n") if line[:1].isdigit()]
    assert lines[:3] == ["1. screenshot", "2. left_click at 300, 200", f"3. type: '{kind} ☃'"]
    live = [html for html in published(ran, "text/html") if 'alt="The virtual desktop"' in html]
    assert len(live) >= 5
    assert ran.shown("text/html").count('class="claude-magic-screen"') == 1
    assert ran.shown("text/html").count('<details class="claude-magic-thumbnail">') == 5
    assert sum(len(o["data"].get("text/html", "")) for o in ran.outputs) < SMALL
    steps = running.value("[(s.line, (s.picture or b'')[:4].hex(), s.error) for s in run.steps]")
    assert steps[1] == ["left_click at 300, 200", b"\x89PNG".hex(), ""]
    assert len(steps) == 5
    assert len(ran.outputs) <= 6


def test_no_process_of_the_desktop_has_the_key_or_what_the_network_needs(
    running: Kernel, window: Recorder
) -> None:
    ask(running, AUTO, "wait 0.", window)
    for pid, _ in there(running).processes:
        variables = environment(pid)
        assert CANARY not in str(variables)
        assert not {"HTTPS_PROXY", "SSL_CERT_FILE", "CLAUDE_MAGIC_BASE_URL"} & variables.keys()


def test_what_is_pressed_and_typed_is_asked_about_before_and_always_means_this_run(
    running: Kernel, window: Recorder
) -> None:
    prompts: list[str] = []

    def always(prompt: str) -> str:
        prompts.append(prompt)
        return "a"

    for _ in range(2):
        ran = ask(running, "", "click at 20, 20, type `abc`.", window, stdin=always)
    assert prompts == [QUESTION_OF_RUN, QUESTION_OF_RUN]
    asked = [text for text in published(ran) if "is to run" in text]
    assert asked == [
        "left_click is to run, 2 lines:\nOn the virtual desktop: left_click\ncoordinate = [20, 20]"
    ]
    window.until(lambda: "abcabc" in window.text)


def test_a_call_that_is_denied_fails_with_the_reason_and_those_after_it_are_not_done(
    running: Kernel, window: Recorder
) -> None:
    ran = ask(running, "", "type `never`, press `Return`.", window, stdin="n not that field")
    assert said(running)[0] == "This call was not allowed by the user: not that field"
    assert said(running)[1].startswith("Not executed: an earlier computer action")
    assert "2. type: 'never' · 0" in ran.shown()
    assert "· denied" in ran.shown()
    assert "never" not in window.text


@pytest.mark.parametrize("face", ["option", "setting"])
def test_never_lets_the_desktop_not_even_be_looked_at(
    installed: None, tmp_path: Path, face: str
) -> None:
    with kernel(tmp_path, ANTHROPIC_API_KEY=CANARY) as started:
        pid = started.value("__import__('os').getpid()")
        line = "--approve never" if face == "option" else ""
        if not line:
            started.run("%claude_config approve=never")
        ran = ask(started, line, "take a screenshot, type `a`.")
        assert "denied here" in ran.shown()
        assert "image" not in said(started)
        assert keeper_of(pid) is None, "there is no desktop"


def test_after_a_failure_in_mid_batch_nothing_more_is_done(
    running: Kernel, window: Recorder
) -> None:
    before = window.text
    ran = ask(running, AUTO, "click at 9000, 10, type `too late`.", window)
    assert "is outside the screenshot" in said(running)[0]
    assert (
        said(running)[1:] == ["Not executed: an earlier computer action in this turn failed."] * 2
    )
    assert window.text == before
    assert "3 steps on the desktop" in ran.shown("text/html")
    assert "3 not done" in ran.shown("text/html")


def interrupts(ran: str, pid: int) -> Any:
    """Interrupts the kernel once, when it shows this."""
    left = [ran]

    def during(message: Mapping[str, Any]) -> None:
        data = str(message["content"].get("data", {}).get("text/plain", ""))
        if left and left[0] in data:
            left.clear()
            os.kill(pid, signal.SIGINT)

    return during


@pytest.mark.parametrize(
    ("line", "orders", "when"),
    [
        (AUTO, "wait 60.", "wait for 60 s"),
        (AUTO, "hold `a` for 60.", "hold_key: 'a'"),
        ("", "click at 20, 20.", "is to run"),
        ("--app 'exec sleep 600' " + AUTO, "wait 0.", "1. screenshot"),
    ],
    ids=["in a wait", "with a key held", "asked for leave", "as a program opens"],
)
def test_an_interrupt_ends_the_run_and_the_desktop_is_there_for_the_next(
    running: Kernel, line: str, orders: str, when: str
) -> None:
    pid = running.value("__import__('os').getpid()")
    typed = None if AUTO in line else (lambda prompt: None)
    ran = ask(running, line, orders, during=interrupts(when, pid), stdin=typed, ok=False)
    assert "you stopped it" in ran.error
    again = ask(running, AUTO, "move to 30, 40.")
    assert "2. mouse_move at 30, 40" in again.shown()
    assert running.value("run.turn.status") == "complete"


def test_what_is_not_installed_is_named_with_the_command_and_nothing_is_sent(
    running: Kernel,
) -> None:
    before = len(running.requests())
    running.run("import os\npath = os.environ['PATH']\nos.environ['PATH'] = '/nowhere'")
    ran = ask(running, AUTO, "wait 0.", ok=False)
    running.run("os.environ['PATH'] = path")
    assert "sudo apt-get install xvfb jwm" in ran.error
    assert len(running.requests()) == before


def test_a_program_without_the_tool_is_an_error_that_names_it(running: Kernel) -> None:
    ran = running.run("%claude --app xcalc Hello", ok=False)
    assert "--tools computer" in ran.error


def test_after_a_restart_the_run_is_shown_again_with_no_desktop_and_nothing_sent(
    installed: None, tmp_path: Path
) -> None:
    cell = f"%%claude --tools computer {AUTO} -o run\nOn the desktop click at 5, 6."
    with kernel(tmp_path) as first:
        ran = first.run(cell, cell="A")
        left = there(first)
    left.until_gone()
    with kernel(tmp_path) as second:
        shown = second.run(cell, cell="A")
        assert keeper_of(second.value("__import__('os').getpid()")) is None
        assert second.value("run.replayed")
        lines = second.value("[(s.line, bool(s.picture)) for s in run.steps]")
    # No time stands in it, for nothing ran; a click has the picture that the model saw, if any.
    assert [line for line, _ in lines] == ["screenshot", "left_click at 5, 6", "screenshot"]
    assert [picture for _, picture in lines] == [True, False, True]
    assert "2. left_click at 5, 6 · ok" in shown.shown()
    answer = "This is the **offline server**"
    assert (
        ran.shown().partition(answer)[2].split("\n\n")[:2]
        == (shown.shown().partition(answer)[2].split("\n\n")[:2])
    )


def test_nothing_is_left_when_the_kernel_is_killed_in_mid_run(
    installed: None, tmp_path: Path
) -> None:
    window = Recorder(tmp_path / "events.jsonl")
    with kernel(tmp_path) as own:
        ask(own, AUTO, "wait 0.", window)
        left = there(own)
        own.manager.signal_kernel(signal.SIGKILL)
        left.until_gone()
