"""The command line, as a process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import claude_magic
from claude_magic.cli import main

COMMAND = [sys.executable, "-m", "claude_magic"]


def environment(folder: Path) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "CLAUDE_"))}
    env |= {f"JUPYTER_{k}_DIR": str(folder / k.lower()) for k in ("CONFIG", "DATA", "RUNTIME")}
    env.pop("DISPLAY", None)
    return env


@pytest.mark.parametrize("command", ["demo", "offline"])
def test_a_port_that_is_none_is_refused_in_one_line(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--port", "99999"])
    assert "99999 is no port" in capsys.readouterr().err


def test_the_offline_server_answers_any_client_until_it_is_interrupted(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "offline", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    ) as server:
        assert server.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
        assert found
        try:
            models = urllib.request.Request(
                f"{found[0]}/v1/models?limit=1", headers={"anthropic-version": "2023-06-01"}
            )
            with urllib.request.urlopen(models) as response:
                assert json.load(response)["data"][0]["type"] == "model"
        finally:
            server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=60) == ("", "")
        assert server.returncode == 0


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    from claude_magic.offline import OfflineServer

    with OfflineServer() as running:
        assert main(["offline", "--port", running.url.rpartition(":")[2]]) == 1
    assert "choose another one" in capsys.readouterr().err


def test_the_demo_starts_jupyterlab_on_a_copy_of_the_tour_and_prints_where(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "demo", "--port", "18888"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
    ) as demo:
        try:
            assert demo.stdout is not None
            address = next(line for line in demo.stdout if line.startswith("Open "))[5:].strip()
            assert "/lab/tree/claude-magic-tour.ipynb?token=" in address
            with urllib.request.urlopen(address) as response:
                shown = response.read().decode()
            assert "jupyter-config-data" in shown
            # Its question whether to fetch news would lie over the chat panel.
            assert "@jupyterlab/apputils-extension:announcements" in shown
            assert (tmp_path / "claude-magic-tour.ipynb").is_file()
        finally:
            demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0


def test_a_notebook_that_is_not_there_is_said(capsys) -> None:  # type: ignore[no-untyped-def]
    assert main(["demo", "nowhere.ipynb"]) == 1
    assert "nowhere.ipynb" in capsys.readouterr().out


def test_the_version_is_one() -> None:
    from importlib.metadata import version

    assert version("claude-magic") == claude_magic.__version__


def test_the_public_names() -> None:
    assert set(claude_magic.__all__) == {
        "ClaudeChat",
        "Conversation",
        "Reply",
        "__version__",
        "ask",
        "caption",
        "load_ipython_extension",
        "tool",
        "unload_ipython_extension",
    }
