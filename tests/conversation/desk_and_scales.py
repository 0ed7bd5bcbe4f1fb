"""A desk where one kernel after another asks the same server, and scales as the tool it uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from claude_magic.conversation.conversations import Conversations, Whereabouts
from claude_magic.conversation.question import Question
from claude_magic.conversation.reply import Reply
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Turn
from claude_magic.conversation.watcher import Silent, Watcher
from claude_magic.messages.blocks import Block, text
from claude_magic.messages.cancel import Cancel
from claude_magic.messages.models import Model
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

    def run(
        self, calls: Sequence[Block], watcher: Watcher, cancel: Cancel | None
    ) -> Iterator[Block]:
        for call in calls:
            watcher.calling(call)
            self.called.append(call)
            weigh = self._weighs.pop(0) if len(self._weighs) > 1 else self._weighs[0]
            result = {
                "type": "tool_result",
                "tool_use_id": call["id"],
                "content": [text(weigh(call))],
            }
            watcher.called(call, result, 0.1)
            yield result

    def ended(self, answered: Sequence[tuple[Block, Block]]) -> Sequence[Any]:
        return [call["id"] for call, _ in answered]


class Told(Silent):
    """A watcher that notes what it is told, in order."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def sending(self, plan: Any) -> None:
        self.notes.append("sending")

    def received(self, event: Mapping[str, Any]) -> None:
        if event["type"] == "content_block_start":
            self.notes.append(event["content_block"]["type"])

    def calling(self, call: Block) -> None:
        self.notes.append(f"calling {call['id']}")

    def called(self, call: Block, result: Block, seconds: float) -> None:
        self.notes.append(f"called {call['id']}")

    def ended(self, plan: Any, reply: Reply) -> None:
        self.notes.append(reply.turn.status)


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

    def ask(self, prompt: str = "Weigh it", *, watcher: Watcher | None = None, **how: Any) -> Reply:
        said: dict[str, Any] = {"cell": "A", "order": ("A", "B"), **how}
        question = Question(content=(text(prompt),), prompt=prompt, **said)
        return self.session.ask(question, watcher or Silent())

    @property
    def turns(self) -> Sequence[Turn]:
        return self.session.turns


ONE_CALL = (
    calls(("t1", "weigh", {"sample": "A"}), text="I weigh it."),
    says("It weighs 3 g."),
)


def interrupt(_: Block) -> str:
    raise KeyboardInterrupt
