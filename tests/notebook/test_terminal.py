"""The magics in a plain IPython in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def session(folder: Path, *lines: str) -> str:
    """What a terminal session prints for these lines."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "CLAUDE_"))}
    env |= {"CLAUDE_MAGIC_BASE_URL": "offline", "IPYTHONDIR": str(folder), "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"],
        input="\n".join([*lines, "exit()", ""]),
        capture_output=True,
        text=True,
        env=env,
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
