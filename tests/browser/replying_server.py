"""A Messages API server on loopback that says what a test wants said, in small pieces."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Said:
    """One reply: `text` in pieces of `size` characters, spread over `seconds`.

    After the piece that holds the character `hold`, the stream stands still until the server is
    told to go on. With `call`, a call of the tool of this name follows, with the name as its
    argument; with `error`, an error event with this message ends it.
    """

    text: str
    thinking: str = ""
    call: str = ""
    model: str = "test"
    stop_reason: str = "end_turn"
    size: int = 5
    seconds: float = 0.0
    hold: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Refused:
    """An answer in the shape of the API's errors, or of `body` as it is."""

    status: int
    kind: str = "invalid_request_error"
    message: str = ""
    body: str | None = None


class ReplyingServer:
    """Answers each question by `answer`, which is given the text of the last message.

    `models` are the entries of the model list; without any, there is none.
    """

    def __init__(
        self,
        answer: Callable[[str], Said | Refused],
        models: tuple[Mapping[str, Any], ...] = (),
    ) -> None:
        self.asked: list[str] = []
        self.requests: list[Mapping[str, Any]] = []
        self._answer = answer
        self._models = models
        self._go_on = threading.Event()
        self._over = threading.Event()
        handler = type("Handler", (_Handler,), {"replying": self})
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
        self._go_on.set()
        self._server.shutdown()
        self._server.server_close()

    def go_on(self) -> None:
        """Ends the standstill of held streams, also of those to come."""
        self._go_on.set()

    def models(self) -> dict[str, Any] | None:
        """The body of the model list."""
        return {"data": list(self._models), "has_more": False} if self._models else None

    def answer(self, body: Mapping[str, Any]) -> Said | Refused:
        """What is said to this request."""
        content = body["messages"][-1]["content"]
        blocks = [{"text": content}] if isinstance(content, str) else content
        text = "\n".join(str(block.get("text", "")) for block in blocks)
        self.asked.append(text)
        self.requests.append(body)
        return self._answer(text)

    def paced(self, said: Said) -> Iterator[str]:
        """The pieces of the text, each when it is due."""
        pieces = [said.text[i : i + said.size] for i in range(0, len(said.text), said.size)]
        for number, piece in enumerate(pieces):
            yield piece
            if said.hold is not None and number == said.hold // said.size:
                self._go_on.wait()
            # Few waits of a length that a timer keeps, in place of many short ones.
            elif said.seconds and number % max(1, len(pieces) // 20) == 0:
                self._over.wait(said.seconds / min(len(pieces), 20))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    replying: ReplyingServer

    def do_GET(self) -> None:
        models = self.replying.models()
        self._whole(404 if models is None else 200, json.dumps(models or {}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = self.replying.answer(body)
        if isinstance(answer, Refused):
            error = {"type": "error", "error": {"type": answer.kind, "message": answer.message}}
            self._whole(answer.status, answer.body or json.dumps(error))
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("request-id", "req_1")
        self.send_header("connection", "close")
        self.end_headers()
        try:
            for event in self._events(answer):
                data = json.dumps(event, ensure_ascii=False)
                self.wfile.write(f"event: {event['type']}\ndata: {data}\n\n".encode())
        except ConnectionError:
            self.close_connection = True  # The kernel was stopped first.

    def _events(self, said: Said) -> Iterator[dict[str, Any]]:
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": said.model}
        message |= {"content": [], "stop_reason": None, "usage": {"input_tokens": 9}}
        yield {"type": "message_start", "message": message}
        index = 0
        if said.thinking:
            yield from self._block(index, "thinking", iter([said.thinking]))
            index += 1
        yield from self._block(index, "text", self.replying.paced(said))
        if said.call:
            called = {"type": "tool_use", "id": "toolu_1", "name": said.call, "input": {}}
            given = {"type": "input_json_delta", "partial_json": json.dumps({said.call: said.call})}
            index += 1
            yield {"type": "content_block_start", "index": index, "content_block": called}
            yield {"type": "content_block_delta", "index": index, "delta": given}
            yield {"type": "content_block_stop", "index": index}
        if said.error is not None:
            yield {"type": "error", "error": {"type": "api_error", "message": said.error}}
            return
        usage = {"output_tokens": len(said.text) // 4}
        yield {"type": "message_delta", "delta": {"stop_reason": said.stop_reason}, "usage": usage}
        yield {"type": "message_stop"}

    def _block(self, index: int, kind: str, pieces: Iterator[str]) -> Iterator[dict[str, Any]]:
        begun = {"type": "content_block_start", "index": index}
        yield begun | {"content_block": {"type": kind, kind: ""}}
        for piece in pieces:
            delta = {"type": f"{kind}_delta", kind: piece}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}

    def _whole(self, status: int, body: str) -> None:
        encoded = body.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's own output is what counts."""
