"""`%claude_chat`, and what shows the panel.

Loaded with the extension, so it imports nothing heavy; ipywidgets comes in with the first panel.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from ..messages.once import Once
from .dock import Dock

if TYPE_CHECKING:
    from ..notebook.magics import ClaudeMagics
    from .desk import Desk
    from .widget import ClaudeChat


@magics_class
class PanelMagics(Magics):
    """The panels of one shell."""

    def __init__(self, magics: ClaudeMagics) -> None:
        super().__init__(magics.shell)
        self._magics = magics
        self._docked: ClaudeChat | None = None
        self._desk = Once(self._made)
        self.dock = Dock(magics.notebook_shell, self._docked_model, self._alt_text)

    @property
    def desk(self) -> Desk:
        """What stands behind the panels, made when the first one is."""
        return self._desk()

    def _made(self) -> Desk:
        from .desk import Desk

        return Desk(self._magics.notebook)

    @no_var_expand
    @line_magic
    def claude_chat(self, line: str) -> None:
        """Show the chat panel: the conversation of this notebook, to go on with.

        `%claude_chat` shows it in the cell, `%claude_chat --dock` at the right of JupyterLab. What
        is asked in a cell appears in the panel, and the other way round.
        """
        from ..notebook.option_line import words
        from .hosts import hosts
        from .showing import show

        said = words(line, "%claude_chat", flags=("dock",))
        said.nothing()
        told = self._magics.front_end.told
        ways = hosts(self._magics.notebook_shell, told=told)
        if said.flag("dock") and "lab" in ways:
            self.dock.show()
            return
        show(self.desk, self._magics.notebook, ways, sure=told)

    def close(self) -> None:
        """Take the panels away, and stop what they asked."""
        self.dock.detach()
        if self._desk.made:
            self.desk.close()

    def _docked_model(self) -> str:
        """The id of the model of the docked panel: one for the kernel, however often it is asked
        for."""
        from .widget import ClaudeChat

        if self._docked is None or self._docked.comm is None:
            self._docked = ClaudeChat(self.desk)
        return str(self._docked.model_id)

    def _alt_text(self, said: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer to the lab extension's request for alt text; None for what is none."""
        from .alt_text import describe, read_request

        asked = read_request(said)
        return describe(self._magics.notebook, asked) if asked else None


def ensure() -> None:
    """Load the extension in the running shell, if it is not: somebody has opened a panel.

    Not by IPython's manager: to a cell that loads the extension later it is as if it was not. What
    the panel needs is imported first: later the notebook's folder is on the path again, and what
    lies there is not to run for a click.
    """
    from IPython.core.getipython import get_ipython

    from .preload import preload

    preload()
    shell = get_ipython()
    if shell is not None and "ClaudeMagics" not in shell.magics_manager.registry:
        from ..notebook.magics import load as load_notebook

        load(load_notebook(shell))


def load(magics: ClaudeMagics) -> None:
    """Register the magic, and open the comm for the docked panel."""
    made = PanelMagics(magics)
    shell: Any = magics.notebook_shell
    shell.register_magics(made)
    made.dock.attach()


def unload(shell: Any) -> None:
    """Undo `load`."""
    made = shell.magics_manager.registry.pop(PanelMagics.__name__, None)
    if made is not None:
        shell.magics_manager.magics["line"].pop("claude_chat", None)
        made.close()


def current_desk() -> Desk:
    """The desk of the running shell. Raises InputError where the extension is not loaded."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    made = shell.magics_manager.registry.get("PanelMagics") if shell else None
    if made is None:
        from ..messages.errors import InputError

        raise InputError("Load the extension first: %load_ext claude_magic")
    desk: Desk = made.desk
    return desk
