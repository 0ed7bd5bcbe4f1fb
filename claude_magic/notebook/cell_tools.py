"""Tools that write into the notebook: a new cell, or another text for one that is there."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from ..tools.results import ToolAnswer, failed, told

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .front_end import FrontEnd
    from .page_tools import PageTools
    from .record import CellRun
    from .recorder import Recorder

Kind = Literal["code", "markdown"]


class CellTools:
    """Writes cells by the JupyterLab extension; without it, one new cell below the running one."""

    def __init__(
        self,
        shell: InteractiveShell,
        recorder: Recorder,
        front_end: FrontEnd,
        page: PageTools,
    ) -> None:
        self._shell = shell
        self._recorder = recorder
        self._front_end = front_end
        self._page = page
        # By cell, what these tools wrote there, and when: a run of it after that says more.
        self._written: dict[str, tuple[int, str]] = {}
        # The run that inserts, the last cell that it inserted, and what it put below itself.
        self._run: CellRun | None = None
        self._last = ""
        self._below: list[str] = []

    def insert_cell(self, source: str, kind: Kind = "code") -> ToolAnswer:
        """Put a new cell into the user's notebook, below the one that asks; it is not run.

        Args:
            source: The cell's text.
            kind: What kind of cell it is.
        """
        self._begin()
        if not self._front_end.told:
            return self._put_below(source, kind)
        below = self._last or (self._run.cell if self._run else "") or ""
        cell = secrets.token_hex(4)
        if not self._front_end.insert(cell, below=below, kind=kind, source=source):
            return failed("The page is gone: no cell was inserted.")
        self._last = cell
        self._wrote(cell, source)
        return told(f"The cell {cell} was inserted.")

    def edit_cell(self, cell: str, source: str) -> ToolAnswer:
        """Give a code cell of the user's notebook another text; it is not run.

        Args:
            cell: The id of the cell, as read_cells gives it.
            source: The whole new text of the cell.
        """
        if not self._front_end.told:
            return failed(
                "Cells can be changed in JupyterLab with its extension only; insert_cell works."
            )
        before = self.source(cell)
        if before is None:
            return failed(f"No cell with the id {cell[:64]!r} is known: look with read_cells.")
        if not self._front_end.edit(cell, was=before, source=source):
            return failed("The page is gone: the cell was not changed.")
        self._wrote(cell, source)
        return told(
            "The page was told to change the cell. Should the user have changed it since it was "
            "read, the new text stands in a new cell below it."
        )

    def source(self, cell: str) -> str | None:
        """The text of a cell as far as it is known."""
        serial, written = self._written.get(cell, (0, None))
        run = next((k.run for k in self._page.known() if k.run.cell == cell), None)
        return run.source if run is not None and run.serial > serial else written

    def new_cell(self, given: Mapping[str, Any]) -> tuple[str, str]:
        """A new cell's language and text, for whoever is to allow it."""
        kind = str(given.get("kind", "code"))
        return "python" if kind == "code" else kind, str(given.get("source"))

    def change(self, given: Mapping[str, Any]) -> tuple[str, str]:
        """A change of a cell as a diff, for whoever is to allow it."""
        cell, after = str(given.get("cell")), str(given.get("source"))
        before = self.source(cell)
        if before is None:
            return "", after
        lines = difflib.unified_diff(
            before.splitlines(),
            after.splitlines(),
            f"cell {cell}",
            "new text",
            n=1_000,
            lineterm="",
        )
        return "diff", "\n".join(lines)

    def _wrote(self, cell: str, source: str) -> None:
        self._written[cell] = self._recorder.serial(), source

    def _begin(self) -> None:
        """Inserted cells stand in their order below the run of the cell that asks."""
        if self._recorder.current is not self._run:
            self._run, self._last, self._below = self._recorder.current, "", []

    def _put_below(self, source: str, kind: Kind) -> ToolAnswer:
        """Without the extension: the shell's own next cell, of which there is one."""
        if self._run is None:
            return failed("A cell can be inserted from a cell only: none runs.")
        self._below.append(f"%%markdown\n{source}" if kind == "markdown" else source)
        if len(self._below) > 1 and any(part.startswith("%%") for part in self._below):
            self._below.pop()
            return failed(
                "Only one cell can be put below a question here, and a Markdown cell or a cell "
                "magic has to be alone in it."
            )
        self._shell.set_next_input("\n\n".join(self._below), replace=False)
        where = "in the one new cell" if len(self._below) > 1 else "in a new cell"
        return told(f"It stands {where} below the question.")
