"""A running offline server and an independent client for it."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import pytest

from claude_magic.offline import OfflineServer


@pytest.fixture
def server() -> Iterator[OfflineServer]:
    with OfflineServer() as running:
        yield running


@pytest.fixture
def client(server: OfflineServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key="offline", max_retries=0) as made:
        yield made
