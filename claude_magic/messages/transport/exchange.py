"""One request with its retries, and the events of one reply. No httpx: what sends is passed in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias, TypeVar
from urllib.parse import urlsplit

from ...value_classes import frozen
from ..credentials import Incoming, Secret, masked_value
from ..errors import BrokenReply, ClaudeError, ConnectionFailed, Interrupted, ProtocolError
from . import refusals
from .cancel import Cancel
from .retry import Clock, Failure, Retries, Wait, retry_after, should_retry
from .stream import MAX_BYTES, EventDecoder, ServerEvent, Snapshot, accumulate, parse_json

_T = TypeVar("_T")
Attempt: TypeAlias = Generator[_T, None, Failure | None]
"""One try: yields what it gets, returns why it failed if a further try may help."""

Answered: TypeAlias = Callable[[int, Mapping[str, str]], None]
"""Told the status and the headers of an answer."""

_LONGEST_ERROR_BODY = 256 * 1024
_COUNTDOWN_FROM = 2.0


class HTTPAnswer(Protocol):
    """An HTTP answer whose body is still to be read. Header names are looked up in any case.

    `chunks` raises ConnectionFailed, ProtocolError and Interrupted, nothing else. `drain` reads
    on to the body's end for at most so many seconds, so that the connection can be used again.
    """

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    def chunks(self) -> Iterator[bytes]: ...
    def drain(self, seconds: float) -> None: ...
    def close(self) -> None: ...


@frozen
class HTTPCall:
    """A request that can be sent, and sent again.

    `send` is given the seconds left for the answer's headers to come and raises ConnectionFailed
    or Interrupted. `progress` is seconds until the answer begins, retries included, and then until
    it goes on. `waiting` is told about once a second what remains of a wait that began with over
    2 s. `answered` must raise nothing.
    """

    send: Callable[[Cancel, float], HTTPAnswer]
    asked: refusals.RequestFacts
    clock: Clock
    progress: float
    cancel: Cancel
    waiting: Callable[[Wait], None] | None = None
    answered: Answered | None = None


class Exchange:
    """Sends a call until it succeeds or must be given up. Used once, by one thread."""

    def __init__(self, call: HTTPCall) -> None:
        self._call = call
        self.came = 0.0
        """When something of the answer came last, by the call's clock."""
        self.request_id: str | None = None
        self.retries = 0

    @property
    def host(self) -> str:
        """Who is asked."""
        return self._call.asked.host

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What nothing may show of an answer: the key, and the values of headers."""
        asked = self._call.asked
        return (*([asked.secret] if asked.secret else []), *asked.hidden)

    def run(self, attempt: Callable[[], Attempt[_T]]) -> Generator[_T, None, None]:
        """What the attempts yield; raises the last one's error if no further one is due.

        Errors leave from here without the frames below and what they came from: those variables
        hold what was sent and received. An interrupt of the kernel leaves as Interrupted.
        """
        end: ClaudeError | Interrupted
        try:
            yield from self._tries(attempt)
            return
        except KeyboardInterrupt:
            end = Interrupted("Interrupted.")
        except ClaudeError as error:
            end = error
        end.__cause__ = end.__context__ = None
        raise end.with_traceback(None)

    def _tries(self, attempt: Callable[[], Attempt[_T]]) -> Iterator[_T]:
        retries = Retries(self._call.clock)
        self.went_on()
        while True:
            self.check_cancel()
            failure = yield from attempt()
            if failure is None:
                return
            wait = retries.after(failure)
            if wait is None:
                raise failure.error
            self._back_off(wait)
            self.retries += 1

    def send(self) -> HTTPAnswer | Failure:
        """The answer if its status is 200, to be closed by the caller; else why there is none.

        Raises ProtocolError for a redirect and for a status that means nothing here.
        """
        try:
            answer = self._call.send(self._call.cancel, self._remaining())
        except ConnectionFailed as error:
            return self.failure(error)
        self.request_id = None
        if "request-id" in answer.headers:
            self.request_id = self._call.asked.clean(answer.headers["request-id"])
        if self._call.answered is not None:
            self._call.answered(answer.status, answer.headers)
        if answer.status == 200:
            return answer
        try:
            return self._refusal(answer)
        finally:
            answer.close()

    def went_on(self) -> None:
        """Something of the answer came: from now on there is as much time as at the start."""
        self.came = self._call.clock.now()

    def chunks(self, answer: HTTPAnswer) -> Iterator[bytes]:
        """The answer's body; raises ConnectionFailed if it has not gone on for too long."""
        for chunk in answer.chunks():
            yield chunk
            if self._remaining() <= 0:
                raise ConnectionFailed(
                    f"{self._call.asked.host} sent no more of its answer for "
                    f"{self._call.progress:g} s. Ask again, or for less at once."
                )

    def failure(self, error: ClaudeError) -> Failure:
        """`error` as a failed try; the last one if no time is left."""
        return Failure(error, should_retry=None if self._remaining() > 0 else False)

    def event_error(self, event: Mapping[str, Any]) -> ClaudeError:
        """The error that an `error` event within a stream means."""
        return refusals.from_event(self._call.asked, event, self.request_id)

    def check_cancel(self) -> None:
        """Raises Interrupted once the call was cancelled."""
        if self._call.cancel.is_set:
            raise Interrupted("Interrupted.")

    def _refusal(self, answer: HTTPAnswer) -> Failure:
        asked, headers = self._call.asked, answer.headers
        if answer.status < 300:
            raise ProtocolError(
                f"{asked.host} answered {answer.status} without a reply; is base_url right?",
                status=answer.status,
                request_id=self.request_id,
            )
        if answer.status < 400:
            target = asked.clean(urlsplit(headers.get("location", "")).hostname or asked.host)
            raise ProtocolError(
                f"{asked.host} redirects to {target} ({answer.status}): nothing was sent there. "
                "Set base_url to the address itself if you trust it.",
                status=answer.status,
                request_id=self.request_id,
            )
        wait = retry_after(headers, self._call.clock.wall())
        body = self._error_body(answer)
        error = refusals.from_answer(asked, answer.status, headers, body, wait)
        return Failure(error, wait, should_retry(headers))

    def _error_body(self, answer: HTTPAnswer) -> bytes:
        body = b""
        try:
            for chunk in self.chunks(answer):
                body += chunk
                if len(body) > _LONGEST_ERROR_BODY:
                    break
        except (ConnectionFailed, ProtocolError):
            pass  # The status says enough; what came of the body may still hold the words.
        return body

    def _back_off(self, wait: Wait) -> None:
        clock = self._call.clock
        until = clock.now() + wait.seconds
        while (left := until - clock.now()) > 0:
            if self._call.waiting is not None and wait.seconds > _COUNTDOWN_FROM:
                self._call.waiting(replace(wait, seconds=left))
            clock.sleep(min(left, 1.0), self._call.cancel)
            self.check_cancel()

    def _remaining(self) -> float:
        return self.came + self._call.progress - self._call.clock.now()


def fetch(call: HTTPCall) -> Mapping[str, Any]:
    """The JSON object that a call is answered with.

    Raises ProtocolError for any other answer, and the errors of `Exchange.run`.
    """
    exchange = Exchange(call)
    (result,) = exchange.run(lambda: json_attempt(exchange))
    return result


def json_attempt(exchange: Exchange) -> Attempt[Mapping[str, Any]]:
    """One try to get a JSON object."""
    answer = exchange.send()
    if isinstance(answer, Failure):
        return answer
    body = bytearray()
    failure = None
    try:
        for chunk in exchange.chunks(answer):
            body += chunk
            if len(body) > MAX_BYTES:
                break
    except ConnectionFailed as error:
        failure = exchange.failure(error)
    finally:
        answer.close()
    if failure is not None:
        return failure
    yield masked_value(_json_object(bytes(body), exchange.host), exchange.secrets)
    return None


def _json_object(body: bytes, host: str) -> Mapping[str, Any]:
    try:
        value = parse_json(body.decode())
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ProtocolError(f"{host} did not answer in JSON; is base_url a Messages API server?")
    return value


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

    def __init__(self, call: HTTPCall) -> None:
        self._exchange = Exchange(call)
        self._clock = call.clock
        self._snapshot = Snapshot()
        self._events = self._exchange.run(self._attempt)

    def __iter__(self) -> Iterator[ServerEvent]:
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

    def _attempt(self) -> Attempt[ServerEvent]:
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

    def _read(self, answer: HTTPAnswer) -> Attempt[ServerEvent]:
        decoder = EventDecoder()
        held: list[ServerEvent] | None = []
        error: ClaudeError | None = None
        masking = Incoming(self._exchange.secrets)
        try:
            for chunk in self._exchange.chunks(answer):
                self._exchange.check_cancel()
                for event in chain.from_iterable(map(masking.feed, decoder.feed(chunk))):
                    if event["type"] == "error":
                        return self._ended(self._exchange.event_error(event), shown=held is None)
                    self._snapshot = accumulate(self._snapshot, event)
                    if event["type"] in _CONTENT:
                        self._exchange.came = self._clock.now()
                    elif held is not None:
                        held.append(event)
                        continue
                    if held is not None:
                        yield from held
                        held = None
                        self._exchange.check_cancel()
                    yield event
                    if self._snapshot.complete:
                        answer.drain(_DRAIN)
                        return None
                    self._exchange.check_cancel()
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
