"""What the JupyterLab extension tells of the page, and what it is told to write there.

The other side is `labextension/`. They talk on a comm that the kernel opens, in the messages of
`page_messages.py`; both check what comes in. Where no front end answers (nbclient, VS Code,
JupyterLab without the extension), nothing is known and nothing is lost.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from zlib import adler32

from ...value_classes import frozen
from .known_comm import KnownComm

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .page_messages import (
        CellsMessage,
        ChangedCell,
        KernelSays,
        MarkMessage,
        PageMessage,
        SeenMessage,
        ToldCell,
    )

Cell = TypeVar("Cell")

COMM = "claude_magic:page"
"""The comm's target name and its id. As the id is known beforehand, a page can send its first
message right behind the cell that loads the extension."""

_LONGEST_PATH = 4096
# In characters of sources and outputs. The front end keeps to half of it.
_MOST_SEEN = 40_000_000
# In characters of sources: a notebook that holds more is no notebook that anybody reads.
_MOST_LIVE = 40_000_000
# Marks of the last questions of panels.
_MOST_MARKS = 20
# Browser tabs, each with a view of its own: those that were closed say nothing of it.
_MOST_VIEWS = 4


@frozen
class LiveCell:
    """A cell of whatever kind as it stood on the page when it was last told."""

    id: str
    kind: Literal["code", "markdown", "raw"]
    source: str
    count: int | None
    """The execution count; None where there is none, and while the cell runs or waits."""
    outputs: int | None
    """How many outputs it shows; None while it runs or waits to be run."""
    tags: tuple[str, ...]
    at: int
    """The serial at which this was told: above all that had happened here before."""
    missing: int = 0
    """How many characters of its text follow `source`, which is too long to be told whole."""


@frozen
class SeenCell:
    """A code cell that this kernel did not run, with its outputs as in the notebook's file.

    Of a mimebundle there are text (but no HTML), images and JSON; replies of ours are left out.
    A Markdown cell is here for its attached pictures, each as an output with `attachment`, its
    name, in the metadata; its text is in `FrontEnd.live`, and `source` empty.
    """

    id: str
    source: str
    outputs: tuple[Mapping[str, Any], ...]
    size: int = field(default=0, compare=False, repr=False)
    """In characters of JSON."""


@frozen
class _View:
    """What one browser tab has told."""

    path: Path | None = None
    cells: tuple[str, ...] = ()
    live: Mapping[str, LiveCell] = field(default_factory=dict)
    seen: Mapping[str, SeenCell] = field(default_factory=dict)
    left_out: int = 0


class FrontEnd:
    """What the lab extension tells of the page, as of the moment the running cell was sent.

    Messages come on the main thread, before the cell that follows them. Attributes may be read on
    any thread: they are replaced, never changed in place. Where a notebook is open in several tabs,
    all is as the one tells that spoke last.
    """

    told: bool
    """Whether a page has told anything."""
    path: Path | None
    """The notebook's file: absolute, and there."""
    conversation: str | None
    """From the notebook's metadata, or as given to `remember`."""
    cells: tuple[str, ...]
    """The ids of all cells from top to bottom, Markdown too; empty where nothing was told."""
    live: Mapping[str, LiveCell]
    """By cell id: of all `cells` that were told since the kernel or the page was new."""
    seen: Mapping[str, SeenCell]
    """By cell id. A cell may have run here since: then what was recorded is newer."""
    left_out: int
    """How many cells above the last question were too large for `seen`."""

    def __init__(
        self,
        shell: InteractiveShell,
        *,
        ran: Callable[[], Collection[str]],
        serial: Callable[[], int] | None = None,
    ) -> None:
        """`ran` gives the ids of the cells whose outputs this kernel has itself recorded.

        `serial` gives a number above all that it gave before, for `LiveCell.at`; else they count
        from 1.
        """
        self._shell = shell
        self._ran = ran
        self._serial = serial or itertools.count(1).__next__
        self._comm = KnownComm(shell, COMM, self._received, lost=self._forget)
        self._unconfirmed: str | None = None
        self._marks: deque[str] = deque(maxlen=_MOST_MARKS)
        self._marked = threading.Condition()
        self.conversation = None
        self._forget()

    def attach(self) -> None:
        """Have the comm, where there is a kernel."""
        self._comm.attach()

    def announce(self) -> None:
        """Open the comm to whatever front end is there."""
        self._comm.announce()

    def detach(self) -> None:
        """Close the comm and forget what was told. Raises nothing."""
        self._forget()
        self._comm.detach()

    def heard(self, mark: str, seconds: float) -> bool:
        """Whether all has come that a page told before this mark; waits so long for it.

        To be asked from another thread than the main one, which hears it.
        """
        with self._marked:
            return self._marked.wait_for(lambda: mark in self._marks, seconds)

    def remember(self, conversation: str) -> None:
        """Have the notebook's metadata hold this id. Does nothing where no comm is open."""
        if not self._comm.is_open or conversation == self.conversation:
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
        if not self._comm.is_here or not self.told:
            return False
        self._send(message)
        return True

    def _forget(self) -> None:
        self.told = False
        self._views: dict[str, _View] = {}
        self._show(_View())

    def _show(self, view: _View) -> None:
        self.path, self.cells, self.live = view.path, view.cells, view.live
        self.seen, self.left_out = view.seen, view.left_out

    def _send(self, message: KernelSays) -> None:
        self._comm.send(message)

    def _received(self, message: Mapping[str, Any]) -> None:
        from .page_messages import UnfitError, page_says  # loading does without

        try:
            told, unfit = page_says(message.get("content", {}).get("data"))
        except UnfitError as error:
            self._log("claude_magic left out what the page said: %s", error)
            return
        if unfit:
            self._log(
                "claude_magic left out cells that the page told, %d: %s", len(unfit), unfit[0]
            )
        # The id of the tab's connection to the kernel: a page that is reloaded has another.
        tab = str(message.get("header", {}).get("session"))
        view = self._views.pop(tab, None)
        if told["type"] == "page":
            self._page(tab, view or _View(), told)
        elif view is not None:
            self._views[tab] = self._with(view, told)
        if tab in self._views:
            self._show(self._views[tab])
        if view is None and not (told["type"] == "page" and told["fresh"]):
            self._send({"type": "again"})
        elif told["type"] == "mark":
            with self._marked:
                self._marks.append(told["mark"])
                self._marked.notify_all()

    def _with(self, view: _View, told: CellsMessage | SeenMessage | MarkMessage) -> _View:
        if told["type"] == "cells":
            return self._with_cells(view, told)
        return _with_seen(view, told) if told["type"] == "seen" else view

    def _log(self, line: str, *arguments: object) -> None:
        # Where the server's owner looks: what a page says is no matter of the cell that runs.
        log = getattr(getattr(self._shell, "kernel", None), "log", None)
        if log is not None:
            log.warning(line, *arguments)

    def _page(self, tab: str, view: _View, told: PageMessage) -> None:
        there = set(told["cells"])
        self._views[tab] = replace(
            view,
            path=_file(told["root"], told["path"]),
            cells=tuple(told["cells"]),
            live={id_: cell for id_, cell in view.live.items() if id_ in there},
            seen={id_: cell for id_, cell in view.seen.items() if id_ in there},
        )
        while len(self._views) > _MOST_VIEWS:
            del self._views[next(iter(self._views))]
        self.told = True
        self._conversation(told["conversation"], fresh=told["fresh"])
        if told["fresh"]:
            ran = [id_ for id_ in self._ran() if _is_id(id_)]
            self._send({"type": "ran", "cells": ran, "alone": len(self._views) == 1})

    def _with_cells(self, view: _View, told: CellsMessage) -> _View:
        there, at = set(view.cells), self._serial()
        changed = [cell for cell in told["cells"] if cell["id"] in there]
        new = {cell["id"]: _live_cell(cell, view.live.get(cell["id"]), at) for cell in changed}
        if None in new.values():
            self._send({"type": "again"})
        kept = {id_: cell for id_, cell in view.live.items() if id_ not in new}
        live: Mapping[str, LiveCell] = kept | {
            id_: cell for id_, cell in new.items() if cell is not None
        }
        seen = {id_: _as_edited(cell, new.get(id_)) for id_, cell in view.seen.items()}
        live = _newest(live, _MOST_LIVE, lambda cell: len(cell.source))
        return replace(view, live=live, seen=seen)

    def _conversation(self, told: str | None, *, fresh: bool) -> None:
        """Take over the page's id, unless the page does not know yet what it is to remember."""
        if self._unconfirmed is None or told == self._unconfirmed:
            self.conversation, self._unconfirmed = told, None
        elif fresh:  # a reload may have lost it
            self._send({"type": "conversation", "id": self._unconfirmed})


def _with_seen(view: _View, told: SeenMessage) -> _View:
    new = {cell["id"]: _seen_cell(cell) for cell in told["cells"]}
    kept = {id_: cell for id_, cell in view.seen.items() if id_ not in new}
    seen = kept | {id_: cell for id_, cell in new.items() if cell.outputs}
    return replace(
        view,
        seen=_newest(seen, _MOST_SEEN, lambda cell: cell.size),
        left_out=told["left_out"],
    )


def _is_id(value: str) -> bool:
    from .page_messages import CellId, UnfitError, checked

    try:
        return bool(checked(value, CellId))
    except UnfitError:
        return False


def _file(root: str, path: str | None) -> Path | None:
    """The file `path` in the folder `root` of the server, None if this machine has no such file.

    What JupyterLab shows as a notebook may be any text, by jupytext: it knows, and its name is as
    good as another.
    """
    if path is None or max(len(root), len(path)) > _LONGEST_PATH:
        return None
    if Path(path).is_absolute() or ".." in Path(path).parts:
        return None
    try:
        file = Path(root).expanduser() / path
        return file if file.is_absolute() and file.is_file() else None
    except (OSError, ValueError, RuntimeError):  # no such user's home, or no path at all
        return None


def _live_cell(told: ChangedCell, before: LiveCell | None, at: int) -> LiveCell | None:
    """The cell as it stands now; None if its text is to be as before, and that is not known."""
    source, missing = told.get("source"), told.get("missing", 0)
    if source is None:
        if before is None:
            return None
        source, missing = before.source, before.missing
    tags = tuple(told["tags"])
    count, outputs = told["count"], told["outputs"]
    return LiveCell(told["id"], told["kind"], source, count, outputs, tags, at, missing)


def _as_edited(seen: SeenCell, live: LiveCell | None) -> SeenCell:
    """The cell with its text as it stands now: what it shows is not told again for that."""
    if live is None or live.kind != "code" or live.source == seen.source:
        return seen
    size = seen.size + len(live.source) - len(seen.source)
    return SeenCell(seen.id, live.source, seen.outputs, size)


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


def _newest(
    cells: Mapping[str, Cell], most: int, size: Callable[[Cell], int]
) -> Mapping[str, Cell]:
    """Without those told earliest, should all together be too large."""
    latest_first = list(cells.items())[::-1]
    totals = itertools.accumulate(size(cell) for _, cell in latest_first)
    kept = sum(total <= most for total in totals)
    return dict(latest_first[:kept][::-1])
