"""Cells that use a virtual desktop are skipped, in one clear line, where there can be none."""

from __future__ import annotations

import shutil

import pytest

from claude_magic.computer.desktop import check_installed
from claude_magic.messages.errors import InputError

EDITOR = "l3afpad"


def missing() -> str:
    """What is not installed, and the command that installs it; "" where all is there."""
    try:
        check_installed()
    except InputError as fault:
        return str(fault)
    if shutil.which(EDITOR) is None:
        return f"The notebooks need {EDITOR}: sudo apt-get install {EDITOR}"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = missing()
    for item in items:
        source = getattr(getattr(item, "cell", None), "source", "")
        desktop = item.path.name == "computer.ipynb" or "--tools computer" in source
        if reason and (desktop or "desktop.steps" in source):
            item.add_marker(pytest.mark.skip(reason=reason))
