"""One question on its way to the server, and what came of it so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..messages.errors import APIError
from ..messages.usage import Usage
from . import healing
from .history import History
from .plan import Plan
from .turns import Status, Turn
from .watcher import Watcher

if TYPE_CHECKING:
    from ..messages.client import Cancel, Client, ReplyStream

# Seconds between two records of what has come so far: what a killed kernel can lose.
_PROGRESS = 1.0
# A server names one block that it cannot take at a time.
_MOST_TRIES = 5


class Run:
    """One question on its way: what came of it so far."""

    def __init__(
        self,
        turn: Turn,
        plan: Plan,
        watcher: Watcher,
        cancel: Cancel | None,
        clock: Callable[[], float],
    ) -> None:
        self.turn = turn
        self.plan = plan
        self.watcher = watcher
        self.healed: list[str] = []
        self.paid = False
        self._cancel = cancel
        self._clock = clock
        self._stream: ReplyStream | None = None
        self._left_out = 0
        self._tries = 0

    @property
    def snapshot(self) -> Mapping[str, Any]:
        """The reply as far as it came."""
        return self._stream.snapshot if self._stream else {}

    def receive(self, client: Client, history: History) -> None:
        """Send the request and pass on what comes; what the server cannot take is left out.

        Raises the client's errors.
        """
        while True:
            body = self._sendable(history)
            try:
                return self._receive(client, history, body)
            except APIError as error:
                if not self._heal(error, body, history):
                    raise

    def _receive(self, client: Client, history: History, body: Mapping[str, Any]) -> None:
        kept = self._clock()
        with client.stream(body, cancel=self._cancel, waiting=self.watcher.waiting) as self._stream:
            for event in self._stream:
                self.watcher.received(event)
                if self._clock() - kept >= _PROGRESS:
                    kept = self._clock()
                    history.progress(self.turn.id, self.snapshot.get("content", ()))

    def _sendable(self, history: History) -> Mapping[str, Any]:
        """The request without what this server could not take."""
        body = self.plan.request.body
        refused = history.rejected_by(self.plan.server.label)
        if refused:
            body, _ = healing.without(body, refused)
        return healing.without_oldest(body, self._left_out) if self._left_out else body

    def _heal(self, error: APIError, body: Mapping[str, Any], history: History) -> bool:
        """Whether the request can be sent once more, with less in it; the user is told."""
        self._tries += 1
        if self._tries > _MOST_TRIES:
            return False
        keys = healing.rejected(error, body)
        if keys:
            history.reject(self.plan.server.label, keys)
            said = "1 block" if len(keys) == 1 else f"{len(keys)} blocks"
            self.healed.append(
                f"The server could not take {said} (an image, a document): a line of text went in "
                f"place of it. It said: {error}"
            )
            return True
        long = healing.too_long(error)
        count = healing.how_many_oldest(body, long, self.plan.model) if long else 0
        if count:
            self._left_out += count
            self.healed.append(
                f"Too long for the model: the oldest {self._left_out} of "
                f"{len(self.plan.saw)} earlier turns were left out of this request."
            )
        return bool(count)

    def ended(self, status: Status) -> Turn:
        """The turn with what came, and how it ended."""
        snapshot = self.snapshot
        return replace(
            self.turn,
            reply=tuple(snapshot.get("content", ())),
            model=str(snapshot.get("model") or self.turn.model),
            usage=Usage.from_wire(snapshot.get("usage")),
            status=status,
            stop_reason=snapshot.get("stop_reason"),
            ended=self._clock(),
            healed=tuple(self.healed),
        )
