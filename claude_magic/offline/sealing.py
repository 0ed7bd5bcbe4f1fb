"""Seals: short digests in what this server gives out, so that it knows it again unchanged."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

_MARK = "offline"
_CALL_ID = "srvtoolu_offline_"
_SHORT = 8


def sealed(*parts: Any) -> str:
    """An opaque text for `parts`, as `encrypted_content` and `encrypted_index` are."""
    return base64.b64encode(f"{_MARK}.{_digest(parts)}".encode()).decode()


def broken_seal(seal: str, *parts: Any) -> bool:
    """Whether `seal` is one of this server's and belongs to something else than `parts`."""
    try:
        mark, _, digest = base64.b64decode(seal, validate=True).decode().partition(".")
    except ValueError:
        return False  # another server's: it cannot be told
    return mark == _MARK and digest != _digest(parts)


def call_id(place: str, name: str, given: Any) -> str:
    """The id of a call of a server's tool; `place` tells it from the others."""
    return f"{_CALL_ID}{place}_{_digest((name, given))[:_SHORT]}"


def changed_call(identity: str, name: str, given: Any) -> bool:
    """Whether a call with an id of this server has another name or input than it was made with."""
    ours = identity.startswith(_CALL_ID)
    return ours and not identity.endswith(f"_{_digest((name, given))[:_SHORT]}")


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]
