"""A desktop with a recording window on it, for a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from claude_magic.computer.desktop import VirtualDesktop, check_installed
from claude_magic.messages.errors import InputError
from tests.computer.recorder import Recorder, tk_python


@pytest.fixture(scope="session")
def installed() -> None:
    """Skips where there can be no desktop; `tests/install-desktop` installs what it takes."""
    try:
        check_installed()
    except InputError as fault:
        pytest.skip(str(fault))
    if tk_python() is None:
        pytest.skip("no Python with Tk: install Debian's python3-tk")


@pytest.fixture(scope="module")
def desktop(installed: None) -> Iterator[VirtualDesktop]:
    started = VirtualDesktop(1280, 800)
    try:
        yield started
    finally:
        started.close()


@pytest.fixture(scope="module")
def window(desktop: VirtualDesktop, tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    """The recording window, open on the module's desktop."""
    recorder = Recorder(tmp_path_factory.mktemp("recorded") / "events.jsonl")
    desktop.open(recorder.command())
    recorder.until(lambda: recorder.of("mapped"))
    return recorder
