"""The calls of one reply, run: whatever comes of one is a result that says so."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Waiting
from contextlib import contextmanager
from dataclasses import field
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..conversation.asking.question import Called, Calling, Doing, Seen, Tell
from ..messages.blocks import NOT_ALLOWED, Block
from ..messages.credentials import Secret, masked
from ..messages.errors import Interrupted
from ..messages.models import Model
from ..messages.transport.cancel import Cancel
from ..messages.transport.stream import runnable
from ..value_classes import frozen, mutable
from .approval import DENIED, Approval
from .results import Render, ToolAnswer, answer, failed, result, traceback_text
from .tool import Arguments, ArgumentsError, Task, Tool

if TYPE_CHECKING:
    from ..messages.transport.cancel import Cancel

T = TypeVar("T")

# Seconds between two looks at whether the question was stopped: a person does not notice.
_LOOK = 0.05


class ToolTimeout(Exception):  # noqa: N818 - it is what the model reads
    """A function ran longer than it may; the text is for the model."""


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling `function` gives something to be awaited."""
    called = getattr(function, "__call__", None)  # noqa: B004 - of an object, its method
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def stop_if(cancel: Cancel | None) -> None:
    """Nothing. Raises Interrupted once the question was stopped from another thread."""
    if cancel is not None and cancel.is_set:
        raise Interrupted("you stopped it.")


def run_sync(work: Callable[[], T], seconds: float, cancel: Cancel | None) -> T:
    """What `work` returns, within `seconds` (0: as long as it takes).

    On the main thread it runs there: plotting needs that, and Python's interrupt reaches it; its
    time is kept by an alarm signal, which Windows does not have. Elsewhere it runs in a thread of
    its own where it has to be left behind: no thread can be stopped from outside.

    Raises what `work` raises, ToolTimeout, and Interrupted once `cancel` is set.
    """
    if threading.current_thread() is threading.main_thread():
        with _alarm(seconds):
            return work()
    if not seconds and cancel is None:
        return work()
    future: Future[T] = Future()
    threading.Thread(
        target=_fulfil, args=(future, work), name="claude-magic-tool", daemon=True
    ).start()
    return wait_for(future, seconds, cancel)


def wait_for(future: Future[T], seconds: float, cancel: Cancel | None) -> T:
    """What `future` holds in the end. Raises ToolTimeout and Interrupted, and leaves it then."""
    deadline = time.monotonic() + seconds if seconds else float("inf")
    while True:
        stop_if(cancel)
        left = deadline - time.monotonic()
        if left <= 0:
            raise ToolTimeout(f"{_longer(seconds)}; it could not be stopped and runs on")
        try:
            return future.result(min(left, _LOOK))
        except Waiting:
            if future.done():  # the function's own error is of this kind
                return future.result()


class AsyncThread:
    """An event loop in a thread of its own: a kernel's own loop is at work on the cell that asks.

    Started when it is first used. In a forked child another one is started.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    def start(self, function: Callable[[], Any], seconds: float) -> Future[Any]:
        """Have what `function` returns awaited in the loop; the future is cancelled with it."""
        return asyncio.run_coroutine_threadsafe(_awaited(function, seconds), self._running())

    def close(self) -> None:
        """End the loop, if one was started."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None and self._process == os.getpid():
            loop.call_soon_threadsafe(loop.stop)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():
                self._loop, self._process = asyncio.new_event_loop(), os.getpid()
                threading.Thread(
                    target=_run, args=(self._loop,), name="claude-magic-async", daemon=True
                ).start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(_cancel(asyncio.all_tasks(loop)))
        loop.close()


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _awaited(function: Callable[[], Any], seconds: float) -> Any:
    try:
        async with asyncio.timeout(seconds or None) as limit:
            return await function()
    except TimeoutError:
        if limit.expired():
            raise ToolTimeout(f"{_longer(seconds)} and was stopped") from None
        raise
    except (SystemExit, KeyboardInterrupt) as error:  # would end the loop
        raise RuntimeError(f"the function ended with {type(error).__name__}") from error


def _fulfil(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # handed on to the thread that waits, whatever it is
        future.set_exception(error)


class _Alarm(BaseException):
    """Raised within the function: no `except Exception` of its own must keep it."""


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Stops what runs within on the main thread after `seconds`, and raises ToolTimeout."""
    if not seconds or not hasattr(signal, "setitimer"):
        yield
        return
    others = signal.getitimer(signal.ITIMER_REAL)
    if 0 < others[0] <= seconds:  # the notebook's own alarm comes first
        yield
        return

    def ring(*_: object) -> None:
        if armed:
            raise _Alarm

    armed = True
    began = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _Alarm:
        raise ToolTimeout(f"{_longer(seconds)} and was stopped") from None
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if others[0]:
            left = others[0] - (time.monotonic() - began)
            signal.setitimer(signal.ITIMER_REAL, max(left, _LOOK), others[1])


def _longer(seconds: float) -> str:
    return f"it ran longer than {seconds:g} s"


class Toolset(Protocol):
    """Several tools as one: what is defined for the model, and who carries its calls out."""

    def definitions(self, model: Model, *, anthropic: bool) -> Sequence[Mapping[str, Any]]:
        """As `Toolbox.definitions`."""

    def betas(self, model: Model) -> tuple[str, ...]:
        """As `Toolbox.betas`."""

    def check(self) -> None:
        """Nothing. Raises InputError where it cannot be used on this machine."""

    def takes(self, call: Block) -> bool:
        """Whether `call` is one of this set's."""

    def needs_approval(self, call: Block) -> bool:
        """Whether the user is to be asked about `call`."""

    def describe(self, call: Block) -> str:
        """The whole call in words, for whoever is asked."""

    def run(
        self,
        calls: Sequence[Block],
        *,
        approve: Callable[[Block], str | None] | None = None,
        cancel: Cancel | None = None,
        seen: Callable[[Block, bytes], None] | None = None,
    ) -> Iterator[Block]:
        """The `tool_result` of each call, in their order; a call is run as its result is asked for.

        `approve` says why a call that needs that is not allowed, None where it is. `seen` is given
        what a call has left on a screen, as a PNG.
        """

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[Any]:
        """As `Toolbox.ended`; among the calls may be those of others."""


def as_tool(toolset: Toolset, call: Block) -> Tool:
    """The set as the rule for calls sees it: one tool.

    "Always" is said of one run: the next question may be about another program.
    """
    return Tool(
        str(call.get("toolset_name") or call.get("name")),
        "",
        {},
        type(toolset).run,
        lambda _: Arguments(),
        preview=lambda _: ("", toolset.describe(call)),
        lasting=False,
    )


def batch(
    toolset: Toolset,
    calls: Sequence[Block],
    approval: Approval,
    tell: Tell,
    cancel: Cancel | None,
    *,
    clock: Callable[[], float],
) -> Iterator[tuple[Block, Block, float]]:
    """Each call with its result and the seconds that it took; `tell` is given it as it begins.

    Where no call may run, the set learns of none: not even what needs no approval is done.
    """
    if approval.denies_all:
        for call in calls:
            tell(Calling(call))
            yield call, result(call, failed(f"{NOT_ALLOWED}: {DENIED}")), 0.0
        return

    def approve(call: Block) -> str | None:
        return approval.objection(call, as_tool(toolset, call), cancel)

    def seen(call: Block, picture: bytes) -> None:
        tell(Seen(call, picture))

    results = toolset.run(calls, approve=approve, cancel=cancel, seen=seen)
    for call in calls:
        tell(Calling(call))
        began = clock()
        yield call, next(results), clock() - began


TIMEOUT = 120.0
"""Seconds that a function may run."""

_CUT = "The arguments were cut off or are no JSON object: nothing was run. Give them whole."
_NOT_RUN = "The user stopped this call before it ran."
_STOPPED = "The user stopped this call; a part of what it does may be done."


@frozen
class Surroundings:
    """What a toolbox needs of where it is used.

    `render` shows a value to a model; `secrets` are what no result may hold; `loop` is
    where async functions run; `timeout` is in seconds, 0 for none.
    """

    render: Render
    secrets: Callable[[], tuple[Secret, ...]]
    loop: AsyncThread = field(default_factory=AsyncThread)
    timeout: float = TIMEOUT
    clock: Callable[[], float] = time.monotonic


class Calls:
    """Runs calls of functions, each when it is allowed, and tells of each."""

    def __init__(
        self, tools: Mapping[str, Tool], approval: Approval, surroundings: Surroundings
    ) -> None:
        self._tools = tools
        self._approval = approval
        self._around = surroundings

    def is_async(self, call: Block) -> bool:
        """Whether `call` can run beside others of its kind."""
        tool = self._tools.get(str(call.get("name")))
        return tool is not None and is_async(tool.function)

    def of_toolset(
        self, toolset: Toolset, calls: Sequence[Block], tell: Tell, cancel: Cancel | None
    ) -> Iterator[Block]:
        """The results of calls that come one after the other in a reply, each when it is there."""
        clock = self._around.clock
        done = batch(toolset, calls, self._approval, tell, cancel, clock=clock)
        for call, found, seconds in done:
            block = self._masked(found)
            tell(Called(call, block, seconds))
            yield block

    def alone(self, call: Block, tell: Tell, cancel: Cancel | None) -> Iterator[Block]:
        """The result of one call; where the user interrupts it, that, and then the interrupt."""
        stop_if(cancel)
        began = None
        try:
            tell(Calling(call))
            ready = self._ready(call, cancel)
            began = self._around.clock()
            if isinstance(ready, ToolAnswer):
                found = ready
            else:
                task = Task(cancel, lambda what: tell(Doing(call, what)))
                found = self._answer(ready, task)
        except KeyboardInterrupt:
            words = _NOT_RUN if began is None else _STOPPED
            yield self._told(call, failed(words), began, tell)
            raise
        yield self._told(call, found, began, tell)

    def together(
        self, calls: Sequence[Block], tell: Tell, cancel: Cancel | None
    ) -> Iterator[Block]:
        """The results of async calls: each starts when it is allowed, none waits for another."""
        started: list[_Started] = []
        told = 0
        try:
            for call in calls:
                stop_if(cancel)
                one = _Started(call)
                started.append(one)
                tell(Calling(call))
                ready = self._ready(call, cancel)
                one.began = self._around.clock()
                if isinstance(ready, ToolAnswer):
                    one.found = ready
                else:
                    one.future = self._around.loop.start(ready.call, ready.seconds)
                    one.future.add_done_callback(partial(self._ended, one))
            for one in started:
                found = one.found or self._awaited(one.future, cancel)
                told += 1
                yield self._told(one.call, found, one.began, tell, one.ended)
        except KeyboardInterrupt:
            for one in started[told:]:
                yield self._told(one.call, self._left(one), one.began, tell, one.ended)
            raise
        finally:
            for one in started:
                if one.future is not None:
                    one.future.cancel()

    def _ended(self, one: _Started, _: object) -> None:
        one.ended = self._around.clock()

    def _left(self, one: _Started) -> ToolAnswer:
        """What came of a call of several when the question was stopped."""
        if one.found is not None:
            return one.found
        if one.future is None:
            return failed(_NOT_RUN)
        if one.future.cancel() or not one.future.done():
            return failed(_STOPPED)
        return self._awaited(one.future, None)

    def _ready(self, call: Block, cancel: Cancel | None) -> _Ready | ToolAnswer:
        """The call as it can be run; else the result that says why it is not."""
        name = str(call.get("name"))
        tool = self._tools.get(name)
        if tool is None:
            return failed(_unknown(name, list(self._tools)))
        if not runnable(call):
            return failed(_CUT)
        try:
            arguments = tool.read(call["input"])
        except ArgumentsError as error:
            return failed(f"Wrong arguments for {name}: {error}. Nothing was run.")
        objection = self._approval.objection(call, tool, cancel)
        if objection is not None:
            return failed(f"{NOT_ALLOWED}: {objection}" if objection else f"{NOT_ALLOWED}.")
        seconds = self._around.timeout if tool.timeout is None else tool.timeout
        return _Ready(tool, arguments, seconds)

    def _answer(self, ready: _Ready, task: Task) -> ToolAnswer:
        """What a function gives, run to its end; whatever it raises is a result too."""
        return self._caught(lambda: answer(self._value(ready, task), self._around.render))

    def _value(self, ready: _Ready, task: Task) -> Any:
        if ready.tool.with_task:
            return ready.call(task=task)
        value = run_sync(ready.call, ready.seconds, task.cancel)
        if not hasattr(value, "__await__"):
            return value
        # Not to be seen beforehand: a lambda that calls an async function, say.
        future = self._around.loop.start(lambda: value, ready.seconds)
        return wait_for(future, 0, task.cancel)

    def _awaited(self, future: Future[Any] | None, cancel: Cancel | None) -> ToolAnswer:
        assert future is not None  # noqa: S101 - it was started
        return self._caught(lambda: answer(wait_for(future, 0, cancel), self._around.render))

    def _caught(self, work: Callable[[], ToolAnswer]) -> ToolAnswer:
        """What `work` gives, or the error that it ends with. Only an interrupt passes."""
        try:
            return work()
        except KeyboardInterrupt:
            raise
        except ToolTimeout as error:
            return failed(f"The call was given up: {error}.")
        except BaseException as error:  # SystemExit and the like end no kernel
            return ToolAnswer(
                tuple(self._around.render(traceback_text(error).rstrip())), failed=True
            )

    def _told(
        self,
        call: Block,
        found: ToolAnswer,
        began: float | None,
        tell: Tell,
        ended: float | None = None,
    ) -> dict[str, Any]:
        seconds = 0.0 if began is None else (ended or self._around.clock()) - began
        block = self._masked(result(call, found))
        tell(Called(call, block, seconds))
        return block

    def _masked(self, block: Block) -> dict[str, Any]:
        """A `tool_result` without the key, should what the function gave hold it."""
        secrets = self._around.secrets()
        content = block.get("content")
        if not isinstance(content, list):
            return dict(block)
        return {**block, "content": [masked(part, *secrets) for part in content]}


@frozen
class _Ready:
    """A call that may run, with its arguments checked."""

    tool: Tool
    arguments: Arguments
    seconds: float

    def call(self, **more: Any) -> Any:
        return self.tool.function(*self.arguments.positional, **self.arguments.named, **more)


@mutable
class _Started:
    """One of several calls at the same time."""

    call: Block
    began: float | None = None
    ended: float | None = None
    found: ToolAnswer | None = None
    future: Future[Any] | None = None


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name[:64], known, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return f"There is no tool of this name. {hint}There are: {', '.join(sorted(known)) or 'none'}."
