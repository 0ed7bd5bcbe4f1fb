"""A refused request, in the API's own error shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
