"""Fixtures that more than one layer's tests use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernels import Kernel, kernel


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of the module's kernel."""
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def running_kernel(shared_folder: Path) -> Iterator[Kernel]:
    """One kernel for a module; starting one takes a second."""
    with kernel(shared_folder) as started:
        yield started
