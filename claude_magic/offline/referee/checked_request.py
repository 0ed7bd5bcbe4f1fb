"""A request whose shape is right, with what every rule needs to know about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ...messages.blocks import Block, content_blocks
from ...messages.models import Model


@dataclass(frozen=True)
class PlacedBlock:
    """A block and where it stands, as the API writes paths: `messages.0.content.1`."""

    path: str
    block: Block


@dataclass(frozen=True)
class RequestTurn:
    """Neighbouring messages of one role, which the API reads as one turn.

    `start` is the index of the first of its messages.
    """

    role: Literal["user", "assistant", "system"]
    start: int
    blocks: tuple[PlacedBlock, ...]

    def of(self, *types: str) -> list[PlacedBlock]:
        """The blocks of these types, in their order."""
        return [placed for placed in self.blocks if placed.block["type"] in types]


@dataclass(frozen=True)
class CheckedRequest:
    """One request: body, model, API version and betas; `counting` for count_tokens."""

    body: Mapping[str, Any]
    model: Model
    version: str
    betas: frozenset[str] = frozenset()
    counting: bool = False

    @cached_property
    def turns(self) -> Sequence[RequestTurn]:
        """The messages as turns."""
        turns: list[RequestTurn] = []
        for index, message in enumerate(self.body["messages"]):
            blocks = tuple(
                PlacedBlock(f"messages.{index}.content.{n}", block)
                for n, block in enumerate(content_blocks(message))
            )
            if turns and turns[-1].role == message["role"]:
                last = turns.pop()
                turns.append(RequestTurn(last.role, last.start, last.blocks + blocks))
            else:
                turns.append(RequestTurn(message["role"], index, blocks))
        return turns

    def every_block(self) -> Iterator[PlacedBlock]:
        """All blocks of all messages; those inside tool results and documents come after theirs."""
        for turn in self.turns:
            for placed in turn.blocks:
                yield placed
                yield from _inner(placed)

    @property
    def effort(self) -> str | None:
        effort: str | None = self.body.get("output_config", {}).get("effort")
        return effort or self.model.default_effort

    @property
    def thinking(self) -> str | None:
        """The `thinking.type` of the request, None where it says nothing."""
        thinking_type: str | None = self.body.get("thinking", {}).get("type")
        return thinking_type

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The JSON schema that the reply must fit, if one is asked for."""
        wanted = self.body.get("output_config", {}).get("format")
        return wanted["schema"] if wanted else None


def _inner(placed: PlacedBlock) -> Iterator[PlacedBlock]:
    content: Any = None
    if placed.block["type"] == "tool_result":
        content = placed.block.get("content")
    elif placed.block["type"] == "document":
        content = placed.block["source"].get("content")
    if isinstance(content, list):
        for index, block in enumerate(content):
            inner = PlacedBlock(f"{placed.path}.content.{index}", block)
            yield inner
            yield from _inner(inner)
