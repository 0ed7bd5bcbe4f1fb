"""One call of a server's tool with its result: the blocks, and what the reply says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..messages.blocks import Block
from .passages import Passage
from .sealing import call_id

Part: TypeAlias = Passage | Block
"""What a reply is made of: text, or a block of another kind."""


@dataclass(frozen=True)
class Called:
    """One call of a server's tool as the reply holds it.

    `around` are blocks that come before the call: the code that makes it. `results` are those that
    end it, and `said` is what the reply says of them.
    """

    call: Block
    results: Sequence[Block] = ()
    said: Sequence[Passage] = ()
    around: Sequence[Block] = ()


@dataclass(frozen=True)
class Setting:
    """What a call is made in: the tool's definition, the reply's number, what went before.

    `place` counts the calls in the reply, `uses` those of this tool in it, `documents` the
    documents in the request and the reply. `fails` makes an error of each result.
    """

    tool: Mapping[str, Any]
    number: int
    place: int
    uses: int = 0
    documents: int = 0
    fails: bool = False


def made_call(
    setting: Setting, name: str, given: Mapping[str, Any], *, part: str = ""
) -> dict[str, Any]:
    """The block of a call; `part` tells two calls of one place apart."""
    identity = call_id(f"{setting.number:06}_{setting.place}{part}", name, given)
    return {"type": "server_tool_use", "id": identity, "name": name, "input": dict(given)}


def failed(call: Block, kind: str, code: str) -> Called:
    """The call with a result block of this kind that holds only an error code."""
    error = {"type": f"{kind}_error", "error_code": code}
    result = {"type": kind, "tool_use_id": call["id"], "content": error}
    return Called(call, [result], [Passage(f"`{call['name']}` failed: `{code}`.\n\n")])


def version_of(tool: Mapping[str, Any]) -> str:
    """The date in the tool's type."""
    return str(tool.get("type", "")).rpartition("_")[2]
