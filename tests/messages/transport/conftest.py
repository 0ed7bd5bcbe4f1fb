"""A server with a good reply, clients for it, and a log that may not hold the key."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from claude_magic.messages.credentials import Secret
from claude_magic.messages.transport.client import Client
from tests.messages.transport.client_requests import KEY, Connect
from tests.messages.transport.fault_server import FaultServer, replies

# A failed check in there shows its values, as in a test module, if it is imported after this.
pytest.register_assert_rewrite("tests.messages.transport.fault_outcomes")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(replies) as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients with the key, closed when the test is over."""
    made: list[Client] = []

    def make(server: FaultServer | str, key: Secret | None = Secret(KEY), **options: Any) -> Client:  # noqa: B008
        url = server if isinstance(server, str) else server.url
        made.append(Client(url, key, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    from tests.messages.transport.fault_outcomes import CANARY

    caplog.set_level(logging.DEBUG)
    yield caplog
    assert CANARY not in caplog.text
