"""A Messages API server on loopback that says what a test has written down, and checks what it is
asked: the offline server's referee refuses what the real service would.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from claude_magic.offline.referee.message_rules import signature
from claude_magic.offline.referee.referee import check
from claude_magic.offline.referee.request_checks import Refusal
from claude_magic.offline.replies.stream_events import encode, events

_USAGE = {"input_tokens": 100, "output_tokens": 10}


@dataclass(frozen=True)
class Says:
    """One reply. `cut` is how many of its events come before `then`, and the connection's end."""

    content: Sequence[Mapping[str, Any]]
    stop_reason: str = "end_turn"
    cut: int | None = None
    hold: bool = False
    """Whether the stream stands still after half of its events, until the server closes."""
    usage: Mapping[str, int] = field(default_factory=lambda: dict(_USAGE))
    then: bytes = b""


@dataclass(frozen=True)
class Refuses:
    """An error in the shape of the API's."""

    status: int
    message: str
    kind: str = "invalid_request_error"
    details: Mapping[str, Any] = field(default_factory=dict)


def says(text: str, **how: Any) -> Says:
    """A reply of one text block."""
    return Says([{"type": "text", "text": text}], **how)


def calls(*called: tuple[str, str, Mapping[str, Any]], text: str = "", **how: Any) -> Says:
    """A reply that calls tools, each by (id, name, input), after a text if there is one."""
    said = [{"type": "text", "text": text}] if text else []
    blocks = [{"type": "tool_use", "id": i, "name": n, "input": a} for i, n, a in called]
    return Says([*said, *blocks], **{"stop_reason": "tool_use", **how})


class ScriptedServer:
    """Answers one request after the other from `script`; the last answer is given again."""

    def __init__(self, *script: Says | Refuses) -> None:
        self.script = list(script)
        self.bodies: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.holding = threading.Event()
        self._over = threading.Event()
        handler = type("Handler", (_Handler,), {"scripted": self})
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
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        if kind is None:
            assert self.refused == []

    def next(self, body: dict[str, Any], headers: Mapping[str, str]) -> Says | Refuses:
        """The answer to this request; a refusal of the referee fails the test at its end."""
        self.bodies.append(body)
        try:
            check(body, headers)
        except Refusal as refusal:
            self.refused.append(refusal.message)
            return Refuses(400, refusal.message)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def stand_still(self) -> None:
        """Returns when the server closes."""
        self.holding.set()
        self._over.wait()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scripted: ScriptedServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/count_tokens"):
            self._whole(200, {"input_tokens": 9})
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.scripted.next(body, headers)
        if isinstance(answer, Refuses):
            error: dict[str, Any] = {"type": answer.kind, "message": answer.message}
            error |= {"details": dict(answer.details)} if answer.details else {}
            self._whole(answer.status, {"type": "error", "error": error})
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        try:
            self._stream(answer, body)
        except ConnectionError:
            self.close_connection = True  # whoever asked went away

    def _stream(self, answer: Says, body: Mapping[str, Any]) -> None:
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [_signed(block, body) for block in answer.content],
            "stop_reason": answer.stop_reason,
            "stop_sequence": None,
            "stop_details": None,
            "usage": dict(answer.usage),
        }
        stream = [_as_it_came(event, answer.content) for event in events(message)]
        for number, event in enumerate(stream[: answer.cut]):
            self.wfile.write(encode(event))
            if answer.hold and number == len(stream) // 2:
                self.wfile.flush()
                self.scripted.stand_still()
        self.wfile.write(answer.then)

    def _whole(self, status: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's own output is what counts."""


def _signed(block: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The block; thinking with the signature that binds it to the request."""
    if block["type"] != "thinking":
        return block
    return {**block, "signature": signature(body, block["thinking"])}


def _as_it_came(event: dict[str, Any], content: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The event; the input of a tool that is a string comes as that, whole, and is no JSON."""
    delta = event.get("delta", {})
    raw = content[event["index"]].get("input") if "index" in event else None
    if delta.get("type") != "input_json_delta" or not isinstance(raw, str):
        return event
    piece = "" if delta["partial_json"] else raw  # the first one is empty, and only that
    return {**event, "delta": {**delta, "partial_json": piece}}
