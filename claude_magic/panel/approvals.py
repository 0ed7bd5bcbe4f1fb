"""Calls of tools that wait for the user's word in a panel.

Each has an id that the kernel makes. Only a message of a panel that names the id decides, and only
as long as the call waits: nothing that a reply or an output says can.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .protocol import Decide

if TYPE_CHECKING:
    from ..messages.cancel import Cancel


@dataclass
class Waiting:
    """One call that waits."""

    approval: str = field(default_factory=lambda: uuid.uuid4().hex)
    said: Decide | None = None
    over: threading.Event = field(default_factory=threading.Event)


class Approvals:
    """The calls that wait now. Safe to use from several threads."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._lock = threading.Lock()

    def ask(self, tell: Callable[[str], None], cancel: Cancel | None) -> tuple[str, Decide | None]:
        """The id of a call and what the user said to it; None where the question was stopped.

        `tell` is called with the id, once an answer to it is taken.
        """
        waiting = Waiting()
        with self._lock:
            self._waiting[waiting.approval] = waiting
        if cancel is not None:
            cancel.add(waiting.over.set)
        try:
            tell(waiting.approval)
            waiting.over.wait()
        finally:
            with self._lock:
                self._waiting.pop(waiting.approval, None)
            if cancel is not None:
                cancel.remove(waiting.over.set)
        return waiting.approval, waiting.said

    def decide(self, said: Decide) -> None:
        """The user's word; one on a call that does not wait is no word. Never blocks."""
        with self._lock:
            waiting = self._waiting.pop(said["approval"], None)
        if waiting is not None:
            waiting.said = said
            waiting.over.set()
