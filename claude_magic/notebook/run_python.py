"""The tool that runs code in the notebook's kernel, as a cell would, and gives what it showed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block, text
from ..tools.results import ToolAnswer, traceback_text
from ..tools.tool import Task
from .context import Render, output_shown
from .record import Output, StreamText

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from .main_thread import MainThread
    from .recorder import Recorder

_NOTHING = "It ran to its end and displayed nothing."


class RunPython:
    """Runs code in the namespace of the notebook, on the thread that runs cells."""

    def __init__(
        self, shell: InteractiveShell, recorder: Recorder, main: MainThread, render: Render
    ) -> None:
        self._shell = shell
        self._recorder = recorder
        self._main = main
        self._render = render

    def run_python(self, code: str, *, task: Task) -> ToolAnswer:
        """Run Python code in the user's notebook kernel, as a cell would.

        The notebook's variables and imports are there, and what the code defines stays. What it
        prints and displays, figures too, and the value of its last expression are shown to the user
        and come back to you, as does the traceback of an error. Magics and shell lines work;
        await outside of an async function does not. The user sees the code first and may refuse it.

        Args:
            code: The code of one cell.
        """
        return self._main.run(partial(self._run, code), task)

    def _run(self, code: str) -> ToolAnswer:
        """On the main thread: within the cell that asks, or, with none running, apart from all."""
        within = self._recorder.current is not None
        outputs, ended = self._within(code) if within else self._apart(code)
        error = ended.error_before_exec or ended.error_in_exec
        if isinstance(error, KeyboardInterrupt):  # the shell has caught it
            raise error
        blocks = list(self._blocks(outputs))
        if error is not None:
            blocks.append(text(_told(error)))
        return ToolAnswer(tuple(blocks or [text(_NOTHING)]), failed=error is not None)

    def _within(self, code: str) -> tuple[Sequence[Output], ExecutionResult]:
        """Run `code` as a part of the cell: what it displays stands there."""
        since = self._recorder.mark()
        current = self._recorder.current
        ended = self._run_cell(code)
        self._recorder.mark()  # what is printed after this is the cell's own
        shown = current.outputs if current is not None else []
        return [output for output in shown if output.serial > since], ended

    def _apart(self, code: str) -> tuple[Sequence[Output], ExecutionResult]:
        """Run `code` while no cell runs: what it displays has no place on the page."""
        from IPython.utils.capture import capture_output

        # The trap is set before: else the shell would set it within, and take the value away.
        with self._recorder.apart(), self._shell.display_trap, capture_output() as captured:
            ended = self._run_cell(code)
        outputs = [_printed(printed) for printed in (captured.stdout, captured.stderr) if printed]
        shown = [Output(0, bundle=o.data, metadata=o.metadata or {}) for o in captured.outputs]
        return [*outputs, *shown], ended

    def _run_cell(self, code: str) -> ExecutionResult:
        with _quiet_errors(self._shell), _no_await(self._shell):
            shell: Any = self._shell  # IPython says nothing of the types here
            ended: ExecutionResult = shell.run_cell(code, store_history=False)
            return ended

    def _blocks(self, outputs: Sequence[Output]) -> Iterator[Block]:
        for output in outputs:
            rendered = output_shown(output, self._render)
            yield from rendered.blocks
            yield from (text(f"[{note}]") for note in rendered.notes)


def _printed(words: str) -> Output:
    printed = StreamText()
    printed.write(words)
    return Output(0, text=printed)


def _told(error: BaseException) -> str:
    """The traceback; of an error of one line, that line."""
    if hasattr(error, "_render_traceback_"):
        return f"{type(error).__name__}: {error}"
    return traceback_text(error).rstrip()


@contextmanager
def _quiet_errors(shell: Any) -> Iterator[None]:
    """Keeps the traceback out of the cell: the cell has not failed, and its call shows it."""

    def shown(*_: object) -> None: ...

    with _replaced(shell, "_showtraceback", shown):
        yield


@contextmanager
def _no_await(shell: Any) -> Iterator[None]:
    """Has `await` outside of a function be an error at once: the loop is at work on the cell."""
    before, shell.autoawait = shell.autoawait, False
    try:
        yield
    finally:
        shell.autoawait = before


@contextmanager
def _replaced(owner: Any, name: str, method: Callable[..., Any]) -> Iterator[None]:
    """Shadows a method of one object, not of its class, for a while."""
    before = vars(owner).get(name)
    setattr(owner, name, method)
    try:
        yield
    finally:
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)
