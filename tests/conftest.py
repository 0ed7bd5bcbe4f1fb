"""Fixtures that more than one layer's tests use."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from claude_magic.offline.server import JOURNAL
from tests.front_ends import table
from tests.kernels import Kernel, kernel

# How long an example takes says more of the machine than of the code. The same examples each time:
# what they find is found by whoever broke it. Others: pytest --hypothesis-profile=explore
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("explore"), derandomize=True)
settings.load_profile("same")


def pytest_configure() -> None:
    """Have the offline servers write down what they are asked, for `test_every_request`."""
    os.environ["DO_NOT_TRACK"] = "1"  # Daft would tell its makers that it was imported
    if JOURNAL not in os.environ:
        file = Path(__file__).parent.parent / "test-artifacts" / "requests.jsonl"
        file.parent.mkdir(exist_ok=True)
        os.environ[JOURNAL] = str(file)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What looks at all requests comes last, and what they are is begun anew before it.

    Of several processes (`-n`) none is the last: `make test` looks at all of them afterwards.
    """
    among = os.environ.get("PYTEST_XDIST_WORKER")
    others = [item for item in items if item.path.name != "test_every_request.py"]
    looks = [item for item in items if item.path.name == "test_every_request.py"]
    if others and among:
        items[:] = others
        config.hook.pytest_deselected(items=looks)
    else:
        items[:] = [*others, *looks]
    if others and among in (None, "gw0"):
        Path(os.environ[JOURNAL]).unlink(missing_ok=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what was shown to work in a front end, for the table in docs/front-ends.md."""
    report = yield
    table.note(item, report)
    return report


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of the module's kernel."""
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def running_kernel(shared_folder: Path) -> Iterator[Kernel]:
    """One kernel for a module; starting one takes a second."""
    with kernel(shared_folder) as started:
        yield started
