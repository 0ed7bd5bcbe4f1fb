"""The magics in a plain IPython in a terminal."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pexpect
import pytest

from claude_magic.conversation.events import Called, Calling, Seen
from claude_magic.messages.blocks import text
from claude_magic.notebook.display.terminal_display import TerminalDisplay
from tests.conversation.scripted_server import Refuses, Says, ScriptedServer, calls, says


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


def opened(folder: Path, *options: str, **more: str) -> pexpect.spawn[str]:
    """IPython in a terminal of its own."""
    return pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--no-banner", "--colors=nocolor", *options],
        env={**environment(folder), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", **more},
        cwd=str(folder),
        timeout=30,
        dimensions=(50, 200),
        encoding="utf-8",
    )


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


def test_a_question_mark_right_after_the_name_shows_the_options(tmp_path: Path) -> None:
    shown = session(tmp_path, "%load_ext claude_magic", "%claude?")
    assert "Ask Claude about this notebook" in shown
    assert "--max-tokens N" in shown


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


ALLOW = "Allow this call? [y]es, [a]lways for this tool, [n]o"
TYPED = {"y": "ran = [1]", "no, not now": "ran = []"}


@pytest.mark.parametrize("answer", TYPED)
def test_a_call_of_a_tool_is_asked_about_in_the_terminal(tmp_path: Path, answer: str) -> None:
    terminal = opened(tmp_path, "--simple-prompt")
    call = "run_python(code='ran.append(1)  # \\x1b[31m')"
    for line in ("%load_ext claude_magic", "ran = []", f"%claude --tools run_python Call {call}"):
        terminal.expect(r"In \[\d+\]: ")
        terminal.sendline(line)
    terminal.expect_exact(ALLOW)
    shown = terminal.before
    assert shown is not None
    assert "run_python is to run:" in shown
    assert "ran.append(1)  # \\x1b[31m" in shown.rsplit("is to run:", 1)[1]
    terminal.sendline(answer)
    terminal.expect(r"In \[\d+\]: ")
    terminal.sendline("print('ran', '=', ran)")
    terminal.expect_exact(TYPED[answer])
    terminal.sendline("exit()")
    terminal.expect(pexpect.EOF)


class Waiting(ScriptedServer):
    """Answers only once it is let go on."""

    def __init__(self, *script: Says) -> None:
        super().__init__(*script)
        self.asked, self.go_on = threading.Event(), threading.Event()

    def next(self, body: dict[str, Any], headers: Mapping[str, str]) -> Says | Refuses:
        self.asked.set()
        assert self.go_on.wait(60)
        return super().next(body, headers)


# Simple: what IPython falls back to; the other is prompt_toolkit, which reads with buffers of its
# own. The last of what is typed has no line end.
@pytest.mark.parametrize("prompts", ["--simple-prompt", "--no-confirm-exit"])
@pytest.mark.parametrize("early", ["y\n", "a\n", "yes\ny\n", "y"])
def test_what_was_typed_before_the_question_was_there_allows_nothing(
    tmp_path: Path, prompts: str, early: str
) -> None:
    made = tmp_path / "made"
    called = calls(("toolu_1", "run_python", {"code": f"open({str(made)!r}, 'w').close()"}))
    with Waiting(called, says("Done with it.")) as server:
        terminal = opened(tmp_path, prompts, CLAUDE_MAGIC_BASE_URL=server.url)
        terminal.expect_exact("In [1]:")
        terminal.send("%load_ext claude_magic\r")
        terminal.expect_exact("In [2]:")
        terminal.send("%claude -c none --tools run_python Go on\r")
        assert server.asked.wait(60)
        terminal.send(early)
        terminal.expect_exact(early.strip("\n").splitlines()[-1])  # the terminal has it
        server.go_on.set()
        terminal.expect_exact(ALLOW)
        terminal.send("\n")
        terminal.expect_exact("Done with it.")
        (result,) = server.bodies[-1]["messages"][-1]["content"]
        terminal.close(force=True)
    assert "not allowed by the user" in str(result)
    assert not made.exists()


def test_where_input_is_piped_in_nobody_can_be_asked(tmp_path: Path) -> None:
    shown = session(tmp_path, "%load_ext claude_magic", "%claude --tools run_python Hi", "y")
    assert "Nobody can be asked here, where nothing can be typed" in shown
    assert "--approve auto" in shown


TWICE = """
import sys, threading
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "claude_magic")
shell.run_cell("%claude --quiet Hello")
server = shell.magics_manager.registry["ClaudeMagics"].notebook.session.offline
sys.unraisablehook = lambda _: None
print("", "ready", sep="\\n", flush=True)
for _ in sys.stdin:
    server.behave("stall")
    try:
        shell.run_cell("%claude --quiet The doubly stopped one")
        threading.Event().wait(0.1)
    except BaseException:
        pass  # The second one came when IPython itself was at its end of the cell.
    print("", "stopped", sep="\\n", flush=True)
    done = shell.run_cell("%claude --quiet --fresh Go on")
    print("", f"went on: {done.error_in_exec}", sep="\\n", flush=True)
"""


def test_a_second_interrupt_during_the_clean_up_leaves_a_valid_conversation(
    tmp_path: Path,
) -> None:
    # Not in a kernel: ipykernel's own clean-up does not survive a second one. The server refuses
    # a conversation that is not valid.
    with subprocess.Popen(
        [sys.executable, "-u", "-c", TWICE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
        cwd=tmp_path,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None

        def until(words: str) -> None:
            told = ""
            while not told.endswith(words):
                came = program.stdout.read(1)
                assert came, told
                told += came

        until("ready\n")
        for milliseconds in (0, 0.2, 0.5, 1, 1.5, 2, 3, 4, 6, 10, 20, 40):
            print(file=program.stdin, flush=True)
            until("This is the")
            program.send_signal(signal.SIGINT)
            time.sleep(milliseconds / 1000)
            program.send_signal(signal.SIGINT)
            until("stopped")
            until("went on: None\n")
        program.stdin.close()


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
    with closing(TerminalDisplay(out)) as display:
        for result in (fine, wrong):
            display(Calling(call))
            display(Seen(call, b"PNG"))
            display(Called(call, result, 0.5))
    assert out.getvalue().split("\n")[:-1] == [
        "[screenshot · 0.5 s · ok]",
        "[screenshot · 0.5 s · error]: It is gone.",
    ]


# A line of a terminal session, and what the recorder has of it afterwards.
RECORDED: dict[str, tuple[str, list[str]]] = {
    "an expression": ("40 + 2", ["data 42"]),
    "a table": ("type('T', (), {'__repr__': lambda _: 'a  b\\n1  2'})()", ["data a  b\n1  2"]),
    "print": ("print('one'); print('two', file=sys.stderr)", ["text one\ntwo\n"]),
    "display": ("display('shown'); print('below')", ["data 'shown'", "text below\n"]),
    "an update": ("display(1, display_id='d').update(2)", ["data 2"]),
    "what prints while it is shown": (
        "type('Loud', (), {'__repr__': lambda _: print('loud') or 'Loud()'})()",
        ["text loud\n", "data Loud()"],
    ),
    "an error": ("1 / 0", ["error ZeroDivisionError: division by zero"]),
    "an error of syntax": ("1 +* 2", ["error SyntaxError: invalid syntax"]),
    "a usage error": ("%run -q", ["text UsageError: option -q not recognized"]),
    "a cell within a cell": ("_ = get_ipython().run_cell('40 + 2')", ["data 42"]),
    "the history": ("%claude_history", []),
    "the costs": ("%claude_usage", []),
    "the settings": ("%claude_config", []),
    "the models": ("%claude_models", []),
    "a question": ("%claude -c none Hello", []),
    "an error of ours": ("%claude --modle opus Hi", []),
    "a dry run": ("%claude --dry-run -c none Hi", []),
    "code that is not there": ("%claude_code 99", []),
    "a question after a print": (
        "print(1); get_ipython().run_line_magic('claude', '-c none Hi'); 2",
        ["text 1\n", "data 2"],
    ),
}
TELL = (
    "import json; print('recorded', json.dumps([f'text {o.text}' if o.text is not None else"
    " 'data ' + o.bundle['text/plain'] if o.bundle else 'error ' + o.error for o in"
    " get_ipython().magics_manager.registry['ClaudeMagics'].recorder.runs[-2].outputs]))"
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """By line, what is recorded once it has run."""
    lines = [line for case, _ in RECORDED.values() for line in (case, TELL)]
    shown = session(tmp_path_factory.mktemp("told"), "%load_ext claude_magic", "import sys", *lines)
    told = [json.loads(line) for line in re.findall(r"recorded (\[.*\])$", shown, re.MULTILINE)]
    return dict(zip(RECORDED, told, strict=True))


@pytest.mark.met("P6")
@pytest.mark.parametrize("name", RECORDED)
def test_each_output_is_recorded_once_and_ours_never(
    recorded: dict[str, list[str]], name: str
) -> None:
    """Of an error and of a line of IPython's own only the end counts, and the beginning."""
    expected = RECORDED[name][1]
    found = [f"error {o.splitlines()[-1]}" if o.startswith("error ") else o for o in recorded[name]]
    if name == "a usage error":
        found = [o[: len(e)] for o, e in zip(found, expected, strict=True)]
    assert found == expected
    assert not any("\x1b" in o for o in recorded[name])
