"""Tools that run at Anthropic's servers: `web` (search and fetch) and `code` (a sandbox)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..messages.errors import InputError
from ..messages.models import Model

SERVER_TOOLS: Mapping[str, str] = {
    "web": "search the web and read pages, at Anthropic's servers",
    "code": "run code in a sandbox of Anthropic's servers, without the notebook",
}
"""What each does, by the name that `--tools` takes."""

# The versions that each generation takes (Messages API reference, tools, November 2026). Models
# that are not in the table of models are given the older ones, which all take.
_OLD = frozenset({"claude-opus-4-5", "claude-haiku-4-5", "claude-sonnet-4-5"})
_VERSIONS = {
    "web_search": ("20260318", "20250305"),
    "web_fetch": ("20260318", "20250910"),
    "code_execution": ("20260521", "20250825"),
}
# A search costs a cent: of one question not more than these, whatever a page tells the model.
_MOST_USES = 10


def server_tools(names: Sequence[str], model: Model, *, anthropic: bool) -> list[dict[str, Any]]:
    """The tools called `names` in wire form, as `model` takes them.

    Raises InputError where the server is not Anthropic's: others do not have them.
    """
    if names and not anthropic:
        raise InputError(
            f"--tools {names[0]} runs at Anthropic's servers, and this server is another: leave it "
            "out, or give a function of the notebook."
        )
    tools: list[dict[str, Any]] = []
    if "code" in names:
        tools.append(_tool("code_execution", model))
    if "web" in names:
        tools.append(_tool("web_fetch", model, max_uses=_MOST_USES, citations={"enabled": True}))
        tools.append(_tool("web_search", model, max_uses=_MOST_USES))
    return tools


def _tool(name: str, model: Model, **settings: Any) -> dict[str, Any]:
    # A dated id stands for its model; the table says which generation.
    old = model.thinking == "unknown" or model.id.startswith(tuple(_OLD))
    return {"type": f"{name}_{_VERSIONS[name][old]}", "name": name, **settings}
