"""One notebook as its questions see it: its shell, what was recorded, its session.

`Notebook.question` turns a parsed line and a cell's body into a `Question`; `Notebook.ask` asks it
and shows the reply where the shell shows things. Magics and the Python API are faces of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from ..conversation.page import Page
from ..conversation.question import Question
from ..conversation.session import Session
from ..messages import models
from ..messages.blocks import Block, text
from ..messages.credentials import Found, Secret, find_key, keyring_key, mask
from ..messages.errors import InputError
from . import lines
from .context import Context, Place, choose, gather
from .displays import Display, Noting
from .files import file_blocks
from .interpolate import interpolate
from .outputs import Rendered, output_blocks
from .pictures import pictures
from .saved import SavedOrder, notebook_path

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..conversation.reply import Reply
    from ..conversation.turns import Turn
    from ..messages.images import Prepared
    from .config import Settable
    from .options import RequestOptions
    from .record import CellRun, Output
    from .recorder import Recorder


class Notebook:
    """A shell's recorder, settings and session; `key` is the one given by `%claude_login`."""

    def __init__(self, shell: InteractiveShell, recorder: Recorder, settable: Settable) -> None:
        self.shell = shell
        self.recorder = recorder
        self.settable = settable
        self.key: Secret | None = None
        self.session = Session(settable.session_settings, find=self.find_key)
        self.page = Page()
        self._saved = SavedOrder()
        self.last: Reply | None = None
        self._since = 0
        for run in recorder.runs:
            self._cell_started(run)
        recorder.started, recorder.ended = self._cell_started, self._cell_ended

    def find_key(self) -> Found | None:
        """The credential in force, from `%claude_login`, the environment or the keyring."""
        return find_key(self.key, keyring_lookup=self._keyring)

    def forget_key(self) -> None:
        """Forget the key of `%claude_login` and what the keyring said."""
        self.key = None
        vars(self).pop("_keyring_key", None)

    @cached_property
    def _keyring_key(self) -> Secret | None:
        return keyring_key()

    def _keyring(self) -> Secret | None:
        """The keyring's key, asked for once: some keyrings ask the user each time."""
        return self._keyring_key

    def question(
        self, options: RequestOptions, body: str, images: Sequence[object] = ()
    ) -> Question:
        """The question that `options` and `body` ask, with all that it carries.

        `images` are objects that go along beside those that the options name.

        Raises InputError before anything leaves: empty prompt, unknown name, unreadable image.
        """
        self._read_order()
        prompt = "\n".join(p.strip("\n").rstrip() for p in (options.prompt, body) if p.strip())
        if not prompt.strip():
            raise InputError("The question is empty: write it on the line or in the cell below it.")
        prepare = self._prepare(options)
        asked = (
            [text(prompt)] if options.raw else interpolate(prompt, self.evaluate, prepare=prepare)
        )
        files, remarks = file_blocks(options.file or (), prepare)
        render = partial(_render, prepare=prepare)
        chosen = options.image or (self.settable.value("images"),)
        context = self._context(options, prompt, render, figures="auto" in chosen)
        shown, notices = pictures(
            [*chosen, *images],
            self.recorder.runs,
            evaluate=self.evaluate,
            render=render,
            prepare=prepare,
        )
        carried = lines.carried(
            ("cell", context.cells),
            ("output", context.outputs),
            ("figure", context.figures),
            ("image", _count_images([*shown, *asked])),
            ("file", len(files)),
        )
        cell, run = self._asking()
        return Question(
            content=self._masked([*files, *context.blocks, *shown, *asked]),
            model=options.model,
            system=None if options.system is None else self._mask(options.system),
            max_tokens=options.max_tokens,
            stop=options.stop or (),
            prefill=self._mask(options.prefill or ""),
            effort=options.effort,
            think=options.think,
            alone=bool(options.alone),
            fresh=bool(options.fresh) or self._again(),
            cell=cell,
            ordinal=len(run),
            run=run,
            order=self.page.order,
            carried=carried,
            notices=(*remarks, *context.notices, *notices),
        )

    def ask(self, question: Question, display: Display) -> Reply:
        """Ask, showing the reply on `display`. What stands above counts as asked about from now."""
        with display:
            self.last = self.session.ask(question, Noting(display, self._asked))
        return self.last

    def add(self, question: Question, reply: str) -> Reply:
        """A turn whose answer the user wrote: nothing is sent."""
        self.last = self.session.add(question, reply)
        self._asked(self.last.turn)
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

    def _read_order(self) -> None:
        path = notebook_path(self.shell.user_ns)
        order = self._saved.read(path) if path else ()
        if order:
            self.page.tell(order)

    def _again(self) -> bool:
        """Whether this cell was the last to run before this run: then it is meant to ask afresh."""
        runs = self.recorder.runs
        return len(runs) > 1 and runs[-1].cell is not None and runs[-1].same_cell(runs[-2])

    def _cell_started(self, run: CellRun) -> None:
        if run.cell is not None:
            self.page.ran(run.cell)

    def _asking(self) -> tuple[str | None, tuple[str, ...]]:
        """The cell that asks, and the turns that this run of it has asked so far."""
        run = self.recorder.current
        return (run.cell, tuple(run.turns)) if run else (None, ())

    def _place(self) -> Place:
        cell, run = self._asking()
        seen = self.session.seen(cell, run, self.page.order)
        return Place(self._since, self.page.order, frozenset(t.cell for t in seen if t.cell))

    def _asked(self, turn: Turn) -> None:
        """Later questions begin after this one, if its turn is one that they see."""
        run = self.recorder.current
        if run is not None:
            run.turns.append(turn.id)
        if turn.sent_later:
            self._since = self.recorder.mark()
            if run is not None:
                run.asked_at = self._since

    def _cell_ended(self, run: CellRun, *, well: bool) -> None:
        if run.cell is None or not well:
            return
        statuses = {t.status for t in self.session.turns if t.id in run.turns}
        if statuses <= {"complete"}:
            self.session.cell_ended(run.cell, run.turns)

    def _context(
        self,
        options: RequestOptions,
        prompt: str,
        render: Callable[[Output], Rendered],
        *,
        figures: bool,
    ) -> Context:
        choices = options.context or (self.settable.value("context"),)
        if choices == ("none",):
            return Context()
        recorder = self.recorder
        place = self._place()
        pieces = list(
            {
                piece.serial: piece  # the same cell named twice goes along once
                for choice in choices
                for piece in choose(recorder.runs, recorder.current, choice, place)
            }.values()
        )
        return gather(pieces, prompt, self.shell.user_ns, render, figures=figures)

    def _prepare(self, options: RequestOptions) -> Callable[[object], Prepared]:
        from ..messages.images import prepare

        edge = 1568
        if options.hires or self.settable.value("hires"):
            model = models.lookup(options.model or self.settable.value("model"))
            edge = model.long_edge if model else edge
        return partial(prepare, long_edge=edge, cache=self.session.images)

    def _masked(self, blocks: Sequence[Block]) -> tuple[Block, ...]:
        """The blocks with the key, should a cell or an output hold it, masked."""
        return tuple(_masked(block, self._secret()) for block in blocks)

    def _mask(self, said: str) -> str:
        return mask(said, self._secret())

    def _secret(self) -> Secret | None:
        """The key as far as it is known here; no keyring is asked for this."""
        found = find_key(self.key, keyring_lookup=lambda: vars(self).get("_keyring_key"))
        return found.secret if found else None


def _masked(block: Block, secret: Secret | None) -> Block:
    source = block.get("source", {})
    if block.get("type") == "text":
        return text(mask(str(block["text"]), secret))
    if source.get("type") == "text":
        return {**block, "source": {**source, "data": mask(source["data"], secret)}}
    return block


def _render(output: Output, *, prepare: Callable[[object], Prepared]) -> Rendered:
    return output_blocks(output.bundle or {}, output.metadata, prepare=prepare)


def _count_images(blocks: Sequence[Block]) -> int:
    return sum(b.get("type") == "image" for b in blocks)
