"""A loop that runs async functions, for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from claude_magic.tools.calling import AsyncThread


@pytest.fixture
def loop() -> Iterator[AsyncThread]:
    started = AsyncThread()
    yield started
    started.close()
