"""A request as a command that would send it: for curl or for Python, never with a secret in it."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping, Sequence
from typing import Any

from .address import VARIABLE


def as_curl(
    body: Mapping[str, Any],
    base_url: str,
    api_version: str,
    *,
    bearer: bool,
    betas: Sequence[str] = (),
    token: bool = False,
    further: Sequence[str] = (),
) -> str:
    """A shell command with the body in a quoted here-document: the shell changes nothing in it.

    The key is that of the environment: `token` says that it is the one in ANTHROPIC_AUTH_TOKEN.
    `further` are names of headers that the environment adds, which a line says.
    """
    key = f"${_variable(token)}"
    auth = f"authorization: Bearer {key}" if bearer else f"x-api-key: {key}"
    payload = json.dumps(body, indent=2, ensure_ascii=False)
    # JSON strings hold no line breaks, so no line of the body can be the end mark.
    beta = f'     --header "anthropic-beta: {",".join(betas)}" \\\n' if betas else ""
    return (
        f"{_further(further)}"
        f"curl {base_url}/v1/messages \\\n"
        f'     --header "{auth}" \\\n'
        f'     --header "anthropic-version: {api_version}" \\\n'
        f'{beta}     --header "content-type: application/json" \\\n'
        f"     --data @- <<'JSON'\n{payload}\nJSON"
    )


def as_python(
    body: Mapping[str, Any],
    base_url: str,
    api_version: str,
    *,
    bearer: bool,
    betas: Sequence[str] = (),
    token: bool = False,
    further: Sequence[str] = (),
) -> str:
    """A Python script that sends the body with httpx and prints the reply's text; see `as_curl`."""
    key = f'os.environ["{_variable(token)}"]'
    header = f'"authorization": "Bearer " + {key}' if bearer else f'"x-api-key": {key}'
    beta = f', "anthropic-beta": "{",".join(betas)}"' if betas else ""
    payload = pprint.pformat(_plain(body), indent=1, width=96, sort_dicts=False)
    return (
        f"{_further(further)}"
        "import os\n\nimport httpx\n\n"
        f"body = {payload}\n\n"
        "response = httpx.post(\n"
        f'    "{base_url}/v1/messages",\n'
        f'    headers={{{header}, "anthropic-version": "{api_version}"{beta}}},\n'
        "    json=body,\n    timeout=600,\n)\n"
        "response.raise_for_status()\n"
        'print("".join(b["text"] for b in response.json()["content"] if b["type"] == "text"))'
    )


def _variable(token: bool) -> str:
    return "ANTHROPIC_AUTH_TOKEN" if token else "ANTHROPIC_API_KEY"


def _further(names: Sequence[str]) -> str:
    return f"# Add the headers of {VARIABLE}: {', '.join(names)}\n" if names else ""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
