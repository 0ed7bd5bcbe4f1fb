"""A request whose shape is right, and checks of a JSON value's shape, combined from small ones.

A check is called with a value and its dotted path (`messages.0.content`), and raises Refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, TypeAlias

from ...messages.blocks import Block, content_blocks
from ...messages.models import Model
from ...value_classes import frozen


class Refusal(Exception):  # noqa: N818 - the server's answer, not a fault of the server
    """The server's no: HTTP status, `error.type`, message; further details, seconds to wait."""

    def __init__(
        self,
        status: int,
        error_type: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message
        self.details = details
        self.retry_after = retry_after

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON body of the error response."""
        error: dict[str, Any] = {"type": self.error_type, "message": self.message}
        if self.details is not None:
            error["details"] = dict(self.details)
        return {"type": "error", "error": error, "request_id": request_id}


def bad(message: str, details: Mapping[str, Any] | None = None) -> Refusal:
    """The refusal of a request that breaks a rule: 400 invalid_request_error."""
    return Refusal(400, "invalid_request_error", message, details)


Check: TypeAlias = Callable[[Any, str], None]


def anything(value: Any, path: str) -> None:
    """Takes any value: for parts that only the real service understands."""


def string(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise bad(f"{path}: Input should be a valid string")


def filled_string(value: Any, path: str) -> None:
    string(value, path)
    if not value:
        raise bad(f"{path}: String should have at least 1 character")


def boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise bad(f"{path}: Input should be a valid boolean")


def mapping(value: Any, path: str) -> None:
    if not isinstance(value, Mapping):
        raise bad(f"{path}: Input should be a valid dictionary")


def integer(at_least: int) -> Check:
    """A check for whole numbers of at least `at_least`; true and false are not numbers."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise bad(f"{path}: Input should be a valid integer")
        if value < at_least:
            raise bad(f"{path}: Input should be greater than or equal to {at_least}")

    return check


def number(low: float, high: float) -> Check:
    """A check for numbers between `low` and `high`, both included."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise bad(f"{path}: Input should be a valid number")
        if not low <= value <= high:
            raise bad(f"{path}: range: {low:g}..{high:g}")

    return check


def one_of(*allowed: str) -> Check:
    """A check for one of some strings."""
    quoted = [f"'{name}'" for name in allowed]
    listed = " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in allowed:
            raise bad(f"{path}: Input should be {listed}")

    return check


def nullable(inner: Check) -> Check:
    """A check that also takes null."""

    def check(value: Any, path: str) -> None:
        if value is not None:
            inner(value, path)

    return check


def list_of(inner: Check) -> Check:
    """A check for a list with every item passing `inner`."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise bad(f"{path}: Input should be a valid list")
        for index, item in enumerate(value):
            inner(item, f"{path}.{index}")

    return check


def string_or(inner: Check) -> Check:
    """A check for a string, or for what passes `inner`."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            inner(value, path)

    return check


def record(
    required: Mapping[str, Check] | None = None, optional: Mapping[str, Check] | None = None
) -> Check:
    """A check for an object with these fields and no others."""
    needed = required or {}
    known = {**needed, **(optional or {})}

    def check(value: Any, path: str) -> None:
        mapping(value, path)
        prefix = f"{path}." if path else ""
        for name in needed:
            if name not in value:
                raise bad(f"{prefix}{name}: Field required")
        for name in value:
            if name not in known:
                raise bad(f"{prefix}{name}: Extra inputs are not permitted")
            known[name](value[name], prefix + name)

    return check


def tagged(choices: Mapping[str, Check]) -> Check:
    """A check for an object whose `type` picks one of `choices`."""
    listed = ", ".join(f"'{name}'" for name in choices)

    def check(value: Any, path: str) -> None:
        mapping(value, path)
        if "type" not in value:
            raise bad(f"{path}.type: Field required")
        kind = value["type"]
        if not isinstance(kind, str) or kind not in choices:
            raise bad(
                f"{path}: Input tag '{kind}' found using 'type' does not match any of the "
                f"expected tags: {listed}"
            )
        choices[kind](value, f"{path}.{kind}")

    return check


@frozen
class PlacedBlock:
    """A block and where it stands, as the API writes paths: `messages.0.content.1`."""

    path: str
    block: Block


@frozen
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


@frozen
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
