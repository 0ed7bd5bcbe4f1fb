"""Messages in few words, images that stand in them, and refusals of them."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from typing import Any

from PIL import Image

from claude_magic.messages.blocks import image_base64, text
from claude_magic.messages.errors import APIError
from claude_magic.messages.models import lookup
from claude_magic.messages.transport.refusals import RequestFacts, from_answer

HEADERS = {"anthropic-version": "2023-06-01"}
SONNET = lookup("claude-sonnet-5-5")
assert SONNET is not None


def png(colour: str) -> str:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


RED, BLUE, GREEN = (image_base64("image/png", png(c)) for c in ("red", "blue", "green"))
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content[0] if isinstance(content[0], str) else [*content]}


def assistant(*content: Any) -> dict[str, Any]:
    return {**user(*content), "role": "assistant"}


def call(call_id: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "look", "input": {}, **more}


def result(call_id: str = "a", content: Any = "found", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def body(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": [*messages], **more}


def refused(
    message: str,
    *,
    status: int = 400,
    details: Mapping[str, Any] | None = None,
    kind: str = "invalid_request_error",
) -> APIError:
    """The error as the client makes it of an answer."""
    error = {"type": kind, "message": message, **({"details": details} if details else {})}
    answer = json.dumps({"type": "error", "error": error}).encode()
    return from_answer(RequestFacts("example.org", None, {"model": "m"}), status, {}, answer)


# Three turns: a plain one, one with a tool's round, the last question.
PLAIN = [user("one"), assistant("1")]
ROUNDS = [
    user("two"),
    assistant(text("Let me look."), call("a"), call("b")),
    user(result("a")),
    user(result("b"), text("Go on.")),
    assistant(call("c")),
    user(result("c")),
    assistant("2"),
]
LAST = [user("three")]
Q, A = user("q"), assistant("a")
