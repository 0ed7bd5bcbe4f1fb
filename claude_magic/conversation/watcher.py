"""Who is told how a question fares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..messages.retry import Wait
    from .plan import Plan
    from .reply import Reply


class Watcher(Protocol):
    """Who is told how a question fares; called in the thread that asks."""

    def sending(self, plan: Plan) -> None:
        """The request is about to leave."""

    def waiting(self, wait: Wait) -> None:
        """The server asked for patience; called about once a second."""

    def received(self, event: Mapping[str, Any]) -> None:
        """An event of the stream came."""

    def ended(self, plan: Plan, reply: Reply) -> None:
        """The reply is over, however it ended: see `reply.turn.status`.

        For a recorded reply that is shown again this is the only call.
        """


class Silent:
    """A watcher that shows nothing: the caller has the reply."""

    def __enter__(self) -> None: ...

    def __exit__(self, *exception: object) -> None: ...

    def sending(self, plan: Plan) -> None: ...

    def waiting(self, wait: Wait) -> None: ...

    def received(self, event: Mapping[str, Any]) -> None: ...

    def ended(self, plan: Plan, reply: Reply) -> None: ...
