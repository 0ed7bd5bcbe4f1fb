"""What happens while a question is asked, as values; whoever wants to know is a `Listener`.

Those of calls are the toolbox's own: it tells them, and knows nothing of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..value_classes import frozen
from .asking.question import Called, CallEvent, Calling, Doing, Seen

if TYPE_CHECKING:
    from ..messages.transport.retry import Wait
    from .asking.plan import Plan
    from .reply_value import Reply

__all__ = [
    "Called",
    "Calling",
    "Doing",
    "Ended",
    "Event",
    "Failed",
    "Listener",
    "Received",
    "Seen",
    "Sending",
    "Waiting",
    "to_all",
]


@frozen
class Sending:
    """The first request of `plan` is leaving; or its recorded reply is about to run tools again."""

    plan: Plan


@frozen
class Waiting:
    """The server asked for patience; told about once a second, with the `wait` that is left."""

    wait: Wait


@frozen
class Received:
    """An event of a stream came, in wire form; a recorded reply, too, comes as such events.

    A question that calls tools has several streams, one for each of its requests.
    """

    event: Mapping[str, Any]


@frozen
class Ended:
    """The reply is over, however it ended: see `reply.turn.status`.

    For a recorded reply that is shown again, and ran no tools, this is the only event.
    """

    plan: Plan
    reply: Reply


@frozen
class Failed:
    """The question ended with an error; what came of the reply was in an `Ended` before."""

    error: BaseException


Event: TypeAlias = "Sending | Waiting | Received | CallEvent | Ended | Failed"
Listener: TypeAlias = Callable[[Event], None]
"""Whoever is told how a question fares; called in the thread that asks."""


def to_all(*listeners: Listener) -> Listener:
    """A listener that passes each event on to all of these, in their order."""
    if len(listeners) == 1:
        return listeners[0]

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell
