"""Whatever is done to a page, each question sees what stands above it, and nothing is paid twice.

Random stories (cells run, edited, moved, inserted, deleted; runs stopped, broken off, killed;
kernels restarted; copies made) are told to a real session with a real server, and to a small model
that knows the rules of the page and nothing of the code. At every request both must agree.
"""

from __future__ import annotations

import copy
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from claude_magic.conversation.conversations import Conversations, Whereabouts
from claude_magic.conversation.history import History
from claude_magic.conversation.question import Question
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.turns import Turn
from claude_magic.conversation.watcher import Silent
from claude_magic.messages.blocks import content_blocks, joined_text, text
from claude_magic.messages.client import Cancel
from claude_magic.messages.errors import AuthenticationError, BrokenReply, Interrupted
from claude_magic.notebook import records
from claude_magic.notebook.saved import source_digest
from claude_magic.offline import OfflineServer
from claude_magic.offline.journal import Recorded

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


Message = tuple[str, str]
"""Role and text."""


@dataclass(eq=False)
class Said:
    """One question and what came of it. `asked` holds the messages of its request; `out` says that
    another took its place, or that it was undone."""

    cell: str
    ordinal: int
    asked: list[Message]
    reply: str = ""
    status: str = "complete"
    out: bool = False

    @property
    def prompt(self) -> str:
        return self.asked[-1][1]

    @property
    def counts(self) -> bool:
        """Whether others see it: a whole reply, or what the user let come of one."""
        told = self.status == "complete" or (self.status == "interrupted" and self.reply != "")
        return told and not self.out

    @property
    def messages(self) -> list[Message]:
        ending = STOPPED if self.status == "interrupted" else ""
        return [("user", self.prompt), ("assistant", self.reply + ending)]


@dataclass
class Run:
    """One run of a cell; `whole` if it ended well."""

    told: list[Said]
    whole: bool


@dataclass
class Model:
    """A page, and of each of its cells the runs that count: the last whole one and those since.

    `recorded` holds what was answered by the messages of its request, `here` what this kernel
    asked or showed again.
    """

    page: list[str] = field(default_factory=list)
    prompts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    runs: dict[str, list[Run]] = field(default_factory=dict)
    recorded: dict[str, list[Said]] = field(default_factory=dict)
    here: list[Said] = field(default_factory=list)
    last_run: str | None = None

    @property
    def newest(self) -> Said | None:
        """What this kernel asked or showed last; None where that does not count."""
        last = self.here[-1] if self.here else None
        return last if last and last in self.counting(last.cell) else None

    def counting(self, cell: str) -> list[Said]:
        """What the others see of a cell: its last whole run, else the last with anything in it."""
        newest = list(reversed(self.runs.get(cell, [])))
        for run in sorted(newest, key=lambda run: not run.whole):
            told = [said for said in run.told if said.counts]
            if told:
                return told
        return []

    def expected(self, cell: str, run: Sequence[Said], prompt: str) -> list[Message]:
        """The messages of a question that `cell` asks after those of its own `run`."""
        above = self.page[: self.page.index(cell)]
        seen = [said for other in above for said in self.counting(other)]
        told = [message for said in (*seen, *run) for message in said.messages]
        return [*told, ("user", prompt)]

    def is_stale(self, said: Said, before: Sequence[Said]) -> bool:
        """Whether it would be asked differently today; `before` stands above it in its cell."""
        return self.expected(said.cell, before, said.prompt) != said.asked

    def shown_again(self, said: Said, known: Sequence[Said]) -> Said:
        """The turn that answers a question from the record: that of its place, else a copy."""
        place = (said.cell, said.ordinal)
        here = [s for s in known if (s.cell, s.ordinal) == place]
        if here:
            here[-1].out = False
            return here[-1]
        said.reply = known[-1].reply
        return said

    def ended(self, cell: str, told: list[Said], *, whole: bool) -> None:
        """A run of `cell` is over; once it ended well, nothing older counts.

        Nor does an older stopped one where there is no whole one, once anything came of a newer.
        """
        runs = self.runs.setdefault(cell, [])
        came = any(said.counts for said in told)
        if whole or (came and not any(run.whole for run in runs)):
            for said in (said for run in runs for said in run.told):
                said.out = said not in told
            runs.clear()
        runs.append(Run(told, whole))


# --- The notebook, as `claude_magic.notebook` drives the session.


class Watch(Silent):
    """Notes the turns of a run, and stops the reply after some pieces of its text."""

    def __init__(self, note: Callable[[Any], None]) -> None:
        self.note = note
        self.pieces: list[str] = []
        self.stop: Callable[[], None] | None = None
        self.after = 0

    def stop_with(self, fault: Fault, cancel: Cancel) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        def kill() -> None:
            raise Killed

        self.after = fault.pieces
        self.stop = {"interrupt": interrupt, "cancel": cancel.set, "kill": kill}.get(fault.kind)

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

    def started(self, page: Sequence[str], *, by_path: bool = False) -> Session:
        """A new kernel; the ones before are not told."""
        conversation = None if by_path else self.metadata
        where = Whereabouts(str(self.path), conversation, frozenset(page))

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


class Story(RuleBasedStateMachine):
    """What happens to one notebook."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.server = OfflineServer(keep=10_000).start()
        self.notebook = Notebook(Path(self._folder.name), self.server)
        self.model = Model()
        self.names = map("cell{}".format, itertools.count())
        self.deleted: list[str] = []
        self.asked_in: set[str] = set()
        self.originals: list[tuple[Path, str, Model]] = []

    def teardown(self) -> None:
        try:
            for path, conversation, model in self.originals:
                self.notebook.path, self.notebook.metadata = path, conversation
                self._restarted(model)
                self._agree()
        finally:
            self.notebook.session.close()
            self.server.stop()
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

    @rule(by_path=st.booleans())
    def the_kernel_is_restarted(self, by_path: bool) -> None:
        """Where nobody keeps the id in the metadata, path and cells say whose page it is."""
        known = bool(self.asked_in.intersection(self.model.page)) and not self.originals
        self._restarted(self.model, by_path=by_path and known)
        self._agree()

    @precondition(lambda self: self.model.page)
    @rule(at=cells, number=st.integers(0, 1), pieces=st.integers(0, 3))
    def the_kernel_is_killed_in_the_middle_of_a_reply(
        self, at: int, number: int, pieces: int
    ) -> None:
        fault = Fault("kill", number, pieces)
        self._run(self._cell(at), fault)
        self._restarted(self.model)
        self._agree()

    @precondition(lambda self: self.notebook.metadata)
    @rule()
    def the_notebook_is_copied_and_the_copy_opened(self) -> None:
        before = self.notebook
        assert before.metadata
        self.originals.append((before.path, before.metadata, copy.deepcopy(self.model)))
        before.path = before.folder / f"copy{len(self.originals)}.ipynb"
        before.path.touch()
        self._restarted(self.model)

    @precondition(lambda self: self.model.newest is not None)
    @rule()
    def the_last_turn_is_undone(self) -> None:
        newest = self.model.newest
        assert newest is not None
        self.notebook.undo()
        newest.out = True
        self._agree()

    def _cell(self, at: int) -> str:
        return self.model.page[at % len(self.model.page)]

    def _restarted(self, model: Model, *, by_path: bool = False) -> None:
        self.notebook.session.close()
        self.notebook.session = self.notebook.started(model.page, by_path=by_path)
        self.model = model
        model.here, model.last_run = [], None

    def _run(self, cell: str, fault: Fault | None = None) -> None:
        """Run a cell, and compare each of its questions with the model."""
        model, prompts = self.model, self.model.prompts[cell]
        source = source_digest(f"{cell} {prompts}")
        session, order = self.notebook.session, tuple(model.page)
        session.history.match(cell, source, order)
        again, model.last_run = model.last_run == cell, cell
        asked: list[Turn] = []
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
        killed = fault is not None and fault.kind == "kill" and not well
        if not killed:
            session.cell_ended(cell, [turn.id for turn in asked], well=well)
        model.ended(cell, run, whole=well)
        if asked:
            self.asked_in.add(cell)
        if not killed:
            self._agree()

    def _ask(
        self, question: Question, run: list[Said], asked: list[Turn], fault: Fault | None
    ) -> bool:
        """Ask one question of a run, and compare; whether the run goes on."""
        model, server, session = self.model, self.notebook.server, self.notebook.session
        assert question.cell is not None
        expected = model.expected(question.cell, run, question.prompt)
        known = [] if question.fresh else model.recorded.get(str(expected), [])
        said = Said(question.cell, question.ordinal, expected)
        watch, cancel = Watch(asked.append), Cancel()
        if fault and not known:
            watch.stop_with(fault, cancel)
            if fault.kind in ("cut", "unauthorized"):
                server.behave(fault.kind)
        before = len(server.requests)
        try:
            reply = session.ask(question, watch, cancel=cancel)
        except (Interrupted, BrokenReply, AuthenticationError, Killed) as stopped:
            assert fault and not known, "a reply from the record is whole"
            said.status = "interrupted" if isinstance(stopped, Interrupted) else "broken"
        received = server.requests[before:]
        if known:
            assert not received, "what was answered is not asked again"
            assert reply.replayed
            said = model.shown_again(said, known)
            assert reply.text == said.reply
        else:
            assert len(received) == 1, "what was not answered is asked"
            assert messages(received[0]) == expected
            said.reply = "".join(watch.pieces)
            if said.status == "interrupted":  # by then the connection may be a word ahead
                assert asked[-1].text.startswith(said.reply)
                said.reply = asked[-1].text
        run.append(said)
        if said.status == "complete":
            model.recorded.setdefault(str(expected), []).append(said)
        if asked and asked[-1].id not in question.run:
            model.here.append(said)
        return said.status == "complete"

    def _agree(self) -> None:
        """A question below all others sees what the model holds, and the same of it is stale."""
        model, below = self.model, "a cell below all others"
        seen = self.notebook.session.seen(below, (), (*model.page, below))
        told = [
            (said, held[:n])
            for held in map(model.counting, model.page)
            for n, said in enumerate(held)
        ]
        assert [(t.cell, t.prompt, t.text) for t in seen] == [
            (said.cell, said.prompt, said.reply) for said, _ in told
        ]
        stale = {row.turn.id: row.stale for row in self.notebook.history(model.page)}
        for turn, (said, before) in zip(seen, told, strict=True):
            if turn.id in stale:  # else the table shows what came of it later
                assert stale[turn.id] == model.is_stale(said, before)


def messages(request: Recorded) -> list[Message]:
    """Role and text of each message of a request."""
    return [(m["role"], joined_text(content_blocks(m))) for m in request.json["messages"]]


TestStory = Story.TestCase
TestStory.settings = hypothesis_settings(
    deadline=None,
    max_examples=100,
    stateful_step_count=20,
    derandomize=True,  # the same stories each time: what they find is found by whoever broke it
    # Without Phase.explain: it traces every line of every thread.
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)


@pytest.fixture
def story() -> Iterator[Story]:
    told = Story()
    yield told
    told.teardown()


def test_of_two_runs_that_stopped_one_is_seen_and_not_parts_of_both(story: Story) -> None:
    story.a_notebook_with_cells([("One?", "Two?")])
    story._run("cell0", Fault("interrupt", 1, 1))
    story.a_cell_is_edited(0, ("Two?", "Three?"))
    story._run("cell0", Fault("cut", 1, 1))


def test_a_run_whose_kernel_was_killed_leaves_the_last_whole_run(story: Story) -> None:
    story.a_notebook_with_cells([("One?", "Two?")])
    story.a_cell_is_run(0)
    story.a_cell_is_edited(0, ("Two?", "Three?"))
    story._run("cell0", Fault("kill", 1, 1))
    story.the_kernel_is_restarted(by_path=False)
