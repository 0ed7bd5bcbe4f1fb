"""What the JupyterLab extension tells of the page, and what it is told to write there.

The other side is `labextension/`. They talk on a comm that the kernel opens, in the messages of
`page_messages.py`; both check what comes in. Where no front end answers (nbclient, VS Code,
JupyterLab without the extension), nothing is known and nothing is lost.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zlib import adler32

from ...value_classes import frozen

if TYPE_CHECKING:
    from comm.base_comm import BaseComm
    from IPython.core.interactiveshell import InteractiveShell

    from .page_messages import KernelSays, PageMessage, SeenMessage, ToldCell

COMM = "claude_magic:page"
"""The comm's target name and its id. As the id is known beforehand, a page can send its first
message right behind the cell that loads the extension."""

_LONGEST_PATH = 4096
# In characters of sources and outputs. The front end keeps to half of it.
_MOST_SEEN = 40_000_000


@frozen
class SeenCell:
    """A code cell that this kernel did not run, with its outputs as in the notebook's file.

    Of a mimebundle there are text (but no HTML), images and JSON; replies of ours are left out.
    """

    id: str
    source: str
    outputs: tuple[Mapping[str, Any], ...]
    size: int = field(default=0, compare=False, repr=False)
    """In characters of JSON."""


class FrontEnd:
    """What the lab extension tells of the page, as of the moment the running cell was sent.

    Messages come on the main thread, before the cell that follows them. Attributes may be read on
    any thread: they are replaced, never changed in place.
    """

    told: bool
    """Whether a page has told anything."""
    path: Path | None
    """The notebook's file: absolute, and there."""
    conversation: str | None
    """From the notebook's metadata, or as given to `remember`."""
    cells: tuple[str, ...]
    """The ids of all cells from top to bottom, Markdown too; empty where nothing was told."""
    seen: Mapping[str, SeenCell]
    """By cell id. A cell may have run here since: then what was recorded is newer."""
    left_out: int
    """How many cells above the last question were too large for `seen`."""

    def __init__(self, shell: InteractiveShell, *, ran: Callable[[], Collection[str]]) -> None:
        """`ran` gives the ids of the cells whose outputs this kernel has itself recorded."""
        self._shell = shell
        self._ran = ran
        self._comm: BaseComm | None = None
        self._process = 0
        self._unconfirmed: str | None = None
        self.conversation = None
        self._forget()

    def attach(self) -> None:
        """Open the comm, where there is a kernel. Raises nothing."""
        manager = getattr(getattr(self._shell, "kernel", None), "comm_manager", None)
        if self._comm is not None or manager is None:
            return
        try:
            import comm

            if left := manager.comms.get(COMM):  # of a FrontEnd that nobody detached
                left.close()
            opened = comm.create_comm(target_name=COMM, comm_id=COMM)
        except Exception:  # of whatever kind: loading does not depend on a front end
            return
        opened.on_msg(self._received)
        opened.on_close(self._closed)
        self._comm, self._process = opened, os.getpid()

    def detach(self) -> None:
        """Close the comm and forget what was told. Raises nothing."""
        comm, self._comm = self._comm, None
        self._forget()
        if comm is None or self._process != os.getpid():
            return
        comm.on_msg(None)
        comm.on_close(None)
        try:
            comm.close()
        except Exception:  # noqa: S110 - the kernel's sockets are closed already
            pass

    def remember(self, conversation: str) -> None:
        """Have the notebook's metadata hold this id. Does nothing where no comm is open."""
        if self._comm is None or conversation == self.conversation:
            return
        self.conversation = self._unconfirmed = conversation
        self._send({"type": "conversation", "id": conversation})

    def insert(
        self, cell: str, *, below: str, kind: Literal["code", "markdown"], source: str
    ) -> bool:
        """Have the page hold a new cell with this id, below another one; "" is the last one.

        False where no page is there to be told.
        """
        return self._tell(
            {"type": "insert", "cell": cell, "below": below, "kind": kind, "source": source}
        )

    def edit(self, cell: str, *, was: str, source: str) -> bool:
        """Have the page change a cell's text; in a new cell below, if it is not `was` any more.

        False where no page is there to be told.
        """
        return self._tell({"type": "edit", "cell": cell, "was": was, "source": source})

    def describe(self, cell: str, *, kind: str, image: str, alt: str) -> bool:
        """Have the metadata of an output hold this alt text, for its media type `kind`.

        `image` is what the output holds of that type, without line breaks: by its sum it is found
        among those of the cell. False where no page is there to be told.
        """
        same = image.encode()
        length, total = len(same), adler32(same)
        return self._tell(
            {"type": "alt", "cell": cell, "kind": kind, "length": length, "sum": total, "alt": alt}
        )

    def _tell(self, message: KernelSays) -> bool:
        if self._comm is None or not self.told:
            return False
        self._send(message)
        return True

    def _forget(self) -> None:
        self.live: Mapping[str, Any] = {}
        self.told = False
        self.path = None
        self.cells = ()
        self.seen = {}
        self.left_out = 0

    def _send(self, message: KernelSays) -> None:
        # In a forked child the kernel's sockets are the parent's.
        if self._comm is None or self._process != os.getpid():
            return
        try:
            self._comm.send(dict(message))
        except Exception:  # noqa: S110 - a front end that is gone misses nothing
            pass

    def _closed(self, _: Mapping[str, Any]) -> None:
        self._comm = None
        self._forget()

    def _received(self, message: Mapping[str, Any]) -> None:
        from .page_messages import PageSays, UnfitError, checked  # loading does without

        try:
            told: PageSays = checked(message.get("content", {}).get("data"), PageSays)
        except UnfitError as error:
            # Where the server's owner looks: what a page says is no matter of the cell that runs.
            log = getattr(getattr(self._shell, "kernel", None), "log", None)
            if log is not None:
                log.warning("claude_magic left out what the page said: %s", error)
            return
        if told["type"] == "page":
            self._page(told)
        else:
            self._cells_seen(told)

    def _page(self, told: PageMessage) -> None:
        self.cells = tuple(told["cells"])
        self.path = _notebook(told["root"], told["path"])
        there = set(self.cells)
        self.seen = {id_: cell for id_, cell in self.seen.items() if id_ in there}
        self.told = True
        self._conversation(told["conversation"], fresh=told["fresh"])
        if told["fresh"]:
            self._send({"type": "ran", "cells": [id_ for id_ in self._ran() if _is_id(id_)]})

    def _conversation(self, told: str | None, *, fresh: bool) -> None:
        """Take over the page's id, unless the page does not know yet what it is to remember."""
        if self._unconfirmed is None or told == self._unconfirmed:
            self.conversation, self._unconfirmed = told, None
        elif fresh:  # a reload may have lost it
            self._send({"type": "conversation", "id": self._unconfirmed})

    def _cells_seen(self, told: SeenMessage) -> None:
        new = {cell["id"]: _seen_cell(cell) for cell in told["cells"]}
        kept = {id_: cell for id_, cell in self.seen.items() if id_ not in new}
        self.seen = _newest(kept | {id_: cell for id_, cell in new.items() if cell.outputs})
        self.left_out = told["left_out"]


def _is_id(value: str) -> bool:
    from .page_messages import CellId, UnfitError, checked

    try:
        return bool(checked(value, CellId))
    except UnfitError:
        return False


def _notebook(root: str, path: str | None) -> Path | None:
    """The file `path` in the folder `root` of the server, None if this machine has no such file."""
    if path is None or not path.endswith(".ipynb"):
        return None
    if max(len(root), len(path)) > _LONGEST_PATH or ".." in Path(path).parts:
        return None
    try:
        file = Path(root).expanduser() / path
        return file if file.is_absolute() and file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # no such user's home, or no path at all
        return None


def _seen_cell(told: ToldCell) -> SeenCell:
    outputs = tuple(o for o in map(_output, told["outputs"]) if o is not None)
    size = len(told["source"]) + len(json.dumps(outputs))
    return SeenCell(told["id"], told["source"], outputs, size)


def _output(value: object) -> Mapping[str, Any] | None:
    """The output if it is one in the form of nbformat: a strange one takes no other with it."""
    from .page_messages import CellOutput, UnfitError, checked

    try:
        found: CellOutput = checked(value, CellOutput)
    except UnfitError:
        return None
    if found["output_type"] in ("display_data", "execute_result"):
        said = found["data"].items()
        if not all(isinstance(held, str) or mime.endswith("json") for mime, held in said):
            return None
    return found


def _newest(cells: Mapping[str, SeenCell]) -> Mapping[str, SeenCell]:
    """Without those told earliest, should all together be too large."""
    latest_first = list(cells.values())[::-1]
    totals = itertools.accumulate(cell.size for cell in latest_first)
    kept = sum(total <= _MOST_SEEN for total in totals)
    return {cell.id: cell for cell in latest_first[:kept][::-1]}
