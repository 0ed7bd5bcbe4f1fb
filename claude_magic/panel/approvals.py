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

from ..conversation.events import Calling
from ..notebook.display import tool_calls
from ..tools.approval import Decision
from .protocol import Approval, Decide

if TYPE_CHECKING:
    from ..messages.blocks import Block
    from ..messages.transport.cancel import Cancel
    from ..tools.tool import Tool
    from .live import LiveRun


@dataclass
class Pending:
    """One call that waits."""

    approval: str = field(default_factory=lambda: uuid.uuid4().hex)
    said: Decide | None = None
    over: threading.Event = field(default_factory=threading.Event)


class Approvals:
    """The calls that wait now. Safe to use from several threads."""

    def __init__(self) -> None:
        self._waiting: dict[str, Pending] = {}
        self._lock = threading.Lock()

    def ask(self, tell: Callable[[str], None], cancel: Cancel | None) -> tuple[str, Decide | None]:
        """The id of a call and what the user said to it; None where the question was stopped.

        `tell` is called with the id, once an answer to it is taken.
        """
        waiting = Pending()
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

    @property
    def waiting(self) -> tuple[str, ...]:
        """The ids of the calls that wait."""
        return tuple(self._waiting)

    def decide(self, said: Decide) -> None:
        """The user's word; one on a call that does not wait is no word. Never blocks."""
        with self._lock:
            waiting = self._waiting.pop(said["approval"], None)
        if waiting is not None:
            waiting.said = said
            waiting.over.set()


class AskInPanel:
    """Shows a call whole in the panels and asks there; an `Approver`.

    `run_of` gives the question under way that a Cancel stops.
    """

    def __init__(
        self, approvals: Approvals, run_of: Callable[[Cancel | None], LiveRun | None]
    ) -> None:
        self._approvals = approvals
        self._run_of = run_of

    def check(self) -> None:
        """Nothing: who asked in a panel can answer there."""

    def approve(self, call: Block, tool: Tool, cancel: Cancel | None) -> Decision:
        """What the user says to `call`. Raises KeyboardInterrupt where they stop the question."""
        run = self._run_of(cancel)
        if run is None:
            return Decision(False, "nobody can be asked any more")

        def tell(approval: str) -> None:
            shown = tool_calls.asked(call, tool)["text/plain"]
            approve: Approval = {
                "approval": approval,
                "name": tool_calls.name(call),
                "text": shown,
                "lasting": tool.lasting,
            }
            run.approve(approve, call)

        approval, said = self._approvals.ask(tell, cancel)
        run.approved(approval)
        if said is None:
            raise KeyboardInterrupt
        allowed = said["answer"] in ("once", "always")
        if allowed:
            run(Calling(call))
        return Decision(allowed, said["reason"], always=said["answer"] == "always")
