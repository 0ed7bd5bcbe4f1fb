"""The endpoints over HTTP, those of batches too: read, let the referee judge, answer, stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from ..messages.usage import estimate_input
from ..value_classes import frozen
from .journal import BATCH_LOST, Journal, RecordedRequest, refuse, refuse_particular, script
from .model_list import QUERY, model_info, models_page
from .referee.referee import MAX_BODY, check, check_headers, known_model
from .referee.request_checks import Refusal, bad
from .replies.answer import answer_as
from .replies.prefix_cache import PrefixCache
from .replies.stream_events import StreamEvent, encode, events
from .server_batches import MAX_BATCH, ServerBatch, ServerBatches


@frozen
class Service:
    """What the handlers of one server share. `pace`: seconds between deltas."""

    journal: Journal
    cache: PrefixCache
    batches: ServerBatches
    pace: float


class Endpoint(RequestHandler):
    """One endpoint: bodies up to `largest` bytes, the journal keeps those up to `remembered`."""

    service: Service
    largest = MAX_BODY
    remembered = MAX_BODY

    def initialize(self, service: Service) -> None:
        self.service = service
        self.number = service.journal.next_number()
        self.gone = asyncio.Event()
        self._stamp()

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        if hasattr(self, "number"):  # tornado calls this once before initialize
            self._stamp()

    def _stamp(self) -> None:
        self.set_header("request-id", self.request_id)
        self.set_header("anthropic-organization-id", "offline")

    @property
    def request_id(self) -> str:
        return f"req_offline_{self.number:06}"

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers, names in lower case."""
        return {name.lower(): value for name, value in self.request.headers.items()}

    def prepare(self) -> None:
        body = self.request.body
        if len(body) > self.remembered:
            body = b""
        try:
            parsed = _parsed(body)
        except Refusal:
            parsed = None
        self.service.journal.record(
            RecordedRequest(
                str(self.request.method),
                self.request.path,
                MappingProxyType(dict(self.headers)),
                body,
                parsed,
            )
        )

    def json_body(self) -> Mapping[str, Any]:
        """The body. Raises Refusal where it is too large or no JSON object."""
        if len(self.request.body) > self.largest:
            raise Refusal(413, "request_too_large", "Request exceeds the maximum size")
        if not self.headers.get("content-type", "").startswith("application/json"):
            raise bad("content-type: Input should be 'application/json'")
        body = _parsed(self.request.body)
        if not isinstance(body, Mapping):
            raise bad("Input should be a valid dictionary")
        return body

    def reply(self, body: Mapping[str, Any]) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(body, ensure_ascii=False))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, Refusal):  # a refusal is an answer, not a fault
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        fault = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(fault, Refusal):
            fault = {
                400: bad("The request is malformed"),
                404: Refusal(404, "not_found_error", "Not Found"),
                405: Refusal(405, "invalid_request_error", "Method Not Allowed"),
            }.get(status_code, Refusal(status_code, "api_error", "Internal server error"))
        self.set_status(fault.status, reason=fault.error_type)
        if fault.retry_after is not None:
            self.set_header("retry-after", f"{fault.retry_after:g}")
        self.reply(fault.body(self.request_id))

    def on_connection_close(self) -> None:
        if not self._finished:
            self.client_went_away()

    def client_went_away(self) -> None:
        """Noticed by reading or by writing, whichever comes first; counted once."""
        if not self.gone.is_set():
            self.gone.set()
            self.service.journal.record_disconnect()


def _parsed(body: bytes) -> Any:
    def no_constant(name: str) -> Any:
        raise ValueError(name)

    try:
        value = json.loads(body.decode(), parse_constant=no_constant)
        if rb"\u" in body:  # half of a surrogate pair can be written, but is not text
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as fault:
        raise bad(f"The request body is not valid JSON: {fault}") from fault
    return value


# Of larger bodies the journal remembers that they came, and nothing else.
_REMEMBERED = 1024 * 1024


class _BatchEndpoint(Endpoint):
    largest = MAX_BATCH
    remembered = _REMEMBERED

    def prepare(self) -> None:
        super().prepare()
        check_headers(self.headers)

    def tell(self, batch: ServerBatch) -> None:
        """Answer with what the API tells of a batch."""
        self.reply(batch.told(self.url))

    @property
    def url(self) -> str:
        """The address of this server."""
        return f"{self.request.protocol}://{self.request.host}"


class AllBatches(_BatchEndpoint):
    """POST and GET /v1/messages/batches."""

    def post(self) -> None:
        behaviour = self.service.journal.next_batch_behaviour()
        refuse(behaviour)
        batch = self.service.batches.create(self.json_body(), self.headers)
        if behaviour == BATCH_LOST:
            self.detach().close()
            return
        self.tell(batch)

    def get(self) -> None:
        query = {name: self.get_query_argument(name, "") for name in QUERY}
        given = {name: value for name, value in query.items() if value}
        self.reply(self.service.batches.page(given, self.url))


class OneBatch(_BatchEndpoint):
    """GET and DELETE /v1/messages/batches/{id}."""

    def get(self, name: str) -> None:
        self.tell(self.service.batches.get(name))

    def delete(self, name: str) -> None:
        self.service.batches.delete(self.service.batches.get(name))
        self.reply({"id": name, "type": "message_batch_deleted"})


class CancelBatch(_BatchEndpoint):
    """POST /v1/messages/batches/{id}/cancel."""

    def post(self, name: str) -> None:
        batch = self.service.batches.get(name)
        self.service.batches.cancel(batch)
        self.tell(batch)


class BatchResults(_BatchEndpoint):
    """GET /v1/messages/batches/{id}/results."""

    async def get(self, name: str) -> None:
        pieces = self.service.batches.results(self.service.batches.get(name))
        self.set_header("Content-Type", "application/x-jsonl")
        try:
            for piece in pieces:
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            self.client_went_away()


class Messages(Endpoint):
    """POST /v1/messages."""

    async def post(self) -> None:
        behaviour = self.service.journal.next_behaviour()
        refuse(behaviour)
        asked = check(self.json_body(), self.headers)
        self.service.journal.accept(self.headers, asked.body)
        refuse_particular(asked, behaviour)
        charge = self.service.cache.charge(asked)
        message = answer_as(behaviour, asked, charge, self.number)
        if asked.body.get("stream"):
            await self._stream(list(events(message, charge.fresh)), behaviour)
        else:
            self.reply(message)

    async def _stream(self, whole: Sequence[StreamEvent], behaviour: str | None) -> None:
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        played = script(whole, behaviour)
        pace = max(self.service.pace, played.pace)
        *first, last = played.events
        try:
            for event in first:
                self.write(encode(event))
                await self.flush()
                if pace and event["type"] in ("content_block_delta", "ping"):
                    await self._wait(pace)
            self.write(encode(last))
            if played.hangs:
                await self.flush()
                await self.gone.wait()
            else:
                # The last event and the end of the body leave together, so that a client which
                # hangs up after its last event is not taken for one that went away too early.
                await self.finish()
        except StreamClosedError:
            self.client_went_away()

    async def _wait(self, seconds: float) -> None:
        """Returns after `seconds`. Raises StreamClosedError as soon as the client goes away."""
        try:
            await asyncio.wait_for(self.gone.wait(), seconds)
        except TimeoutError:
            return
        raise StreamClosedError


class CountTokens(Endpoint):
    """POST /v1/messages/count_tokens."""

    def post(self) -> None:
        asked = check(self.json_body(), self.headers, counting=True)
        self.reply({"input_tokens": estimate_input(asked.body, asked.model)})


class Models(Endpoint):
    """GET /v1/models."""

    def get(self) -> None:
        check_headers(self.headers)
        names = ("limit", "after_id", "before_id", "lifecycle")
        query = {name: self.get_query_argument(name, "") for name in names}
        self.reply(models_page({name: value for name, value in query.items() if value}))


class OneModel(Endpoint):
    """GET /v1/models/{id}."""

    def get(self, model_id: str) -> None:
        check_headers(self.headers)
        self.reply(model_info(known_model(model_id)))


class Elsewhere(Endpoint):
    """Any other path."""

    def prepare(self) -> None:
        super().prepare()
        raise Refusal(404, "not_found_error", "Not Found")


def application(service: Service) -> Application:
    """The API as a tornado application."""
    shared = {"service": service}
    return Application(
        [
            (r"/v1/messages", Messages, shared),
            (r"/v1/messages/count_tokens", CountTokens, shared),
            (r"/v1/messages/batches", AllBatches, shared),
            (r"/v1/messages/batches/([^/]+)", OneBatch, shared),
            (r"/v1/messages/batches/([^/]+)/cancel", CancelBatch, shared),
            (r"/v1/messages/batches/([^/]+)/results", BatchResults, shared),
            (r"/v1/models", Models, shared),
            (r"/v1/models/([^/]+)", OneModel, shared),
        ],
        default_handler_class=Elsewhere,
        default_handler_args=shared,
        log_function=lambda handler: None,  # noqa: ARG005 - tornado passes it
    )
