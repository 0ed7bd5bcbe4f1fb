"""The question that the tests of the client ask, and how they ask it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

from claude_magic.messages.transport.client import Client

KEY = "canary-key-0123456789"
BODY: dict[str, Any] = {
    "model": "m",
    "max_tokens": 5,
    "messages": [{"role": "user", "content": "?"}],
}

Connect = Callable[..., Client]


def texts(client: Client, body: Mapping[str, Any] = BODY, **options: Any) -> str:
    """The text deltas of one reply, joined."""
    with client.stream(body, **options) as reply:
        return "".join(event.get("delta", {}).get("text", "") for event in reply)


def full_listener() -> tuple[socket.socket, list[socket.socket]]:
    """A listener whose queue is full, so that a further connection never comes about."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = []
    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        waiting.append(sock)
    return listener, waiting
