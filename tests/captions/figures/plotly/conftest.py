"""One page of Chromium with plotly.js in it, for all figures of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import chromium, launch_args
from tests.captions.figures.plotly.plotly_oracle import Oracle


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return launch_args()


@pytest.fixture(scope="session")
def oracle(request: pytest.FixtureRequest) -> Iterator[Oracle]:
    """What plotly.js computes of a figure."""
    if chromium() is None:
        pytest.skip("no Chromium is installed")
    page = request.getfixturevalue("browser").new_page()
    try:
        yield Oracle(page)
    finally:
        page.close()
