"""A Messages API server on loopback that knows little of the API, as those of local models do."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class LimitedServer:
    """Text, streams, system prompts and prefill; no list of models, counting, images or schemas.

    Tools are passed over. `streams` False answers everything in one piece, `says` in place of what
    it would say, `models` with that list.
    """

    def __init__(
        self, *, streams: bool = True, says: str | None = None, models: tuple[str, ...] = ()
    ) -> None:
        self.streams = streams
        self.says = says
        self.models = models
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        handler = type("Handler", (_Handler,), {"limited": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def refusal(self, body: Mapping[str, Any]) -> str | None:
        """Why a request is refused; None where it is answered."""
        if "output_config" in body:
            return "output_config: Extra inputs are not permitted"
        if '"image"' in json.dumps(body["messages"]):
            return "this model does not support images"
        return None

    def answer(self, body: Mapping[str, Any]) -> str:
        """The words of the reply."""
        if self.says is not None:
            return self.says
        asked = json.dumps(body["messages"])
        word = re.search(r"single word (\w+)", str(body.get("system", "")))
        if word:
            return word[1].upper()
        if body["messages"][-1]["role"] == "assistant":
            return "C) Formicidae"
        return '```json\n{"colour": "red"}\n```' if "JSON schema" in asked else "Hello"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    limited: LimitedServer

    def do_GET(self) -> None:
        self.limited.paths.append(self.path)
        models = [{"id": name} for name in self.limited.models]
        self._whole(200 if models else 404, {"object": "list", "data": models})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.limited.paths.append(self.path)
        if self.path != "/v1/messages":
            self._whole(404, {"detail": "Not Found"})
            return
        self.limited.bodies.append(body)
        refusal = self.limited.refusal(body)
        if refusal:
            self._whole(400, {"error": {"type": "invalid_request_error", "message": refusal}})
            return
        said = self.limited.answer(body)
        if body.get("stream") and self.limited.streams:
            self._stream(said)
            return
        content = [{"type": "text", "text": said}] if said else []
        self._whole(200, {"role": "assistant", "content": content, "stop_reason": "end_turn"})

    def _stream(self, said: str) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in _events(said):
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

    def _whole(self, status: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's own output is what counts."""


def _events(said: str) -> Iterator[dict[str, Any]]:
    message = {"role": "assistant", "content": [], "stop_reason": None}
    yield {"type": "message_start", "message": message}
    yield {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    }
    delta = {"type": "text_delta", "text": said}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    yield {"type": "message_stop"}
