"""One notebook as its questions see it: its shell, what was recorded, its session.

`Notebook.question` turns a parsed line and a cell's body into a `Question`; `Notebook.ask` asks it
and shows the reply where the shell shows things. Magics and the Python API are faces of these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..conversation.conversations import STORE, Conversations
from ..conversation.events import Ended, Event
from ..conversation.history import History
from ..conversation.keys import Keys
from ..conversation.page import current
from ..conversation.question import Question
from ..conversation.session import Session
from ..messages import amounts
from ..messages.blocks import Block, text
from ..messages.errors import InputError
from . import lines
from .carrying import Carrying
from .files import Given, file_blocks
from .frame import notice
from .interpolate import interpolate
from .options import RequestOptions
from .outputs import Rendered, output_blocks
from .pictures import pictures, preparing
from .pieces import Piece
from .recorder import OURS
from .saved import source_digest
from .standing import Asker, Beside, Standing

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..conversation.reply import Reply
    from ..conversation.toolbox import Shape, Toolbox
    from ..messages.cancel import Cancel
    from ..messages.images import Prepared
    from ..tools.approval import Approver
    from .config import Settable
    from .front_end import FrontEnd
    from .record import CellRun, Output
    from .recorder import Recorder
    from .toolboxes import NotebookTools


class Display(Protocol):
    """Where a reply is shown: entered before the question leaves, left when all is over."""

    def __enter__(self) -> object: ...

    def __exit__(self, *exception: object) -> None: ...

    def __call__(self, event: Event, /) -> None:
        """Show what happens; a `Listener`."""


class Notebook:
    """A shell's recorder, settings and session, and the keys that it knows."""

    def __init__(
        self,
        shell: InteractiveShell,
        recorder: Recorder,
        settable: Settable,
        front_end: FrontEnd,
    ) -> None:
        self.shell = shell
        self.recorder = recorder
        self.settable = settable
        self.keys = Keys()
        self.session = Session(
            settable.session_settings, history=self._open_history, find=self.keys.find
        )
        self.standing = Standing(shell, recorder, front_end)
        self._carrying = Carrying(recorder, settable, self.standing, self.session)
        self._front_end = front_end
        self.last: Reply | None = None
        self._back: str | None = None
        for run in recorder.runs:
            self.standing.started(run)
        recorder.started, recorder.ended = self._cell_started, self._cell_ended

    def question(
        self,
        options: RequestOptions,
        body: str,
        images: Sequence[object] = (),
        blocks: Sequence[Block] = (),
        *,
        files: Sequence[str | Given] = (),
        approver: Approver | None = None,
        beside: Beside | None = None,
    ) -> Question:
        """The question that `options` and `body` ask, with all that it carries.

        `images` and `files` go along beside those that the options name, `blocks` is what else
        stands before the question. Whether a tool's call may run is asked in the cell, or of
        `approver`. `beside` says where a question of the panel stands.

        Raises InputError before anything leaves: empty prompt, unknown name, unreadable image.
        """
        self.standing.read()
        prompt = "\n".join(p.strip("\n").rstrip() for p in (options.prompt, body) if p.strip())
        if not prompt.strip():
            raise InputError("The question is empty: write it on the line or in the cell below it.")
        prepare = self.preparing(options)
        asked = (
            [text(prompt)] if options.raw else interpolate(prompt, self.evaluate, prepare=prepare)
        )
        papers, remarks = file_blocks([*(options.file or ()), *files], prepare, self.evaluate)
        render = partial(_render, prepare=prepare)
        chosen = options.image or (self.settable.value("images"),)
        runs, asker = self.standing.runs(), self.standing.asker(self.session.history, beside)
        cells = self.standing.named(runs, asker)
        pieces = self._carrying.pieces(options, cells, asker, beside)
        context = self._carrying.context(
            pieces,
            options,
            cells,
            asker,
            prompt=prompt,
            render=render,
            namespace=self.shell.user_ns,
        )
        shown, notices = pictures(
            [*chosen, *images],
            runs,
            cells,
            evaluate=self.evaluate,
            render=render,
            prepare=prepare,
        )
        carried = lines.carried(
            ("cell", context.cells),
            ("output", context.outputs),
            ("figure", context.figures),
            ("image", _count_images([*shown, *asked])),
            ("file", len(papers)),
        )
        toolbox, opened = self._toolbox(options, approver)
        return Question(
            content=self.keys.masked([*papers, *context.blocks, *shown, *blocks, *opened, *asked]),
            model=options.model,
            system=None if options.system is None else self.keys.mask(options.system),
            max_tokens=options.max_tokens,
            stop=options.stop or (),
            prefill=self.keys.mask(options.prefill or ""),
            effort=options.effort,
            think=options.think,
            cite=bool(options.cite),
            tools=toolbox,
            shape=self._shape(options),
            alone=bool(options.alone),
            fresh=bool(options.fresh) or self._again(asker),
            cell=asker.cell,
            ordinal=asker.ordinal,
            run=asker.run,
            order=self.standing.page.order,
            panel=asker.panel,
            source=asker.source,
            prompt=self.keys.mask(prompt),
            counts=cells.counts,
            carried=carried,
            notices=(
                *remarks,
                *cells.notices,
                *context.notices,
                *notices,
            ),
        )

    def _shape(self, options: RequestOptions) -> Shape | None:
        if options.json is None:
            return None
        from .json_option import wanted_shape

        return wanted_shape(options.json, self.evaluate, *self.keys.secrets())

    def _toolbox(
        self, options: RequestOptions, approver: Approver | None
    ) -> tuple[Toolbox | None, Sequence[Block]]:
        """The tools of a question, and what the model is told of a program that they open."""
        if options.tools is None and options.app is None and not self.settable.value("tools"):
            return None, ()
        from .toolboxes import opened

        return self.tools.box(options, approver), opened(options)

    @cached_property
    def tools(self) -> NotebookTools:
        """The tools that questions of this notebook can offer, made when first asked for."""
        from .toolboxes import NotebookTools, Toolboxes

        prepare = self._prepare_result
        return NotebookTools(
            Toolboxes(self.settable, self.keys.secrets, prepare),
            self.shell,
            self.recorder,
            standing=self.standing,
            front_end=self._front_end,
            render_output=partial(_render, prepare=prepare),
        )

    def close(self) -> None:
        """End the connections, and what tools have left running; the turns stay."""
        self.session.close()
        if "tools" in vars(self):
            self.tools.close()

    def ask(
        self, question: Question, display: Display | None = None, *, cancel: Cancel | None = None
    ) -> Reply:
        """Ask, showing the reply on `display`. What stands above counts as asked about from now."""
        if self._back and not question.panel:
            back, self._back = self._back, None
            self.shell.display_pub.publish(notice(back), {OURS: {}})
        mark = self.recorder.mark() if question.panel else 0

        def note(event: Event) -> None:
            if isinstance(event, Ended):
                self._carrying.asked(event.reply.turn, mark=mark)

        listeners = [note] if display is None else [note, display]
        with display or nullcontext():
            self.last = self.session.ask(question, *listeners, cancel=cancel)
        return self.last

    def carried(self, beside: Beside) -> list[Piece]:
        """What a question of the panel would bring along by default, from top to bottom."""
        self.standing.read()
        asker = self.standing.asker(self.session.history, beside)
        cells = self.standing.named(self.standing.runs(), asker)
        return self._carrying.pieces(RequestOptions(), cells, asker, beside)

    def add(self, question: Question, reply: str) -> Reply:
        """A turn whose answer the user wrote: nothing is sent."""
        self.last = self.session.add(question, reply)
        self._carrying.asked(self.last.turn)
        return self.last

    def display(self, *, quiet: bool) -> Display:
        """Where this shell shows a reply: an output of the cell, or the terminal."""
        quiet = quiet or bool(self.settable.value("quiet"))
        streaming = self.settable.value("stream") == "on"
        if hasattr(self.shell, "kernel"):
            from .live import CellDisplay

            return CellDisplay(
                self.shell.display_pub, self.session.images, quiet=quiet, streaming=streaming
            )
        from .terminal import TerminalDisplay

        return TerminalDisplay(self.recorder.stdout, quiet=quiet, streaming=streaming)

    def evaluate(self, expression: str) -> object:
        """The value of a Python expression in the notebook's namespace. Raises what it raises."""
        return eval(expression, self.shell.user_global_ns, self.shell.user_ns)  # noqa: S307 - the user's own words

    def _open_history(self) -> History:
        """The notebook's conversation, as the store holds it."""
        if self.settable.value("store") == "off":
            return History()
        history = self.conversations().open(self.standing.whereabouts())
        self.standing.read()
        for run in self.recorder.runs:
            if run.cell is None:
                continue
            history.match(run.cell, source_digest(run.source), self.standing.page.order)
            if run.well:  # it ran before the first question, and asked none
                history.ran(run.cell, run.turns, well=True)
        self._back = _back(history, self.standing.page.order)
        return history

    def conversations(self) -> Conversations:
        """All conversations that are kept on this machine."""
        from jupyter_core.paths import jupyter_data_dir

        return Conversations(Path(jupyter_data_dir()) / STORE, named=self._front_end.remember)

    def _again(self, asker: Asker) -> bool:
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

    def preparing(self, options: RequestOptions) -> Callable[[object], Prepared]:
        """What prepares an image of a question with these options."""
        hires = bool(options.hires or self.settable.value("hires"))
        model = options.model or self.settable.value("model")
        known = self.session.catalogue.lookup(model) if hires else None
        return preparing(known, self.session.images)

    def _prepare_result(self, image: object) -> Prepared:
        """An image that a tool gave, as it is sent."""
        return preparing(None, self.session.images)(image)


def _render(output: Output, *, prepare: Callable[[object], Prepared]) -> Rendered:
    return output_blocks(output.bundle or {}, output.metadata, prepare=prepare)


def _back(history: History, order: Sequence[str]) -> str | None:
    """The line for turns of an earlier kernel that stand on this page; None without any."""
    standing = [t for t in history.turns if t.cell in order and t.id not in history.retired]
    found = current(t for t in standing if t.sent_later)
    if not found:
        return None
    last = time.strftime("%Y-%m-%d %H:%M", time.localtime(max(t.ended for t in found)))
    are = "is" if len(found) == 1 else "are"
    return f"{amounts.count(len(found), 'turn')} of this notebook {are} back, the last of {last}"


def _count_images(blocks: Sequence[Block]) -> int:
    return sum(b.get("type") == "image" for b in blocks)
