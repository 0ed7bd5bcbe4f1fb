"""The magics: each parses its line, makes one call, and shows what came of it.

IPython takes a line that ends in a question mark as a request for help, magics included. Lines of
`%claude` that hold a question are turned into the call of the magic before it looks. It reads a
cell whole before it runs it: in the one that loads the extension, its calls for help are caught.
"""

from __future__ import annotations

import ast
import re
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

        What was run since the last question goes along: source, text outputs, tracebacks, figures.
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
        `--write` puts the alt text into the output's metadata; `jupyter nbconvert --template
        alt-text` finds it there. `-o` binds the caption, of several figures a list. Words on the
        line go along.
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
    from . import option_completion

    option_completion.attach(shell)
    attach(shell)
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
    from . import option_completion

    option_completion.detach(shell)
    detach(shell)
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


# Compiled when first used, as `re` keeps them: loading the extension waits for none of these.
_QUESTION = r"^(\s*)%claude[ \t]+(\S.*\?)\s*$"
_OTHER_MAGIC = r"^(\s*)[%!].*\n?$"


def ask_with_question_mark(lines: list[str]) -> list[str]:
    """The cell's lines, `%claude …?` among them as calls. `%claude?` itself stays help."""
    if lines and lines[0].startswith("%%"):
        return lines
    result = list(lines)
    for number, line in enumerate(lines):
        found = re.match(_QUESTION, line)
        if found and found[2].strip("?") and _starts_a_statement(result, number):
            result[number] = f"{found[1]}get_ipython().run_line_magic('claude', {found[2]!r})\n"
    return result


def _starts_a_statement(lines: list[str], number: int) -> bool:
    """Whether a line begins something, and does not stand within a string or a bracket."""
    if not number:
        return True  # without what reading Python costs the first time
    from IPython.core.inputtransformer2 import make_tokens_by_line

    # Words of other magics are no Python: their quotes and brackets open nothing.
    before = [re.sub(_OTHER_MAGIC, r"\1pass\n", line) for line in lines[:number]]
    statements = make_tokens_by_line([*before, lines[number]])
    return any(
        token.start == (number + 1, len(token.line) - len(token.line.lstrip()))
        for statement in statements
        for token in statement[:2]  # an indent may come first
    )


class _FirstCell:
    """What the cell that loads the extension was read as, and what its lines say now.

    For as long as that cell runs, its calls for help that are questions ask.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._cell = str(shell.history_manager.input_hist_raw[-1]) if shell.history_manager else ""
        self._read = self._transformed()
        # By the magic for help and its word: the questions in their order, None for help.
        self._meant: dict[tuple[str, str], list[str | None]] = {}

    def attach(self) -> None:
        """Catch calls for help, if the cell as it is read now holds questions in their place."""
        lines, asking = self._read.splitlines(), self._transformed().splitlines()
        if lines == asking or len(lines) != len(asking):  # an open bracket joins lines
            return
        for was, now in zip(lines, asking, strict=True):
            called = _magic_called(was)
            if called is not None:
                meant = _magic_called(now) if was != now else None
                self._meant.setdefault(called, []).append(meant[1] if meant else None)
        vars(self._shell)["run_line_magic"] = self._run
        self._shell.events.register("post_execute", self._detach)

    def _transformed(self) -> str:
        transform: Callable[[str], str] = self._shell.transform_cell
        return transform(self._cell)

    def _run(self, name: str, line: str, _stack_depth: int = 1) -> Any:
        in_order = self._meant.get((name, line), [None])
        question = in_order.pop(0) if len(in_order) > 1 else in_order[0]
        if question is not None:
            name, line = "claude", question
        return type(self._shell).run_line_magic(self._shell, name, line, _stack_depth + 1)

    def _detach(self) -> None:
        vars(self._shell).pop("run_line_magic", None)
        self._shell.events.unregister("post_execute", self._detach)


def _magic_called(line: str) -> tuple[str, str] | None:
    """Name and words of the magic that a line calls, as IPython has read it; None for Python."""
    try:
        match ast.parse(line.strip()).body:
            case [
                ast.Expr(
                    ast.Call(
                        ast.Attribute(attr="run_line_magic"),
                        [ast.Constant(str(name)), ast.Constant(str(words))],
                    )
                )
            ]:
                return name, words
    except SyntaxError:  # part of a longer statement
        pass
    return None


def attach(shell: InteractiveShell) -> None:
    """Let `shell` ask where a line of `%claude` ends in a question mark, from this cell on."""
    first = _FirstCell(shell)
    shell.input_transformers_cleanup.append(ask_with_question_mark)
    first.attach()


def detach(shell: InteractiveShell) -> None:
    """Undo `attach`."""
    if ask_with_question_mark in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(ask_with_question_mark)
