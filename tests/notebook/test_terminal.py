"""The magics in a plain IPython in a terminal."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from claude_magic.messages.blocks import text
from claude_magic.notebook.terminal import TerminalDisplay


def environment(folder: Path) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "CLAUDE_"))}
    env |= {"CLAUDE_MAGIC_BASE_URL": "offline", "IPYTHONDIR": str(folder), "TERM": "dumb"}
    return env


def session(folder: Path, *lines: str) -> str:
    """What a terminal session prints for these lines."""
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"],
        input="\n".join([*lines, "exit()", ""]),
        capture_output=True,
        text=True,
        env=environment(folder),
        cwd=folder,
        timeout=50,
        check=True,
    )
    return done.stdout


def test_a_reply_is_text_with_a_line_above_and_below(tmp_path: Path) -> None:
    shown = session(tmp_path, "%load_ext claude_magic", "count = 41", "%claude How many?")
    assert "Sonnet 5.5 · offline server · 1 cell" in shown
    assert "> How many?" in shown
    assert " out · would cost $" in shown
    assert "<div" not in shown


def test_how_a_prefill_was_asked_for_stands_below_the_reply(tmp_path: Path) -> None:
    question = "Which? (A) an ant, (B) a bee"
    shown = session(tmp_path, "%load_ext claude_magic", f'%claude --prefill "It is (" {question}')
    above, _, below = shown.partition("It is (B\n")
    assert "takes no prefill: asked for as one of A, B" in below
    assert "takes no prefill" not in above


def test_a_reply_is_not_taken_for_printed_output(tmp_path: Path) -> None:
    shown = session(tmp_path, "%load_ext claude_magic", "%claude One", "%claude Two")
    second = shown.split("> Two")[0].rsplit("Sonnet 5.5", 1)[1]
    assert "1 output" not in second


def test_no_escape_code_of_a_reply_reaches_the_terminal(tmp_path: Path) -> None:
    """The offline server quotes the question, escape codes and all."""
    evil = "\\x1b]0;owned\\x07 \\x1b[2J \\x9b31m"
    shown = session(
        tmp_path,
        "%load_ext claude_magic",
        f"evil = '{evil}'",
        "%claude -c none Say {{ evil }} again",
    )
    assert "again" in shown
    answer = shown.split("offline server**")[1]
    assert not set(answer) & {"\x1b", "\x07", "\x9b"}


def test_a_dry_run_is_text_too(tmp_path: Path) -> None:
    shown = session(tmp_path, "%load_ext claude_magic", "%claude --dry-run=curl -c none Hello")
    assert "curl https://api.anthropic.com/v1/messages" in shown
    assert '"content": "Hello"' in shown


def test_an_error_is_one_line(tmp_path: Path) -> None:
    shown = session(tmp_path, "%load_ext claude_magic", "%claude --modle opus Hi", "print('next')")
    assert "InputError: --modle: no such option; did you mean --model?" in shown
    assert "Traceback" not in shown
    assert "next" in shown


TYPED = {"y": "ran = [1]", "no, not now": "ran = []"}


@pytest.mark.parametrize("answer", TYPED)
def test_a_call_of_a_tool_is_asked_about_in_the_terminal(tmp_path: Path, answer: str) -> None:
    arguments = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"]
    terminal = pexpect.spawn(
        sys.executable,
        arguments,
        env=environment(tmp_path),
        cwd=str(tmp_path),
        timeout=30,
        dimensions=(50, 200),
        encoding="utf-8",
    )
    call = "run_python(code='ran.append(1)  # \\x1b[31m')"
    for line in ("%load_ext claude_magic", "ran = []", f"%claude --tools run_python Call {call}"):
        terminal.expect(r"In \[\d+\]: ")
        terminal.sendline(line)
    terminal.expect_exact("Allow this call? [y]es, [a]lways for this tool, [n]o")
    shown = terminal.before
    assert "run_python is to run:" in shown
    assert "ran.append(1)  # \\x1b[31m" in shown.rsplit("is to run:", 1)[1]
    terminal.sendline(answer)
    terminal.expect(r"In \[\d+\]: ")
    terminal.sendline("print('ran', '=', ran)")
    terminal.expect_exact(TYPED[answer])
    terminal.sendline("exit()")
    terminal.expect(pexpect.EOF)


def test_where_input_is_piped_in_nobody_can_be_asked(tmp_path: Path) -> None:
    shown = session(tmp_path, "%load_ext claude_magic", "%claude --tools run_python Hi", "y")
    assert "Nobody can be asked here, where nothing can be typed" in shown
    assert "--approve auto" in shown


def test_a_reply_in_json_is_a_table_of_text(tmp_path: Path) -> None:
    shown = session(
        tmp_path,
        "%load_ext claude_magic",
        "from dataclasses import make_dataclass; Point = make_dataclass('Point', [('x', int)])",
        "%claude --json list[Point] -o points Where?",
        "points",
    )
    assert "x\n1\n2\n" in shown
    assert '"items"' not in shown
    assert "[Point(x=1), Point(x=2)]" in shown


def test_a_step_on_a_desktop_is_one_line() -> None:
    call = {"type": "tool_use", "id": "1", "name": "computer", "input": {"action": "screenshot"}}
    fine = {"type": "tool_result", "tool_use_id": "1", "content": [text("OK")]}
    wrong = {**fine, "is_error": True, "content": [text("It is \x1b[31mgone.")]}
    out = io.StringIO()
    with TerminalDisplay(out) as display:
        for result in (fine, wrong):
            display.calling(call)
            display.seen(call, b"PNG")
            display.called(call, result, 0.5)
    assert out.getvalue().split("\n")[:-1] == [
        "[screenshot · 0.5 s · ok]",
        "[screenshot · 0.5 s · error]: It is gone.",
    ]
