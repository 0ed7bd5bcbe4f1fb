"""Who else hears how every question of a session fares, whoever asks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from .watcher import Watcher

if TYPE_CHECKING:
    from ..messages.blocks import Block
    from ..messages.cancel import Cancel
    from ..messages.retry import Wait
    from .plan import Plan
    from .question import Question
    from .reply import Reply


class Listener(Watcher, Protocol):
    """A watcher of a question that somebody else asks; called in the thread that asks."""

    def failed(self, error: BaseException) -> None:
        """The question ended with an error; what came of the reply was in `ended` before."""


Hears: TypeAlias = "Callable[[Question, Cancel], Listener]"
"""Gives the listener to one question that is about to be asked; the Cancel stops it."""


class Heard:
    """Passes all that a watcher is told on to the listeners."""

    def __init__(self, watcher: Watcher, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners
        self._all: Sequence[Watcher] = (watcher, *listeners)

    def sending(self, plan: Plan) -> None:
        for each in self._all:
            each.sending(plan)

    def waiting(self, wait: Wait) -> None:
        for each in self._all:
            each.waiting(wait)

    def received(self, event: Mapping[str, Any]) -> None:
        for each in self._all:
            each.received(event)

    def calling(self, call: Block) -> None:
        for each in self._all:
            each.calling(call)

    def doing(self, call: Block, what: str) -> None:
        for each in self._all:
            each.doing(call, what)

    def seen(self, call: Block, picture: bytes) -> None:
        for each in self._all:
            each.seen(call, picture)

    def called(self, call: Block, result: Block, seconds: float | None) -> None:
        for each in self._all:
            each.called(call, result, seconds)

    def ended(self, plan: Plan, reply: Reply) -> None:
        for each in self._all:
            each.ended(plan, reply)

    def failed(self, error: BaseException) -> None:
        for each in self._listeners:
            each.failed(error)
