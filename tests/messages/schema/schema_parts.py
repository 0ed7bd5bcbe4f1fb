"""The parts of which the tests make JSON schemas by hand."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}


def closed(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    """An object as the API takes it; all its properties are required if nothing else is said."""
    needed = list(properties) if required is None else required
    return {
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": False,
    }


KINDS = {"enum": ["bar", "line"]}
BAND = {"type": "object", "properties": {"n": WHOLE}, "required": ["n"]}
