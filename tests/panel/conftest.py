"""A panel and the kernel that it belongs to; a module may have others of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernels import Kernel, kernel
from tests.panel.panels import Panel, shown


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel of its own, whose notebook is the file page.ipynb."""
    (tmp_path / "page.ipynb").write_text('{"cells": []}')
    with kernel(tmp_path, JPY_SESSION_NAME=str(tmp_path / "page.ipynb")) as started:
        yield started


@pytest.fixture
def panel(own: Kernel) -> Panel:
    """A panel that has said hello."""
    made = shown(own)
    made.hello()
    return made
