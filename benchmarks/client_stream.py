"""CPU per delta of a long reply: our client, a whole question, the floor, Anthropic's own package.

    python benchmarks/client_stream.py [deltas] [rounds]

A process of its own serves the reply on loopback; the CPU time is that of the reading process
alone. The floor is httpx with a bare parser: split the bytes at line ends, json.loads per line.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

BODY: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 10,
    "messages": [{"role": "user", "content": "?"}],
}


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def serve(deltas: int, told: Connection) -> None:
    """Answers every request with a reply of so many deltas, each in a chunk of its own."""
    import socket

    usage = {"input_tokens": 9, "output_tokens": 1}
    head = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
    message = {**head, "stop_reason": None, "stop_sequence": None, "usage": usage}
    text = {"type": "text_delta", "text": "word "}
    pieces = [
        event("message_start", message=message),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *[event("content_block_delta", index=0, delta=text)] * deltas,
        event("content_block_stop", index=0),
        event(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": deltas},
        ),
        event("message_stop"),
    ]
    chunks = [chunk(piece) for piece in pieces]
    # Many chunks to a write, as when a server is faster than its reader.
    writes = [b"".join(chunks[i : i + 50]) for i in range(0, len(chunks), 50)]
    listener = socket.create_server(("127.0.0.1", 0))
    told.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        with connection:
            received = b""
            while b"\r\n\r\n" not in received or not received.endswith(b"}"):
                received += connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
            )
            for data in writes:
                connection.sendall(data)
            connection.sendall(b"0\r\n\r\n")


def floor(url: str) -> int:
    import httpx

    count = 0
    rest = b""
    with (
        httpx.Client(trust_env=False, timeout=30) as client,
        client.stream("POST", f"{url}/v1/messages", json=BODY) as response,
    ):
        for data in response.iter_raw():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.startswith(b"data: "):
                    count += json.loads(line[6:])["type"] == "content_block_delta"
    return count


def ours(url: str) -> int:
    from claude_magic.messages.transport.client import Client

    client = Client(url)
    count = 0
    with client.stream(BODY) as reply:
        for one in reply:
            count += one["type"] == "content_block_delta"
    client.close()
    return count


def asked(url: str) -> int:
    from claude_magic.conversation.asking.question import Question
    from claude_magic.conversation.events import Event, Received
    from claude_magic.conversation.session import Session
    from claude_magic.conversation.settings import Settings
    from claude_magic.messages.blocks import text

    count = 0

    def listen(event: Event) -> None:
        nonlocal count
        match event:
            case Received(one):
                count += one["type"] == "content_block_delta"

    session = Session(lambda: Settings(base_url=url), find=lambda: None)
    session.ask(Question(content=(text("?"),)), listen)
    session.close()
    return count


def anthropic_raw(url: str) -> int:
    import anthropic

    client = anthropic.Anthropic(api_key="none", base_url=url)
    count = 0
    with client.messages.create(**BODY, stream=True) as events:
        for one in events:
            count += one.type == "content_block_delta"
    client.close()
    return count


READERS: Mapping[str, Callable[[str], int]] = {
    "floor: httpx, split, json.loads": floor,
    "claude_magic, with the message": ours,
    "claude_magic, a question asked": asked,
    "anthropic, raw events": anthropic_raw,
}


def main() -> None:
    deltas = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(deltas, there), daemon=True
    )
    server.start()
    url = f"http://127.0.0.1:{here.recv()}"
    print(f"{deltas} deltas, CPU us per delta (median, least of {rounds})")
    used: dict[str, list[float]] = {name: [] for name in READERS}
    # In turns, so that whatever else the machine does hits each alike. The first imports.
    for turn in range(rounds + 1):
        for name, read in READERS.items():
            before = time.process_time()
            count = read(url)
            spent = (time.process_time() - before) / deltas * 1e6
            assert count == deltas, f"{name} saw {count}"  # noqa: S101 - a wrong count is no figure
            if turn:
                used[name].append(spent)
    for name, figures in used.items():
        print(f"  {name:34s} {statistics.median(figures):6.1f} {min(figures):6.1f}")
    server.terminate()


if __name__ == "__main__":
    main()
