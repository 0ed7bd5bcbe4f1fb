"""`%claude_chat`, and what shows the panel: in a cell's output, by whichever library is there.

Loaded with the extension, so it imports nothing heavy; ipywidgets comes in with the first panel.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from ..messages.dependencies import missing
from ..messages.errors import InputError
from ..messages.once import Once
from ..notebook.idle_imports import MODULES
from ..notebook.page.recorder import OURS
from ..notebook.running_shell import magics_of, running_shell
from .dock import Dock
from .outbox import beside_the_cells

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..notebook.magics import ClaudeMagics
    from ..notebook.notebook import Notebook
    from .panels import Panels
    from .widget import Chat, ClaudeChat


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
    def desk(self) -> Panels:
        """What stands behind the panels, made when the first one is."""
        return self._desk()

    def _made(self) -> Panels:
        if absent := missing("ipywidgets"):
            raise InputError(absent)
        from .panels import Panels

        return Panels(self._magics.notebook)

    @no_var_expand
    @line_magic
    def claude_chat(self, line: str) -> None:
        """Show the chat panel: the conversation of this notebook, to go on with.

        `%claude_chat` shows it in the cell, `%claude_chat --dock` at the right of JupyterLab. What
        is asked in a cell appears in the panel, and the other way round.
        """
        from ..notebook.option_line import words

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
        from .dock import describe, read_request

        asked = read_request(said)
        return describe(self._magics.notebook, asked) if asked else None


def ensure() -> None:
    """Load the extension in the running shell, if it is not: somebody has opened a panel.

    What the panel needs is imported first: later the notebook's folder is on the path again, and
    what lies there is not to run for a click.
    """
    preload()
    shell = running_shell()
    if shell is not None:
        magics_of(shell, PanelMagics.__name__)


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


# Seconds after which a panel that has not come up will not. Those in which a cell runs do not
# count: what the front end says may have to wait for its end.
_PATIENCE = 5.0
_STEP = 0.25


def show(desk: Panels, notebook: Notebook, ways: Sequence[Host], *, sure: bool) -> None:
    """Show a panel in the cell that runs, the first of these ways that works; else what to do.

    Unless one is `sure` to work, that turns out after the cell: where one does not, the next takes
    its place.
    """
    from ..notebook.display.header_footer import notice
    from .widget import NO_PANEL

    publisher = notebook.shell.display_pub
    shown = {"display_id": os.urandom(16).hex()}
    if not ways:
        publisher.publish(notice(NO_PANEL), {OURS: {}}, transient=shown)
        return
    first = _made(ways[0], desk)
    publisher.publish(first._repr_mimebundle_(), {OURS: {}}, transient=shown)
    if sure:
        return

    def put(bundle: dict[str, Any]) -> None:
        publisher.publish(bundle, {OURS: {}}, transient=shown, update=True)

    def look(panel: Chat, left: Sequence[Host]) -> None:
        while not _came_up(panel, notebook):
            if not left:
                put(notice(NO_PANEL))
                return
            put(notice("Opening the panel…"))  # JupyterLab has hidden the place of what failed
            failed, panel, left = panel, _made(left[0], desk), left[1:]
            put(panel._repr_mimebundle_())
            failed.close()

    threading.Thread(
        target=beside_the_cells(look),
        args=(first, ways[1:]),
        name="claude-magic-panel-look",
        daemon=True,
    ).start()


def _made(way: Host, desk: Panels) -> Chat:
    if way == "anywidget":
        from .widget import anywhere_class

        return anywhere_class()(desk)
    from .widget import ClaudeChat

    return ClaudeChat(desk)


def _came_up(panel: Chat, notebook: Notebook) -> bool:
    """Whether it does, as soon as that is known."""
    waited = 0.0
    while waited < _PATIENCE:
        if panel.greeted.wait(_STEP):
            return True
        waited += _STEP if notebook.recorder.current is None else 0.0
    return False


Host = Literal["lab", "anywidget"]


def hosts(shell: InteractiveShell, *, told: bool) -> tuple[Host, ...]:
    """What may show a panel in this kernel's front end, the likeliest first; () where nothing does.

    `told` says that the JupyterLab extension is there. Where that is not known, it may still be:
    a page is told only after the cell that loads the extension.
    """
    if told:
        return ("lab",)
    if not hasattr(shell, "kernel"):
        return ()
    elsewhere: tuple[Host, ...] = ("anywidget",) if _has_anywidget() else ()
    if "__vsc_ipynb_file__" in shell.user_ns or "google.colab" in sys.modules:
        return elsewhere
    return ("lab", *elsewhere) if os.environ.get("JPY_SESSION_NAME") else ()


def _has_anywidget() -> bool:
    try:
        return importlib.util.find_spec("anywidget") is not None
    except ValueError:  # it was taken out of sys.modules
        return False


# By us within functions, or by others as they are first used; beside what any question needs.
_LATER = (
    "claude_magic.panel.widget",
    "claude_magic.panel.panels",
    "claude_magic.messages.images.prepare",
    "PIL.Image",
    "difflib",
    "html.parser",
    "nh3",
    "symtable",
)


def preload() -> None:
    """Import them all, in whatever order they need each other."""
    for name in (*MODULES, *_LATER):
        import_module(name)
