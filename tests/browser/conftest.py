"""A real JupyterLab and a real Chromium."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Lab, Notebook
from tests.kernels import without_settings

ARTIFACTS = Path(__file__).parents[2] / "test-artifacts"


def chromium() -> str | None:
    """The path of an installed Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(600))
            if chromium() is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium is installed"))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    return launch_args()


def launch_args() -> dict[str, Any]:
    """How Chromium is started."""
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync"
    )
    return {"executable_path": chromium(), "args": flags.split()}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    return {"viewport": {"width": 1280, "height": 1000}}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on an empty folder."""
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """JupyterLab on an empty folder, with configuration, data and runtime folders of its own."""
    work = home / "work"
    work.mkdir()
    settings = home / "config" / "labconfig"
    settings.mkdir(parents=True)
    # Its toast would lie over what the tests click.
    page = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (settings / "page_config.json").write_text(json.dumps(page), encoding="utf-8")
    # All cells stand in the page, not only those in view.
    overrides = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}
    (settings / "default_setting_overrides.json").write_text(json.dumps(overrides), "utf-8")
    port = free_port()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}"]
    command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"]
    # The same server serves Notebook 7, at /notebooks.
    command += [f"--{app}.expose_app_in_browser=True" for app in ("LabApp", "JupyterNotebookApp")]
    command += [f"--ServerApp.root_dir={work}", "--allow-root", "--ServerApp.port_retries=0"]
    env = without_settings(os.environ)
    env |= {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "CLAUDE_MAGIC_BASE_URL": "offline",
    }
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/api", server)
            yield Lab(f"http://127.0.0.1:{port}", work)
        finally:
            server.terminate()
            server.wait(60)


def wait_until_up(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("JupyterLab did not start")


@pytest.fixture
def notebook(lab: Lab, page: Any, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """An opener of notebooks; a screenshot is kept of what the test left on the page."""
    yield Notebook(lab, page)
    picture(page, request.node.name)


def picture(page: Any, name: str) -> None:
    """Keep a screenshot of what is in view, for whoever looks at the test's results."""
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(ARTIFACTS / f"{name}.png"))
