"""The server's no, as the one line that the user reads. No I/O.

What the server wrote is text from elsewhere: the key is masked in it, control characters are
dropped, and a body that is not an error of the API is not shown at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...value_classes import frozen
from .. import models
from ..credentials import Secret, mask
from ..errors import APIError, api_error_class
from .retry import is_spend_limit
from .stream import parse_json

_LONGEST_MESSAGE = 500
_LARGEST_SHOWN = 3
_DEEPEST_DETAIL = 6

_STATUS_OF_TYPE: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


@frozen
class RequestFacts:
    """What was asked and of whom, as far as an error tells it.

    `body` is the request's; `hidden` are secrets beside the key.
    """

    host: str
    secret: Secret | None
    body: Mapping[str, Any]
    hidden: tuple[Secret, ...] = ()

    def clean(self, text: object) -> str:
        """`text` for a one-line message: no key, no control characters, at most 500 characters."""
        line = " ".join(mask(str(text), self.secret, *self.hidden).split())
        line = "".join(c for c in line if c.isprintable())
        return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"


@frozen
class _No:
    """The server's refusal; `kind` is its `error.type`, `said` its own words."""

    status: int
    kind: str | None
    details: Mapping[str, Any]
    said: str

    @property
    def because(self) -> str:
        return f": {self.said}" if self.said else ""


def from_answer(
    asked: RequestFacts,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    retry_after: float | None = None,
) -> APIError:
    """The error for an HTTP answer of `status` with `body`; `retry_after` in seconds."""
    answer = _json_object(body)
    request_id = answer.get("request_id") or headers.get("request-id")
    return _error(asked, status, answer, request_id, retry_after)


def from_event(asked: RequestFacts, event: Mapping[str, Any], request_id: str | None) -> APIError:
    """The error for an `error` event within a stream, whose HTTP status was 200."""
    error = event.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    status = _STATUS_OF_TYPE.get(kind, 500) if isinstance(kind, str) else 500
    return _error(asked, status, event, event.get("request_id") or request_id, None)


def _error(
    asked: RequestFacts,
    status: int,
    answer: Mapping[str, Any],
    request_id: object,
    retry_after: float | None,
) -> APIError:
    inner = answer.get("error")
    error: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
    kind, details = error.get("type"), error.get("details")
    no = _No(
        status,
        asked.clean(kind) if isinstance(kind, str) else None,
        _cleaned(details, asked) if isinstance(details, dict) else {},
        asked.clean(_said(answer, error)).rstrip("."),
    )
    sentence = _SENTENCES.get(status, _trouble if status >= 500 else _refused)(asked, no)
    if retry_after is not None:
        sentence += f" The server says to try again in {_duration(retry_after)}."
    return api_error_class(status)(
        sentence,
        status=status,
        error_type=no.kind,
        request_id=asked.clean(request_id) if isinstance(request_id, str) else None,
        details=no.details,
    )


def _said(answer: Mapping[str, Any], error: Mapping[str, Any]) -> str:
    """The server's own words; other servers put them in other places."""
    for words in (error.get("message"), answer.get("error"), answer.get("detail")):
        if isinstance(words, str):
            return words
    return ""


def _refused(_asked: RequestFacts, no: _No) -> str:
    if not no.said:
        return f"The server refused the request ({no.status}); look at it with --dry-run."
    return f"The server refused the request ({no.status}){no.because}."


def _unauthorized(asked: RequestFacts, _no: _No) -> str:
    what = "refused the API key" if asked.secret else "wants an API key"
    return f"{asked.host} {what} (401). Set one in ANTHROPIC_API_KEY or with %claude_login."


def _unpaid(_asked: RequestFacts, no: _No) -> str:
    return f"The account cannot pay for this (402){no.because}. See its billing page."


def _forbidden(_asked: RequestFacts, no: _No) -> str:
    return f"The key may not do this (403){no.because}. Use another key or model."


def _not_found(asked: RequestFacts, no: _No) -> str:
    model = asked.body.get("model")
    if not model or not (no.said or no.kind):
        return f"{asked.host} has no Messages API at this address (404): check base_url."
    if no.said and "model" not in no.said.lower() and str(model) not in no.said:
        return (
            f"{asked.host} did not find it (404){no.because}. The model was {asked.clean(model)}."
        )
    end, near = models.end_of(str(model)), models.nearest(str(model))
    hint = "%claude_models lists what there is."
    if end:
        hint = f"it {end}."
    elif near and models.resolve(near) != model:
        hint = f"did you mean {near}?"
    return f"{asked.host} has no model {asked.clean(model)} (404); {hint}"


def _too_large(asked: RequestFacts, _no: _No) -> str:
    largest = ", ".join(
        f"{place} {_size(size)}" for size, place in _largest(asked.body)[:_LARGEST_SHOWN]
    )
    return f"The request is too large (413). Largest: {largest or 'nothing'}. Send less of it."


def _rate_limited(_asked: RequestFacts, no: _No) -> str:
    if is_spend_limit(no.details):
        return f"The spend limit is reached (429){no.because}. Raise it in the account's settings."
    return f"The rate limit is reached (429){no.because}. Ask more slowly, or later."


def _overloaded(asked: RequestFacts, _no: _No) -> str:
    return f"{asked.host} is overloaded (529). Try again in a few minutes."


def _trouble(asked: RequestFacts, no: _No) -> str:
    return f"{asked.host} has trouble ({no.status}){no.because}. Try again in a moment."


_SENTENCES: Mapping[int, Callable[[RequestFacts, _No], str]] = {
    401: _unauthorized,
    402: _unpaid,
    403: _forbidden,
    404: _not_found,
    413: _too_large,
    429: _rate_limited,
    529: _overloaded,
}


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        answer = parse_json(body.decode())
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _cleaned(value: Any, asked: RequestFacts, depth: int = 0) -> Any:
    if isinstance(value, str) or depth > _DEEPEST_DETAIL:
        return asked.clean(value)
    if isinstance(value, dict):
        return {asked.clean(k): _cleaned(v, asked, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_cleaned(v, asked, depth + 1) for v in value]
    return value


def _largest(body: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Bytes of JSON and place of each part of the body, the largest first."""
    parts = [(_bytes(body[name]), name) for name in ("system", "tools") if name in body]
    for at, message in enumerate(body.get("messages", ())):
        content = message.get("content", "")
        blocks: Sequence[Any] = [content] if isinstance(content, str) else content
        for n, block in enumerate(blocks):
            kind = block.get("type", "block") if isinstance(block, Mapping) else "text"
            parts.append((_bytes(block), f"{kind} {n + 1} of message {at + 1}"))
    return sorted(parts, reverse=True)


def _bytes(part: Any) -> int:
    return len(json.dumps(part, ensure_ascii=False).encode("utf-8", "replace"))


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
