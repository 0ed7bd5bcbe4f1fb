"""A kernel with tools whose questions go to a scripted server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conversation.scripted_server import ScriptedServer, says
from tests.kernels import Kernel, kernel
from tests.notebook.tools.tool_questions import CANARY, DEFINED


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(says("Done.")) as started:
        yield started


@pytest.fixture(scope="module")
def running(server: ScriptedServer, shared_folder: Path) -> Iterator[Kernel]:
    """A kernel whose questions go to the scripted server."""
    environment = {"CLAUDE_MAGIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": CANARY}
    with kernel(shared_folder, **environment) as started:
        started.run(DEFINED, cell="defined")
        yield started
