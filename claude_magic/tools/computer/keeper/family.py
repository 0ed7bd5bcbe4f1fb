"""The processes of a desktop: started so that they can be found again, and all ended."""

from __future__ import annotations

import ctypes
import os
import signal
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
