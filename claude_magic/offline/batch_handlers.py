"""The endpoints of Message Batches over HTTP."""

from __future__ import annotations

from tornado.iostream import StreamClosedError

from .batches import Batch
from .behaviours import BATCH_LOST, refuse
from .endpoint import Endpoint
from .paging import QUERY
from .referee import check_headers
from .rules_batches import MAX_BATCH

# Of larger bodies the journal remembers that they came, and nothing else.
_REMEMBERED = 1024 * 1024


class _BatchEndpoint(Endpoint):
    largest = MAX_BATCH
    remembered = _REMEMBERED

    def prepare(self) -> None:
        super().prepare()
        check_headers(self.headers)

    def tell(self, batch: Batch) -> None:
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
