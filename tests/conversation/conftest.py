"""A desk for each script of a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conversation.desk_and_scales import Desk
from tests.conversation.scripted_server import Refuses, Says, ScriptedServer


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Makes the desk for a script; what the referee refused fails the test."""
    made: list[Desk] = []

    def at(*script: Says | Refuses) -> Desk:
        server = ScriptedServer(*script)
        server.__enter__()
        made.append(Desk(tmp_path, server))
        return made[-1]

    yield at
    for desk in made:
        desk.session.close()
        desk.server.__exit__(None, None, None)
