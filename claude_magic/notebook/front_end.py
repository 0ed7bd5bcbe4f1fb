"""What the JupyterLab extension tells of the page, and what it is told to write there.

The other side is `labextension/`. They talk on a comm that the kernel opens; both check what comes
in. Where no front end answers (nbclient, VS Code, JupyterLab without the extension), nothing is
known and nothing is lost.
"""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import adler32

if TYPE_CHECKING:
    from comm.base_comm import BaseComm
    from IPython.core.interactiveshell import InteractiveShell

COMM = "claude_magic:page"
"""The comm's target name and its id. As the id is known beforehand, a page can send its first
message right behind the cell that loads the extension."""

_CONVERSATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_MOST_CELLS = 20_000
_LONGEST_CELL_ID = 256
_LONGEST_PATH = 4096
# In characters of sources and outputs. The front end keeps to half of it.
_MOST_SEEN = 40_000_000


@dataclass(frozen=True, slots=True)
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

    def insert(self, cell: str, *, below: str, kind: str, source: str) -> bool:
        """Have the page hold a new cell with this id, below another one; "" is the last one.

        False where no page is there to be told.
        """
        told = {"type": "insert", "cell": cell, "below": below, "kind": kind, "source": source}
        return self._tell(told)

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
        told = {"kind": kind, "length": len(same), "sum": adler32(same), "alt": alt}
        return self._tell({"type": "alt", "cell": cell, **told})

    def _tell(self, message: dict[str, Any]) -> bool:
        if self._comm is None or not self.told:
            return False
        self._send(message)
        return True

    def _forget(self) -> None:
        self.told = False
        self.path = None
        self.cells = ()
        self.seen = {}
        self.left_out = 0

    def _send(self, message: dict[str, Any]) -> None:
        # In a forked child the kernel's sockets are the parent's.
        if self._comm is None or self._process != os.getpid():
            return
        try:
            self._comm.send(message)
        except Exception:  # noqa: S110 - a front end that is gone misses nothing
            pass

    def _closed(self, _: Mapping[str, Any]) -> None:
        self._comm = None
        self._forget()

    def _received(self, message: Mapping[str, Any]) -> None:
        told = message.get("content", {}).get("data")
        if not isinstance(told, dict):
            return
        if told.get("type") == "page":
            self._page(told)
        elif told.get("type") == "seen":
            self._cells_seen(told)

    def _page(self, told: Mapping[str, Any]) -> None:
        cells = told.get("cells")
        if not (isinstance(cells, list) and len(cells) <= _MOST_CELLS and all(map(_is_id, cells))):
            return
        self.cells = tuple(cells)
        self.path = _notebook(told.get("root"), told.get("path"))
        there = set(cells)
        self.seen = {id_: cell for id_, cell in self.seen.items() if id_ in there}
        self.told = True
        fresh = told.get("fresh") is True
        self._conversation(_conversation_id(told.get("conversation")), fresh=fresh)
        if fresh:
            self._send({"type": "ran", "cells": [id_ for id_ in self._ran() if _is_id(id_)]})

    def _conversation(self, told: str | None, *, fresh: bool) -> None:
        """Take over the page's id, unless the page does not know yet what it is to remember."""
        if self._unconfirmed is None or told == self._unconfirmed:
            self.conversation, self._unconfirmed = told, None
        elif fresh:  # a reload may have lost it
            self._send({"type": "conversation", "id": self._unconfirmed})

    def _cells_seen(self, told: Mapping[str, Any]) -> None:
        cells, left_out = told.get("cells"), told.get("left_out")
        if not (isinstance(cells, list) and len(cells) <= _MOST_CELLS):
            return
        if type(left_out) is not int or not 0 <= left_out <= _MOST_CELLS:
            return
        new = {cell.id: cell for given in cells if (cell := _seen_cell(given)) is not None}
        kept = {id_: cell for id_, cell in self.seen.items() if id_ not in new}
        self.seen = _newest(kept | {id_: cell for id_, cell in new.items() if cell.outputs})
        self.left_out = left_out


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_CELL_ID


def _conversation_id(value: object) -> str | None:
    return value if isinstance(value, str) and _CONVERSATION.fullmatch(value) else None


def _notebook(root: object, path: object) -> Path | None:
    """The file `path` in the folder `root` of the server, None if this machine has no such file."""
    if not (isinstance(root, str) and isinstance(path, str) and path.endswith(".ipynb")):
        return None
    if max(len(root), len(path)) > _LONGEST_PATH or ".." in Path(path).parts:
        return None
    try:
        file = Path(root).expanduser() / path
        return file if file.is_absolute() and file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # no such user's home, or no path at all
        return None


def _seen_cell(value: object) -> SeenCell | None:
    match value:
        case {"id": str(id_), "source": str(source), "outputs": [*given]} if _is_id(id_):
            outputs = tuple(o for o in map(_output, given) if o is not None)
            return SeenCell(id_, source, outputs, len(source) + len(json.dumps(outputs)))
    return None


def _output(value: object) -> Mapping[str, Any] | None:
    """The output if it is one in the form of nbformat, with the keys that we know."""
    match value:
        case {"output_type": "stream", "name": "stdout" | "stderr" as name, "text": str(said)}:
            return {"output_type": "stream", "name": name, "text": said}
        case {"output_type": "error", "ename": str(name), "evalue": str(said), "traceback": lines}:
            if isinstance(lines, list) and all(isinstance(line, str) for line in lines):
                return {"output_type": "error", "ename": name, "evalue": said, "traceback": lines}
        case {
            "output_type": "display_data" | "execute_result" as kind,
            "data": dict(bundle),
            "metadata": dict(metadata),
        }:
            if all(isinstance(said, str) or mime.endswith("json") for mime, said in bundle.items()):
                return {"output_type": kind, "data": bundle, "metadata": metadata}
    return None


def _newest(cells: Mapping[str, SeenCell]) -> Mapping[str, SeenCell]:
    """Without those told earliest, should all together be too large."""
    latest_first = list(cells.values())[::-1]
    totals = itertools.accumulate(cell.size for cell in latest_first)
    kept = sum(total <= _MOST_SEEN for total in totals)
    return {cell.id: cell for cell in latest_first[:kept][::-1]}
