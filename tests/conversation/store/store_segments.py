"""The segments of a conversation, made and found, and what is said where none can be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from claude_magic.conversation.store.store import Store
from tests.conversation.store.store_child import asked, turn

IN_MEMORY = "new turns are kept in memory"


def segments(root: Path) -> list[Path]:
    return sorted((root / "c").glob("*.jsonl"))


def filled(root: Path, *names: str) -> Path:
    """The one segment of a conversation with complete turns of these names."""
    store = Store(root, "c")
    store.load()
    for name in names:
        store.end(turn(name))
    (segment,) = (root / "c").glob("*.jsonl")
    return segment


def line(**values: Any) -> bytes:
    """A record in its form, of another process."""
    head = {"schema": 1, "lamport": 90, "segment": "f", "seq": 1, "kind": "turn_start", "time": 1}
    return json.dumps({**head, **values}).encode() + b"\n"


def start_line(**values: Any) -> bytes:
    return line(turn=json.loads(json.dumps({**asked(turn("z")).to_json(), **values})))
