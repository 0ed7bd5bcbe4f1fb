"""What all endpoints of one server have in common: what they share, are asked, refuse with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tornado.web import RequestHandler

from .journal import Journal, RecordedRequest
from .referee.json_checks import Refusal, bad
from .referee.referee import MAX_BODY
from .replies.prefix_cache import PrefixCache
from .server_batches import ServerBatches


@dataclass(frozen=True)
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
