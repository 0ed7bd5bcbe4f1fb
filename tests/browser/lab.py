"""How the browser tests talk to JupyterLab."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

# Milliseconds until what a test waits for counts as never coming. A machine that does other work
# at the same time takes its time; a test that passes does not wait longer for it.
PATIENCE = 120_000


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab and the folder it serves."""

    url: str
    folder: Path


_IDLE = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  const ready = panel?.context?.isReady && panel.sessionContext.isReady;
  const idle = kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
  // A kernel at work on a cell says that it is idle whenever it has answered the page.
  return !!ready && idle && panel.content.widgets.every(c => c.model.executionState !== 'running');
}"""


class Notebook:
    """A notebook in the browser, driven by JupyterLab's own commands."""

    def __init__(self, lab: Lab, page: Any) -> None:
        self.lab = lab
        self.page = page
        page.set_default_timeout(PATIENCE)

    def open(
        self, name: str, sources: list[str] | None = None, *, application: str = "lab/tree"
    ) -> None:
        """Open `name`, written first with these code cells if given, and wait for its kernel.

        `application` is the path of the front end: "notebooks" is Notebook 7.
        """
        if sources is not None:
            self.write(name, sources)
        if application == "lab/tree":
            # A workspace of its own: a reload does not open what other pages have open.
            application = f"lab/workspaces/{uuid.uuid4().hex}/tree"
        self.page.goto(f"{self.lab.url}/{application}/{name}?reset")
        self.until_idle()

    def write(self, name: str, sources: list[str]) -> None:
        """Write the notebook `name` with these code cells."""
        nb = nbformat.v4.new_notebook()
        nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nb.cells = [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(nb, self.lab.folder / name)

    def until_idle(self) -> None:
        """Return once the notebook's kernel is connected and has nothing to do."""
        self.page.wait_for_function(_IDLE, timeout=PATIENCE)

    def command(self, name: str, **arguments: Any) -> None:
        """Run one of JupyterLab's commands and wait until it is done."""
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments]
        )

    def run_all(self) -> None:
        """Run all cells and wait until the kernel is idle again."""
        self.command("notebook:run-all-cells")
        self.until_idle()

    def js(self, expression: str, argument: Any = None) -> Any:
        """The value of a JavaScript expression of `panel`, `model`, `kernel` and `argument`."""
        return self.page.evaluate(
            "async (argument) => {"
            " const panel = window.jupyterapp.shell.currentWidget, model = panel.context.model;"
            " const kernel = panel.sessionContext.session?.kernel;"
            f" return await ({expression}); }}",
            argument,
        )

    def select(self, cell: int) -> None:
        """Make this cell, counted from 0, the active one."""
        self.js("panel.content.activeCellIndex = argument", cell)
        self.js("panel.content.deselectAll()")

    def run(self, cell: int) -> None:
        """Run this cell alone, and wait until the kernel is idle again."""
        self.select(cell)
        self.command("notebook:run-cell")
        self.until_idle()

    def start(self, cell: int) -> None:
        """Send this cell to the kernel, and do not wait for it."""
        self.select(cell)
        self.js("void window.jupyterapp.commands.execute('notebook:run-cell')")

    def reload(self) -> None:
        """Reload the page, and wait until it is connected to the kernel, whatever that does."""
        self.page.reload()
        self.until("kernel?.connectionStatus === 'connected'")

    def until(self, expression: str) -> None:
        """Return once a JavaScript expression of `panel`, `model`, `kernel` is true."""
        self.page.wait_for_function(
            "() => { const panel = window.jupyterapp?.shell.currentWidget;"
            " const model = panel?.context?.model;"
            " const kernel = panel?.sessionContext?.session?.kernel;"
            f" return !!({expression}); }}",
            timeout=PATIENCE,
        )

    def until_true(self, holds: Callable[[], object]) -> None:
        """Return once `holds` is true; what the page does goes on meanwhile."""
        end = time.monotonic() + PATIENCE / 1000
        while not holds():
            assert time.monotonic() < end, "it never was so"
            self.page.wait_for_timeout(50)

    @property
    def sources(self) -> list[str]:
        """The texts of the cells from top to bottom."""
        found: list[str] = self.js("[...model.cells].map((c) => c.sharedModel.getSource())")
        return found

    def until_sources(self, *expected: str) -> None:
        """Return once the cells from top to bottom hold these texts."""
        self.until(
            "JSON.stringify([...model.cells].map((c) => c.sharedModel.getSource()))"
            f" === JSON.stringify({json.dumps(expected)})"
        )

    def value(self, expression: str) -> str:
        """What an expression is in the kernel, as it is shown; no cell is run for it."""
        done = self.js(
            "kernel.requestExecute({code: '', silent: true, user_expressions: {value: argument}})"
            ".done.then((reply) => reply.content.user_expressions.value.data['text/plain'])",
            expression,
        )
        return str(done)

    def output(self, cell: int) -> Any:
        """The output area of a code cell, counted from 0."""
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea").first

    def drawn(self, image: Any) -> Any:
        """The picture, once it is drawn."""
        self.until_true(lambda: image.evaluate("i => i.complete && i.naturalWidth > 0"))
        return image

    def theme(self, name: str) -> None:
        """Change the theme, for example to "JupyterLab Dark"."""
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function(
            "(name) => document.body.dataset.jpThemeName === name", arg=name
        )
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
