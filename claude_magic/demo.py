"""`claude-magic demo`: JupyterLab on the tour notebook, answered by the offline server."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

_READY_SECONDS = 120


def run(notebook: str | None, port: int, *, browser: bool) -> int:
    """Start JupyterLab, print its address when it answers, and wait for it; the exit status."""
    if importlib.util.find_spec("jupyterlab") is None:
        print("claude-magic: the demo needs JupyterLab: pip install 'claude-magic[demo]'")
        return 1
    try:
        path = Path(notebook).resolve() if notebook else _copy_of_tour()
    except OSError as error:
        print(f"claude-magic: the tour cannot be copied here: {error}")
        return 1
    if not path.is_file():
        print(f"claude-magic: there is no notebook {path}")
        return 1
    token, port = secrets.token_hex(16), _free_port(port)
    url = f"http://localhost:{port}/lab/tree/{quote(path.name)}?token={token}"
    command = [sys.executable, "-m", "jupyterlab", f"--port={port}", "--ServerApp.port_retries=0"]
    command += [f"--ServerApp.root_dir={path.parent}", "--no-browser", "--log-level=WARN"]
    if os.name == "posix" and os.geteuid() == 0:
        command.append("--allow-root")
    # The token goes by the environment: a command line can be read by every user of the machine.
    environment = {**os.environ, "JUPYTER_TOKEN": token, "CLAUDE_MAGIC_BASE_URL": "offline"}
    with tempfile.TemporaryDirectory() as config:
        _ask_for_no_news(Path(config), environment)
        return _serve(command, environment, url, port, browser=browser)


def _ask_for_no_news(config: Path, environment: dict[str, str]) -> None:
    """Have JupyterLab not ask whether it may fetch news: that would lie over the chat panel."""
    announcements = "@jupyterlab/apputils-extension:announcements"
    (config / "labconfig").mkdir()
    page = json.dumps({"disabledExtensions": {announcements: True}})
    (config / "labconfig" / "page_config.json").write_text(page, encoding="utf-8")
    paths = (str(config), environment.get("JUPYTER_CONFIG_PATH"))
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))


def _serve(
    command: list[str], environment: dict[str, str], url: str, port: int, *, browser: bool
) -> int:
    server = subprocess.Popen(command, env=environment)  # noqa: S603 - our own interpreter
    try:
        if not _answers(server, port):
            print("claude-magic: JupyterLab did not start; its messages stand above.")
            return server.wait() if server.poll() is not None else _stop(server)
        print(
            f"\nOpen {url}\n\nNo key is needed: an offline server answers. Ctrl+C ends.", flush=True
        )
        if browser and _has_screen():
            import webbrowser

            webbrowser.open(url)
        return server.wait()
    except KeyboardInterrupt:
        _stop(server)
        return 0


def _copy_of_tour() -> Path:
    """The tour in the current folder; an own copy that is already there is kept."""
    here = Path(__file__).parent
    shipped = here / "tour.ipynb"  # in a wheel; in a checkout it stands with the other notebooks
    source = shipped if shipped.is_file() else here.parent / "notebooks" / "tour.ipynb"
    copy = Path.cwd() / "claude-magic-tour.ipynb"
    if not copy.exists():
        shutil.copyfile(source, copy)
    return copy


def _free_port(first: int) -> int:
    for port in range(first, first + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return first


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


def _stop(server: subprocess.Popen[bytes]) -> int:
    server.terminate()
    try:
        return server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        return server.wait()


def _has_screen() -> bool:
    """Whether a browser can show something; without a screen one may take over the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
