"""The calls of one reply, run: whatever comes of one is a result that says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any

from ..conversation.toolbox import Called, Calling, Doing, Tell
from ..messages.blocks import NOT_ALLOWED, Block
from ..messages.credentials import Secret, masked
from ..messages.transport.stream import runnable
from .approval import Approval
from .failure import traceback_text
from .results import Answer, Render, answer, failed, result
from .running import AsyncThread, ToolTimeout, is_async, run_sync, stop_if, wait_for
from .tool import Arguments, ArgumentsError, Task, Tool
from .toolsets import Toolset, batch

if TYPE_CHECKING:
    from ..messages.transport.cancel import Cancel

TIMEOUT = 120.0
"""Seconds that a function may run."""

_CUT = "The arguments were cut off or are no JSON object: nothing was run. Give them whole."
_NOT_RUN = "The user stopped this call before it ran."
_STOPPED = "The user stopped this call; a part of what it does may be done."


@dataclass(frozen=True)
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
            if isinstance(ready, Answer):
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
                if isinstance(ready, Answer):
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

    def _left(self, one: _Started) -> Answer:
        """What came of a call of several when the question was stopped."""
        if one.found is not None:
            return one.found
        if one.future is None:
            return failed(_NOT_RUN)
        if one.future.cancel() or not one.future.done():
            return failed(_STOPPED)
        return self._awaited(one.future, None)

    def _ready(self, call: Block, cancel: Cancel | None) -> _Ready | Answer:
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

    def _answer(self, ready: _Ready, task: Task) -> Answer:
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

    def _awaited(self, future: Future[Any] | None, cancel: Cancel | None) -> Answer:
        assert future is not None  # noqa: S101 - it was started
        return self._caught(lambda: answer(wait_for(future, 0, cancel), self._around.render))

    def _caught(self, work: Callable[[], Answer]) -> Answer:
        """What `work` gives, or the error that it ends with. Only an interrupt passes."""
        try:
            return work()
        except KeyboardInterrupt:
            raise
        except ToolTimeout as error:
            return failed(f"The call was given up: {error}.")
        except BaseException as error:  # SystemExit and the like end no kernel
            return Answer(tuple(self._around.render(traceback_text(error).rstrip())), failed=True)

    def _told(
        self,
        call: Block,
        found: Answer,
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


@dataclass(frozen=True)
class _Ready:
    """A call that may run, with its arguments checked."""

    tool: Tool
    arguments: Arguments
    seconds: float

    def call(self, **more: Any) -> Any:
        return self.tool.function(*self.arguments.positional, **self.arguments.named, **more)


@dataclass
class _Started:
    """One of several calls at the same time."""

    call: Block
    began: float | None = None
    ended: float | None = None
    found: Answer | None = None
    future: Future[Any] | None = None


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name[:64], known, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return f"There is no tool of this name. {hint}There are: {', '.join(sorted(known)) or 'none'}."
