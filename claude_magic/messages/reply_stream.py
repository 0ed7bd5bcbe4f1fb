"""The events of one reply as they come, begun again only while nothing was shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from .errors import BrokenReply, ClaudeError, ConnectionFailed, ProtocolError
from .exchange import Answer, Attempt, Call, Exchange
from .masking import Incoming
from .retry import Failure
from .stream import Event, EventDecoder, Snapshot, accumulate

# The events that show something. Others are held back until the first of these: a retry would
# bring them a second time.
_CONTENT = frozenset(
    {
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)
_NOT_A_STREAM = frozenset({"text/html", "application/json"})
# Seconds for the few bytes after the last event, without which the connection is of no more use.
_DRAIN = 0.5


class ReplyStream:
    """Iterates over the events of one reply; the request leaves at the first step.

    A context manager: leaving it closes the connection, whatever came until then. Iteration
    raises ConnectionFailed, ProtocolError or an APIError when there is no reply, BrokenReply when
    it stopped part way, Interrupted when the call was cancelled or the kernel interrupted.
    """

    def __init__(self, call: Call) -> None:
        self._exchange = Exchange(call)
        self._snapshot = Snapshot()
        self._events = self._exchange.run(self._attempt)

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the reply here; the connection is closed unless the reply was complete."""
        self._events.close()

    @property
    def snapshot(self) -> Mapping[str, Any]:
        """The message as far as it came, in wire form; {} before it began. Costs a copy."""
        return self._snapshot.message

    @property
    def request_id(self) -> str | None:
        """The server's name for the last try, for its support to look up."""
        return self._exchange.request_id

    @property
    def retries(self) -> int:
        """How many times the request was sent again."""
        return self._exchange.retries

    def _attempt(self) -> Attempt[Event]:
        self._snapshot = Snapshot()
        answer = self._exchange.send()
        if isinstance(answer, Failure):
            return answer
        try:
            _check_is_stream(answer.headers.get("content-type", ""))
            return (yield from self._read(answer))
        except ProtocolError as error:
            error.status = answer.status
            error.request_id = self.request_id
            raise
        finally:
            answer.close()

    def _read(self, answer: Answer) -> Attempt[Event]:
        decoder = EventDecoder()
        held: list[Event] | None = []
        error: ClaudeError | None = None
        masking = Incoming(self._exchange.secrets)
        try:
            for chunk in self._exchange.chunks(answer):
                for event in (e for came in decoder.feed(chunk) for e in masking.feed(came)):
                    if event["type"] == "error":
                        return self._ended(self._exchange.event_error(event), shown=held is None)
                    self._snapshot = accumulate(self._snapshot, event)
                    if event["type"] in _CONTENT:
                        self._exchange.went_on()
                    if held is not None:
                        if event["type"] not in _CONTENT:
                            held.append(event)
                            continue
                        yield from held
                        held = None
                    self._exchange.check_cancel()
                    yield event
                    if self._snapshot.complete:
                        answer.drain(_DRAIN)
                        return None
        except ConnectionFailed as failed:
            error = failed
        for event in masking.end():
            self._snapshot = accumulate(self._snapshot, event)
            yield event
        return self._ended(error, shown=held is None)

    def _ended(self, error: ClaudeError | None, *, shown: bool) -> Failure | None:
        """What an end before `message_stop` means: a Failure if nothing was shown yet.

        Raises BrokenReply or ProtocolError; None if only `message_stop` is missing.
        """
        snapshot = self._snapshot
        if error is None or (snapshot.stop_reason and isinstance(error, ConnectionFailed)):
            try:
                snapshot.end()
                return None
            except BrokenReply:
                error = ConnectionFailed("The server ended the reply part way.")
        if not shown:
            return self._exchange.failure(error)
        broken = BrokenReply(
            f"The reply broke off. {error} What came is kept, and not sent later: ask again.",
            status=error.status,
            error_type=error.error_type,
            request_id=error.request_id or self.request_id,
            details=error.details,
        )
        broken.partial = snapshot.message
        raise broken


def _check_is_stream(content_type: str) -> None:
    # The charset does not matter: event streams are UTF-8. Other servers leave the type out.
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _NOT_A_STREAM:
        raise ProtocolError(
            f"The server answered with {kind} in place of a stream; "
            "is base_url a Messages API server?"
        )
