"""The processes of a desktop: X server, window manager and programs, started and all ended."""

from __future__ import annotations

import ctypes
import os
import random
import secrets
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36
# Seconds that a program has between being asked to end and being ended.
_GRACE = 1.5


def adopt_orphans() -> None:
    """Makes this process the parent of every descendant whose own parent ends.

    So a program that goes into the background is still found among the descendants.
    """
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def started(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | str,
    *,
    ends_by: signal.Signals = signal.SIGKILL,
    keeps: Sequence[int] = (),
    log: Path | None = None,
) -> subprocess.Popen[bytes]:
    """The program, in a session of its own, its output in `log`; `keeps` are descriptors it gets.

    The kernel sends it `ends_by` when this process ends in a way that leaves no time to end it.
    Raises OSError if it cannot be started.
    """

    def at_the_parents_end() -> None:
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, ends_by, 0, 0, 0)

    with (log or Path(os.devnull)).open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - what the user named, or the desktop's own
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=keeps,
            start_new_session=True,
            preexec_fn=at_the_parents_end,  # noqa: PLW1509 - this process has one thread
        )


def descendants() -> list[int]:
    """The processes that descend from this one and still run."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                # The name in parentheses may hold anything; state and parent follow the last one.
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (OSError, ValueError):
                continue  # it ended just now
            if state not in "ZX":
                parents[int(entry.name)] = int(parent)
    found: list[int] = []
    generation = [os.getpid()]
    while generation:
        generation = [pid for pid, parent in parents.items() if parent in generation]
        found += generation
    return found


def end_all() -> None:
    """Ends every descendant, politely at first, and leaves no zombie of any of them."""
    ask_until = time.monotonic() + _GRACE
    give_up = ask_until + _GRACE
    asked: set[int] = set()
    while alive := descendants():
        now = time.monotonic()
        if now > give_up:
            break  # it sits in the kernel: nothing more can be done from here
        for pid in alive:
            try:
                if now > ask_until:
                    os.kill(pid, signal.SIGKILL)
                elif pid not in asked:
                    asked.add(pid)
                    os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass  # it ended just now
        reap()
        time.sleep(0.01)
    reap()


def reap() -> None:
    """Takes note of every child that has ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass  # there is no child


_SOCKETS = Path("/tmp/.X11-unix")  # noqa: S108 - where X puts them, whatever the user sets
_NUMBERS = range(1000, 10_000)
_SECONDS = 20.0
_ATTEMPTS = 5
_FAMILY_LOCAL, _FAMILY_WILD = 256, 65_535

# A bar with the open windows at the bottom, so that one behind another can be found.
WINDOW_MANAGER_SETTINGS = """\
<?xml version="1.0"?>
<JWM>
  <Tray x="0" y="-1" height="24" autohide="off">
    <TaskList maxwidth="256"/>
  </Tray>
  <WindowStyle><Font>Sans-10</Font><Width>4</Width><Height>20</Height></WindowStyle>
  <TrayStyle><Font>Sans-10</Font></TrayStyle>
  <Desktops width="1" height="1"><Background type="solid">#5f6b7a</Background></Desktops>
  <DoubleClickSpeed>400</DoubleClickSpeed>
  <FocusModel>click</FocusModel>
  <SnapMode>none</SnapMode>
  <MoveMode>opaque</MoveMode>
  <ResizeMode>opaque</ResizeMode>
  <Key mask="A" key="F4">close</Key>
  <Key mask="A" key="Tab">next</Key>
</JWM>
"""


class StartFailedError(Exception):
    """The X server or its window manager did not start; the text says why."""


def start_server(
    width: int, height: int, folder: Path, environment: Mapping[str, str]
) -> tuple[int, Path]:
    """The number of a new display and its cookie file; it has no client yet.

    Raises StartFailedError.
    """
    cookies = folder / "cookies"
    log = folder / "server.log"
    for _ in range(_ATTEMPTS):
        # Not left to the server: told nothing else than -displayfd it takes the lowest number whose
        # abstract socket is free, which in a container that shares /tmp is one in use outside, and
        # it would take that one's socket file away.
        number = _free_number()
        _write_cookies(cookies, number)
        reading, writing = os.pipe()
        try:
            server = started(
                [
                    *("Xvfb", f":{number}", "-displayfd", str(writing), "-auth", str(cookies)),
                    *("-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-noreset"),
                ],
                environment,
                folder,
                ends_by=signal.SIGTERM,  # it takes its socket away with it
                keeps=(writing,),
                log=log,
            )
        finally:
            os.close(writing)
        try:
            ready = _line_comes(reading)
        finally:
            os.close(reading)
        if ready:
            return number, cookies
        if server.poll() is None:
            break
    raise StartFailedError(f"Xvfb did not start: {last_line(log)}")


def _line_comes(descriptor: int) -> bool:
    """Whether a whole line came: the server ends if nobody reads the last of it."""
    line = b""
    until = time.monotonic() + _SECONDS
    while not line.endswith(b"\n"):
        left = max(0.0, until - time.monotonic())
        if not select.select([descriptor], [], [], left)[0]:
            return False
        piece = os.read(descriptor, 32)
        if not piece:
            return False
        line += piece
    return True


def start_window_manager(folder: Path, environment: Mapping[str, str]) -> None:
    """Starts it; it manages windows a little later."""
    settings = folder / "window-manager.xml"
    settings.write_text(WINDOW_MANAGER_SETTINGS, encoding="utf-8")
    started(["jwm", "-f", str(settings)], environment, folder, log=folder / "window-manager.log")


def remove_socket(number: int) -> None:
    """Removes the socket file of a display whose server could not do so itself."""
    (_SOCKETS / f"X{number}").unlink(missing_ok=True)


def last_line(log: Path) -> str:
    """The last line of a log that says something, cut to 200 characters."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "it said nothing")


def _free_number() -> int:
    numbers = random.SystemRandom().sample(_NUMBERS, 100)
    for number in numbers:
        lock = Path(f"/tmp/.X{number}-lock")  # noqa: S108 - as above
        if not lock.exists() and not (_SOCKETS / f"X{number}").exists():
            return number
    raise StartFailedError("Xvfb did not start: no display number is free")


def _write_cookies(path: Path, number: int) -> None:
    """One cookie in the format of Xauthority, for this host's name and, should it change, for any.

    Source: the format is that of XauFileName(3): big-endian lengths before each field.
    """
    cookie = secrets.token_bytes(16)
    entries = b""
    for family, address in (
        (_FAMILY_LOCAL, socket.gethostname().encode()),
        (_FAMILY_WILD, b""),
    ):
        entries += struct.pack(">H", family)
        for part in (address, str(number).encode(), b"MIT-MAGIC-COOKIE-1", cookie):
            entries += struct.pack(">H", len(part)) + part
    path.touch(mode=0o600)
    path.write_bytes(entries)
