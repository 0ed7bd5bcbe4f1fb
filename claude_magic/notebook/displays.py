"""Where a reply is shown, and who else is told when it is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..conversation.watcher import Watcher

if TYPE_CHECKING:
    from ..conversation.plan import Plan
    from ..conversation.reply import Reply
    from ..conversation.turns import Turn
    from ..messages.blocks import Block
    from ..messages.retry import Wait


class Display(Watcher, Protocol):
    """Where a reply is shown: entered before the question leaves, left when all is over."""

    def __enter__(self) -> object: ...

    def __exit__(self, *exception: object) -> None: ...


class Noting:
    """A watcher that notes the turn as it ends, however it ends, and passes everything on."""

    def __init__(self, display: Watcher, note: Callable[[Turn], None]) -> None:
        self._display = display
        self._note = note

    def sending(self, plan: Plan) -> None:
        self._display.sending(plan)

    def waiting(self, wait: Wait) -> None:
        self._display.waiting(wait)

    def received(self, event: Mapping[str, Any]) -> None:
        self._display.received(event)

    def calling(self, call: Block) -> None:
        self._display.calling(call)

    def doing(self, call: Block, what: str) -> None:
        self._display.doing(call, what)

    def seen(self, call: Block, picture: bytes) -> None:
        self._display.seen(call, picture)

    def called(self, call: Block, result: Block, seconds: float | None) -> None:
        self._display.called(call, result, seconds)

    def ended(self, plan: Plan, reply: Reply) -> None:
        self._note(reply.turn)
        self._display.ended(plan, reply)
