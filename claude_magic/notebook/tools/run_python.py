"""The tool that runs code in the notebook's kernel, as a cell would, on its main thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ...messages.blocks import Block, text
from ...messages.errors import InputError, Interrupted
from ...tools.results import ToolAnswer, traceback_text
from ...tools.tool import Task
from ..context.cell_blocks import Render, output_shown
from ..page.recorder import Output, StreamText

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from ...tools.tool import Task
    from ..page.recorder import Recorder

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


T = TypeVar("T")

# Seconds between two looks: whether a cell still runs, whether the question was stopped.
_LOOK = 0.05


class MainThread:
    """The thread that runs cells; `busy` says whether it runs one."""

    def __init__(self, shell: InteractiveShell, busy: Callable[[], bool]) -> None:
        self._shell = shell
        self._busy = busy

    def run(self, work: Callable[[], T], task: Task) -> T:
        """What `work` returns, run on the main thread: at once there, else when it is free.

        Until then the task says that it waits. Stopped while it waits, it is not run at all;
        stopped while it runs, it is interrupted as a cell is. Raises what `work` raises,
        Interrupted, and InputError where there is no kernel whose thread could be waited for.
        """
        if threading.current_thread() is threading.main_thread():
            return work()
        kernel: Any = getattr(self._shell, "kernel", None)
        if kernel is None:
            raise InputError("This runs in a cell only: ask from a cell, not from a thread.")
        job = _Job(work, self._busy, kernel.io_loop)
        job.look_soon()
        while True:
            try:
                return job.future.result(_LOOK)
            except StillRunning:
                if job.future.done():  # an error of this kind is the work's own
                    return job.future.result()
            if task.cancel is not None and task.cancel.is_set:
                job.stop()
                raise Interrupted("you stopped it.")
            job.tell_once(task.say)


class _Job(Generic[T]):
    """One piece of work on its way to the main thread."""

    def __init__(self, work: Callable[[], T], busy: Callable[[], bool], loop: Any) -> None:
        self.future: Future[T] = Future()
        self._work = work
        self._busy = busy
        self._loop = loop
        self._told = self._stopped = self._running = False
        # Held where an interrupt is sent: it must not come after the work, and hit a cell.
        self._lock = threading.Lock()

    def look_soon(self) -> None:
        """Have the main thread look, as soon as its loop is at it."""
        self._loop.add_callback(self._look)

    def tell_once(self, say: Callable[[str], None]) -> None:
        """Say that the work waits, if it does and this was not said."""
        if not self._told and not self._running:
            self._told = True
            say("waits until no cell runs")

    def stop(self) -> None:
        """Take the work back, or interrupt it where it has begun."""
        with self._lock:
            self._stopped = True
            if not self.future.cancel() and self._running:
                _interrupt_main_thread()

    def _look(self) -> None:
        """On the main thread: do the work if no cell runs, else look again a little later."""
        if self.future.cancelled():
            return
        if self._busy():  # a cell that awaits something lets the loop run
            self._loop.call_later(_LOOK, self._look)
            return
        with self._lock:
            if not self.future.set_running_or_notify_cancel():
                return
            self._running = True
        self._do()

    def _do(self) -> None:
        """Do the work. No interrupt may pass: it would end the kernel's loop."""
        error: BaseException | None = None
        try:
            with _interruptible():
                found = self._begin()
        except BaseException as raised:  # handed on to the thread that waits, whatever it is
            error = raised
        with self._lock:
            self._running = False
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(found)

    def _begin(self) -> T:
        if self._stopped:  # before interrupts counted
            raise KeyboardInterrupt
        return self._work()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Has an interrupt raise KeyboardInterrupt: a kernel ignores it where no cell runs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupt_main_thread() -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()
