"""The endpoints over HTTP: read, let the referee judge, answer, stream; those of batches too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tornado.iostream import StreamClosedError
from tornado.web import Application

from ..messages.usage import estimate_input
from .endpoint import Endpoint, Service
from .model_list import QUERY, model_info, models_page
from .referee.json_checks import Refusal
from .referee.referee import check, check_headers, known_model
from .replies.answer import answer_as
from .replies.scripts import BATCH_LOST, refuse, refuse_particular, script
from .replies.stream_events import StreamEvent, encode, events
from .server_batches import MAX_BATCH, ServerBatch

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
