"""The magics that look after the conversation: each reads its line and makes one call."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

if TYPE_CHECKING:
    from .notebook import Notebook


@magics_class
class ConversationMagics(Magics):
    """`%claude_history` and its kin; `%%claude` itself is added by `ClaudeMagics`."""

    @property
    @abstractmethod
    def notebook(self) -> Notebook:
        """The conversation's notebook side."""

    @no_var_expand
    @line_magic
    def claude_history(self, line: str) -> None:
        """Show the turns of this notebook, from the top of the page to its end.

        `%claude_history 3` shows turn 3 whole, with what was sent. `--old` lists replaced versions
        too, `--restore 3` brings one back. `--resume` takes up the last conversation where cells
        have no ids (a terminal). `--all` lists all notebooks.
        """
        from . import small_commands
        from .option_line import words

        said = words(line, "%claude_history", flags=("old", "resume", "all"), values=("restore",))
        if said.flag("all"):
            known = self.notebook.session.catalogue
            self._show(small_commands.notebooks(self.notebook.conversations(), known))
        elif said.flag("resume"):
            self._say(small_commands.resume(self.notebook))
        elif said.value("restore"):
            self._say(small_commands.restore(self.notebook, said.number(said.value("restore"))))
        elif said.rest:
            self._show(small_commands.one(self.notebook, said.number(said.one())))
        else:
            self._show(small_commands.history(self.notebook, old=said.flag("old")))

    @no_var_expand
    @line_magic
    def claude_undo(self, line: str) -> None:
        """Take the turn that was asked last out of the conversation; it stays on record."""
        from . import small_commands
        from .option_line import words

        words(line, "%claude_undo").nothing()
        self._say(small_commands.undo(self.notebook))

    @no_var_expand
    @line_magic
    def claude_reset(self, line: str) -> None:
        """Empty the conversation; what was asked stays on record.

        `--purge` deletes the records and images of this notebook from the disk.
        """
        from . import small_commands
        from .option_line import words

        said = words(line, "%claude_reset", flags=("purge",))
        said.nothing()
        self._say(small_commands.reset(self.notebook, purge=said.flag("purge")))

    @no_var_expand
    @line_magic
    def claude_continue(self, line: str) -> None:
        """Have the reply above gone on with, where it was cut off, interrupted or broken.

        Words on the line go along: `%claude_continue but shorter`.
        """
        from . import small_commands

        question = small_commands.going_on(self.notebook, line.strip())
        if question is None:
            self._say("The reply above came whole this time: there is nothing to go on with.")
            return
        self.notebook.ask(question, self.notebook.display(quiet=False))

    @no_var_expand
    @line_magic
    def claude_usage(self, line: str) -> None:
        """Show tokens and cost: this notebook, all notebooks, models, the last days.

        `--turns` shows each turn of this notebook.
        """
        from .display import tables
        from .option_line import words

        said = words(line, "%claude_usage", flags=("turns",))
        said.nothing()
        mine, session = self.notebook.session.turns, self.notebook.session
        if said.flag("turns"):
            self._show(tables.turns_table(mine, session.catalogue))
            return
        others = (t for _, loaded in self.notebook.conversations().all() for t in loaded.turns)
        everywhere = tables.distinct((*others, *mine))
        budget, spent = session.settings().budget, session.spending.spent
        known = session.catalogue
        self._show(tables.usage_table(mine, everywhere, spent, budget, known))

    @no_var_expand
    @line_magic
    def claude_export(self, line: str) -> None:
        """Write the conversation to a file: `.md`, `.json` (messages) or `.py` (a script).

        `%claude_export --record FILE` writes a recording instead, for `record=FILE`. `--force`
        writes over a file that is there.
        """
        from . import small_commands
        from .option_line import words

        said = words(line, "%claude_export", flags=("force", "record"))
        target = said.one("a file's name, as in %claude_export talk.md")
        record, force = said.flag("record"), said.flag("force")
        self._say(small_commands.written(self.notebook, target, record=record, force=force))

    @no_var_expand
    @line_magic
    def claude_fix(self, line: str) -> None:
        """Explain the last error, and put the mended code into a new cell below.

        Words on the line go along: `%claude_fix keep the loop`.
        """
        from .fix_magic import fix_question, last_failure, mended
        from .options import bare

        notebook = self.notebook
        run = last_failure(
            [r for r in notebook.recorder.runs if r is not notebook.recorder.current]
        )
        prompt, blocks = fix_question(run, notebook.shell.user_ns, line.strip())
        question = notebook.question(bare(), prompt, blocks=blocks)
        reply = notebook.ask(question, notebook.display(quiet=False))
        self._put(mended(reply.code_blocks))

    def _put(self, code: str) -> None:
        """Put code into a new cell below."""
        self.notebook.shell.set_next_input(code, replace=False)

    def _bind(self, name: str | None, value: Any) -> None:
        if name:
            self.notebook.shell.user_ns[name] = value

    def _say(self, text: str) -> None:
        from .display.header_footer import notice

        self._show(notice(text))

    def _show(self, bundle: dict[str, Any]) -> None:
        from .page.recorder import OURS

        self.notebook.shell.display_pub.publish(bundle, {OURS: {}})
