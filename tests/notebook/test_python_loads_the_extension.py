"""What is called from Python in IPython needs no `%load_ext`; what comes later finds it loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.kernels import kernel
from tests.notebook.test_terminal import environment, session

CALLS = {
    "ask": "print(claude_magic.ask('Hi').text)",
    "ask in a thread": (
        "import threading\n"
        "asking = threading.Thread(target=lambda: said.append(claude_magic.ask('Hi')))\n"
        "said = []\nasking.start()\nasking.join()\nprint(said[0].text)"
    ),
    "caption": "claude_magic.caption('red.png', progress=False)",
    "ClaudeChat": "panel = claude_magic.ClaudeChat()",
}


@pytest.mark.met("P13")
@pytest.mark.parametrize("call", CALLS)
def test_in_a_kernel_it_loads_the_extension(tmp_path: Path, call: str) -> None:
    Image.new("RGB", (60, 40), "red").save(tmp_path / "red.png")
    with kernel(tmp_path, load=False) as fresh:
        fresh.run(f"import claude_magic\n{CALLS[call]}", cell="a")
        assert fresh.run("%load_ext claude_magic", cell="b").printed == ""
        fresh.run("%claude And now?", cell="c")
        fresh.run("%claude_chat", cell="d")
        last = fresh.requests()[-1]["messages"]
        assert len(last) == (3 if call.startswith("ask") else 1), "one conversation"
        fresh.run("%unload_ext claude_magic\n%load_ext claude_magic")
        fresh.run(CALLS[call], cell="a")


def test_in_a_terminal_it_loads_the_extension(tmp_path: Path) -> None:
    shown = session(
        tmp_path, "import claude_magic", "claude_magic.ask('Hi')", "%claude And now?", "x = 1"
    )
    assert "> Hi" in shown
    assert "> And now?" in shown


def test_a_script_that_only_imports_ipython_asks_as_any_script_does(tmp_path: Path) -> None:
    script = "import IPython, claude_magic; print(claude_magic.ask('Hi').text)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    assert "> Hi" in done.stdout


def test_a_panel_outside_of_ipython_is_refused_in_a_line_that_says_what_to_do(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import claude_magic; claude_magic.ClaudeChat()"],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert "InputError: A chat panel needs a notebook" in done.stderr
    assert "Exception ignored" not in done.stderr
