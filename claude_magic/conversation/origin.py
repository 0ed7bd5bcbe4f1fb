"""Where a conversation's process began: what all threads of it, and its forked children, share."""

from __future__ import annotations

import os
import threading
import uuid
from dataclasses import dataclass, field

from .spending import Spending


@dataclass(frozen=True)
class Origin:
    """Made before anything is asked. `process` is the id of the process that it was made in.

    `conversation` is the id of the conversation that begins here, if one does: children that were
    forked before that begin the same one. `spending` is what all spend from.
    """

    process: int = field(default_factory=os.getpid)
    conversation: str = field(default_factory=lambda: uuid.uuid4().hex)
    spending: Spending = field(default_factory=Spending)

    @property
    def elsewhere(self) -> bool:
        """Whether this is another thread than the one that runs the code, or a forked child.

        What is asked there is none of the questions that one by one take the places of a cell or a
        script: several may be asked at once, and none takes the place of another.
        """
        if os.getpid() != self.process:
            return True
        return threading.current_thread() is not threading.main_thread()
