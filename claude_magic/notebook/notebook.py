"""One notebook as its questions see it: its shell, what was recorded, its session.

`Notebook.question` brings what stands on the page to a `Question`; `Notebook.ask` asks it and shows
the reply where the shell shows things. Magics, panel and Python API are faces of these.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..conversation.asking.connection import Keys
from ..conversation.asking.question import Question
from ..conversation.events import Ended, Event
from ..conversation.history import History
from ..conversation.session import Session
from ..conversation.store.conversations import STORE, Conversations
from ..conversation.visible_turns import current
from ..messages import plain_text
from ..messages.blocks import Block
from ..messages.dependencies import OF_QUESTIONS, missing
from ..messages.errors import InputError
from ..messages.once import Once
from .context.cell_blocks import CarriedCell, Render
from .context.named_values import Evaluate, preparing
from .context.question_context import CarriedContext
from .options import QuestionOptions
from .page.alignment import Trace, align
from .page.question_place import PanelPlace, QuestionPlace, QuestionPlaces
from .page.recorder import OURS
from .page.saved_file import source_digest
from .question_builder import Brought, build, prepare_for, render_output
from .running_shell import from_console

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..conversation.asking.question import Toolbox
    from ..conversation.reply_value import Reply
    from ..conversation.spending import Origin
    from ..messages.images.prepare import Prepared
    from ..messages.transport.cancel import Cancel
    from ..tools.approval import Approver
    from .config import Settable
    from .display.cell_display import CellDisplay
    from .display.terminal_display import TerminalDisplay
    from .page.front_end import FrontEnd
    from .page.recorder import CellRun, Recorder
    from .tools.toolboxes import NotebookTools


class Display:
    """Where a reply is shown: entered before the question leaves, left when all is over.

    `make` is called at the first event, and not before: what shows a reply is not needed until
    the request is on its way.
    """

    def __init__(self, make: Callable[[], CellDisplay | TerminalDisplay]) -> None:
        self._make = make
        self._shown: CellDisplay | TerminalDisplay | None = None

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._shown is not None:
            self._shown.close()

    def __call__(self, event: Event, /) -> None:
        """Show what happens; a `Listener`, told all in the thread that asks."""
        if self._shown is None:
            self._shown = self._make()
        self._shown(event)


# Seconds that a question of the panel waits for what the page told before it.
_PATIENCE = 2.0


class Notebook:
    """A shell's recorder, settings and session, and the keys that it knows.

    Raises InputError where a package is missing that questions need.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        recorder: Recorder,
        settable: Settable,
        front_end: FrontEnd,
        origin: Origin,
    ) -> None:
        if absent := missing(*OF_QUESTIONS):
            raise InputError(absent)
        self.shell = shell
        self.recorder = recorder
        self.settable = settable
        self.keys = Keys()
        self.session = Session(
            settable.session_settings,
            history=self._open_history,
            find=self.keys.find,
            spending=origin.spending,
            secrets=self.keys.secrets,
        )
        self._origin = origin
        self.standing = QuestionPlaces(shell, recorder, front_end, origin)
        self._carrying = CarriedContext(recorder, settable, self.standing, self.session)
        self._front_end = front_end
        self.last: Reply | None = None
        self._back: str | None = None
        self._tools = Once(self._made_tools)
        for run in recorder.runs:
            self.standing.started(run)
        if recorder.current is not None and recorder.current not in recorder.runs:
            self.standing.started(recorder.current)  # the cell that loads the extension
        self.standing.moved = self._moved
        recorder.started, recorder.ended = self._cell_started, self._cell_ended

    def question(
        self,
        options: QuestionOptions,
        *words: str,
        blocks: Sequence[Block] = (),
        approver: Approver | None = None,
        beside: PanelPlace | None = None,
        names: bool = True,
    ) -> Question:
        """The question that `options` and `words` ask, with all that it carries.

        `words` are those of the line and of the cell; `blocks` is what else stands before the
        question. Whether a tool's call may run is asked in the cell, or of `approver`. `beside`
        says where a question of the panel stands. `names` False: the words are not the user's own,
        and none is evaluated: a text is a path or an address.

        Raises InputError before anything leaves: empty prompt, unknown name, unreadable image.
        """
        prompt = "\n".join(part.strip("\n").rstrip() for part in words if part.strip())
        return build(_NotebookFace(self, approver, beside, names=names), options, prompt, blocks)

    def bring(
        self,
        options: QuestionOptions,
        prompt: str,
        render: Render,
        beside: PanelPlace | None,
        *,
        figures: bool,
    ) -> Brought:
        """What of the cells goes along with a question, and which cell asks it."""
        with _uncollected():
            self.standing.read()
            asker = self.standing.asker(self.session.history, beside)
            cells = self.standing.named(asker)
            context = self._carrying.context(
                self._carrying.pieces(options, cells, asker, beside),
                options,
                prompt=prompt,
                render=render,
                namespace=self.shell.user_ns,
                figures=figures,
            )
        order = self.standing.page.order
        again, shown = self._again(asker), hasattr(self.shell, "kernel")
        return Brought(asker, order, cells, context, again=again, notebook=shown)

    @property
    def tools(self) -> NotebookTools:
        """The tools that questions of this notebook can offer, made when first asked for."""
        return self._tools()

    def _made_tools(self) -> NotebookTools:
        from .tools.toolboxes import NotebookTools, Toolboxes

        prepare = self._prepare_result
        return NotebookTools(
            Toolboxes(self.settable, self.keys.secrets, prepare),
            self.shell,
            self.recorder,
            standing=self.standing,
            front_end=self._front_end,
            render_output=partial(render_output, prepare=prepare),
        )

    def close(self) -> None:
        """End the connections, and what tools have left running; the turns stay."""
        self.session.close()
        if self._tools.made:
            self.tools.close()

    def ask(
        self, question: Question, display: Display | None = None, *, cancel: Cancel | None = None
    ) -> Reply:
        """Ask, showing the reply on `display`. What stands above counts as asked about from now."""
        if self._back and not question.panel:
            from .display.header_footer import notice

            back, self._back = self._back, None
            self.shell.display_pub.publish(notice(back), {OURS: {}})
        mark = self.recorder.mark() if question.panel else 0

        def note(event: Event) -> None:
            if isinstance(event, Ended):
                self._carrying.asked(event.reply.turn, mark=mark)

        listeners = () if display is None else (display,)
        with display or nullcontext():
            self.last = self.session.ask(question, *listeners, ended=note, cancel=cancel)
        return self.last

    def wait_for_page(self, mark: str) -> None:
        """Wait for what a page told before a question of its panel; not while a cell runs.

        The question may overtake it: it comes on a thread of its own.
        """
        if self.recorder.current is None:
            self._front_end.heard(mark, _PATIENCE)

    def carried(self, beside: PanelPlace) -> list[CarriedCell]:
        """What a question of the panel would bring along by default, from top to bottom."""
        self.standing.read()
        asker = self.standing.asker(self.session.history, beside)
        cells = self.standing.named(asker)
        return self._carrying.pieces({}, cells, asker, beside)

    def add(self, question: Question, reply: str) -> Reply:
        """A turn whose answer the user wrote: nothing is sent."""
        self.last = self.session.add(question, reply)
        self._carrying.asked(self.last.turn)
        return self.last

    def display(self, *, quiet: bool) -> Display:
        """Where this shell shows a reply: an output of the cell, or the terminal."""
        quiet = quiet or bool(self.settable.value("quiet"))
        streaming = self.settable.value("stream") == "on" and not from_console(self.shell)

        def make() -> CellDisplay | TerminalDisplay:
            if hasattr(self.shell, "kernel"):
                from .display.cell_display import CellDisplay

                return CellDisplay(
                    self.shell.display_pub, self.session.images, quiet=quiet, streaming=streaming
                )
            from .display.terminal_display import TerminalDisplay

            return TerminalDisplay(self.recorder.stdout, quiet=quiet, streaming=streaming)

        return Display(make)

    def evaluate(self, expression: str) -> object:
        """The value of a Python expression in the notebook's namespace. Raises what it raises."""
        return eval(expression, self.shell.user_global_ns, self.shell.user_ns)  # noqa: S307 - the user's own words

    def _open_history(self) -> History:
        """The notebook's conversation, as the store holds it."""
        if self.settable.value("store") == "off":
            return History()
        history = self.conversations().open(self.standing.whereabouts())
        self.standing.read()
        history.move(self._found_again(history))
        for run in self.recorder.runs:
            if run.cell is None:
                continue
            history.match(run.cell, source_digest(run.source), self.standing.page.order)
            if run.well:  # it ran before the first question, and asked none
                history.ran(run.cell, run.turns, well=True)
        self._back = _back(history, self.standing.page.order)
        return history

    def _found_again(self, history: History) -> dict[str, str]:
        """The cells of an earlier kernel that stand on this page by another id, and that id."""
        cells = {turn.cell: turn for turn in history.turns if turn.cell and not turn.panel}
        page = self.standing.traces(but=cells)
        if not page:
            return {}
        order = self.standing.page.order
        lost = sorted(
            (t for cell, t in cells.items() if cell not in order and t.source),
            key=lambda t: (t.order.index(t.cell) if t.cell in t.order else len(t.order), t.started),
        )
        turns = {t.cell: frozenset(o.id for o in history.of_cell(t.cell)) for t in lost}
        known = [Trace(None, t.source, turns=turns[t.cell]) for t in lost]
        pairs = align(known, [trace for _, trace in page])
        return {str(lost[n].cell): page[place][0] for n, place in pairs.items()}

    def _moved(self, run: CellRun) -> None:
        if self.session.opened and run.cell is not None:
            self.session.history.stand(run.turns, run.cell)

    def conversations(self) -> Conversations:
        """All conversations that are kept on this machine."""
        from jupyter_core.paths import jupyter_data_dir

        return Conversations(
            Path(jupyter_data_dir()) / STORE,
            named=self._front_end.remember,
            fresh=self._origin.conversation,
        )

    def _again(self, asker: QuestionPlace) -> bool:
        """Whether this cell was the last to run before this run: then it is meant to ask afresh."""
        runs = self.recorder.runs
        if asker.panel or asker.cell is None or len(runs) < 2:
            return False
        return runs[-1].same_cell(runs[-2])

    def _cell_started(self, run: CellRun) -> None:
        self.standing.started(run)
        if run.cell is not None and self.session.opened:
            page = self.standing.page.order
            self.session.history.match(run.cell, source_digest(run.source), page)

    def _cell_ended(self, run: CellRun) -> None:
        if run.cell is None or not self.session.opened:
            return
        history = self.session.history
        turns = [history[turn_id] for turn_id in run.turns if turn_id in history]  # or purged
        well = run.well and all(turn.status == "complete" for turn in turns)
        self.session.cell_ended(run.cell, run.turns, well=well)

    def preparing(self, options: QuestionOptions) -> Callable[[object], Prepared]:
        """What prepares an image of a question with these options."""
        return prepare_for(options, self.session, self.settable)

    def _prepare_result(self, image: object) -> Prepared:
        """An image that a tool gave, as it is sent."""
        return preparing(None, lambda: self.session.images)(image)


class _NotebookFace:
    """The face of a notebook to one question. `beside` says where one of the panel stands."""

    empty = "write it on the line or in the cell below it."

    def __init__(
        self,
        notebook: Notebook,
        approver: Approver | None,
        beside: PanelPlace | None,
        *,
        names: bool,
    ) -> None:
        self._notebook = notebook
        self._approver = approver
        self._beside = beside
        self.session, self.settable = notebook.session, notebook.settable
        self.keys = notebook.keys
        self.evaluate: Evaluate | None = notebook.evaluate if names else None

    def bring(
        self, options: QuestionOptions, prompt: str, render: Render, *, figures: bool
    ) -> Brought:
        return self._notebook.bring(options, prompt, render, self._beside, figures=figures)

    def toolbox(self, options: QuestionOptions) -> Toolbox | None:
        return self._notebook.tools.box(options, self._approver)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Python looks for garbage only after this: a large page would have it look all through memory,
    which takes longer than the page does, and in a kernel that holds much, seconds.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _back(history: History, order: Sequence[str]) -> str | None:
    """The line for turns of an earlier kernel that stand on this page; None without any."""
    standing = [t for t in history.turns if t.cell in order and t.id not in history.retired]
    found = current(t for t in standing if t.sent_later)
    if not found:
        return None
    last = time.strftime("%Y-%m-%d %H:%M", time.localtime(max(t.ended for t in found)))
    are = "is" if len(found) == 1 else "are"
    return f"{plain_text.count(len(found), 'turn')} of this notebook {are} back, the last of {last}"
