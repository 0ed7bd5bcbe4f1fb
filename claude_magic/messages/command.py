"""A request as a command that would send it: for curl or for Python, never with the key in it."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping
from typing import Any

_KEY_VARIABLE = "ANTHROPIC_API_KEY"


def as_curl(body: Mapping[str, Any], base_url: str, api_version: str, *, bearer: bool) -> str:
    """A shell command with the body in a quoted here-document: the shell changes nothing in it."""
    auth = f"authorization: Bearer ${_KEY_VARIABLE}" if bearer else f"x-api-key: ${_KEY_VARIABLE}"
    payload = json.dumps(body, indent=2, ensure_ascii=False)
    # JSON strings hold no line breaks, so no line of the body can be the end mark.
    return (
        f"curl {base_url}/v1/messages \\\n"
        f'     --header "{auth}" \\\n'
        f'     --header "anthropic-version: {api_version}" \\\n'
        '     --header "content-type: application/json" \\\n'
        f"     --data @- <<'JSON'\n{payload}\nJSON"
    )


def as_python(body: Mapping[str, Any], base_url: str, api_version: str, *, bearer: bool) -> str:
    """A Python script that sends the body with httpx and prints the reply's text."""
    header = (
        f'"authorization": "Bearer " + os.environ["{_KEY_VARIABLE}"]'
        if bearer
        else f'"x-api-key": os.environ["{_KEY_VARIABLE}"]'
    )
    payload = pprint.pformat(_plain(body), indent=1, width=96, sort_dicts=False)
    return (
        "import os\n\nimport httpx\n\n"
        f"body = {payload}\n\n"
        "response = httpx.post(\n"
        f'    "{base_url}/v1/messages",\n'
        f'    headers={{{header}, "anthropic-version": "{api_version}"}},\n'
        "    json=body,\n    timeout=600,\n)\n"
        "response.raise_for_status()\n"
        'print("".join(b["text"] for b in response.json()["content"] if b["type"] == "text"))'
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
