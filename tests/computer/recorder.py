"""What the recording window wrote down, waited for."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

WINDOW = Path(__file__).with_name("recording_window.py")
SECONDS = 60.0


@cache
def tk_python() -> str | None:
    """An interpreter that has Tk: this one, or Debian's own."""
    for python in (sys.executable, "/usr/bin/python3"):
        if shutil.which(python) is None:
            continue
        tried = subprocess.run([python, "-c", "import tkinter"], check=False, capture_output=True)
        if tried.returncode == 0:
            return python
    return None


class Recorder:
    """The file of one recording window."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def command(self, *arguments: object) -> str:
        """The shell command that opens the window."""
        return shlex.join([str(tk_python()), str(WINDOW), str(self.file), *map(str, arguments)])

    @property
    def events(self) -> list[dict[str, Any]]:
        if not self.file.exists():
            return []
        text = self.file.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind."""
        return [event for event in self.events if event["kind"] == kind]

    def places(self, kind: str) -> list[tuple[int, int]]:
        """Where they were."""
        return [(event["at"][0], event["at"][1]) for event in self.of(kind)]

    @property
    def text(self) -> str:
        """What the window's text held last."""
        held = self.of("text")
        return str(held[-1]["text"]) if held else ""

    def until(self, holds: Callable[[], object]) -> None:
        """Returns once it holds."""
        end = time.monotonic() + SECONDS
        while not holds():
            assert time.monotonic() < end, f"not so after {SECONDS:g} s: {self.events[-5:]}"
            time.sleep(0.02)

    def forget(self) -> None:
        """Begin anew: the window goes on writing at the end of the same file."""
        with self.file.open("r+") as file:
            file.truncate(0)
