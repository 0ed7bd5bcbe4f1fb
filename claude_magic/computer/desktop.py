"""A virtual desktop on this machine: Xvfb, kept by a process of its own (see keeper/)."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from ..messages.errors import DesktopError, InputError, Interrupted
from ..value_classes import frozen
from .interface import Shot

# What programs need to start, to find their libraries and fonts, and to know language and time
# zone. No more than these: so no key, no proxy, no display and no session bus of the user's.
_PASSED_ON = (
    *("PATH", "LD_LIBRARY_PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "JAVA_HOME"),
    *("FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_DATA_DIRS"),
)
# The program that is looked for, and the Debian package that has it.
PACKAGES = {"Xvfb": "xvfb", "jwm": "jwm"}
_LIBRARY = "Xlib"


def desktop_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The environment for the programs of a desktop, from `ours`: a few variables, no more.

    DISPLAY, HOME and the like are added by the keeper.
    """
    theirs = {name: ours[name] for name in _PASSED_ON if ours.get(name)}
    # Programs start a session bus where there seems to be none, and it would outlive them; one that
    # needs it is opened with dbus-run-session.
    return {**theirs, "DBUS_SESSION_BUS_ADDRESS": "disabled:", "NO_AT_BRIDGE": "1"}


def check_installed(path: str | None = None, *, platform: str = sys.platform) -> None:
    """Nothing, where a desktop can be started; `path` is searched instead of PATH.

    Raises InputError that names what is missing, and the command that installs it.
    """
    if not platform.startswith("linux"):
        raise InputError("A virtual desktop needs Linux: use --tools computer there.")
    missing = [package for name, package in PACKAGES.items() if not shutil.which(name, path=path)]
    if missing:
        raise InputError(
            f"The virtual desktop needs {' and '.join(missing)}: "
            f"sudo apt-get install {' '.join(PACKAGES.values())}"
        )
    if importlib.util.find_spec(_LIBRARY) is None:
        raise InputError(
            "The virtual desktop needs python-xlib: pip install 'claude-magic[computer]'"
        )


def import_folders() -> list[str]:
    """The folders that a new interpreter must search to find this package and its X library."""
    folders = []
    for name in (__package__.partition(".")[0], _LIBRARY, "six"):
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:
            origin = Path(found.origin)
            folders.append(
                str(origin.parents[1] if found.submodule_search_locations else origin.parent)
            )
    return list(dict.fromkeys(folders))


_BOOT = """\
import json, sys
sys.path += json.loads(sys.argv[1])
from claude_magic.computer.keeper.main import main
sys.exit(main())
"""
_END = 5.0


@frozen
class KeeperReply:
    """What the keeper answers: `told` by name, and `tail`, bytes that go with it."""

    number: int
    told: Mapping[str, Any]
    tail: bytes


class KeeperLink:
    """A keeper of its own, for a desktop of this size. Its first reply, numbered 0, comes unasked.

    `folder` is all that the desktop writes to; it is removed with it.
    """

    def __init__(self, width: int, height: int) -> None:
        self._numbers = count(1)
        self._replies: SimpleQueue[KeeperReply | None] = SimpleQueue()
        self.folder = Path(tempfile.mkdtemp(prefix="claude-magic-desktop-"))
        environment = desktop_environment(os.environ)
        told = {
            "folder": str(self.folder),
            "size": [width, height],
            "parent": os.getpid(),
            "environment": environment,
        }
        program = [sys.executable, "-I", "-c", _BOOT, json.dumps(import_folders())]
        try:
            self._keeper = subprocess.Popen(  # noqa: S603 - our own program
                [*program, json.dumps(told)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Unbuffered: at the end of a kernel, a buffer that a thread waits on is an abort.
                bufsize=0,
                env=environment,
                cwd="/",
                # The kernel is interrupted, and killed, with all of its process group.
                start_new_session=True,
            )
            name = "claude-magic-desktop"
            self._reader = threading.Thread(target=self._read, name=name, daemon=True)
            self._reader.start()
        except BaseException:
            if hasattr(self, "_keeper"):
                self._keeper.terminate()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def pid(self) -> int:
        """The keeper's process id."""
        return self._keeper.pid

    @property
    def alive(self) -> bool:
        """Whether the keeper runs."""
        return self._keeper.poll() is None

    def _read(self) -> None:
        """Passes replies on. A thread of its own: an interrupt in mid-reply would lose its end."""
        pipe = _Pipe(self._keeper)
        while line := pipe.line():
            told = json.loads(line)
            self._replies.put(KeeperReply(told["id"], told, pipe.exactly(told["bytes"])))
        self._keeper.wait()
        # The keeper did so itself, unless it was killed.
        shutil.rmtree(self.folder, ignore_errors=True)
        self.wake()

    def wake(self) -> None:
        """Has whoever waits in `answer` look round. From any thread."""
        self._replies.put(None)

    def ask(self, do: str, more: Mapping[str, Any]) -> int:
        """The number of the request, which the reply will have. Raises DesktopError."""
        number = next(self._numbers)
        try:
            self._write({"id": number, "do": do, **more})
        except OSError:
            raise gone() from None
        return number

    def answer(self, number: int, seconds: float, look_round: Callable[[], None]) -> KeeperReply:
        """The reply of this number. Raises DesktopError, and what `look_round` raises."""
        until = time.monotonic() + seconds
        while True:
            try:
                reply = self._replies.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                raise DesktopError("The virtual desktop does not answer: ask again.") from None
            if reply is None:
                look_round()
                if not self.alive:
                    raise gone()
            elif reply.number == number:  # and not that of a call that was interrupted
                return reply

    def hurry(self) -> None:
        """Has the keeper end whatever it is doing; it is not waited for."""
        self._keeper.terminate()

    def end(self) -> None:
        """Ends the keeper, and so the desktop. Again does nothing."""
        try:
            # Said, and not only closed: a process that was forked from this one holds the pipe.
            self._write({"id": next(self._numbers), "do": "end"})
        except OSError:
            pass  # it has ended already
        for harder in (self._keeper.terminate, self._keeper.kill):
            try:
                self._keeper.wait(_END)
                break
            except subprocess.TimeoutExpired:
                harder()
        self._reader.join(_END)
        for stream in (self._keeper.stdin, self._keeper.stdout):
            if stream is not None:
                stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, request: Mapping[str, Any]) -> None:
        pipe = self._keeper.stdin
        if pipe is None or pipe.closed:
            raise OSError("no pipe")
        # In one piece: an interrupt leaves a whole request or none.
        os.write(pipe.fileno(), json.dumps(request).encode() + b"\n")


def gone() -> DesktopError:
    """The error for a desktop that is not there any more."""
    return DesktopError("The virtual desktop has ended: ask again, and a new one starts.")


class _Pipe:
    """What the keeper says, in lines and in counted bytes; less than asked for where it ends."""

    def __init__(self, keeper: subprocess.Popen[bytes]) -> None:
        self._descriptor = keeper.stdout.fileno() if keeper.stdout else -1
        self._held = bytearray()

    def line(self) -> bytes:
        while b"\n" not in self._held and self._more():
            pass
        return self._cut(self._held.find(b"\n") + 1)

    def exactly(self, size: int) -> bytes:
        while len(self._held) < size and self._more():
            pass
        return self._cut(size)

    def _more(self) -> bool:
        piece = os.read(self._descriptor, 1 << 20)
        self._held += piece
        return bool(piece)

    def _cut(self, size: int) -> bytes:
        cut = bytes(self._held[:size])
        del self._held[:size]
        return cut


# Seconds for the desktop to start, for an answer, and to release what is pressed.
_START, _ANSWER, _LET_GO = 45.0, 15.0, 0.8
_WINDOW = 15.0
_LOOK_AGAIN = 0.05


class VirtualDesktop:
    """A `Computer` that is not the user's own. It ends with this process, however that ends.

    Threads may share it if they take turns; a forked process may not use it.
    """

    def __init__(self, width: int, height: int) -> None:
        """Starts it.

        Raises InputError where something is not installed, DesktopError where it does not start.
        """
        check_installed()
        self._size = (width, height)
        self._owner = os.getpid()
        self._stopped = threading.Event()
        self._closed = False
        self._link = KeeperLink(width, height)
        try:
            fault = self._link.answer(0, _START, self._check).told.get("fault")
        except BaseException:
            self.close()
            raise
        if fault:
            self.close()
            raise DesktopError(f"The virtual desktop did not start ({fault}): try again.")

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def keeper(self) -> int:
        """The id of the process that everything on the desktop descends from."""
        return self._link.pid

    @property
    def alive(self) -> bool:
        return not self._closed and self._owner == os.getpid() and self._link.alive

    def open(self, command: str) -> None:
        """Opens a program by a shell command, in the folder in which this process works.

        Returns when a new window is there, or after 15 s.
        Raises DesktopError if the program fails without one.
        """
        before = self._ask("look").told["windows"]
        self._ask("open", command=command, folder=_folder())
        until = time.monotonic() + _WINDOW
        while time.monotonic() < until:
            seen = self._ask("look").told
            if seen["windows"] > before:
                return
            if seen["ended"] and seen["ended"][0]:
                status, words = seen["ended"]
                raise DesktopError(
                    f"The program {command!r} ended with status {status} ({words}): "
                    "mend the command and open it again."
                )
            self.wait(_LOOK_AGAIN)

    def screenshot(self) -> Shot:
        from .screen_pictures import screen_image

        reply = self._ask("picture")
        image = screen_image(reply.told, reply.tail)
        x, y = reply.told["pointer"]
        return Shot(image, (x, y))

    def pointer(self) -> tuple[int, int]:
        x, y = self._ask("pointer").told["pointer"]
        return x, y

    def move(self, x: int, y: int) -> None:
        self._ask("move", x=x, y=y)

    def press(self, button: int) -> None:
        self._ask("button", number=button, down=True)

    def release(self, button: int) -> None:
        self._ask("button", number=button, down=False)

    def keys_down(self, symbols: Sequence[int]) -> None:
        self._ask("keys", symbols=list(symbols), down=True)

    def keys_up(self, symbols: Sequence[int]) -> None:
        self._ask("keys", symbols=list(symbols), down=False)

    def strike(self, symbols: Sequence[int]) -> None:
        self._ask("strike", symbols=list(symbols))

    def type(self, symbols: Sequence[int]) -> None:
        self._ask("type", symbols=list(symbols))

    def wait(self, seconds: float) -> None:
        self._stopped.wait(seconds)
        self._check()

    def stop(self) -> None:
        self._stopped.set()
        self._link.wake()

    def let_go(self) -> None:
        self._stopped.clear()
        if not self.alive:
            return
        try:
            self._ask("let go", seconds=_LET_GO)
        except DesktopError:
            # Something holds the X server. Ended, it holds no key; nobody need wait for that.
            self._closed = True
            self._link.hurry()

    def close(self) -> None:
        if self._owner == os.getpid():
            self._closed = True
            self._link.end()

    def _ask(self, do: str, *, seconds: float = _ANSWER, **more: Any) -> KeeperReply:
        self._check()
        if not self.alive:
            raise gone()
        reply = self._link.answer(self._link.ask(do, more), seconds, self._check)
        if "fault" in reply.told:
            raise DesktopError(f"{reply.told['fault']}: take a screenshot and try again.")
        return reply

    def _check(self) -> None:
        """Raises Interrupted after `stop`, DesktopError in a process forked from the owner."""
        if self._stopped.is_set():
            raise Interrupted("Interrupted.")
        if self._owner != os.getpid():
            raise DesktopError("The virtual desktop belongs to another process: open one here.")


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as it is, for another process
    except FileNotFoundError:
        return ""  # removed under the kernel: the program is not started, and that is said
