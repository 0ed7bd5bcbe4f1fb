"""The magics: each parses its line, makes one call, and shows what came of it."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, TypeVar, cast

from IPython.core.magic import line_cell_magic, line_magic, magics_class, no_var_expand
from traitlets import TraitError

from ..conversation.spending import Origin
from ..messages.errors import InputError
from ..messages.once import Once
from .config import Settable
from .conversation_magics import ConversationMagics
from .idle_imports import IdleImports
from .page.front_end import FrontEnd
from .page.recorder import Recorder

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..conversation.reply_value import Reply
    from .notebook import Notebook
    from .options import Magic

F = TypeVar("F", bound=Callable[..., None])


def _with_options(magic: F) -> F:
    """`magic`, whose help ends with the options that it takes: made when somebody asks for it.

    IPython asks a `getdoc` of the function before it reads `__doc__`.
    """

    def getdoc() -> str:
        from .options import usage

        options = usage(cast("Magic", magic.__name__))
        return f"{cleandoc(magic.__doc__ or '')}\n\n{options}"

    vars(magic)["getdoc"] = getdoc
    return magic


@magics_class
class ClaudeMagics(ConversationMagics, Settable):
    """Claude in a notebook. Settings are traits: `c.ClaudeMagics.model = "opus"`."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell, parent=shell)
        self._shell = shell
        self.recorder = Recorder(shell)
        self.front_end = FrontEnd(shell, ran=self._ran, serial=self.recorder.serial)
        self._origin = Origin()
        self._notebook = Once(self._made)
        self.idle_imports = IdleImports()

    @property
    def notebook_shell(self) -> InteractiveShell:
        """The shell that these are registered with."""
        return self._shell

    @property
    def notebook(self) -> Notebook:
        """The conversation's notebook side, made when it is first needed: loading stays cheap."""
        return self._notebook()

    @property
    def made_notebook(self) -> Notebook | None:
        """The same, if it was needed already."""
        return self._notebook() if self._notebook.made else None

    def _made(self) -> Notebook:
        from .notebook import Notebook

        return Notebook(self._shell, self.recorder, self, self.front_end, self._origin)

    def close(self) -> None:
        """Stop recording and close the connections."""
        self.recorder.detach()
        self.front_end.detach()
        self.idle_imports.end()
        if self._notebook.made:
            self._notebook().close()

    @no_var_expand
    @line_cell_magic
    @_with_options
    def claude(self, line: str, cell: str | None = None) -> None:
        """Ask Claude about this notebook; the answer streams in below the cell.

        What stands above goes along, down from the last question: Markdown, source, text outputs,
        tracebacks, figures.
        """
        from .option_line import parse

        options, prompt = parse(line)
        notebook = self.notebook
        question = notebook.question(options, prompt, cell or "")
        if form := options.get("dry_run"):
            from .display.dry_run import show

            self._show(show(notebook, question, form))
            return
        written = options.get("reply")
        if written is None:
            display = notebook.display(quiet=options.get("quiet", False))
            reply = notebook.ask(question, display)
        else:
            reply = notebook.add(question, written)
        self._bind(options.get("out"), reply if question.shape is None else reply.value)
        if written is not None:
            self._say("This turn is part of the conversation; nothing was sent.")
        elif options.get("code"):
            self._put_code(reply)

    @no_var_expand
    @line_magic
    @_with_options
    def claude_caption(self, line: str) -> None:
        """Describe a figure for those who cannot see it: alt text, long description, axes, trend.

        `%claude_caption` takes the last figure displayed, `-i fig` a figure, a path or what else
        `-i` of `%claude` takes. The data behind it goes along, as far as the kernel still has it.
        `--write` puts the alt text into the output's metadata; JupyterLab's pictures bear it, and
        exports after `claude-magic alt-text enable`. `-o` binds the caption, of several figures a
        list. Words on the line go along.
        """
        from .caption_magic import caption_question, captioned, figures
        from .option_line import parse

        options, words = parse(line, "claude_caption")
        found = figures(self.notebook, options)
        if form := options.get("dry_run"):
            from .display.dry_run import show

            for figure in found:
                question = caption_question(self.notebook, options, figure, words)
                self._show(show(self.notebook, question, form))
            return
        value, said = captioned(self.notebook, self.front_end, options, found, words)
        self._bind(options.get("out"), value)
        for told in said:
            self._say(told)

    @line_magic
    def claude_code(self, line: str) -> None:
        """Put the last reply's code into a new cell below; nothing is sent.

        `%claude_code` takes all code blocks, `%claude_code 2` the second.
        """
        if self.notebook.last is None:
            raise InputError("There is no reply yet: ask with %%claude first.")
        self._put_code(self.notebook.last, line.strip())

    @line_magic
    def claude_models(self, line: str) -> None:
        """List the models with aliases, price, limits, thinking, effort and what each refuses.

        The server's own list where it has one, else the built-in table. Once the server was asked
        for it, its list decides in this kernel which names are known, and how thinking and effort
        are sent. A file of your own, `%claude_config models_file=models.toml`, adds models and
        corrects prices:

            [models."qwen3:32b"]
            input = 0.0
            output = 0.0
            context = 32768
        """
        from .display.tables import models_table

        if line.strip():
            raise InputError("%claude_models takes no words; choose one with -m or model=.")
        self._show(models_table(self.notebook.session))

    @line_magic
    def claude_config(self, line: str) -> None:
        """Show the settings and where each value comes from, or set some for this kernel.

        Example: `%claude_config model=opus budget=20`; `%claude_config model=` takes it back.
        `system=` sends no system prompt at all, `system=default` ours again.
        """
        from .display.tables import assignments, settings_table

        said = list(assignments(line))
        for name, value in said:
            self.say(name, value)
        names = [name for name, _ in said]
        self._show(settings_table(self, names, self._about_model() if "model" in names else ""))

    @line_magic
    def claude_login(self, line: str) -> None:
        """Ask for an API key without showing it, for this kernel.

        `--save` keeps it in the system's keyring, `--forget` deletes it there.
        """
        from .small_commands import login

        self._show(login(self.notebook, line.split()))

    def _about_model(self) -> str:
        """What is wrong with the model that is set, and what takes its place; "" if nothing."""
        try:
            return self.notebook.session.about_model(self.value("model"))
        except InputError as error:
            return str(error)

    def _ran(self) -> set[str]:
        """The cells that this kernel has run."""
        return {run.cell for run in self.recorder.runs if run.cell}

    def _put_code(self, reply: Reply, number: str = "") -> None:
        self._put(chosen_code(reply, number))


# IPython's decorator sees the methods of one class, not those that it inherits.
for _kind, _named in ConversationMagics.magics.items():
    ClaudeMagics.magics[_kind] |= _named


def load(shell: InteractiveShell) -> ClaudeMagics:
    """Register the magics, the recorder and the completion with `shell`.

    Raises InputError for a value of the Jupyter configuration that does not fit.
    """
    try:
        magics = ClaudeMagics(shell)
    except TraitError as error:
        from ..messages.errors import InputError

        raise InputError(f"Jupyter configuration, c.ClaudeMagics: {error} Correct it.") from None
    shell.register_magics(magics)
    magics.recorder.attach()
    magics.front_end.attach()
    magics.idle_imports.begin()
    from . import option_completion, question_marks

    option_completion.attach(shell)
    question_marks.attach(shell)
    return magics


def unload(shell: InteractiveShell) -> None:
    """Undo `load`: hooks, magics, completion, connections."""
    manager: Any = shell.magics_manager
    magics = manager.registry.pop(ClaudeMagics.__name__, None)
    if magics is None:
        return
    for kind in ("line", "cell"):
        for name in [
            n for n, f in manager.magics[kind].items() if getattr(f, "__self__", None) is magics
        ]:
            del manager.magics[kind][name]
    from . import option_completion, question_marks

    option_completion.detach(shell)
    question_marks.detach(shell)
    magics.close()


def chosen_code(reply: Reply, number: str = "") -> str:
    """The code of all blocks of `reply`, or of block `number`, counted from 1.

    Raises InputError if there is none, or no such number.
    """
    blocks = reply.code_blocks
    if not blocks:
        raise InputError("The reply holds no code block.")
    if not number:
        return "\n\n".join(block.code.strip("\n") for block in blocks)
    if not number.isdecimal() or not 1 <= int(number) <= len(blocks):
        raise InputError(
            f"%claude_code {number}: the reply holds {len(blocks)} code blocks; "
            f"give a number from 1 to {len(blocks)}, or none for all."
        )
    return blocks[int(number) - 1].code.strip("\n")
