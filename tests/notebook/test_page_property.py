"""Whatever is done to a page, each question sees what stands above it, and nothing is paid twice.

Random stories (cells run, edited, moved, inserted, deleted; runs stopped, broken off, killed;
kernels restarted; copies made) are told to a real session with a real server, and to a small model
that knows the rules of the page and nothing of the code. At every request both must agree.
"""

from __future__ import annotations

import copy
import itertools
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from claude_magic.conversation.conversations import Conversations, Whereabouts
from claude_magic.conversation.history import History
from claude_magic.conversation.question import Question
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.watcher import Silent
from claude_magic.messages.blocks import text
from claude_magic.messages.client import Cancel
from claude_magic.messages.errors import BrokenReply, Interrupted
from claude_magic.notebook import records
from claude_magic.notebook.saved import source_digest
from claude_magic.offline import OfflineServer

# Few words, so that the same question comes again, in the same cell and in others.
PROMPTS = ("One?", "Two?", "Three?")
STOPPED = "[The user interrupted this reply here.]"

cells = st.integers(0, 20)
sources = st.lists(st.sampled_from(PROMPTS), min_size=0, max_size=2).map(tuple) | st.sampled_from(
    PROMPTS
).map(lambda prompt: (prompt,))


class Killed(BaseException):
    """The kernel is gone in the middle of a reply."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the `at`-th question of a run, after some pieces of its reply."""

    kind: str
    at: int = 0
    pieces: int = 1


faults = st.builds(
    Fault,
    st.sampled_from(("interrupt", "cancel", "cut", "unauthorized")),
    st.integers(0, 1),
    st.sampled_from((0, 1, 1, 3)),
)


# --- The rules of the page.


@dataclass(eq=False)
class Said:
    """One question and what came of it. `number` counts the requests that were answered."""

    prompt: str
    number: int
    reply: str = ""
    status: str = "complete"
    out: bool = False

    @property
    def goes_along(self) -> bool:
        told = self.status == "complete" or (self.status == "interrupted" and self.reply != "")
        return told and not self.out

    def messages(self) -> list[tuple[str, str]]:
        ending = STOPPED if self.status == "interrupted" else ""
        return [("user", self.prompt), ("assistant", self.reply + ending)]


@dataclass
class Model:
    """A page, and of each of its cells the runs that count: the last whole one and those since."""

    page: list[str] = field(default_factory=list)
    prompts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    runs: dict[str, list[tuple[bool, list[Said]]]] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    here: list[Said] = field(default_factory=list)
    last_run: str | None = None

    def counting(self, cell: str) -> list[Said]:
        """What the others see of a cell: its last whole run, else the last with anything in it."""
        runs = self.runs.get(cell, [])
        for whole, run in sorted(reversed(runs), key=lambda found: not found[0]):
            told = [said for said in run if said.goes_along]
            if told:
                return told
        return []

    def expected(self, cell: str, run: Sequence[Said], prompt: str) -> list[tuple[str, str]]:
        """The messages of a question that `cell` asks after those of its own `run`."""
        above = self.page[: self.page.index(cell)]
        seen = [said for other in above for said in self.counting(other)]
        told = [message for said in (*seen, *run) for message in said.messages()]
        return [*told, ("user", prompt)]

    def ended(self, cell: str, run: list[Said], *, whole: bool) -> None:
        runs = self.runs.setdefault(cell, [])
        if whole:
            runs.clear()
        if run:
            runs.append((whole, run))


# --- The notebook, as `claude_magic.notebook` drives the session.


class Watch(Silent):
    """Notes the turns of a run, and stops the reply after some pieces of its text."""

    def __init__(self, note: Callable[[Any], None]) -> None:
        self.note = note
        self.pieces: list[str] = []
        self.stop: Callable[[], None] | None = None
        self.after = 0

    def received(self, event: Mapping[str, Any]) -> None:
        piece = event.get("delta", {}).get("text")
        if piece:
            self.pieces.append(piece)
        if self.stop is not None and len(self.pieces) >= self.after:
            self.stop()

    def ended(self, plan: Any, reply: Any) -> None:
        self.note(reply.turn)


class Notebook:
    """The notebook's file and its kernel."""

    def __init__(self, folder: Path, server: OfflineServer) -> None:
        self.folder = folder
        self.server = server
        self.path = folder / "page.ipynb"
        self.path.touch()
        self.metadata: str | None = None
        self.clock = itertools.count(1_000).__next__
        self.session = self.started(())

    def started(self, page: Sequence[str]) -> Session:
        """A new kernel; the ones before are not told."""
        where = Whereabouts(str(self.path), self.metadata, frozenset(page))

        def opened() -> History:
            return self.conversations().open(where)

        url = self.server.url
        return Session(
            lambda: Settings(base_url=url), history=opened, find=lambda: None, clock=self.clock
        )

    def conversations(self) -> Conversations:
        return Conversations(self.folder / "data", named=self._named, clock=self.clock)

    def _named(self, conversation: str) -> None:
        self.metadata = conversation

    def history(self, page: Sequence[str]) -> list[records.Row]:
        """The rows of `%claude_history`."""
        return records.rows(self._as_magics_see_it(page))

    def undo(self) -> None:
        """`%claude_undo`. Raises InputError where there is nothing to undo."""
        records.undo(self._as_magics_see_it(()))

    def _as_magics_see_it(self, page: Sequence[str]) -> Any:
        order = SimpleNamespace(order=tuple(page))
        return SimpleNamespace(
            session=self.session,
            standing=SimpleNamespace(page=order, read=lambda: None),
            recorder=SimpleNamespace(runs=[]),
        )


SERVER: list[OfflineServer] = []


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[None]:
    """One server for all stories: it remembers nothing that would change an answer."""
    with OfflineServer(keep=5) as running:
        SERVER.append(running)
        yield
        SERVER.remove(running)


class Story(RuleBasedStateMachine):
    """What happens to one notebook."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.notebook = Notebook(Path(self._folder.name), SERVER[0])
        self.model = Model()
        self.names = map("cell{}".format, itertools.count())
        self.numbers = itertools.count()
        self.deleted: list[str] = []
        self.originals: list[tuple[Path, str, Model]] = []

    def teardown(self) -> None:
        try:
            for path, conversation, model in self.originals:
                self.notebook.path, self.notebook.metadata = path, conversation
                self._restarted(model)
                self._agree()
        finally:
            self.notebook.session.close()
            self._folder.cleanup()

    @initialize(given=st.lists(sources, min_size=1, max_size=4))
    def a_notebook_with_cells(self, given: list[tuple[str, ...]]) -> None:
        for prompts in given:
            self.a_cell_is_inserted(len(self.model.page), prompts)

    @rule(at=cells, prompts=sources)
    def a_cell_is_inserted(self, at: int, prompts: tuple[str, ...]) -> None:
        cell = next(self.names)
        self.model.page.insert(at % (len(self.model.page) + 1), cell)
        self.model.prompts[cell] = prompts

    @precondition(lambda self: self.model.page)
    @rule(at=cells, prompts=sources)
    def a_cell_is_edited(self, at: int, prompts: tuple[str, ...]) -> None:
        self.model.prompts[self._cell(at)] = prompts

    @precondition(lambda self: len(self.model.page) > 1)
    @rule(at=cells, to=cells)
    def a_cell_is_moved(self, at: int, to: int) -> None:
        cell = self._cell(at)
        self.model.page.remove(cell)
        self.model.page.insert(to % (len(self.model.page) + 1), cell)

    @precondition(lambda self: self.model.page)
    @rule(at=cells)
    def a_cell_is_deleted(self, at: int) -> None:
        cell = self._cell(at)
        self.model.page.remove(cell)
        self.deleted.append(cell)

    @precondition(lambda self: self.deleted)
    @rule(at=cells)
    def a_deleted_cell_is_brought_back(self, at: int) -> None:
        cell = self.deleted.pop()
        self.model.page.insert(at % (len(self.model.page) + 1), cell)

    @precondition(lambda self: self.model.page)
    @rule(at=cells)
    def a_cell_is_run(self, at: int) -> None:
        self._run(self._cell(at))

    @precondition(lambda self: self.model.page)
    @rule(at=cells, fault=faults)
    def a_cell_is_run_and_does_not_end_well(self, at: int, fault: Fault) -> None:
        self._run(self._cell(at), fault)

    @precondition(lambda self: self.model.page)
    @rule()
    def all_cells_are_run(self) -> None:
        for cell in list(self.model.page):
            self._run(cell)

    @rule()
    def the_kernel_is_restarted(self) -> None:
        self._restarted(self.model)

    @precondition(lambda self: self.model.page)
    @rule(at=cells, pieces=st.integers(0, 3))
    def the_kernel_is_killed_in_the_middle_of_a_reply(self, at: int, pieces: int) -> None:
        self._run(self._cell(at), Fault("kill", 0, pieces))
        self._restarted(self.model)

    @precondition(lambda self: self.notebook.metadata)
    @rule()
    def the_notebook_is_copied_and_the_copy_opened(self) -> None:
        before = self.notebook
        assert before.metadata
        self.originals.append((before.path, before.metadata, copy.deepcopy(self.model)))
        before.path = before.folder / f"copy{len(self.originals)}.ipynb"
        before.path.touch()
        self._restarted(self.model)

    @precondition(lambda self: any(not said.out for said in self.model.here))
    @rule()
    def the_last_turn_is_undone(self) -> None:
        standing = [said for said in self.model.here if not said.out]
        newest = max(standing, key=lambda said: said.number)
        self.notebook.undo()
        newest.out = True
        self._agree()

    def _cell(self, at: int) -> str:
        return self.model.page[at % len(self.model.page)]

    def _restarted(self, model: Model) -> None:
        self.notebook.session.close()
        self.notebook.session = self.notebook.started(model.page)
        self.model = model
        model.here, model.last_run = [], None

    def _run(self, cell: str, fault: Fault | None = None) -> None:
        """Run a cell, and compare each of its questions with the model."""
        model, prompts = self.model, self.model.prompts[cell]
        source = source_digest(f"{cell} {prompts}")
        session, order = self.notebook.session, tuple(model.page)
        if session.opened:
            session.history.match(cell, source, order)
        again, model.last_run = model.last_run == cell, cell
        asked: list[Any] = []
        run: list[Said] = []
        well = True
        for ordinal, prompt in enumerate(prompts):
            question = Question(
                content=(text(prompt),),
                fresh=again,
                cell=cell,
                ordinal=ordinal,
                run=tuple(turn.id for turn in asked),
                order=order,
                source=source,
                prompt=prompt,
            )
            now = fault if fault and fault.at == ordinal else None
            well = self._ask(question, run, asked, now)
            if not well:
                break
        if well and session.opened:
            session.cell_ended(cell, [turn.id for turn in asked])
        self._agree()

    def _ask(
        self, question: Question, run: list[Said], asked: list[Any], fault: Fault | None
    ) -> bool: ...

    def _agree(self) -> None: ...


TestStory = Story.TestCase
