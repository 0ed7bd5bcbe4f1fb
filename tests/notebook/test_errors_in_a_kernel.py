"""Bad input and a failing server: one clear line that says what to do, and the next cell works."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.kernels import Kernel, kernel

SERVER = "get_ipython().magics_manager.registry['ClaudeMagics'].notebook.session.offline"

# What is run, and what the one line says.
BAD_INPUT = {
    "empty prompt": ("%claude", "The question is empty"),
    "empty cell": ("%%claude -m opus\n  \n", "The question is empty"),
    "unknown option": ("%claude --modle opus Hi", "did you mean --model"),
    "option without value": ("%claude --model", "--model needs a value; for example -m opus"),
    "unknown model": ("%claude -m sonet Hi", "did you mean sonnet"),
    "unknown model that looks like one": (
        "%claude -m claude-sonnet-9 Hi",
        "claude-sonnet",
    ),
    "unknown variable for -i": ("%claude -i figg Hi", "figg"),
    "a variable that is no image": ("word = 'x'; value = 3\n%claude -i value Hi", "int"),
    "no image yet": ("%claude -i last:40 Hi", "name a variable"),
    "unreadable image": ("%claude -i broken.png Hi", "broken.png"),
    "a list without images": ("figures = []\n%claude -i figures Hi", "it is empty"),
    "an unreadable image as a file": ("%claude -f broken.png Hi", "-f broken.png: the PNG image"),
    "a file of nobody": ("%claude -f ~no_such_user/x Hi", "-f ~no_such_user/x"),
    "the last no cells": ("%claude -c last:0 Hi", "no such cells"),
    "unknown file": ("%claude -f no.txt Hi", "no such file, and name 'no' is not defined"),
    "a folder as a file": ("%claude -f .. Hi", "not a file, and not a Python expression"),
    "a variable that is no document": (
        "value = 3\n%claude -f value Hi",
        "-f value: no document can be made of an object of type int",
    ),
    "nothing to cite": ("%claude --alone --cite Hi", "for example -f paper.pdf"),
    "unknown name in braces": ("%claude Look at {{ nothing_here }}", "--raw"),
    "an expression that fails": ("%claude Look at {{ 1 / 0 }}", "ZeroDivisionError"),
    "unknown setting": ("%claude_config modell=opus", "is no setting"),
    "a setting that does not fit": ("%claude_config effort=huge", "low, medium, high"),
    "a number that is none": ("%claude --max-tokens many Hi", "--max-tokens"),
}


@pytest.fixture(scope="module", autouse=True)
def prepared(running_kernel: Kernel, shared_folder: Path) -> None:
    (shared_folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n0000")
    running_kernel.run("%claude Hello")


def one_line(error: str) -> str:
    """The error as shown, which is one line without a frame of a traceback."""
    assert "\n" not in error
    assert "Traceback" not in error
    return error


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_gets_one_line_and_sends_nothing(running_kernel: Kernel, case: str) -> None:
    code, says = BAD_INPUT[case]
    before = len(running_kernel.requests())
    ran = running_kernel.run(code, ok=False)
    assert ran.status == "error"
    assert says in one_line(ran.error)
    if "looks like one" not in case:
        assert len(running_kernel.requests()) == before
    running_kernel.run("%claude --alone The next cell works")


# The offline server's behaviour for the next requests, the error's name and what it says.
FAILING = {
    "401": (["unauthorized"], "AuthenticationError", "%claude_login"),
    "500 again and again": (["server_error"] * 3, "ServerError", "500"),
    "cut stream": (["cut"], "BrokenReply", "broke off"),
    "error in mid-stream": (["error_mid_stream"], "BrokenReply", "verload"),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_failing_server_gets_one_line(running_kernel: Kernel, case: str) -> None:
    behaviours, name, says = FAILING[case]
    running_kernel.run(f"{SERVER}.behave(*{behaviours!r})")
    ran = running_kernel.run("%claude --alone Hi", ok=False)
    assert ran.reply["ename"] == name
    assert says in one_line(ran.error)


def test_what_came_of_a_broken_reply_is_kept_shown_and_not_sent(running_kernel: Kernel) -> None:
    running_kernel.run(f"{SERVER}.behave('cut')")
    ran = running_kernel.run("%claude The broken one", ok=False)
    assert "This is the" in ran.shown()
    assert "broken off; what came is kept" in ran.shown()
    running_kernel.run("%claude The next one")
    assert "The broken one" not in str(running_kernel.requests()[-1])


def test_a_refusal_is_shown_and_not_sent_later(running_kernel: Kernel) -> None:
    running_kernel.run(f"{SERVER}.behave('refusal')")
    assert "declined by the model" in running_kernel.run("%claude The refused one").shown()
    running_kernel.run("%claude The next one")
    assert "The refused one" not in str(running_kernel.requests()[-1])


def test_a_passing_overload_is_waited_for(running_kernel: Kernel) -> None:
    running_kernel.run(f"{SERVER}.behave('overloaded', 'server_error')")
    assert "offline server" in running_kernel.run("%claude --alone Hi").shown()


def test_a_reply_cut_at_the_limit_says_how_to_raise_it(running_kernel: Kernel) -> None:
    assert "raise it with --max-tokens" in running_kernel.run("%claude --max-tokens 5 Hi").shown()


def test_an_error_stops_the_cells_that_were_queued_behind_it(running_kernel: Kernel) -> None:
    """The error is a real one for the front end, with name and value."""
    ran = running_kernel.run("%claude -i figg Hi", ok=False)
    assert ran.reply["ename"] == "InputError"
    assert "figg" in ran.reply["evalue"]


def test_a_server_that_is_down_is_named(running_kernel: Kernel) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
    running_kernel.run(f"%claude_config base_url={address}")
    try:
        ran = running_kernel.run("%claude --alone Hi", ok=False)
        assert ran.reply["ename"] == "ConnectionFailed"
        assert "Is the server running" in one_line(ran.error)
    finally:
        running_kernel.run("%claude_config base_url=")
    running_kernel.run("%claude --alone The next cell works")


def test_without_a_key_one_line_names_the_three_ways_on_and_nothing_is_sent(
    tmp_path: Path,
) -> None:
    with kernel(tmp_path, CLAUDE_MAGIC_BASE_URL="") as own:
        ran = own.run("%claude Hi", ok=False)
        error = one_line(ran.error)
        assert ran.reply["ename"] == "CredentialError"
        assert re.search(r"%claude_login or ANTHROPIC_API_KEY", error)
        assert "base_url=http://localhost:11434" in error
        assert "base_url=offline" in error
        own.run("%claude_config base_url=offline")
        assert "offline server" in own.run("%claude Hi").shown()


def test_the_budget_stops_before_the_request_that_would_pass_it(tmp_path: Path) -> None:
    """The address is one that nothing must reach: the budget is checked before anything leaves."""
    environment = {
        "CLAUDE_MAGIC_BASE_URL": "",
        "ANTHROPIC_API_KEY": "sk-ant-none",
        "CLAUDE_MAGIC_BUDGET": "0.001",
    }
    with kernel(tmp_path, **environment) as own:
        ran = own.run("%claude -m opus Hi", ok=False)
        assert ran.reply["ename"] == "BudgetError"
        assert "%claude_config budget=1" in one_line(ran.error)


def test_a_rewritten_server_address_is_taken_as_it_is_meant(running_kernel: Kernel) -> None:
    running_kernel.run(f"url = {SERVER}.url")
    url = running_kernel.value("url")
    running_kernel.run(f"%claude_config base_url={url}/v1/")
    try:
        assert "offline server" in running_kernel.run("%claude --alone Hi").shown()
    finally:
        running_kernel.run("%claude_config base_url=")
