"""What a server was asked, and how it is to behave next. Used by several threads."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .replies.scripts import BATCH_BEHAVIOURS, BEHAVIOURS, LASTING, TENTH, of_tenth


@dataclass(frozen=True)
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
