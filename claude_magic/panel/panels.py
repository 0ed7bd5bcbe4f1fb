"""What stands behind the panels of one notebook: hears what is asked, asks what they ask.

Whatever a panel says is only taken note of in the thread that it comes in; quick work is done in
one thread of the desk, and each question has a thread of its own.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ..conversation.history import switch
from ..messages.errors import ClaudeError, InputError, Interrupted
from ..messages.plain_text import in_a_line
from ..messages.transport.cancel import Cancel
from ..notebook.context.named_values import preparing
from ..notebook.context.outputs import output_blocks
from ..notebook.page.page_messages import UnfitError, checked
from ..notebook.page.question_place import PanelPlace
from ..notebook.running_shell import magics_of, running_shell
from . import protocol, questions
from .live import Approvals, AskInPanel, LiveRun
from .outbox import Outbox, beside_the_cells
from .questions import Attachments, chips
from .turns_told import Past, TurnViews, state

if TYPE_CHECKING:
    from ..conversation.asking.question import Question
    from ..messages.images.prepare import Prepared
    from ..notebook.notebook import Notebook
    from ..notebook.page.recorder import Output


def places(notebook: Notebook) -> dict[str, str]:
    """By cell id its execution count, "[7]", else where it stands: "cell 3"."""
    notebook.standing.read()
    found = {cell: f"cell {n}" for n, cell in enumerate(notebook.standing.page.order, 1)}
    found |= {
        run.cell: f"[{run.count}]"
        for run in tuple(notebook.recorder.runs)
        if run.cell and run.count is not None
    }
    return found


def title(notebook: Notebook) -> str:
    """The notebook's name; "" where it is not known."""
    path = notebook.standing.path
    return path.stem if path else ""


Buffers = Sequence[Any]


class Panel(Protocol):
    """Whoever shows what the desk says."""

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message to the front end."""


class Panels:
    """One notebook's panels. Nothing is heard or sent before the first one says hello."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self._approvals = Approvals()
        self._approver = AskInPanel(self._approvals, self._run_of)
        self._panels: list[Panel] = []
        self._places: dict[str, str] = {}
        self._views = TurnViews(notebook.session, self._places)
        self._past = Past(notebook, self._views)
        self._attachments = Attachments(self._prepare, self._views.thumbnail)
        self._outbox = Outbox(self._send, self._gather)
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._runs: dict[str, LiveRun] = {}
        self._requests: dict[Cancel, str] = {}
        self._place = protocol.Place(cell="", page="", whole=False, instead="", after="")
        self._chips_due = False
        self._turns_due = False
        self._lock = threading.Lock()
        self._undo: list[Callable[[], None]] = []

    def join(self, panel: Panel) -> None:
        """Tell this one what happens, too."""
        self._panels.append(panel)

    def leave(self, panel: Panel) -> None:
        """It is gone."""
        if panel in self._panels:
            self._panels.remove(panel)

    def close(self) -> None:
        """Stop what was asked here, hear nothing any more, and end the threads."""
        while self._undo:
            self._undo.pop()()
        for cancel in tuple(self._requests):
            cancel.set()
        self._work.put(None)
        self._outbox.close()

    def received(self, content: object, buffers: Buffers = ()) -> None:
        """What a panel says. Called in the thread of its comm: nothing here takes time."""
        try:
            message: protocol.PanelMessage = checked(content, protocol.PanelMessage)
        except UnfitError as error:
            self._tell_unfit(content, error)
            return
        if message["type"] == "stop":
            run = self._runs.get(message["run"])
            if run is not None:
                run.cancel.set()
        elif message["type"] == "decide":
            self._approvals.decide(message)
        elif message["type"] in ("ask", "again"):
            self._thread(partial(self._ask, message), "question")
        else:
            data = bytes(buffers[0]) if buffers else None
            self._later(partial(self._do, message, data))

    def _run_of(self, cancel: Cancel | None) -> LiveRun | None:
        """The question under way that this stops."""
        return next((run for run in tuple(self._runs.values()) if run.cancel is cancel), None)

    def _do(self, message: protocol.PanelMessage, data: bytes | None) -> None:
        match message["type"]:
            case "hello":
                self._hello(message["view"])
            case "earlier":
                self._outbox.put(self._past.earlier(message["before"]))
                self._later(self._thumbnails)
            case "attach":
                self._outbox.put(self._attachments.take(message, data))
            case "preview":
                self._wait_for_page(message)
                self._place = message
                self._tell_chips()
                self._turns_changed()
            case "picture":
                self._picture(message["turn"], message["index"])
            case "sent":
                said = self._past.sent(message["turn"])
                self._outbox.put({"type": "sent", "turn": message["turn"], "text": said})
            case "switch":
                switch(self.notebook.session.history, self._past.turn(message["turn"]))
            case "remove":
                self.notebook.session.history.retire([self._past.turn(message["turn"]).id])
            case "export":
                name, text = self._past.export(message["form"], title(self.notebook))
                self._outbox.put({"type": "exported", "name": name, "text": text})

    def _hello(self, view: str) -> None:
        self._begin()
        self._read_places()
        live = [run.live for run in tuple(self._runs.values()) if not run.over]
        self._outbox.put(self._past.history(view, live), self._state())
        self._later(self._thumbnails)
        self._tell_chips()

    def _begin(self) -> None:
        """Hear of what is asked, of turns that come and go, and of cells that have run."""
        if self._undo:
            return
        session, events = self.notebook.session, self.notebook.shell.events
        session.listeners.append(self._hears)
        session.history.observers.append(self._turns_changed)
        events.register("post_run_cell", self._cell_ran)
        self._undo += [
            partial(session.listeners.remove, self._hears),
            partial(session.history.observers.remove, self._turns_changed),
            partial(events.unregister, "post_run_cell", self._cell_ran),
        ]

    def _hears(self, question: Question, cancel: Cancel) -> LiveRun:
        run = LiveRun(
            question,
            cancel,
            request=self._requests.get(cancel, ""),
            asked=self._views.asked,
            told=self._past.told,
            below=self._past.below,
            thumbnail=self._views.thumbnail,
            stir=self._outbox.stir,
        )
        self._runs[run.run] = run
        return run

    def _ask(self, message: protocol.Ask | protocol.Again) -> None:
        cancel = Cancel()
        request = message["request"]
        try:
            if message["type"] == "again":
                question = questions.again(self.notebook, message, self._approver)
            else:
                self._wait_for_page(message)
                attached = self._attachments.use(message["attachments"])
                place = places(self.notebook).get(message["cell"], "")
                question = questions.question_of(
                    self.notebook, message, self._approver, place=place, attached=attached
                )
                self._attachments.drop(message["attachments"])
        except Exception as error:  # whatever the user's own expressions raise: a line, no trace
            self._tell_fault(error, request)
            return
        self._requests[cancel] = request
        try:
            self.notebook.ask(question, cancel=cancel)
        except (ClaudeError, Interrupted):
            pass  # the panels were told how it ended
        finally:
            self._requests.pop(cancel, None)
            self._tell_chips()

    def _wait_for_page(self, said: protocol.Place) -> None:
        if said["page"]:
            self.notebook.wait_for_page(said["page"])

    def _gather(self) -> list[protocol.KernelMessage]:
        """What the questions under way have to say, then how the turns stand after that."""
        found: list[protocol.KernelMessage] = []
        for run in tuple(self._runs.values()):
            over = run.over
            found += run.gather()
            if over:
                self._runs.pop(run.run, None)
                self._turns_due = True
                self._later(self._tell_state)
        if self._turns_due:
            told = self._past.changes(self._places, wait=bool(self._runs))
            self._turns_due = told == "later"
            if told is not None and told != "later":
                found += [told, self._sees()]
                self._later(self._thumbnails)
        return found

    def _send(self, messages: Sequence[protocol.KernelMessage], buffers: Sequence[bytes]) -> None:
        for panel in tuple(self._panels):
            try:
                panel.send({"messages": list(messages)}, list(buffers))
            except Exception:  # a panel whose kernel is going down, or closed meanwhile
                self.leave(panel)

    def _turns_changed(self) -> None:
        self._turns_due = True
        self._outbox.stir()

    def _tell_state(self) -> None:
        self._read_places()
        self._outbox.put(self._state())
        self._turns_changed()

    def _thumbnails(self) -> None:
        for message in self._past.thumbnails():
            self._outbox.put(message)

    def _cell_ran(self, _: object) -> None:
        self._tell_chips()

    def _tell_chips(self) -> None:
        """Work out what would go along, once, however many ask for it at a time."""
        with self._lock:
            due, self._chips_due = self._chips_due, True
        if not due:
            self._later(self._work_out_chips)

    def _work_out_chips(self) -> None:
        with self._lock:
            self._chips_due = False
        self._read_places()
        try:
            pieces = self.notebook.carried(self._beside()[0])
            figures = self.notebook.settable.value("images") != "none"
        except ClaudeError:
            pieces, figures = [], False
        by_serial = {
            str(run.serial): self._places.get(run.cell or "", "")
            for run in self.notebook.standing.cells()
        }
        shown = chips(
            pieces,
            by_serial,
            render=self._render,
            thumbnail=self._views.thumbnail,
            figures=figures,
        )
        self._outbox.put({"type": "carried", "chips": shown}, self._sees())

    def _beside(self) -> tuple[PanelPlace, Collection[str]]:
        """Where the next question stands, and the turns in whose place it does."""
        try:
            return questions.place_of(self.notebook.session.history, self._place)
        except InputError:  # of a turn that went meanwhile: it is said once it is asked
            return PanelPlace(self._place["cell"] or None), ()

    def _sees(self) -> protocol.Sees:
        return questions.sees(self.notebook, *self._beside(), self._places)

    def _picture(self, turn_id: str, index: int) -> None:
        media_type, data = self._past.picture(turn_id, index)

        def message(buffer: int) -> protocol.KernelMessage:
            return {
                "type": "picture",
                "turn": turn_id,
                "index": index,
                "media_type": media_type,
                "buffer": buffer,
            }

        self._outbox.put_bytes(message, data)

    def _state(self) -> protocol.StateMessage:
        return state(self.notebook, title(self.notebook))

    def _read_places(self) -> None:
        self._places.update(places(self.notebook))

    def _render(self, output: Output) -> Any:
        return output_blocks(output.bundle or {}, output.metadata, prepare=self._prepare)

    def _prepare(self, image: object) -> Prepared:
        return preparing(None, lambda: self.notebook.session.images)(image)

    def _later(self, work: Callable[[], None]) -> None:
        """Do this in the desk's own thread."""
        self._work.put(work)
        with self._lock:
            if self._worker is None:
                self._worker = self._thread(self._serve, "desk")

    _worker: threading.Thread | None = None

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception as error:  # the next message is to be served all the same
                self._tell_fault(error)

    def _tell_fault(self, error: Exception, request: str = "") -> None:
        said = in_a_line(error, *self.notebook.keys.secrets())
        self._outbox.put({"type": "notice", "request": request, "text": said})

    def _tell_unfit(self, content: object, error: UnfitError) -> None:
        """Say what was left out; a question that it was is given back to be sent again."""
        said = f"What a panel said was left out: {error}. Reload the page if this comes again."
        try:
            request = checked(content, protocol.PanelRequest)["request"]
        except UnfitError:
            request = ""
        self._outbox.put({"type": "notice", "request": request, "text": said})

    def _thread(self, work: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(
            target=beside_the_cells(work), name=f"claude-magic-panel-{name}", daemon=True
        )
        thread.start()
        return thread


def current_panels() -> Panels:
    """The desk of the running shell, which loads the extension if need be.

    Raises InputError without IPython.
    """
    shell = running_shell()
    if shell is None:
        raise InputError("A chat panel needs a notebook: ask with claude_magic.ask instead.")
    desk: Panels = magics_of(shell, "PanelMagics").desk
    return desk
