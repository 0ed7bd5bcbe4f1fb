"""A saved notebook."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebook.saved_page import Page


@pytest.fixture
def saved(tmp_path: Path) -> Page:
    """A notebook with three questions."""
    return Page(tmp_path / "page.ipynb", "A", "B", "C")
