"""Records, while the kernel runs, what each cell ran and showed, and which figure it drew.

`hearing.py` tells what the shell shows, message by message; here each finds its place: under the
cell that its request names, in the `Output` widget that takes it, in the display that it updates.
"""

from __future__ import annotations

import itertools
import sys
import time
import weakref
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TextIO

from ...value_classes import mutable
from ..running_shell import request_of, said_with_request
from .hearing import OURS, Heard, bare, error_shown, hearing_of, nothing

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

__all__ = ["OURS", "CellRun", "Output", "Recorder", "StreamText"]

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


# Runs kept, and outputs of one run: more than a question carries, few enough for the memory.
_MOST_RUNS = 200
_MOST_OUTPUTS = 200


class Area:
    """What one cell, or one `Output` widget, shows."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self._clear_next = False

    def put(self, heard: Heard, kind: str, content: Mapping[str, Any], since: int) -> Output | None:
        """Show what was heard, as a front end does; the new output. What is of ours is left out.

        `content` is of this `kind`. Text goes on with the last output if that is text too, and not
        older than the serial `since`.
        """
        if kind == "clear_output":
            self._clear_next = bool(content.get("wait"))
            if not self._clear_next:
                self.outputs.clear()
            return None
        if self._clear_next:
            self.outputs.clear()
            self._clear_next = False
        metadata = _mapping(content.get("metadata"))
        if kind == "stream":
            last = self.outputs[-1] if self.outputs else None
            if last is None or last.text is None or last.serial < since:
                last = self._add(Output(heard.serial, text=StreamText()))
            if last.text is not None:
                last.text.write(str(content.get("text", "")))
        elif kind == "error":
            lines = content.get("traceback")
            text = "\n".join(map(str, lines)) if isinstance(lines, Sequence) else ""
            return self._add(Output(heard.serial, error=text))
        elif kind in ("display_data", "execute_result") and OURS not in metadata:
            bundle = _mapping(content.get("data"))
            return self._add(
                Output(heard.serial, bundle=bundle, metadata=metadata, drawn=heard.drawn)
            )
        return None

    def _add(self, output: Output) -> Output:
        self.outputs.append(output)
        del self.outputs[:-_MOST_OUTPUTS]
        return output


@mutable
class RecordedRun(CellRun):
    """A run of this kernel, whose outputs are read when they are asked for."""

    area: Area = field(default_factory=Area, repr=False, compare=False)
    read: Callable[[RecordedRun], list[Output]] = field(
        default=lambda run: run.area.outputs, repr=False, compare=False
    )

    @property  # type: ignore[misc]  # a field in any other run
    def outputs(self) -> list[Output]:
        """What it shows now, what its widgets hold among it."""
        return self.read(self)

    @outputs.setter
    def outputs(self, outputs: list[Output]) -> None:
        self.area.outputs = outputs


_VIEW = "application/vnd.jupyter.widget-view+json"
_MODEL = "IPY_MODEL_"
_MOST_MODELS = 2_000
_SIGNATURES = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


class _Model:
    """Of a widget's state what shows: its outputs, its picture, or the widgets in it."""

    def __init__(self) -> None:
        self.area: Area | None = None
        self.picture: Output | None = None
        self.children: tuple[str, ...] = ()
        self.takes = ""


class Widgets:
    """What `Output` and `Image` widgets and ipympl's canvases hold, by their comms' ids."""

    def __init__(self) -> None:
        self._models: dict[str, _Model] = {}
        # Of each request the widgets that take its outputs, the innermost last.
        self._taking: dict[str, list[str]] = {}

    def area(self, request: str | None) -> Area | None:
        """Where the outputs of a request go now; None if to its cell."""
        taking = self._taking.get(request or "")
        model = self._models.get(taking[-1]) if taking else None
        return model.area if model else None

    def tell(self, heard: Heard, since: int) -> None:
        """Take over what a message says of a widget's state."""
        comm = str(heard.content.get("comm_id", ""))
        data = _mapping(heard.content.get("data"))
        state = _mapping(data.get("state"))
        if heard.kind == "comm_close":
            if comm in self._models:
                self._take(comm, self._models.pop(comm), "")
        elif heard.kind == "comm_open" or data.get("method") == "update":
            model = self._models.setdefault(comm, _Model())
            self._update(comm, model, state, heard, since)
            for path, buffer in zip(data.get("buffer_paths") or (), heard.buffers, strict=False):
                if path == ["value"]:
                    model.picture = _picture(heard.serial, buffer)
            while len(self._models) > _MOST_MODELS:
                oldest = next(iter(self._models))
                self._take(oldest, self._models.pop(oldest), "")

    def _update(
        self, comm: str, model: _Model, state: Mapping[str, Any], heard: Heard, since: int
    ) -> None:
        if isinstance(state.get("msg_id"), str):
            model.area = model.area or Area()
            self._take(comm, model, state["msg_id"])
        if isinstance(shown := state.get("outputs"), list):
            model.area = Area()
            for output in shown:
                content = _mapping(output)
                model.area.put(heard, str(content.get("output_type")), content, since)
        if isinstance(children := state.get("children"), list):
            names = (c for c in children if isinstance(c, str) and c.startswith(_MODEL))
            model.children = tuple(name.removeprefix(_MODEL) for name in names)
        if isinstance(url := state.get("_data_url"), str):
            kind, _, encoded = url.removeprefix("data:").partition(";base64,")
            if kind.startswith("image/"):
                model.picture = Output(heard.serial, bundle={kind: encoded})

    def _take(self, comm: str, model: _Model, request: str) -> None:
        """Let a widget take what belongs to a request, and no more what belonged to another."""
        before = self._taking.get(model.takes, [])
        if comm in before:
            before.remove(comm)
            if not before:
                del self._taking[model.takes]
        model.takes = request
        if request:
            self._taking.setdefault(request, []).append(comm)

    def shown(self, outputs: Sequence[Output]) -> list[Output]:
        """The outputs, with what widgets hold where these are displayed."""
        found: list[Output] = []
        for output in outputs:
            view = _mapping((output.bundle or {}).get(_VIEW)).get("model_id")
            model = self._models.get(view) if isinstance(view, str) else None
            if model is None or model.children:
                found.append(output)
            if model is not None and isinstance(view, str):
                found += self.shown(list(self._held(view, set())))
        return found

    def _held(self, comm: str, seen: set[str]) -> Iterator[Output]:
        model = self._models.get(comm)
        if model is None or comm in seen:
            return
        seen.add(comm)
        if model.area is not None:
            yield from model.area.outputs
        if model.picture is not None:
            yield model.picture
        for child in model.children:
            yield from self._held(child, seen)


def _picture(serial: int, content: bytes) -> Output | None:
    kinds = (kind for begin, kind in _SIGNATURES.items() if content.startswith(begin))
    kind = next(kinds, None)
    return Output(serial, bundle={kind: b64encode(content).decode()}) if kind else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


class Recorder:
    """What the cells of one shell ran and displayed, newest last, in `runs`."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.runs: list[CellRun] = []
        self.current: CellRun | None = None
        self._shell = shell
        self._serials = itertools.count(1)
        self._open: list[ExecutionInfo] = []
        self._requests: dict[str, RecordedRun] = {}
        self._displays: dict[str, list[weakref.ref[Output]]] = {}
        self._widgets = Widgets()
        self._hearing = hearing_of(shell, partial(next, self._serials), self._tell)
        # Who wants to know that a cell starts, and that it has ended.
        self.started: Callable[[CellRun], None] = _nobody
        self.ended: Callable[[CellRun], None] = _nobody
        self.loaded = 0
        """How many inputs IPython's history held at loading, the first of which is empty."""
        self.loaded_at = 0.0
        """When that was, in seconds since 1970."""
        self.loads = False
        """Whether the last of these was the cell that loads."""
        self._apart = False
        self._marked = 0
        self._undo: list[Callable[[], None]] = []

    def attach(self) -> None:
        """Start listening.

        The cell that loads the extension is not among `runs`: only what it shows from here on is
        seen. What it asks has its place on the page.
        """
        events = self._shell.events
        for name, callback in (("pre_run_cell", self._start), ("post_run_cell", self._finish)):
            events.register(name, callback)
            self._undo.append(partial(events.unregister, name, callback))
        self._hearing.attach()
        self._undo.append(self._hearing.detach)
        inputs = list(getattr(self._shell.history_manager, "input_hist_raw", ()))
        self.loaded, self.loaded_at = len(inputs), time.time()
        content = request_of(self._shell).get("content", {})
        code = content.get("code") if _kernel(self._shell) else ""
        self.loads = bool(inputs) and (code == "" or str(code).strip() == inputs[-1].strip())
        loading = said_with_request(self._shell).get("cellId")
        if isinstance(loading, str):
            self.current = self._run(loading, str(content.get("code", "")))

    def detach(self) -> None:
        """Undo `attach`."""
        while self._undo:
            self._undo.pop()()
        self._open.clear()
        self.current = None

    def serial(self) -> int:
        """A serial number above all that is recorded so far."""
        return next(self._serials)

    def mark(self) -> int:
        """A serial number: everything shown so far is below it, all that comes above."""
        self._hearing.flush()
        self._hearing.hear()
        self._marked = next(self._serials)
        return self._marked

    @property
    def stdout(self) -> TextIO:
        """Standard output, past the recording: for what is not the notebook's own."""
        return bare(sys.stdout)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What runs meanwhile, with no cell running, is no cell of the page."""
        self._apart = True
        try:
            yield
        finally:
            self._apart = False

    def _run(self, cell: str | None, source: str, **said: Any) -> RecordedRun:
        """A run that begins: what answers the request that the kernel is at work on is its."""
        run = RecordedRun(
            next(self._serials), cell, source, read=self._outputs_of, at=time.time(), **said
        )
        if request := self._request_id():
            self._requests[request] = run
            while len(self._requests) > _MOST_RUNS:
                del self._requests[next(iter(self._requests))]
        return run

    def _start(self, info: ExecutionInfo) -> None:
        if self._apart:
            return
        self._open.append(info)
        if len(self._open) > 1:  # a run within a cell belongs to that cell
            return
        cell_id = getattr(info, "cell_id", None)
        said = said_with_request(self._shell)
        self.current = self._run(
            cell_id,
            str(info.raw_cell),
            tags=frozenset(_texts(said.get("tags"))),
            deleted=_texts(said.get("deletedCells")),
        )
        self.runs.append(self.current)
        self.started(self.current)
        self._replace()
        del self.runs[:-_MOST_RUNS]
        self._hearing.cell_started()

    def _replace(self) -> None:
        """Let go of what the cell showed before; what its threads still show is seen by nobody."""
        now = self.current
        if now is None or now.cell is None:
            return
        for run in self.runs:
            if run is not now and run.cell == now.cell:
                run.outputs = []
        self._requests = {
            name: run for name, run in self._requests.items() if run is now or run.cell != now.cell
        }

    def _finish(self, result: ExecutionResult | None) -> None:
        if result is None:  # ipykernel: a cell with await that was cancelled
            self._open.clear()
            self._hearing.cell_ended()
            self.current = None
            return
        # post_run_cell is also sent for empty cells, which had no pre_run_cell, and for the one
        # that loaded the extension.
        if any(info is result.info for info in self._open):
            while self._open.pop() is not result.info:
                pass
        if self._open or self.current is None:
            return
        self._hearing.cell_ended()
        self.current.count = result.execution_count
        error = result.error_in_exec or result.error_before_exec
        if error is not None and error is not self._hearing.failed:
            self._failed(error)
        self.current.well = error is None
        run, self.current = self.current, None
        self.ended(run)

    def _failed(self, error: BaseException) -> None:
        """Record an error whose traceback something else than the shell has shown."""
        from IPython.core.error import UsageError

        one_line = isinstance(error, UsageError) or hasattr(error, "_render_traceback_")
        if not one_line:
            content = {"traceback": [error_shown(error, ())]}
            self._hearing.say("error", content, self._request_id())

    def _outputs_of(self, run: RecordedRun) -> list[Output]:
        if run is self.current:
            self._hearing.flush()
        self._hearing.hear()
        return self._widgets.shown(run.area.outputs)

    def _tell(self, heard: Heard) -> None:
        """Take in one message: where its output stands is as a front end has it."""
        if heard.kind.startswith("comm_"):
            self._widgets.tell(heard, self._marked)
            return
        content = heard.content
        display_id = _mapping(content.get("transient")).get("display_id")
        if display_id and OURS not in _mapping(content.get("metadata")):
            # A display of a name that is there already is updated as well.
            self._update(str(display_id), heard)
        if heard.kind == "update_display_data":
            return
        area = self._widgets.area(heard.request)
        if area is None:
            run = self._requests.get(heard.request) if heard.request else self.current
            if not isinstance(run, RecordedRun):
                return
            area = run.area
        output = area.put(heard, heard.kind, content, self._marked)
        if output is not None and display_id:
            self._displays.setdefault(str(display_id), []).append(weakref.ref(output))
            if len(self._displays) > 2 * _MOST_OUTPUTS:
                self._prune()

    def _update(self, display_id: str, heard: Heard) -> None:
        for shown in self._displays.get(display_id, ()):
            if (output := shown()) is not None:
                output.bundle = _mapping(heard.content.get("data"))
                output.metadata = _mapping(heard.content.get("metadata"))
                output.serial, output.drawn = heard.serial, heard.drawn

    def _prune(self) -> None:
        """Forget the displays that stand nowhere any more."""
        standing = {
            name: [shown for shown in held if shown() is not None]
            for name, held in self._displays.items()
        }
        self._displays = {name: held for name, held in standing.items() if held}

    def _request_id(self) -> str | None:
        found = request_of(self._shell).get("header", {}).get("msg_id")
        return str(found) if found else None


def _kernel(shell: InteractiveShell) -> bool:
    return getattr(shell, "kernel", None) is not None


def _texts(values: object) -> tuple[str, ...]:
    return tuple(v for v in values if isinstance(v, str)) if isinstance(values, list) else ()


def _nobody(*_: Any, **__: Any) -> None: ...
