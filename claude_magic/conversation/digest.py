"""The digest of a request: the same request asked again has the same one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ..messages.body import digest_of


def digest(server: str, body: Mapping[str, Any]) -> str:
    """SHA-256 of what is asked of whom: not of transport, not of caching.

    The messages enter by their own digests: those of earlier turns are known already.
    """
    asked = {k: v for k, v in body.items() if k not in ("cache_control", "messages")}
    asked["messages"] = digest_of(body["messages"])
    return text_digest(json.dumps([server, asked], sort_keys=True, ensure_ascii=False))


def text_digest(text: str) -> str:
    """SHA-256 of a text; lone surrogates count as question marks."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
