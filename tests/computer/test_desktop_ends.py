"""Nothing is left of a desktop, however it ends: no process, no socket, no file."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from claude_magic.computer import ComputerTool, Workplace
from claude_magic.computer.desktop import VirtualDesktop
from claude_magic.messages.errors import DesktopError, Interrupted
from claude_magic.messages.transport.cancel import Cancel
from tests.computer.calls_as_sent import NEWEST, call
from tests.computer.left_over import Footprint, family, footprint
from tests.computer.recorder import Recorder
from tests.kernels import kernel

OWNER = Path(__file__).with_name("desktop_owner.py")
ROOT = Path(__file__).parents[2]
# A program that goes into the background, in a session of its own, and ignores what it can.
DAEMON = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
time.sleep(600)
"""
# Seconds that an interrupt may take on a busy machine: far fewer than what it stops would go on.
SOON = 10.0


def app(window: Recorder) -> str:
    """A command with a window, a program in the background and one that will not end."""
    daemon = shlex.join([sys.executable, "-c", DAEMON])
    return f"{daemon}; (trap '' TERM; sleep 600) & exec {window.command()}"


@contextmanager
def owner(how: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], Footprint, int]]:
    """A program with a desktop, what there is of the desktop, and a process forked from it."""
    window = Recorder(folder / "events.jsonl")
    program = subprocess.Popen(
        [sys.executable, str(OWNER), how, app(window)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    holder = 0
    try:
        assert program.stdout is not None
        told = json.loads(program.stdout.readline())
        holder = told["holder"]
        window.until(lambda: window.of("mapped"))
        yield program, footprint(told["keeper"]), holder
    finally:
        program.kill()
        program.wait()
        for stream in (program.stdin, program.stdout):
            assert stream is not None
            stream.close()
        if holder:
            os.kill(holder, signal.SIGKILL)


def say_go_on(program: subprocess.Popen[str]) -> None:
    assert program.stdin is not None
    program.stdin.write("\n")
    program.stdin.flush()


@pytest.mark.parametrize("how", ["close", "raise", "exit", "end"])
def test_a_desktop_ends_with_its_program(installed: None, how: str, tmp_path: Path) -> None:
    with owner(how, tmp_path) as (program, there, _):
        assert len(there.processes) >= 6  # keeper, Xvfb, jwm, the window, and two that hide
        say_go_on(program)
        program.wait(60)
        there.until_gone()


SIGNALS = {"kill -9": signal.SIGKILL, "kill": signal.SIGTERM, "hang up": signal.SIGHUP}


@pytest.mark.parametrize("number", SIGNALS.values(), ids=SIGNALS)
def test_a_desktop_ends_when_its_program_is_killed(
    installed: None, number: signal.Signals, tmp_path: Path
) -> None:
    with owner("wait", tmp_path) as (program, there, _):
        say_go_on(program)
        program.send_signal(number)
        there.until_gone()


def test_a_process_that_was_forked_from_the_program_does_not_keep_the_desktop(
    installed: None, tmp_path: Path
) -> None:
    with owner("fork", tmp_path) as (program, there, holder):
        program.kill()
        program.wait()
        os.kill(holder, 0)  # it is still there
        there.until_gone()


@pytest.mark.parametrize("number", SIGNALS.values(), ids=SIGNALS)
def test_nothing_is_left_when_the_keeper_itself_is_killed(
    installed: None, number: signal.Signals, tmp_path: Path
) -> None:
    window = Recorder(tmp_path / "events.jsonl")
    desktop = VirtualDesktop(640, 480)
    try:
        desktop.open(window.command())
        there = footprint(desktop.keeper)
        os.kill(desktop.keeper, number)
        there.until_gone()
        with pytest.raises(DesktopError, match="has ended"):
            desktop.screenshot()
        assert not desktop.alive
    finally:
        desktop.close()


def test_a_desktop_whose_x_server_is_killed_ends_as_a_whole(installed: None) -> None:
    desktop = VirtualDesktop(640, 480)
    try:
        there = footprint(desktop.keeper)
        os.kill(named("Xvfb", desktop), signal.SIGKILL)
        with pytest.raises(DesktopError):
            for _ in range(1000):
                desktop.screenshot()
        there.until_gone()
    finally:
        desktop.close()


def test_a_desktop_goes_on_without_its_window_manager(installed: None) -> None:
    desktop = VirtualDesktop(640, 480)
    try:
        os.kill(named("jwm", desktop), signal.SIGKILL)
        for _ in range(20):  # before it is gone, and after
            desktop.move(7, 8)
            assert desktop.screenshot().image.size == (640, 480)
            assert desktop.screenshot().pointer == (7, 8)
    finally:
        desktop.close()


def named(name: str, desktop: VirtualDesktop) -> int:
    """The process of this name."""
    (pid,) = [pid for pid, found in family(desktop.keeper).items() if found == name]
    return pid


@contextmanager
def in_a_while(holds: Callable[[], object], act: Callable[[], None]) -> Iterator[list[float]]:
    """Does `act` in another thread once it holds; gives the time at which it did."""
    at: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            if holds():
                at.append(time.monotonic())
                act()
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield at
    finally:
        over.set()
        thread.join()


PHASES = {
    "a wait": (call("wait", duration=300), "button"),
    "a held key": (call("hold_key", text="shift+a", duration=300), "key"),
    "typing": (call("type", text="0123456789" * 2000), "key"),
    "keys": (call("key", text="ctrl+b", repeat=100), "key"),
    "scrolling": (call("scroll", scroll_direction="up", scroll_amount=100), "wheel"),
}


@pytest.mark.parametrize(("asked", "sign"), PHASES.values(), ids=PHASES)
@pytest.mark.parametrize("how", ["stopped", "interrupted"])
def test_an_action_is_stopped_at_once_and_nothing_stays_pressed(
    desktop: VirtualDesktop, window: Recorder, asked: dict[str, object], sign: str, how: str
) -> None:
    window.forget()
    tool = ComputerTool(Workplace(size=desktop.size, start=lambda width, height: desktop))
    tool.definitions(NEWEST, anthropic=True)
    cancel, main = Cancel(), threading.get_ident()

    def begun() -> bool:
        kinds = {"button": "press", "key": "key down", "wheel": "press"}
        return len(window.of(kinds[sign])) >= (1 if sign == "button" else 3)

    def act() -> None:
        if how == "stopped":
            cancel.set()
        else:
            signal.pthread_kill(main, signal.SIGINT)

    calls = [call("mouse_move", coordinate=[200, 100]), call("left_mouse_down"), asked]
    with in_a_while(begun, act) as at, pytest.raises(KeyboardInterrupt) as raised:
        list(tool.run(calls, cancel=cancel))
    took = time.monotonic() - at[0]
    assert isinstance(raised.value, Interrupted) == (how == "stopped")
    assert took < SOON
    assert not desktop._ask("look").told["pressed"]
    # And nothing more arrives: not the rest of the text, no repeated key.
    window.until(lambda: window.of("release"))
    (result,) = tool.run([call("screenshot")])
    count = len(window.of("key down"))
    (result,) = tool.run([call("wait", duration=0.7)])
    assert not result.get("is_error")
    assert len(window.of("key down")) == count


@pytest.mark.parametrize("how", ["stopped", "interrupted"])
def test_the_opening_of_a_program_can_be_stopped(installed: None, how: str) -> None:
    workplace = Workplace(size=(640, 480), app="exec sleep 600")
    tool = ComputerTool(workplace)
    tool.definitions(NEWEST, anthropic=True)
    cancel, main = Cancel(), threading.get_ident()

    def opening() -> bool:
        computer = workplace._computer
        return isinstance(computer, VirtualDesktop) and "sleep" in family(computer.keeper).values()

    def act() -> None:
        if how == "stopped":
            cancel.set()
        else:
            signal.pthread_kill(main, signal.SIGINT)

    try:
        with in_a_while(opening, act) as at, pytest.raises(KeyboardInterrupt):
            list(tool.run([call("screenshot")], cancel=cancel))
        assert time.monotonic() - at[0] < SOON
        assert isinstance(workplace._computer, VirtualDesktop)
        there = footprint(workplace._computer.keeper)
    finally:
        workplace.close()
    there.until_gone()


def test_a_program_that_holds_the_x_server_does_not_hold_the_kernel(
    installed: None, tmp_path: Path
) -> None:
    """The server answers nobody else then, not even who releases the keys: the desktop ends."""
    program = (
        "import pathlib, sys, time; from Xlib.display import Display; d = Display(); "
        "d.grab_server(); d.sync(); pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
    )
    held = tmp_path / "held"
    desktop = VirtualDesktop(640, 480)
    workplace = Workplace(size=(640, 480), start=lambda width, height: desktop)
    tool = ComputerTool(workplace)
    tool.definitions(NEWEST, anthropic=True)
    list(tool.run([call("left_mouse_down")]))
    there = footprint(desktop.keeper)
    cancel = Cancel()
    try:
        grab = shlex.join([sys.executable, "-c", program, str(held)])
        with in_a_while(held.exists, cancel.set) as at, pytest.raises(Interrupted):
            workplace.app = f"exec {grab}"
            list(tool.run([call("screenshot")], cancel=cancel))
        assert time.monotonic() - at[0] < SOON
        there.until_gone()
    finally:
        workplace.close()


def test_a_forked_process_cannot_use_or_end_the_desktop(desktop: VirtualDesktop) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            desktop.move(1, 1)
        except DesktopError as fault:
            os.write(writing, str(fault).encode())
        desktop.close()
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    assert b"belongs to another process" in os.read(reading, 1000)
    os.close(reading)
    assert desktop.alive
    assert desktop.screenshot().image.size == desktop.size


START = """
from claude_magic.computer.desktop import VirtualDesktop
desktop = VirtualDesktop(640, 480)
"""


@pytest.mark.parametrize("how", ["restart", "shutdown", "kill"])
def test_nothing_is_left_after_the_kernel(installed: None, how: str, tmp_path: Path) -> None:
    window = Recorder(tmp_path / "events.jsonl")
    with kernel(tmp_path, load=False) as running:
        running.run(f"{START}desktop.open({app(window)!r})")
        there = footprint(running.value("desktop.keeper"))
        if how == "restart":
            running.manager.restart_kernel(now=True)
        elif how == "shutdown":
            running.client.shutdown()
        else:
            running.manager.signal_kernel(signal.SIGKILL)
        there.until_gone()


def test_an_interrupt_of_the_kernel_stops_a_wait_and_leaves_the_desktop(
    installed: None, tmp_path: Path
) -> None:
    with kernel(tmp_path, load=False) as running:
        running.run(START)
        begun = tmp_path / "begun"
        pid = running.value("__import__('os').getpid()")
        with in_a_while(begun.exists, lambda: os.kill(pid, signal.SIGINT)) as at:
            ran = running.run(f"open({str(begun)!r}, 'w').close()\ndesktop.wait(600)", ok=False)
        assert time.monotonic() - at[0] < SOON
        assert "KeyboardInterrupt" in ran.error
        assert running.value("desktop.screenshot().image.size") == [640, 480]
