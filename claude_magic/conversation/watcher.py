"""Who is told how a question fares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..messages.blocks import Block
    from ..messages.retry import Wait
    from .plan import Plan
    from .reply import Reply


class Watcher(Protocol):
    """Who is told how a question fares; called in the thread that asks."""

    def sending(self, plan: Plan) -> None:
        """The first request is about to leave; where tools run again, the recorded one is shown."""

    def waiting(self, wait: Wait) -> None:
        """The server asked for patience; called about once a second."""

    def received(self, event: Mapping[str, Any]) -> None:
        """An event of a stream came; a recorded reply, too, comes as events.

        A question that calls tools has several streams, one for each of its requests.
        """

    def calling(self, call: Block) -> None:
        """A tool is about to run: what it displays stands below what was shown so far."""

    def doing(self, call: Block, what: str) -> None:
        """A call that runs says what it does, or waits for, in a few words."""

    def seen(self, call: Block, picture: bytes) -> None:
        """What a call has left on a screen, as a PNG: it is shown, and is no part of the result."""

    def called(self, call: Block, result: Block, seconds: float | None) -> None:
        """A call is over, or was not allowed; `seconds` is how long the tool ran.

        None where it did not run, and its recorded result is shown.
        """

    def ended(self, plan: Plan, reply: Reply) -> None:
        """The reply is over, however it ended: see `reply.turn.status`.

        For a recorded reply that is shown again, and ran no tools, this is the only call.
        """


class Silent:
    """A watcher that shows nothing: the caller has the reply."""

    def __enter__(self) -> None: ...

    def __exit__(self, *exception: object) -> None: ...

    def sending(self, plan: Plan) -> None: ...

    def waiting(self, wait: Wait) -> None: ...

    def received(self, event: Mapping[str, Any]) -> None: ...

    def calling(self, call: Block) -> None: ...

    def doing(self, call: Block, what: str) -> None: ...

    def seen(self, call: Block, picture: bytes) -> None: ...

    def called(self, call: Block, result: Block, seconds: float | None) -> None: ...

    def ended(self, plan: Plan, reply: Reply) -> None: ...
