"""Requests to a Messages API server, and their answers.

The only module that uses httpx, whole, so that its successor is one import away: hence its length.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import httpx

from ..._version import __version__
from ...value_classes import frozen
from ..address import KEY_HEADERS, Address, CustomHeaders, parse_address
from ..body import Outgoing, checked_headers, post
from ..credentials import Secret
from ..errors import (
    ClaudeError,
    ConnectionFailed,
    CredentialError,
    InputError,
    Interrupted,
    ProtocolError,
)
from .cancel import Cancel, InterruptibleWork, Latch
from .exchange import Answered, HTTPCall, ReplyStream, fetch
from .refusals import RequestFacts
from .retry import Clock, SystemClock, Wait
from .sockets import KEPT, ConnectionPool, KeptConnection

if TYPE_CHECKING:
    from .batches import BatchesClient

__all__ = ["Cancel", "Client", "ReplyStream", "Timeouts", "Wait"]

# Longer than httpx's five seconds: a notebook's next question comes after some reading.
_KEEPALIVE = 60.0
_COUNTED = (
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
    "speed",
)
_MOST_PAGES = 50
# Thinking that is not shown comes as pings; no model of Anthropic's writes more slowly than this.
_TOKENS_PER_SECOND = 30


@frozen
class Timeouts:
    """Seconds: to connect; without a byte from the server; without more of its answer.

    Pings are bytes and no answer. A reply may take as long as it likes while it goes on. It may
    also be silent for as long as a slow model would need for `max_tokens` of hidden thinking.
    """

    connect: float = 10.0
    idle: float = 120.0
    progress: float = 900.0


_TIMEOUTS = Timeouts()
# Seconds: who waits for a connection to come about is told so.
_LEAVING = 0.05
_NO_HEADERS: Mapping[str, str] = {}
_NO_CUSTOM = CustomHeaders()


class Client:
    """One server and one key. Threads may share it; after a fork it opens connections anew."""

    def __init__(
        self,
        base_url: str,
        key: Secret | None = None,
        *,
        bearer: bool = False,
        api_version: str = "2023-06-01",
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        timeouts: Timeouts = _TIMEOUTS,
        headers: Mapping[str, str] = _NO_HEADERS,
        custom: CustomHeaders = _NO_CUSTOM,
        kept: int = KEPT,
        answered: Answered | None = None,
    ) -> None:
        """`bearer` sends the key as `Authorization: Bearer`. `headers` go with every request.

        So do those of `custom`, if they are for this server: last, and in place of the key. Up to
        `kept` connections stay open between requests; `answered` is told the status and headers of
        every answer, refusals too, in the thread that asked.

        Raises InputError for an address or header that cannot be used, CredentialError for a key
        that no header can hold.
        """
        self._address = parse_address(base_url)
        if key is not None and not key.sendable:
            raise CredentialError(
                "The API key is empty or has characters that no key has: set it again, "
                "for instance with %claude_login."
            )
        self._key = key
        self._bearer = bearer
        self._clock = clock or SystemClock()
        self._timeouts = timeouts
        self._headers = {
            "accept-encoding": "identity",
            "user-agent": f"claude-magic/{__version__}",
            **checked_headers({"anthropic-version": api_version, **headers}),
        }
        self._lanes = ConnectionPool(_Opener(self._address, transport), kept)
        self._answered = answered
        self._custom = custom.meant_for(self._address.url)
        self._hidden = custom.secrets
        self._failures = _Failures(self._asked({}), timeouts)

    def __repr__(self) -> str:
        return f"Client({self._address.url!r})"

    def stream(
        self,
        body: Mapping[str, Any],
        *,
        cancel: Cancel | None = None,
        waiting: Callable[[Wait], None] | None = None,
        leaving: Callable[[], None] | None = None,
        betas: Sequence[str] = (),
    ) -> ReplyStream:
        """The reply to `body` as it comes; the request leaves when iteration begins.

        `waiting` is told about once a second how long a wait over 2 s still takes. `leaving` is
        called once, in the thread that asks, as soon as the request has left, and at the latest
        after 50 ms: what is done in it costs no time while the server works. `betas` are names for
        the `anthropic-beta` header. Raises InputError if `body` is not JSON.
        """
        headers = checked_headers({"anthropic-beta": ",".join(betas)} if betas else {})
        request = post("/v1/messages", {**body, "stream": True}, headers)
        hidden = float(body.get("max_tokens", 0)) / _TOKENS_PER_SECOND
        return ReplyStream(
            self._call(request, body, cancel, waiting=waiting, leaving=leaving, hidden=hidden)
        )

    def message(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The whole reply to `body` in one piece, asked for without a stream.

        Long replies need `stream`: a connection on which nothing comes is cut on the way.
        """
        reply = fetch(self._call(post("/v1/messages", body, {}), body))
        content = reply.get("content")
        if not isinstance(content, list) or not all(isinstance(b, dict) for b in content):
            raise ProtocolError(f"{self._address.host} answered without a message.")
        return reply

    def count_tokens(self, body: Mapping[str, Any]) -> int:
        """The server's count of the input tokens of `body`; what it does not count is left out."""
        counted = {name: body[name] for name in _COUNTED if name in body}
        request = post("/v1/messages/count_tokens", counted, {})
        count = fetch(self._call(request, body)).get("input_tokens")
        if not isinstance(count, int):
            raise ProtocolError(f"{self._address.host} gave no token count.")
        return count

    def models(self) -> list[Mapping[str, Any]]:
        """The server's models, all pages of them. Raises NotFound where it has no such list."""
        found: list[Mapping[str, Any]] = []
        params = {"limit": "1000"}
        for _ in range(_MOST_PAGES):
            request = Outgoing("GET", "/v1/models", params=params)
            page = fetch(self._call(request, {}))
            items = page.get("data")
            if not isinstance(items, list):
                raise ProtocolError(f"{self._address.host} gave no list of models.")
            found += [item for item in items if isinstance(item, dict)]
            last = page.get("last_id")
            if not page.get("has_more") or not isinstance(last, str):
                break
            params = {"limit": "1000", "after_id": last}
        return found

    @property
    def batches(self) -> BatchesClient:
        """The Message Batches of the server."""
        from .batches import BatchesClient

        return BatchesClient(lambda request, cancel: self._call(request, {}, cancel))

    def close(self) -> None:
        """Closes the connections that are kept; one in use closes when its reply ends."""
        self._lanes.close()

    def _call(
        self,
        request: Outgoing,
        body: Mapping[str, Any],
        cancel: Cancel | None = None,
        *,
        waiting: Callable[[Wait], None] | None = None,
        leaving: Callable[[], None] | None = None,
        hidden: float = 0.0,
    ) -> HTTPCall:
        first = [leaving] if leaving else []
        return HTTPCall(
            send=lambda cancel, seconds: self._send(
                request, cancel, seconds, first.pop() if first else None
            ),
            asked=self._asked(body),
            clock=self._clock,
            progress=max(self._timeouts.progress, hidden),
            cancel=cancel or Cancel(),
            waiting=waiting,
            answered=self._answered,
        )

    def _asked(self, body: Mapping[str, Any]) -> RequestFacts:
        return RequestFacts(self._address.host, self._key, body, self._hidden)

    def _send(
        self,
        outgoing: Outgoing,
        cancel: Cancel,
        seconds: float,
        leaving: Callable[[], None] | None,
    ) -> _Answer:
        """The answer once its headers are there. Raises ConnectionFailed or Interrupted."""
        lane = self._lanes.take()
        answer = None
        try:
            left = lane.wire.left = Latch()
            sending = InterruptibleWork(self._sent, lane, self._request(lane, outgoing))
            cancel.add(sending.wake)
            if leaving is not None:
                left.wait(_LEAVING)
                leaving()
            response = sending.wait(seconds)
            cancel.remove(sending.wake)
            if isinstance(response, httpx.Response) and not cancel.is_set:
                answer = _Answer(response, lane, self._lanes, cancel, self._failures)
                return answer
        finally:
            # Whatever the reason, an interrupt of the kernel included: no connection stays behind.
            if answer is None:
                lane.end()
        if cancel.is_set:
            raise Interrupted("Interrupted.")
        raise response if isinstance(response, ClaudeError) else self._failures.late(seconds)

    def _request(self, lane: KeptConnection[httpx.Client], outgoing: Outgoing) -> httpx.Request:
        return lane.http.build_request(
            outgoing.method,
            self._address.url + outgoing.path,
            content=outgoing if outgoing.content else None,
            params=outgoing.params,
            headers={**self._headers, **outgoing.headers},
            timeout=httpx.Timeout(self._timeouts.idle, connect=self._timeouts.connect),
            extensions={"trace": lane.wire.trace},
        )

    def _sent(
        self, lane: KeptConnection[httpx.Client], request: httpx.Request
    ) -> httpx.Response | ClaudeError:
        try:
            return lane.http.send(request, auth=self._authorize, stream=True)
        except Exception as error:
            # Nothing but our errors leaves: a traceback of httpx shows headers, the key's too.
            return self._failures.of(error)
        finally:
            lane.wire.left.open()

    def _authorize(self, request: httpx.Request) -> httpx.Request:
        # Secrets are taken out of their wrappers here only, on their way into the headers.
        own = self._key if self._custom.keys().isdisjoint(KEY_HEADERS) else None
        if own is not None and self._bearer:
            request.headers["authorization"] = f"Bearer {own.reveal()}"
        elif own is not None:
            request.headers["x-api-key"] = own.reveal()
        for name, value in self._custom.items():
            asked = request.headers.get(name) if name == "anthropic-beta" else None
            request.headers[name] = f"{asked},{value.reveal()}" if asked else value.reveal()
        return request


class _Opener:
    """Makes the httpx client of a lane."""

    def __init__(self, address: Address, transport: httpx.BaseTransport | None) -> None:
        self._address = address
        self._transport = transport
        self._context: ssl.SSLContext | None = None

    def __call__(self) -> httpx.Client:
        if self._transport is not None:
            return httpx.Client(transport=_Borrowed(self._transport))
        problem = None
        try:
            return httpx.Client(
                verify=self._tls(),
                # Proxies are the user's business, except on the way to this very machine.
                trust_env=not self._address.loopback,
                limits=httpx.Limits(max_connections=1, keepalive_expiry=_KEEPALIVE),
            )
        except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
            problem = type(error).__name__
        # Outside of the except block: the frames of httpx hold the proxy's password.
        raise InputError(
            f"The environment's proxy or certificates cannot be used ({problem}): look at "
            "HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE."
        )

    def _tls(self) -> ssl.SSLContext:
        # Loading the certificates takes most of the time of a first request, and http needs none.
        # Two threads that come first together each load them; the last one's are kept.
        if not self._address.secure:
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._context is None:
            self._context = httpx.create_ssl_context()
        return self._context


class _Borrowed(httpx.BaseTransport):
    """A transport that was passed in: its owner closes it."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)


class _Answer:
    """An answer whose headers are there. See `exchange.Answer`."""

    def __init__(
        self,
        response: httpx.Response,
        lane: KeptConnection[httpx.Client],
        lanes: ConnectionPool[httpx.Client],
        cancel: Cancel,
        failures: _Failures,
    ) -> None:
        self._response = response
        self._lane = lane
        self._lanes = lanes
        self._cancel = cancel
        self._failures = failures
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        # We ask for no compression, and save the decoder where we are heard. A transport of
        # someone's own may have read the body already; then only iter_bytes has it.
        plain = "content-encoding" not in response.headers and not response.is_stream_consumed
        self._bytes = response.iter_raw() if plain else response.iter_bytes()
        self._read = False
        cancel.add(lane.wire.cut)

    def chunks(self) -> Iterator[bytes]:
        failure = None
        try:
            yield from self._bytes
            self._read = True
        except Exception as error:
            failure = self._failures.of(error)
        # Outside of the except block: our error must not bring along the frames of httpx.
        if self._cancel.is_set:
            raise Interrupted("Interrupted.")
        if failure is not None:
            raise failure

    def drain(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._lane.wire.cut)
        timer.daemon = True
        timer.start()
        try:
            for _ in self._bytes:
                pass
            self._read = True
        except Exception:
            # The answer was whole; a connection that fails after it is just not used again.
            self._lane.wire.cut()
        finally:
            timer.cancel()
            timer.join()

    def close(self) -> None:
        if not self._read:
            # First of all: an interrupt may stop the library anywhere in its own closing. It then
            # waits for a lock that it holds itself, or takes for free a connection on which the
            # server is still in its last answer.
            self._lane.wire.cut()
        self._cancel.remove(self._lane.wire.cut)
        try:
            self._response.close()
        except Exception:
            # A connection that cannot even be closed in order is ended, and not used again.
            self._lane.wire.cut()
        self._lanes.give_back(self._lane)


@frozen
class _Failures:
    """Turns what httpx raises into our errors, which keep neither its objects nor its frames."""

    asked: RequestFacts
    timeouts: Timeouts

    def of(self, error: Exception) -> ClaudeError:
        host, why = self.asked.host, self.asked.clean(error)
        match error:
            case httpx.DecodingError():
                return ProtocolError(f"{host} sent an answer that cannot be decompressed.")
            case httpx.ConnectTimeout():
                problem = f"{host} did not connect within {self.timeouts.connect:g} s"
            case httpx.TimeoutException():
                return self.late(self.timeouts.idle)
            case httpx.ProxyError():
                return ConnectionFailed(f"The proxy refused ({why}): look at HTTPS_PROXY.")
            case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in why:
                return ConnectionFailed(
                    f"The certificate of {host} cannot be verified. Behind a proxy of your "
                    "organisation, point SSL_CERT_FILE to its certificates."
                )
            case httpx.ConnectError():
                problem = f"{host} cannot be reached ({why})"
            case httpx.ReadError() | httpx.WriteError():
                return ConnectionFailed(f"{host} broke the connection ({why}). Ask again.")
            case httpx.RemoteProtocolError():
                # Its text quotes what came, which may be anything.
                return ConnectionFailed(f"{host} ended the connection or sent no HTTP. Ask again.")
            case _:
                problem = f"The request to {host} failed ({type(error).__name__})"
        return ConnectionFailed(f"{problem}. Is the server running, and base_url right?")

    def late(self, seconds: float) -> ConnectionFailed:
        return ConnectionFailed(f"{self.asked.host} sent nothing for {seconds:.3g} s. Ask again.")
