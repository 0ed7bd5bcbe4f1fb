"""Records, while the kernel runs, what each cell ran and displayed, and which figure it drew.

A shell's display formatter turns the object into a mimebundle, which is then displayed. Both are
seen here, so that a caption can be written from the figure's data and not from its pixels alone.

It listens where IPython itself passes outputs on: the shell's display publisher, its display hook,
and the two standard streams for as long as a cell runs. What this package shows is marked in the
output's metadata and not recorded.
"""

from __future__ import annotations

import itertools
import sys
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TextIO
from weakref import WeakValueDictionary

from ...value_classes import mutable

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

# Kept of one cell's printed text, at its head and at its tail, in characters: more than any
# question carries, little enough that a cell that prints 100 MB costs no memory.
_KEEP = 64_000


class StreamText:
    """Text that a cell printed: its head and its tail once it is long."""

    def __init__(self) -> None:
        self.length = 0
        self._head: list[str] = []
        self._head_length = 0
        self._tail: deque[str] = deque()
        self._tail_length = 0

    def write(self, text: str) -> None:
        """Append `text`, dropping from the middle what is over the limit."""
        self.length += len(text)
        room = _KEEP - self._head_length
        if room > 0:
            self._head.append(text[:room])
            self._head_length += min(room, len(text))
            text = text[room:]
        if text:
            text = text[-_KEEP:]
            self._tail.append(text)
            self._tail_length += len(text)
            try:
                while self._tail_length - len(self._tail[0]) >= _KEEP:
                    self._tail_length -= len(self._tail.popleft())
            except IndexError:  # another thread prints too; no lock, which a fork could copy shut
                self._tail_length = 0

    def __str__(self) -> str:
        tail = "".join(self._tail)[-_KEEP:]
        dropped = self.length - self._head_length - len(tail)
        gap = f"\n[… {dropped:,} characters left out …]\n" if dropped > 0 else ""
        return "".join(self._head) + gap + tail


def nothing() -> object:
    """None: no object is known."""
    return None


@mutable
class Output:
    """One thing a cell showed. `serial` orders outputs and cell starts of this kernel.

    Either `text` (printed) or `bundle` (displayed, or the value of the last expression). `drawn`
    gives the figure object that was displayed, None where it is not known or gone.
    """

    serial: int
    bundle: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    text: StreamText | None = None
    error: str = ""
    drawn: Callable[[], object] = nothing


Kind = Literal["code", "markdown", "raw"]
State = Literal["ran", "edited", "elsewhere", "not run"]
"""How a cell stands: it ran here as it is · edited since it ran · ran, but not in this kernel, and
shows what it showed then · not run."""


@mutable
class CellRun:
    """One run of one cell, or a cell as it is shown that this kernel did not run.

    `cell` says which cell of the page it is; at first the id that the front end sent, which stays
    in `hint`, good for one `generation` of its ids. `count` is its `In[n]`.

    `turns` are the ids of the turns that it asked, `asked_at` the serial of the last of them;
    `tags` the cell's tags, and `deleted` the cells that the front end says are gone. `well` says
    that it has ended, and without an error; `at` when it began, in seconds since 1970.
    """

    serial: int
    cell: str | None
    source: str
    outputs: list[Output] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    asked_at: int = 0
    count: int | None = None
    tags: frozenset[str] = frozenset()
    deleted: tuple[str, ...] = ()
    well: bool = False
    at: float = 0.0
    kind: Kind = "code"
    state: State = "ran"
    hint: str = ""
    generation: int = 0

    def same_cell(self, other: CellRun) -> bool:
        """Whether both runs are of one cell: by id, else by source."""
        if self.cell is not None or other.cell is not None:
            return self.cell == other.cell
        return self.source == other.source


_LIBRARIES = ("matplotlib", "seaborn", "plotly", "altair")
_MOST_KEPT = 4
"""The newest figures are kept: the inline backend closes each when its cell ends."""


class DrawnFigures:
    """The figures that a shell displays; the older ones only as long as the notebook holds them."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._kept: deque[object] = deque(maxlen=_MOST_KEPT)
        # A figure that displays itself (Plotly's) does so while it is formatted.
        self._under_way: list[object] = []
        self._last: tuple[object, object] = (None, None)

    def attach(self) -> Callable[[], None]:
        """See what is formatted. Returns what undoes it."""
        formatter: Any = self._shell.display_formatter
        original = formatter.format

        def formatting(thing: Any, *args: Any, **kwargs: Any) -> Any:
            if not _is_figure(thing):
                return original(thing, *args, **kwargs)
            self._under_way.append(thing)
            try:
                found = original(thing, *args, **kwargs)
            finally:
                self._under_way.pop()
            self._last = (thing, found[0])
            return found

        formatter.format = formatting

        def undo() -> None:
            # Someone may have wrapped ours in the meantime: theirs must not be torn out.
            if vars(formatter).get("format") is formatting:
                del formatter.format
            self._kept.clear()
            self._last = (None, None)

        return undo

    def of(self, bundle: Mapping[str, Any]) -> Callable[[], object]:
        """What gives the figure of which this bundle was made, None once that is gone."""
        figure, made = self._last
        if self._under_way:
            figure = self._under_way[-1]
        elif made is not bundle:
            return nothing
        self._last = (None, None)
        try:
            found = weakref.ref(figure)
        except TypeError:  # of a class that cannot be referred to so
            return nothing
        if not any(kept is figure for kept in self._kept):
            self._kept.append(figure)
        return found


def _is_figure(thing: object) -> bool:
    return any(cls.__module__.partition(".")[0] in _LIBRARIES for cls in type(thing).__mro__)


OURS = "claude_magic"
"""The key in an output's metadata that says it is a reply and not something to look at."""

# Runs kept, and outputs of one run: more than a question carries, few enough for the memory.
_MOST_RUNS = 200
_MOST_OUTPUTS = 200


class _Tee:
    """A standard stream that also records. Everything but `write` is the stream's own."""

    def __init__(self, stream: TextIO, record: Callable[[str], None]) -> None:
        self.stream = stream
        self._record = record

    def write(self, text: str) -> int:
        written = self.stream.write(text)
        if isinstance(text, str):  # another stream, set by the user, may take bytes
            self._record(text)
        return written

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Recorder:
    """What the cells of one shell ran and displayed, newest last, in `runs`."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.runs: list[CellRun] = []
        self.current: CellRun | None = None
        self._shell = shell
        self._serials = itertools.count(1)
        self._open: list[ExecutionInfo] = []
        self._by_display_id: WeakValueDictionary[str, Output] = WeakValueDictionary()
        self._drawn = DrawnFigures(shell)
        # Who wants to know that a cell starts, and that it has ended.
        self.started: Callable[[CellRun], None] = _nobody
        self.ended: Callable[[CellRun], None] = _nobody
        self._clear_next = False
        self._apart = False
        self._marked = 0
        self._undo: list[Callable[[], None]] = []
        self._publisher: object = None
        self._unwrap_publisher: list[Callable[[], None]] = []

    def attach(self) -> None:
        """Start listening.

        What the cell that loads the extension ran and shows is not recorded, only which one it is:
        what it asks has its place on the page.
        """
        events = self._shell.events
        for name, callback in (("pre_run_cell", self._start), ("post_run_cell", self._finish)):
            events.register(name, callback)
            self._undo.append(partial(events.unregister, name, callback))
        self._undo.append(self._wrapped(self._shell.displayhook, "write_format_data", self._result))
        self._undo.append(self._drawn.attach())
        self._listen()
        loading = _said_with_request(self._shell).get("cellId")
        if isinstance(loading, str):
            source = str(_request(self._shell)["content"].get("code", ""))
            self.current = CellRun(next(self._serials), loading, source, at=time.time())

    def detach(self) -> None:
        """Undo `attach`."""
        self._untee()
        while self._undo:
            self._undo.pop()()
        self._leave_publisher()
        self._open.clear()
        self.current = None

    def serial(self) -> int:
        """A serial number above all that is recorded so far."""
        return next(self._serials)

    def mark(self) -> int:
        """A serial number: everything recorded so far is below it, all that comes above."""
        self._marked = next(self._serials)
        return self._marked

    @property
    def stdout(self) -> TextIO:
        """Standard output, past the recording: for what is not the notebook's own."""
        return _bare(sys.stdout)

    def _listen(self) -> None:
        """Record what the shell's display publisher gets.

        Looked at with each cell: the extension may be loaded within `%%capture`, where another
        publisher stands in its place.
        """
        publisher = self._shell.display_pub
        if publisher is self._publisher:
            return
        self._leave_publisher()
        self._publisher = publisher
        self._unwrap_publisher = [
            self._wrapped(publisher, "publish", self._displayed),
            self._wrapped(publisher, "clear_output", self._cleared),
        ]

    def _leave_publisher(self) -> None:
        while self._unwrap_publisher:
            self._unwrap_publisher.pop()()
        self._publisher = None

    def _wrapped(self, owner: Any, name: str, record: Callable[..., None]) -> Callable[[], None]:
        """Shadow a method of one object, not of its class, with one that records as well.

        Returns what undoes it.
        """
        original = getattr(owner, name)

        def recording(*args: Any, **kwargs: Any) -> Any:
            record(*args, **kwargs)
            return original(*args, **kwargs)

        setattr(owner, name, recording)

        def undo() -> None:
            # Someone may have wrapped ours in the meantime: theirs must not be torn out.
            if vars(owner).get(name) is recording:
                delattr(owner, name)

        return undo

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What runs meanwhile, with no cell running, is no cell of the page."""
        self._apart = True
        try:
            yield
        finally:
            self._apart = False

    def _start(self, info: ExecutionInfo) -> None:
        if self._apart:
            return
        self._open.append(info)
        if len(self._open) > 1:  # a run within a cell belongs to that cell
            return
        cell_id = getattr(info, "cell_id", None)
        said = _said_with_request(self._shell)
        self.current = CellRun(
            next(self._serials),
            cell_id,
            str(info.raw_cell),
            tags=frozenset(_texts(said.get("tags"))),
            deleted=_texts(said.get("deletedCells")),
            at=time.time(),
        )
        self.runs.append(self.current)
        self.started(self.current)
        for run in self.runs[:-1]:  # what this run replaces is not looked at any more
            if run.cell is not None and run.cell == self.current.cell:
                run.outputs.clear()
        del self.runs[:-_MOST_RUNS]
        self._clear_next = False
        self._listen()
        # A cell may have put back the stream of an earlier one, which records too.
        sys.stdout = _Tee(_bare(sys.stdout), self._printed)
        sys.stderr = _Tee(_bare(sys.stderr), self._printed)

    def _finish(self, result: ExecutionResult | None) -> None:
        if result is None:  # ipykernel: a cell with await that was cancelled
            self._open.clear()
            self._untee()
            self.current = None
            return
        # post_run_cell is also sent for empty cells, which had no pre_run_cell, and for the one
        # that loaded the extension.
        if any(info is result.info for info in self._open):
            while self._open.pop() is not result.info:
                pass
        if self._open or self.current is None:
            return
        self._untee()
        self.current.count = result.execution_count
        error = result.error_in_exec or result.error_before_exec
        if error is not None and not hasattr(error, "_render_traceback_"):
            from ...tools.results import traceback_text

            self._add(error=traceback_text(error))
        self.current.well = error is None
        run, self.current = self.current, None
        self.ended(run)

    def _untee(self) -> None:
        for name in ("stdout", "stderr"):
            if isinstance(stream := getattr(sys, name), _Tee):
                setattr(sys, name, _bare(stream))

    def _add(self, **values: Any) -> Output | None:
        if self.current is None:
            return None
        if self._clear_next:
            self.current.outputs.clear()
            self._clear_next = False
        output = Output(next(self._serials), **values)
        self.current.outputs.append(output)
        del self.current.outputs[:-_MOST_OUTPUTS]
        return output

    def _printed(self, text: str) -> None:
        if self.current is None:
            return
        last = self.current.outputs[-1] if self.current.outputs else None
        fresh = last is None or last.text is None or last.serial < self._marked
        if self._clear_next or fresh:
            last = self._add(text=StreamText())
        if last is not None and last.text is not None:
            last.text.write(text)

    def _displayed(
        self,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        *_: Any,
        transient: Mapping[str, Any] | None = None,
        update: bool = False,
        **__: Any,
    ) -> None:
        if metadata and OURS in metadata:
            return
        display_id = str((transient or {}).get("display_id", ""))
        if update:
            shown = self._by_display_id.get(display_id)
            if shown is not None:
                shown.bundle, shown.metadata = dict(data), dict(metadata or {})
                shown.serial, shown.drawn = next(self._serials), self._drawn.of(data)
            return
        drawn = self._drawn.of(data)
        output = self._add(bundle=dict(data), metadata=dict(metadata or {}), drawn=drawn)
        if output is not None and display_id:
            self._by_display_id[display_id] = output

    def _result(
        self, format_dict: Mapping[str, Any], md_dict: Mapping[str, Any] | None = None
    ) -> None:
        if not (md_dict and OURS in md_dict):
            drawn = self._drawn.of(format_dict)
            self._add(bundle=dict(format_dict), metadata=dict(md_dict or {}), drawn=drawn)

    def _cleared(self, wait: bool = False) -> None:
        if self.current is None:
            return
        if wait:
            self._clear_next = True
        else:
            self.current.outputs.clear()


def _bare(stream: TextIO | _Tee) -> TextIO:
    """The stream itself, past the recording."""
    while isinstance(stream, _Tee):
        stream = stream.stream
    return stream


def _said_with_request(shell: InteractiveShell) -> Mapping[str, Any]:
    """The metadata of the request that runs: the cell's own, and what the front end adds."""
    metadata = _request(shell).get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _request(shell: InteractiveShell) -> Mapping[str, Any]:
    """The message that the kernel is at work on; empty in a terminal."""
    parent = getattr(shell, "get_parent", None)
    return parent() if parent else {}


def _texts(values: object) -> tuple[str, ...]:
    return tuple(v for v in values if isinstance(v, str)) if isinstance(values, list) else ()


def _nobody(*_: Any, **__: Any) -> None: ...
