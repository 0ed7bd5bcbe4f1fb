"""One request with its retries. No httpx: what sends it is passed in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias, TypeVar
from urllib.parse import urlsplit

from . import api_errors
from .cancel import Cancel
from .credentials import Secret
from .errors import ClaudeError, ConnectionFailed, Interrupted, ProtocolError
from .masking import masked_value
from .retry import Clock, Failure, Retries, Wait, retry_after, should_retry
from .sse import MAX_BYTES, parse_json

_T = TypeVar("_T")
Attempt: TypeAlias = Generator[_T, None, Failure | None]
"""One try: yields what it gets, returns why it failed if a further try may help."""

Answered: TypeAlias = Callable[[int, Mapping[str, str]], None]
"""Told the status and the headers of an answer."""

_LONGEST_ERROR_BODY = 256 * 1024
_COUNTDOWN_FROM = 2.0


class Answer(Protocol):
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


@dataclass(frozen=True)
class Call:
    """A request that can be sent, and sent again.

    `send` is given the seconds left for the answer's headers to come and raises ConnectionFailed
    or Interrupted. `progress` is seconds until the answer begins, retries included, and then until
    it goes on. `waiting` is told about once a second what remains of a wait that began with over
    2 s. `answered` must raise nothing.
    """

    send: Callable[[Cancel, float], Answer]
    asked: api_errors.Asked
    clock: Clock
    progress: float
    cancel: Cancel
    waiting: Callable[[Wait], None] | None = None
    answered: Answered | None = None


class Exchange:
    """Sends a call until it succeeds or must be given up. Used once, by one thread."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._deadline = 0.0
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

    def send(self) -> Answer | Failure:
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
        self._deadline = self._call.clock.now() + self._call.progress

    def chunks(self, answer: Answer) -> Iterator[bytes]:
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
        return api_errors.from_event(self._call.asked, event, self.request_id)

    def check_cancel(self) -> None:
        """Raises Interrupted once the call was cancelled."""
        if self._call.cancel.is_set:
            raise Interrupted("Interrupted.")

    def _refusal(self, answer: Answer) -> Failure:
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
        error = api_errors.from_answer(asked, answer.status, headers, body, wait)
        return Failure(error, wait, should_retry(headers))

    def _error_body(self, answer: Answer) -> bytes:
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
        return self._deadline - self._call.clock.now()


def fetch(call: Call) -> Mapping[str, Any]:
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
