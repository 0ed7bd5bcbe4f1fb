"""One question under way, as the panels are told of it, and its calls that wait for a word.

Text and names are a model's, and come to the panel filtered of control characters. What the panel
makes of them is its own concern: nothing here is markup but the Markdown of what is folded.

Each has an id that the kernel makes. Only a message of a panel that names the id decides, and only
as long as the call waits: nothing that a reply or an output says can.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..conversation.events import (
    Called,
    Calling,
    Doing,
    Ended,
    Event,
    Failed,
    Received,
    Sending,
    Waiting,
)
from ..messages.blocks import Block
from ..messages.errors import Interrupted
from ..messages.plain_text import count, in_a_line
from ..notebook.display import tool_calls
from ..rendering import ReplyFold, plain, reply
from ..rendering.citations import notes_markdown
from ..rendering.part_bundles import given_to
from ..rendering.reply import Change, Grew
from ..tools.approval import Decision
from . import protocol
from .protocol import Decide, PanelApproval, PanelPart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..conversation.asking.plan import Plan
    from ..conversation.asking.question import Question
    from ..conversation.turns import Turn
    from ..messages.blocks import Block
    from ..messages.transport.cancel import Cancel
    from ..tools.tool import Tool

# Of the result of one call this much is shown: all of it stands in the conversation.
_MOST_RESULT = 20_000

State = Literal["asked", "running", "done", "denied", "failed"]
_STATES: Mapping[str, State] = {"ok": "done", "denied": "denied", "error": "failed"}


def parts_of(parts: Iterable[reply.Part], thumbnail: Callable[[Block], str]) -> list[PanelPart]:
    """The parts of a reply that is over; `thumbnail` gives an image's `data:` URI, "" for none."""
    return [part_of(part, thumbnail) for part in parts]


def part_of(
    part: reply.Part, thumbnail: Callable[[Block], str], standing: State = "asked"
) -> PanelPart:
    """One part; `standing` says how a call stands that has no result yet."""
    match part:
        case reply.Text(text):
            return {"kind": "text", "text": text}
        case reply.Thinking(text):
            return {"kind": "thinking", "text": text}
        case reply.Call():
            return _call(part, thumbnail, standing)
        case reply.ServerCall(line=line, markdown=markdown):
            done: State = "failed" if part.failed else "done"
            state = done if part.done else "running"
            return {"kind": "server", "text": line, "result": markdown, "state": state}
        case reply.Unknown(line=line, markdown=markdown):
            return {"kind": "server", "text": line, "result": markdown, "state": "done"}
        case reply.Sources(notes):
            return {"kind": "sources", "text": notes_markdown(notes)}
        case reply.Remark(text):
            return {"kind": "server", "text": plain(text), "result": "", "state": "done"}


def _call(call: reply.Call, thumbnail: Callable[[Block], str], standing: State) -> PanelPart:
    _, given = given_to(call.name, call.input)
    part: PanelPart = {
        "kind": "call",
        "name": call.name,
        "text": plain(given),
        "state": _STATES.get(call.outcome, standing),
    }
    if call.outcome:
        part["result"] = _cut(plain("\n".join(call.texts)))
        part["images"] = [src for image in call.images if (src := thumbnail(image))]
    if call.seconds is not None:
        part["seconds"] = round(call.seconds, 2)
    return part


def _cut(text: str) -> str:
    rest = len(text) - _MOST_RESULT
    return text if rest <= 0 else f"{text[:_MOST_RESULT]}\n[… {rest:,} characters more]"


class LiveRun:
    """A `Listener` to one question: numbers what comes, and holds it until it is gathered.

    `asked` tells the question, `told` the turn that came of it, `below` gives the id of the turn
    that stands below it, `thumbnail` small images;
    `stir` is called when there is something to gather. `request` is the id that a panel gave the
    question.
    """

    def __init__(
        self,
        question: Question,
        cancel: Cancel,
        *,
        request: str,
        asked: Callable[[Question, Plan | None], protocol.Asked],
        told: Callable[[Turn], protocol.PanelTurn],
        below: Callable[[Question], str],
        thumbnail: Callable[[Block], str],
        stir: Callable[[], None],
    ) -> None:
        self.run = uuid.uuid4().hex
        self.cancel = cancel
        self.over = False
        self.approvals: dict[str, protocol.PanelApproval] = {}
        self._question = question
        self._request = request
        self._asked = asked
        self._told = told
        self._below = below
        self._before = ""
        self._stir = stir
        self._thumbnail = thumbnail
        self._fold = ReplyFold()
        self._parts: list[reply.Part] = []
        """The parts so far; those that still grow as they began."""
        self._standing: dict[str, State] = {}
        """How calls stand that have no result yet, by their ids."""
        self._doing = "sending"
        self._shown: protocol.Asked | None = None
        self._turn: protocol.PanelTurn | None = None
        self._n = 0
        self._messages: list[protocol.KernelMessage] = []
        self._delta: dict[int, protocol.PanelPart] = {}
        self._lock = threading.Lock()

    @property
    def live(self) -> protocol.Live:
        """All that is known so far."""
        with self._lock:
            return self._live()

    def gather(self) -> list[protocol.KernelMessage]:
        """What has come up since the last time."""
        with self._lock:
            self._flush()
            found, self._messages = self._messages, []
            return found

    def __call__(self, event: Event) -> None:
        """Tell the panels what happens."""
        match event:
            case Received(part):
                self._receive(part)
            case Sending(plan):
                self._send(plan)
            case Waiting(wait):
                self._say(f"{wait.reason}: again in {wait.seconds:.0f} s")
            case Calling(call):
                self._stand(call, "running")
                self._say(f"running {tool_calls.name(call)}")
            case Doing(call, what):
                self._say(f"{tool_calls.name(call)}: {what}")
            case Called(call, result, seconds):
                with self._lock:
                    self._change(self._fold.called(call, result, seconds))
                self._say("reading the result")
            case Ended(plan, ended):
                with self._lock:
                    if self._shown is None:  # shown from the record, at once
                        self._begin(plan)
                    self._turn = self._told(ended.turn)
                    self._end("")
            case Failed(error):
                self._fail(error)

    def _send(self, plan: Plan) -> None:
        with self._lock:
            if self._shown is None:
                self._fold = ReplyFold(plan.request.prefill, plan.request.emulated)
                self._begin(plan)
        self._stir()

    def _receive(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        if kind == "message_start":
            self._say("waiting for the first words")
        with self._lock:
            changes = self._fold.event(event)
            self._change(changes)
        if changes:
            self._stir()

    def _fail(self, error: BaseException) -> None:
        said = "" if isinstance(error, Interrupted) else in_a_line(error)
        with self._lock:
            if self._shown is None:
                self._begin(None)
            if not self.over or said:
                self._end(said)

    def approve(self, approval: protocol.PanelApproval, call: Block) -> None:
        """A call waits for the user's word."""
        self._stand(call, "asked")
        with self._lock:
            self.approvals[approval["approval"]] = approval
            self._put({"type": "approve", "run": self.run, "approval": approval})
        self._say("waiting for your word")

    def approved(self, approval: str) -> None:
        """It does not wait any more."""
        with self._lock:
            if self.approvals.pop(approval, None) is not None:
                self._put({"type": "approved", "run": self.run, "approval": approval})
        self._stir()

    def _begin(self, plan: Plan | None) -> None:
        self._shown = self._asked(self._question, plan)
        self._before = self._below(self._question)
        images = sum(b.get("type") == "image" for b in self._question.sent)
        self._doing = f"sending {count(images, 'image')}" if images else "sending"
        self._put({"type": "begin", "live": self._live()})

    def _live(self) -> protocol.Live:
        self._flush()
        return {
            "run": self.run,
            "request": self._request,
            "asked": self._shown or self._asked(self._question, None),
            "parts": [self._part(part) for part in self._fold.parts],
            "n": self._n,
            "doing": self._doing,
            "approvals": list(self.approvals.values()),
            "instead": list(self._question.instead),
            "before": self._before,
        }

    def _end(self, error: str) -> None:
        self.over = True
        self._put({"type": "end", "run": self.run, "turn": self._turn, "error": error})
        self._stir()

    def _change(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if isinstance(change, Grew):
                self._grow(change.number, change.text)
            elif change.number < len(self._parts):
                self._parts[change.number] = change.part
                self._tell(change.number)
            else:
                self._parts.append(change.part)
                self._delta[change.number] = self._part(change.part)

    def _grow(self, number: int, text: str) -> None:
        """Have the next delta bring this text."""
        held = self._delta.get(number)
        if held is not None:
            held["text"] += text
            return
        kind = self._part(self._parts[number])["kind"]
        self._delta[number] = {"kind": kind, "text": text}

    def _stand(self, call: Block, state: State) -> None:
        """A call that was made waits for the user's word, or runs."""
        call_id = str(call.get("id"))
        with self._lock:
            self._standing[call_id] = state
            for number, part in enumerate(self._parts):
                if isinstance(part, reply.Call) and part.id == call_id:
                    self._tell(number)

    def _tell(self, number: int) -> None:
        """Tell a part whole that was told before."""
        part = self._part(self._parts[number])
        self._put({"type": "call", "run": self.run, "part": number, "call": part})

    def _part(self, part: reply.Part) -> protocol.PanelPart:
        call_id = part.id if isinstance(part, reply.Call) else ""
        return part_of(part, self._thumbnail, self._standing.get(call_id, "asked"))

    def _say(self, doing: str) -> None:
        with self._lock:
            if doing == self._doing:
                return
            self._doing = doing
            self._put({"type": "doing", "run": self.run, "doing": doing})
        self._stir()

    def _put(self, message: protocol.KernelMessage) -> None:
        self._flush()
        self._messages.append(message)

    def _flush(self) -> None:
        """Number the text that came, and put it in its place among the messages."""
        if self._delta:
            parts = sorted(self._delta.items())
            self._delta = {}
            self._messages.append({"type": "delta", "run": self.run, "n": self._n, "parts": parts})
            self._n += 1


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
            approve: PanelApproval = {
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
