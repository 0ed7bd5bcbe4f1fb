"""Requests and images for the tests of the offline server, and what they read in its answers."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image, ImageDraw

HEADERS = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
NEWEST = "claude-sonnet-5-5"
PREFILLABLE = "claude-haiku-4-5"  # the others that take a prefill are about to be retired
SCHEMA = {
    "type": "object",
    "properties": {"kind": {"type": "string", "enum": ["bar", "line"]}},
    "required": ["kind"],
    "additionalProperties": False,
}
CACHE = {"cache_control": {"type": "ephemeral"}}
LOOKUP = {
    "name": "lookup_gene",
    "description": "Looks a gene up.",
    "input_schema": {
        "type": "object",
        "properties": {
            "gene": {"type": "string"},
            "limit": {"type": "integer", "minimum": 3},
        },
        "required": ["gene"],
    },
}
BAD = 400, "invalid_request_error"
MISSING = 404, "not_found_error"


def user(*content: Any) -> dict[str, Any]:
    """A user message; one string is sent as a string."""
    return {"role": "user", "content": _content(content)}


def assistant(*content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": _content(content)}


def _content(content: tuple[Any, ...]) -> Any:
    return content[0] if len(content) == 1 and isinstance(content[0], str) else list(content)


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def body(*messages: Any, **more: Any) -> dict[str, Any]:
    """A request body; without messages it says hello."""
    asked = {
        "model": NEWEST,
        "max_tokens": 1000,
        "messages": list(messages) or [user("Hello")],
        **more,
    }
    return {name: value for name, value in asked.items() if value is not ...}


def picture(
    width: int = 40,
    height: int = 30,
    *,
    kind: str = "PNG",
    ground: str = "white",
    ink: str | None = None,
) -> bytes:
    """An image of one colour; `ink` draws a disc."""
    image = Image.new("RGB", (width, height), ground)
    if ink:
        ImageDraw.Draw(image).ellipse((2, 2, width // 2, height // 2), fill=ink)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def image(data: bytes | None = None, media_type: str = "image/png", **more: Any) -> dict[str, Any]:
    """An image block; without bytes, of a small white PNG."""
    encoded = base64_of(picture() if data is None else data)
    source = {"type": "base64", "media_type": media_type, "data": encoded}
    return {"type": "image", "source": source, **more}


def image_text(data: str, media_type: str = "image/png") -> dict[str, Any]:
    """An image block with this base64 text."""
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def document(value: str, **more: Any) -> dict[str, Any]:
    source = {"type": "text", "media_type": "text/plain", "data": value}
    return {"type": "document", "source": source, **more}


def tool_use(call_id: str = "toolu_1", name: str = "lookup_gene", **more: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": {}, **more}


def tool_result(call_id: str = "toolu_1", content: Any = "found", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


ASKED_TOOL = (user("Look it up"), assistant(tool_use()))


def schema_format(schema: dict[str, Any]) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def tool_choice(kind: str, **more: Any) -> dict[str, Any]:
    return {"tools": [LOOKUP], "tool_choice": {"type": kind, **more}}


def said(message: Any) -> str:
    """The text of a reply."""
    return "".join(block.text for block in message.content if block.type == "text")


def without_ids(message: Any) -> dict[str, Any]:
    """The fields of a message but for the ids, which count the requests of a server."""
    fields: dict[str, Any] = message.to_dict()
    for part in (fields, *fields["content"]):
        part.pop("id", None)
    return fields
