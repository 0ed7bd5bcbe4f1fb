"""The process that keeps a virtual desktop, as this one sees it: asked, answering, ended."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from ...messages.errors import DesktopError
from .environment import desktop_environment, import_folders

_BOOT = """\
import json, sys
sys.path += json.loads(sys.argv[1])
from claude_magic.tools.computer.keeper.main import main
sys.exit(main())
"""
_END = 5.0


@dataclass(frozen=True)
class Reply:
    """What the keeper answers: `told` by name, and `tail`, bytes that go with it."""

    number: int
    told: Mapping[str, Any]
    tail: bytes


class Link:
    """A keeper of its own, for a desktop of this size. Its first reply, numbered 0, comes unasked.

    `folder` is all that the desktop writes to; it is removed with it.
    """

    def __init__(self, width: int, height: int) -> None:
        self._numbers = count(1)
        self._replies: SimpleQueue[Reply | None] = SimpleQueue()
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
            self._replies.put(Reply(told["id"], told, pipe.exactly(told["bytes"])))
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

    def answer(self, number: int, seconds: float, look_round: Callable[[], None]) -> Reply:
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
