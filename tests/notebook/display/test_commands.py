"""`--dry-run=curl` and `=python` print commands that send exactly what the cell would send."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from claude_magic.notebook.display.dry_run import as_curl, as_python
from claude_magic.offline import OfflineServer
from tests.kernels import Kernel, kernel

TRICKY = "What's \"this\": $HOME, `id`, \\n, 'JSON'\nJSON\n% {x} é 🐜"
BODY = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 20,
    "messages": [{"role": "user", "content": TRICKY}],
    "stop_sequences": ["'''", '"""'],
}
KEY = {"ANTHROPIC_API_KEY": "a-key-of-the-environment", "ANTHROPIC_AUTH_TOKEN": "its-token"}


@pytest.mark.parametrize("token", [False, True], ids=["key", "token"])
@pytest.mark.parametrize("bearer", [False, True], ids=["x-api-key", "bearer"])
@pytest.mark.parametrize("form", ["curl", "python"])
def test_the_command_sends_the_body_as_it_is_with_the_key_of_the_environment(
    form: str, bearer: bool, token: bool
) -> None:
    shell = shutil.which("bash")
    if form == "curl" and (shell is None or shutil.which("curl") is None):
        pytest.skip("no bash or no curl here")
    with OfflineServer() as server:
        make = as_curl if form == "curl" else as_python
        command = make(
            BODY,
            server.url,
            "2026-10-21",
            bearer=bearer,
            betas=["interleaved-thinking-2025-05-14", "compact-2026-09-04"],
            token=token,
            further=["x-team"],
        )
        program = [str(shell), "-c"] if form == "curl" else [sys.executable, "-c"]
        done = subprocess.run(
            [*program, command],
            env={**os.environ, **KEY},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (request,) = server.requests
    assert request.json == BODY
    assert request.headers["anthropic-version"] == "2026-10-21"
    betas = "interleaved-thinking-2025-05-14,compact-2026-09-04"
    assert request.headers["anthropic-beta"] == betas
    sent = request.headers["authorization" if bearer else "x-api-key"]
    assert sent.removeprefix("Bearer ") == list(KEY.values())[token]
    assert command.startswith("# Add the headers of ANTHROPIC_CUSTOM_HEADERS: x-team\n")
    assert "offline server" in done.stdout


def test_the_cell_and_its_command_send_the_same(running_kernel: Kernel) -> None:
    line = "%%claude -m claude-sonnet-4-5 --max-tokens 20 --alone -c none --stop END"
    shown = running_kernel.run(f"{line} --dry-run=curl\n{TRICKY}").shown()
    payload = shown.split("<<'JSON'\n", 1)[1].rsplit("\nJSON", 1)[0]
    running_kernel.run(f"{line}\n{TRICKY}")
    sent = running_kernel.requests()[-1]
    assert sent.pop("stream") is True
    assert json.loads(payload) == sent


def test_the_command_names_the_token_where_the_key_is_one(tmp_path: Path) -> None:
    with kernel(tmp_path, ANTHROPIC_AUTH_TOKEN=KEY["ANTHROPIC_AUTH_TOKEN"]) as own:
        shown = own.run("%claude --dry-run=curl Hi").shown()
        assert '--header "authorization: Bearer $ANTHROPIC_AUTH_TOKEN"' in shown
        own.run("%claude_config auth=x-api-key")
        shown = own.run("%claude --dry-run=python Hi").shown()
        assert '"x-api-key": os.environ["ANTHROPIC_AUTH_TOKEN"]' in shown
