"""A desk where one kernel after another asks the same server, and scales as the tool it uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from claude_magic.conversation.asking.question import Called, Calling, Question, Tell
from claude_magic.conversation.events import Ended, Event, Listener, Received, Sending
from claude_magic.conversation.reply_value import Reply
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.store.conversations import Conversations, Whereabouts
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import Block, text
from claude_magic.messages.models import Model
from claude_magic.messages.transport.cancel import Cancel
from tests.conversation.scripted_server import ScriptedServer, calls, says

WEIGH: Mapping[str, Any] = {
    "name": "weigh",
    "description": "The weight of a sample in grams.",
    "input_schema": {
        "type": "object",
        "properties": {"sample": {"type": "string"}},
        "required": ["sample"],
    },
}


class Scales:
    """A toolbox with one tool, which gives what the test says."""

    once = False
    ours: frozenset[str] = frozenset()

    def __init__(self, *weighs: Callable[[Block], str], most_steps: int = 5) -> None:
        self.most_steps = most_steps
        self.called: list[Block] = []
        self.checked = 0
        self._weighs = list(weighs) or [lambda call: f"{call['input']['sample']}: 3 g"]

    def definitions(self, model: Model, *, anthropic: bool) -> Sequence[Mapping[str, Any]]:
        return [WEIGH]

    def betas(self, model: Model) -> tuple[str, ...]:
        return ()

    def check(self) -> None:
        self.checked += 1

    def run(self, calls: Sequence[Block], tell: Tell, cancel: Cancel | None) -> Iterator[Block]:
        for call in calls:
            tell(Calling(call))
            self.called.append(call)
            weigh = self._weighs.pop(0) if len(self._weighs) > 1 else self._weighs[0]
            result = {
                "type": "tool_result",
                "tool_use_id": call["id"],
                "content": [text(weigh(call))],
            }
            tell(Called(call, result, 0.1))
            yield result

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[Any]:
        return [call["id"] for call, _ in answered]


def noted(events: Sequence[Event]) -> list[str]:
    """What happened, in order, a word or two each."""
    notes = []
    for event in events:
        match event:
            case Sending():
                notes.append("sending")
            case Received({"type": "content_block_start", "content_block": block}):
                notes.append(block["type"])
            case Calling(call):
                notes.append(f"calling {call['id']}")
            case Called(call):
                notes.append(f"called {call['id']}")
            case Ended(_, reply):
                notes.append(reply.turn.status)
    return notes


class Desk:
    """One kernel after another on the same notebook, asking the same server."""

    def __init__(self, folder: Path, server: ScriptedServer) -> None:
        self.server = server
        self.settings = Settings(base_url=server.url, model="claude-sonnet-4-6")
        self._store = folder / "store"
        self._where = Whereabouts(str(folder / "page.ipynb"), None, frozenset("AB"))
        self.session = self._session()

    def _session(self) -> Session:
        kept = Conversations(self._store)
        return Session(
            lambda: self.settings,
            history=lambda: kept.open(self._where),
            find=lambda: None,
        )

    def restart(self) -> None:
        self.session.close()
        self.session = self._session()

    def ask(
        self, prompt: str = "Weigh it", *, listener: Listener | None = None, **how: Any
    ) -> Reply:
        said: dict[str, Any] = {"cell": "A", "order": ("A", "B"), **how}
        question = Question(content=(text(prompt),), prompt=prompt, **said)
        return self.session.ask(question, *([listener] if listener else []))

    @property
    def turns(self) -> Sequence[Turn]:
        return self.session.turns


ONE_CALL = (
    calls(("t1", "weigh", {"sample": "A"}), text="I weigh it."),
    says("It weighs 3 g."),
)


def interrupt(_: Block) -> str:
    raise KeyboardInterrupt
