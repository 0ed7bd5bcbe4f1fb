"""The tools that come with the notebook: run code, look at cells and variables, write cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..messages.once import Once
from ..tools.function import function_tool
from ..tools.tool import Tool
from .cell_tools import CellTools
from .main_thread import MainThread
from .page_tools import PageTools
from .run_python import RunPython

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..tools.results import Render
    from .context import Render as RenderOutput
    from .front_end import FrontEnd
    from .recorder import Recorder
    from .standing import Standing


class BuiltIn:
    """The built-in tools of one shell's notebook, made when the first is asked for."""

    def __init__(
        self,
        shell: InteractiveShell,
        recorder: Recorder,
        standing: Standing,
        front_end: FrontEnd,
        *,
        render: Render,
        render_output: RenderOutput,
    ) -> None:
        main = MainThread(shell, busy=lambda: recorder.current is not None)
        self._python = RunPython(shell, recorder, main, render_output)
        self._page = PageTools(shell, recorder, standing, render, render_output)
        self._cells = CellTools(shell, recorder, front_end, self._page)
        self._tools = Once(self._made)

    def __getitem__(self, name: str) -> Tool:
        return self._tools()[name]

    def _made(self) -> Mapping[str, Tool]:
        """By name. What only reads needs no leave."""
        python, page, cells = self._python, self._page, self._cells
        # The task is given by us: the model does not see it.
        run: Any = python.run_python
        run_python = function_tool(partial(run, task=None))
        return {
            "run_python": replace(
                run_python,
                function=python.run_python,
                with_task=True,
                preview=lambda given: ("python", str(given.get("code"))),
            ),
            "read_cells": replace(function_tool(page.read_cells), approve="auto"),
            "inspect_variable": replace(function_tool(page.inspect_variable), approve="auto"),
            "insert_cell": replace(function_tool(cells.insert_cell), preview=cells.new_cell),
            "edit_cell": replace(function_tool(cells.edit_cell), preview=cells.change),
        }
