"""What a server was asked, and how it is to behave next: replies on demand, not whole or prompt."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from ..messages.usage import estimate_input
from ..value_classes import frozen
from .referee.request_checks import CheckedRequest, Refusal, bad
from .replies.called_tools import CALLS
from .replies.draft import BAD_JSON, SERVER_TOOL_BEHAVIOURS
from .replies.stream_events import PING, StreamEvent, halfway, without_end_of_input

FEW_TOKENS = 40
"""The length of a reply that was told to run into max_tokens."""
SMALL_CONTEXT = 2_000
"""The most tokens of input that a server takes which was told to have a small context."""

_RATE_LIMITED = "This request would exceed your account's rate limit."
_FULL = "The number of batch requests in the processing queue would exceed your limit."
_OVERLOADED = Refusal(529, "overloaded_error", "Overloaded")
_REFUSALS: Mapping[str, Refusal] = {
    "overloaded": _OVERLOADED,
    "rate_limited": Refusal(429, "rate_limit_error", _RATE_LIMITED, retry_after=0.2),
    "busy": Refusal(429, "rate_limit_error", _RATE_LIMITED, retry_after=30),
    "server_error": Refusal(500, "api_error", "Internal server error"),
    "batch_refused": Refusal(429, "rate_limit_error", _FULL, retry_after=200),
    "unauthorized": Refusal(401, "authentication_error", "invalid x-api-key"),
}
_STREAMS = ("cut", "slow", "error_mid_stream", "stall", "silent")
_PARTICULAR = ("reject_images", "small_context")
_ENDINGS = ("refusal", "max_tokens")
EXPIRED = "expired"
BATCH_LOST = "batch_lost"
BATCH_BEHAVIOURS = (BATCH_LOST, "batch_refused")
BEHAVIOURS = (
    *_REFUSALS,
    *_PARTICULAR,
    *_STREAMS,
    *_ENDINGS,
    *CALLS,
    *SERVER_TOOL_BEHAVIOURS,
    BAD_JSON,
    EXPIRED,
    *BATCH_BEHAVIOURS,
    "every_tenth",
    "normal",
)
"""Every name. Those of `_PARTICULAR` refuse a good request for what it holds: an image, or more
than SMALL_CONTEXT tokens; without that it is answered. Those of `_STREAMS` concern streams only.
Those of `CALLS` and `SERVER_TOOL_BEHAVIOURS` call tools. With `bad_json` a reply in JSON lacks its
last character. `normal` answers one request as it is.

A request in a batch is a question, too; one that is to be `expired` is not answered. Those of
BATCH_BEHAVIOURS are for a request that creates a batch: it is taken, and the connection cut before
the answer; it is refused because too much is waiting already.
"""
TENTH = "every_tenth"
LASTING = ("endless_calls", TENTH)
"""The behaviours that stay, for each question, until another one is asked for.

`every_tenth` refuses each tenth question, 429 and 529 in turn, and answers the others.
"""


@frozen
class Script:
    """A stream to send: its events, whether it then hangs, the least seconds between deltas."""

    events: Sequence[StreamEvent]
    hangs: bool = False
    pace: float = 0.0


def of_tenth(number: int) -> str | None:
    """The behaviour for the `number`-th question, from 1, where every tenth one is refused."""
    if number % 10:
        return None
    return "rate_limited" if number % 20 else "overloaded"


def refuse(behaviour: str | None) -> None:
    """Raises Refusal if the behaviour is an error status."""
    told = _REFUSALS.get(behaviour or "")
    if told is not None:
        # A new one each time: a raised exception keeps its traceback.
        raise Refusal(told.status, told.error_type, told.message, retry_after=told.retry_after)


def refuse_particular(asked: CheckedRequest, behaviour: str | None) -> None:
    """Raises Refusal if the behaviour is to refuse what this request, a good one, holds."""
    if behaviour == "reject_images":
        for placed in asked.every_block():
            if placed.block["type"] == "image":
                kind = placed.block["source"]["type"]
                field = "base64.data" if kind == "base64" else kind
                raise bad(f"{placed.path}.image.source.{field}: Could not process image")
    elif behaviour == "small_context":
        tokens = estimate_input(asked.body, asked.model)
        if tokens > SMALL_CONTEXT:
            raise bad(f"prompt is too long: {tokens} tokens > {SMALL_CONTEXT} maximum")


def script(events: Sequence[StreamEvent], behaviour: str | None) -> Script:
    """The events as the behaviour has them sent."""
    half = halfway(events)
    match behaviour:
        case "cut":
            return Script(events[:half])
        case "stall":
            return Script(events[:half], hangs=True)
        case "silent":
            return Script([events[0], PING], hangs=True)
        case "slow":
            return Script([events[0], PING, PING, PING, *events[1:]], pace=0.05)
        case "error_mid_stream":
            error = _OVERLOADED.body("")["error"]
            return Script([*events[:half], {"type": "error", "error": error}])
        case "cut_tool_input":
            return Script(without_end_of_input(events, stopped=False))
        case "broken_tool_input":
            return Script(without_end_of_input(events, stopped=True))
    return Script(events)


@frozen
class RecordedRequest:
    """One request as it came. Header names are in lower case; `json` is None for other bodies."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    json: Any = field(repr=False)


class Journal:
    """The last `keep` requests, the behaviours still to come, the clients that went away.

    Requests that were found good are added to `file` too, if there is one.
    """

    def __init__(self, behaviours: Iterable[str], keep: int, file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._requests: deque[RecordedRequest] = deque(maxlen=keep)
        self._behaviours: deque[str] = deque()
        self._lasting: str | None = None
        self._questions = 0
        self._count = 0
        self._file = file
        self._counting_disconnects = True
        self._disconnects = 0
        self.disconnected = threading.Event()
        self.behave(behaviours)

    def behave(self, behaviours: Iterable[str]) -> None:
        """Adds behaviours, one for each of the next questions. Raises ValueError for a name.

        One of those that last stays until another one follows.
        """
        names = list(behaviours)
        for name in names:
            if name not in BEHAVIOURS:
                raise ValueError(f"no behaviour {name!r}: use one of {', '.join(BEHAVIOURS)}")
        with self._lock:
            self._behaviours.extend(names)

    def next_behaviour(self) -> str | None:
        """The behaviour for the question that has come, None for the normal one."""
        with self._lock:
            behaviour = self._lasting
            if self._behaviours and self._behaviours[0] not in BATCH_BEHAVIOURS:
                behaviour = self._behaviours.popleft()
                self._lasting = behaviour if behaviour in LASTING else None
            self._questions += 1
            return of_tenth(self._questions) if behaviour == TENTH else behaviour

    def next_batch_behaviour(self) -> str | None:
        """The behaviour for the batch that is to be created, None for the normal one."""
        with self._lock:
            if self._behaviours and self._behaviours[0] in BATCH_BEHAVIOURS:
                return self._behaviours.popleft()
            return None

    def next_number(self) -> int:
        """The number of the request that has come, from 1."""
        with self._lock:
            self._count += 1
            return self._count

    def record(self, request: RecordedRequest) -> None:
        with self._lock:
            self._requests.append(request)

    def accept(
        self, headers: Mapping[str, str], body: Mapping[str, Any], custom_id: str | None = None
    ) -> None:
        """Add a request that was found good to the file: what it asks, never a key.

        One in a batch has its `custom_id`.
        """
        if self._file is not None:
            told = {name: headers.get(f"anthropic-{name}", "") for name in ("version", "beta")}
            batched = {} if custom_id is None else {"custom_id": custom_id}
            line = json.dumps({**told, **batched, "body": body}) + "\n"
            with self._lock, self._file.open("a", encoding="ascii") as file:
                file.write(line)

    def record_disconnect(self) -> None:
        with self._lock:
            if not self._counting_disconnects:
                return
            self._disconnects += 1
        self.disconnected.set()

    def server_closes(self) -> None:
        """From now on it is not the clients who go away."""
        with self._lock:
            self._counting_disconnects = False

    @property
    def requests(self) -> list[RecordedRequest]:
        with self._lock:
            return list(self._requests)

    @property
    def disconnects(self) -> int:
        with self._lock:
            return self._disconnects
