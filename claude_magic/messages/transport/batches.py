"""Message Batches: many requests in one, answered within a day for half the price.

Source: the batch-processing page and the types of the `anthropic` package. Results are fetched from
the address that the batch has on the server that was asked, not from the one that an answer names:
the key goes nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ..body import Outgoing, checked_headers, posted
from ..errors import ClaudeError, ConnectionFailed, ProtocolError
from . import refusals
from .cancel import Cancel
from .exchange import Attempt, Exchange, HTTPCall, fetch, json_attempt
from .retry import Failure
from .stream import LineSplitter, parse_json

MOST_REQUESTS = 100_000
"""Requests that one batch may hold."""
MOST_BYTES = 256_000_000
"""Bytes that the request which creates a batch may have."""
PRICE = 0.5
"""What a batch costs of the price of its requests."""

_PATH = "/v1/messages/batches"
_NO_ROOM = (429, 529)


class BatchesClient:
    """The batches of one server and key. `call` makes the calls of its client."""

    def __init__(self, call: Callable[[Outgoing, Cancel | None], HTTPCall]) -> None:
        self._call = call

    def create(
        self,
        requests: Sequence[bytes],
        *,
        betas: Sequence[str] = (),
        cancel: Cancel | None = None,
    ) -> Mapping[str, Any]:
        """The new batch of `requests`: their JSON in pieces, with the commas between them.

        Sent again only where the server has refused it for want of room: what broke off may have
        been taken, and would be paid twice. Raises ConnectionFailed then; `newest` finds it.
        """
        content = b"".join([b'{"requests":[', *requests, b"]}"])
        headers = checked_headers({"anthropic-beta": ",".join(betas)} if betas else {})
        exchange = Exchange(self._call(posted(_PATH, content, headers), cancel))
        (batch,) = exchange.run(lambda: _once(exchange))
        return _checked(batch)

    def retrieve(self, name: str, cancel: Cancel | None = None) -> Mapping[str, Any]:
        """The batch of this id as it is now. Raises NotFound where it is none, or none any more."""
        return _checked(fetch(self._call(Outgoing("GET", _at(name)), cancel)))

    def newest(self, cancel: Cancel | None = None) -> Sequence[Mapping[str, Any]]:
        """The batches that were created last, the newest first; a hundred at most."""
        request = Outgoing("GET", _PATH, params={"limit": "100"})
        items = fetch(self._call(request, cancel)).get("data")
        if not isinstance(items, list):
            raise ProtocolError("The server gave no list of batches.")
        return [_checked(item) for item in items if isinstance(item, dict)]

    def cancel(self, name: str, cancel: Cancel | None = None) -> Mapping[str, Any]:
        """The batch, of which no further request is begun. What has begun ends, and is paid."""
        request = Outgoing("POST", f"{_at(name)}/cancel", headers={"content-length": "0"})
        return _checked(fetch(self._call(request, cancel)))

    def results(self, name: str, cancel: Cancel | None = None) -> Iterator[Mapping[str, Any]]:
        """Each `{"custom_id", "result"}` of a batch that has ended, in any order.

        They come one at a time, as they are read. Where the connection breaks off they are asked
        for again, and those that came already come again.
        """
        exchange = Exchange(self._call(Outgoing("GET", f"{_at(name)}/results"), cancel))
        return exchange.run(lambda: _lines(exchange))

    def error(self, result: Mapping[str, Any]) -> ClaudeError:
        """The error that an `errored` result stands for."""
        said = result.get("error")
        call = self._call(Outgoing("GET", _PATH), None)
        return refusals.from_event(call.asked, said if isinstance(said, dict) else {}, None)


def count(batch: Mapping[str, Any]) -> int:
    """How many requests a batch holds, whatever has become of them."""
    counts = batch.get("request_counts")
    if not isinstance(counts, dict):
        return 0
    return sum(n for n in counts.values() if isinstance(n, int))


def has_ended(batch: Mapping[str, Any]) -> bool:
    """Whether there are results to fetch."""
    return bool(batch.get("processing_status") == "ended")


def _at(name: str) -> str:
    return f"{_PATH}/{quote(name, safe='')}"


def _checked(batch: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(batch.get("id"), str) or not isinstance(batch.get("processing_status"), str):
        raise ProtocolError("The server answered without a batch: does it know Message Batches?")
    return batch


def _once(exchange: Exchange) -> Attempt[Mapping[str, Any]]:
    failure = yield from json_attempt(exchange)
    if failure is not None and failure.error.status not in _NO_ROOM:
        return Failure(failure.error, should_retry=False)
    return failure


def _lines(exchange: Exchange) -> Attempt[Mapping[str, Any]]:
    answer = exchange.send()
    if isinstance(answer, Failure):
        return answer
    lines = LineSplitter()
    try:
        for chunk in exchange.chunks(answer):
            exchange.went_on()
            for line in lines.feed(chunk):
                yield _result(line)
        for line in lines.feed(b"\n"):
            if line:
                yield _result(line)
    except ConnectionFailed as error:
        return exchange.failure(error)
    finally:
        answer.close()
    return None


def _result(line: bytes) -> Mapping[str, Any]:
    try:
        found = parse_json(line.decode())
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("result"), dict):
        raise ProtocolError("The server gave results of a batch that are not JSON lines.")
    return found
