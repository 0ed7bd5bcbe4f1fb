"""A value that a reply in JSON stands for, as it is shown."""

from __future__ import annotations

import json
from typing import Any

from ..rendering import reply_bundle
from .frame import Bundle


def value_bundle(value: Any) -> Bundle:
    """The value as highlighted JSON."""
    return fenced(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def fenced(text: str) -> Bundle:
    """Text as it is, in a block of JSON that it cannot end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return reply_bundle(f"{fence}json\n{text}\n{fence}")
