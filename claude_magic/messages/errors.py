"""What can go wrong, as the user reads it.

Every error that leaves this package is one of these; its text is one line that says what to do
next. The tree::

    ClaudeError
    ├── InputError            what was asked cannot be sent: nothing left this machine
    │   ├── ImageError        an image cannot be read or is refused
    │   └── NotRecordedError  replay=only, and the record holds no reply
    ├── CredentialError       no key where one is needed: nothing left this machine
    ├── BudgetError           the request would pass the budget: nothing left this machine
    ├── ConnectionFailed      no answer: server down, name unknown, TLS, timeout before any text
    ├── ProtocolError         the answer is not a Messages API answer
    ├── DesktopError          the virtual desktop did not start, or has ended
    ├── BrokenReply           the reply stopped part way; `partial` holds what came
    ├── InvalidReply          the reply is whole, and not the JSON that was asked for
    └── APIError              the server said no; `status`, `error_type`, `request_id`, `details`
        ├── BadRequest            400, 422
        ├── AuthenticationError   401
        ├── PermissionDenied      402, 403
        ├── NotFound              404
        ├── RequestTooLarge       413
        ├── RateLimited           429
        └── ServerError           408, 409, 5xx (529: overloaded)
    Interrupted (a KeyboardInterrupt, so that `except Exception` in a user's loop lets it pass)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class _OneLine:
    """IPython calls `_render_traceback_` and sends `ename` and `evalue` all the same."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class ClaudeError(_OneLine, Exception):
    """Base of all errors of this package. `str()` is one line: what is wrong, what to do."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        error_type: str | None = None,
        request_id: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(" ".join(message.split()))
        self.status = status
        self.error_type = error_type
        self.request_id = request_id
        self.details: Mapping[str, Any] = details or {}


class InputError(ClaudeError):
    """What was asked cannot be sent; nothing left this machine."""


class ImageError(InputError):
    """An image cannot be read, or is refused before it is decoded."""


class NotRecordedError(InputError):
    """Only the record may answer, and it holds no reply to this question."""


class CredentialError(ClaudeError):
    """A key is needed and there is none; nothing left this machine."""


class BudgetError(ClaudeError):
    """The request would pass the budget; nothing left this machine."""


class ConnectionFailed(ClaudeError):
    """The server gave no answer."""


class ProtocolError(ClaudeError):
    """The server's answer is not one of the Messages API."""


class DesktopError(ClaudeError):
    """The virtual desktop did not start, does not answer, or has ended."""


class BrokenReply(ClaudeError):
    """The reply stopped part way. `partial` is the message as far as it came."""

    partial: Mapping[str, Any] | None = None


class InvalidReply(ClaudeError):
    """The reply is not the JSON that was asked for; it is kept as it came."""


class APIError(ClaudeError):
    """The server refused the request."""


class BadRequest(APIError):
    """400 or 422: the request is wrong."""


class AuthenticationError(APIError):
    """401: the key is wrong or expired."""


class PermissionDenied(APIError):
    """402 or 403: the key may not do this."""


class NotFound(APIError):
    """404: no such model, or no such address."""


class RequestTooLarge(APIError):
    """413: over the server's size limit."""


class RateLimited(APIError):
    """429: too many requests, or a spend limit."""


class ServerError(APIError):
    """408, 409 and 5xx: the server's trouble; 529 is overload."""


class Interrupted(_OneLine, KeyboardInterrupt):
    """The user interrupted the reply. Not an `Exception`: a loop's `except` must let it pass."""


def api_error_class(status: int) -> type[APIError]:
    """The class for an HTTP status; `APIError` itself for one that is not listed."""
    known: dict[int, type[APIError]] = {
        400: BadRequest,
        401: AuthenticationError,
        402: PermissionDenied,
        403: PermissionDenied,
        404: NotFound,
        408: ServerError,
        409: ServerError,
        413: RequestTooLarge,
        422: BadRequest,
        429: RateLimited,
    }
    if status >= 500:
        return ServerError
    return known.get(status, APIError)
