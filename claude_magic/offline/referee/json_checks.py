"""Checks of a JSON value's shape, combined from small ones; a failure is a refusal by path.

A check is called with a value and its dotted path (`messages.0.content`), and raises Refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias


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
