"""One notebook as its questions see it: its shell, what was recorded, its session.

`Notebook.question` turns a parsed line and a cell's body into a `Question`; `Notebook.ask` asks it
and shows the reply where the shell shows things. Magics and the Python API are faces of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Protocol

from ..conversation.question import Question
from ..conversation.session import Session
from ..conversation.watcher import Watcher
from ..messages import models
from ..messages.blocks import Block, text
from ..messages.credentials import Found, Secret, find_key, keyring_key, mask
from ..messages.errors import InputError
from . import lines
from .context import Context, choose, gather
from .files import file_block
from .interpolate import interpolate
from .outputs import Rendered, output_blocks
from .pictures import pictures

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..conversation.reply import Reply
    from ..messages.images import Prepared
    from .config import Settable
    from .options import RequestOptions
    from .record import Output
    from .recorder import Recorder


class Display(Watcher, Protocol):
    """Where a reply is shown: entered before the question leaves, left when all is over."""

    def __enter__(self) -> object: ...

    def __exit__(self, *exception: object) -> None: ...


class Notebook:
    """A shell's recorder, settings and session; `key` is the one given by `%claude_login`."""

    def __init__(self, shell: InteractiveShell, recorder: Recorder, settable: Settable) -> None:
        self.shell = shell
        self.recorder = recorder
        self.settable = settable
        self.key: Secret | None = None
        self.session = Session(settable.session_settings, find=self.find_key)
        self.last: Reply | None = None
        self._since = 0

    def find_key(self) -> Found | None:
        """The credential in force, from `%claude_login`, the environment or the keyring."""
        return find_key(self.key, keyring_lookup=self._keyring)

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
        prompt = "\n".join(p.strip("\n").rstrip() for p in (options.prompt, body) if p.strip())
        if not prompt.strip():
            raise InputError("The question is empty: write it on the line or in the cell below it.")
        prepare = self._prepare(options)
        asked = (
            [text(prompt)] if options.raw else interpolate(prompt, self.evaluate, prepare=prepare)
        )
        files = [file_block(f, lambda data: prepare(data).block) for f in options.file or ()]
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
        current = self.recorder.current
        return Question(
            content=self._masked([*files, *context.blocks, *shown, *asked]),
            model=options.model,
            system=options.system,
            max_tokens=options.max_tokens,
            stop=options.stop or (),
            prefill=options.prefill or "",
            effort=options.effort,
            think=options.think,
            alone=bool(options.alone),
            cell=current.cell if current else None,
            ordinal=current.questions if current else 0,
            carried=carried,
            notices=(*context.notices, *notices),
        )

    def ask(self, question: Question, display: Display) -> Reply:
        """Ask, showing the reply on `display`. What stands above counts as asked about from now."""
        turns = len(self.session.turns)
        with display:
            try:
                reply = self.session.ask(question, display)
            finally:
                self._asked(turns)
        self.last = reply
        return reply

    def add(self, question: Question, reply: str) -> Reply:
        """A turn whose answer the user wrote: nothing is sent."""
        turns = len(self.session.turns)
        self.last = self.session.add(question, reply)
        self._asked(turns)
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

    def _asked(self, turns_before: int) -> None:
        """Later questions begin after this one, if its turn is one that they see."""
        if not any(turn.sent_later for turn in self.session.turns[turns_before:]):
            return
        self._since = self.recorder.mark()
        if self.recorder.current:
            self.recorder.current.questions += 1

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
        pieces = [
            piece
            for choice in choices
            for piece in choose(recorder.runs, recorder.current, choice, self._since)
        ]
        return gather(pieces, prompt, self.shell.user_ns, render, figures=figures)

    def _prepare(self, options: RequestOptions) -> Callable[[object], Prepared]:
        from ..messages.images import prepare

        edge = 1568
        if options.hires or self.settable.value("hires"):
            model = models.lookup(options.model or self.settable.value("model"))
            edge = model.long_edge if model else edge
        return partial(prepare, long_edge=edge, cache=self.session.images)

    def _masked(self, blocks: Sequence[Block]) -> tuple[Block, ...]:
        """The blocks with the key, should a cell or an output hold it, replaced by stars."""
        found = find_key(self.key, keyring_lookup=lambda: None)
        secret = found.secret if found else None
        return tuple(_masked(block, secret) for block in blocks)


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
