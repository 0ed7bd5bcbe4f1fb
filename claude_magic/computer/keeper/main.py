"""The keeper's life: start the desktop, do what is asked on stdin, end everything.

A request is a line of JSON with `id` and `do`; its reply is a line of JSON with that `id` and as
many bytes as its `bytes` says. The first reply, of id 0, says that the desktop is there, or why
it is not. The end of stdin, or of the process that started this one, is the end of the desktop.
"""

from __future__ import annotations

import json
import locale
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .processes import (
    StartFailedError,
    adopt_orphans,
    end_all,
    last_line,
    remove_socket,
    start_server,
    start_window_manager,
    started,
)
from .screen import Screen, XError

# Seconds for one request: a program that holds the X server must not hold this process as well.
_PATIENCE = 10
_START = 20.0
_LOOK_ROUND = 1.0
_ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


class _EndError(Exception):
    """The desktop is to end."""


class Keeper:
    """The desktop of one kernel. `folder` exists, and is all that the desktop writes to."""

    def __init__(self, folder: Path, size: tuple[int, int], environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._size = size
        self._environment = dict(environment)
        self._number: int | None = None
        self._apps: list[subprocess.Popen[bytes]] = []
        self._screen: Screen

    def start(self) -> None:
        """Starts X server and window manager. Raises StartFailedError."""
        self._environment["LANG"] = _language(self._environment.get("LANG", ""))
        homes = {"HOME": "home", "TMPDIR": "tmp", "XDG_RUNTIME_DIR": "run"}
        for variable, name in homes.items():
            (self._folder / name).mkdir(mode=0o700)
            self._environment[variable] = str(self._folder / name)
        width, height = self._size
        self._number, cookies = start_server(width, height, self._folder, self._environment)
        self._environment["DISPLAY"] = f":{self._number}"
        os.environ["XAUTHORITY"] = self._environment["XAUTHORITY"] = str(cookies)
        self._screen = Screen(self._number)
        start_window_manager(self._folder, self._environment)
        until = time.monotonic() + _START
        while not self._screen.managed():
            if time.monotonic() > until:
                log = self._folder / "window-manager.log"
                raise StartFailedError(f"the window manager jwm did not start: {last_line(log)}")
            time.sleep(0.02)

    def serve(self, requests: Iterator[Mapping[str, Any]]) -> None:
        """Answers each request. Returns at their end; raises _EndError if the display is gone."""
        for request in requests:
            signal.alarm(_PATIENCE)
            try:
                told, tail = self._done(request)
            except XError as fault:  # such as a window that closed just now
                told, tail = {"fault": f"the X server refused it: {type(fault).__name__}"}, b""
            except OSError as fault:  # such as a folder that is not there any more
                told, tail = {"fault": f"it could not be done: {fault}"}, b""
            signal.alarm(0)
            _reply(int(request["id"]), told, tail)

    def _done(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        screen, tail = self._screen, b""
        told: dict[str, Any] = {}
        match request["do"]:
            case "picture":
                told, tail = screen.picture()
            case "pointer":
                told["pointer"] = screen.pointer()
            case "move":
                screen.move(request["x"], request["y"])
            case "button":
                screen.button(request["number"], request["down"])
            case "keys":
                screen.keys(request["symbols"], request["down"])
            case "strike":
                screen.strike(request["symbols"])
            case "type":
                screen.type(request["symbols"])
            case "let go":
                screen.let_go()
            case "look":
                told = {"windows": screen.windows(), "pressed": screen.pressed()}
                told["ended"] = self._ended()
            case "open":
                self._open(request["command"], request["folder"])
        return told, tail

    def _open(self, command: str, folder: str) -> None:
        # Not as a Path: that of a folder which is gone, "", would be the keeper's own.
        log = self._folder / f"app-{len(self._apps)}.log"
        shell = ["/bin/sh", "-c", command]
        self._apps.append(started(shell, self._environment, folder, log=log))

    def _ended(self) -> list[Any] | None:
        """Status and last words of the program that was opened last; None while it runs."""
        if not self._apps or self._apps[-1].poll() is None:
            return None
        log = self._folder / f"app-{len(self._apps) - 1}.log"
        return [self._apps[-1].returncode, last_line(log)]

    def end(self) -> None:
        """Ends every process, and removes what they left."""
        end_all()
        if self._number is not None:
            remove_socket(self._number)
        shutil.rmtree(self._folder, ignore_errors=True)


def main() -> int:
    """The keeper's exit status: 0 if the desktop was there."""
    told = json.loads(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in _ENDS:
        signal.signal(number, _end)
    adopt_orphans()
    keeper = Keeper(Path(told["folder"]), tuple(told["size"]), told["environment"])
    try:
        if _started(keeper):
            keeper.serve(_requests(int(told["parent"])))
            return 0
    except Exception:  # noqa: S110 - the display or the kernel is gone: there is nobody to tell
        pass
    finally:
        _end_no_more()
        keeper.end()
    return 1


def _language(wanted: str) -> str:
    """`wanted`, where this machine has that locale and it has every character; else C.UTF-8.

    Old toolkits take no character but ASCII without.
    """
    try:
        locale.setlocale(locale.LC_ALL, wanted or "C")
    except locale.Error:
        return "C.UTF-8"
    return wanted if locale.nl_langinfo(locale.CODESET) == "UTF-8" else "C.UTF-8"


def _started(keeper: Keeper) -> bool:
    """Whether the desktop is there; says so, or why not."""
    try:
        keeper.start()
    except Exception as fault:
        words = str(fault) if isinstance(fault, StartFailedError) else repr(fault)
        _reply(0, {"fault": words})
        return False
    _reply(0, {})
    return True


def _end(*_: Any) -> None:
    _end_no_more()  # once: what follows is the end already
    raise _EndError


def _end_no_more() -> None:
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)


def _requests(parent: int) -> Iterator[Mapping[str, Any]]:
    """The requests on stdin, until it ends or the parent is another."""
    held = b""
    while True:
        # The pipe alone would not do: a process that was forked from the parent holds it open.
        ready, _, _ = select.select([0], [], [], _LOOK_ROUND)
        if os.getppid() != parent:
            return
        if not ready:
            continue
        piece = os.read(0, 65_536)
        if not piece:
            return
        *lines, held = (held + piece).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if request["do"] == "end":
                return
            yield request


def _reply(number: int, told: Mapping[str, Any], tail: bytes = b"") -> None:
    line = json.dumps({**told, "id": number, "bytes": len(tail)}).encode() + b"\n"
    sys.stdout.buffer.write(line + tail)
    sys.stdout.buffer.flush()
