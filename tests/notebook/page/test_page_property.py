"""Whatever is done to a page, each question sees what stands above it, and nothing is paid twice.

Random stories (cells run, edited, moved, inserted, deleted; runs stopped, broken off, killed;
kernels restarted; copies made) are told to a real session with a real server, and to a small model
that knows the rules of the page and nothing of the code. At every request both must agree.
"""

from __future__ import annotations

import copy
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from claude_magic.conversation.asking.question import Question
from claude_magic.conversation.events import Ended, Event, Received
from claude_magic.conversation.history import History
from claude_magic.conversation.session import Session
from claude_magic.conversation.settings import Settings
from claude_magic.conversation.store.conversations import Conversations, Whereabouts
from claude_magic.conversation.turns import Turn
from claude_magic.messages.blocks import content_blocks, joined_text, text
from claude_magic.messages.errors import AuthenticationError, BrokenReply, InputError, Interrupted
from claude_magic.messages.transport.client import Cancel
from claude_magic.notebook import small_commands
from claude_magic.notebook.page.question_place import source_digest
from claude_magic.offline import OfflineServer
from claude_magic.offline.journal import RecordedRequest
from tests.notebook.page.page_model import ALONE, Message, Model, Said

# Few words, so that the same question comes again, in the same cell and in others.
PROMPTS = ("One?", "Two?", "Three?", ALONE)
# So many stories, other ones each time: `STORIES=5000 pytest tests/notebook/test_page_property.py`.
STORIES = int(os.environ.get("STORIES", "0"))

# Where there is such a folder no story waits for a disk.
MEMORY = Path("/dev/shm")  # noqa: S108

cells = st.integers(0, 20)
sources = st.lists(st.sampled_from(PROMPTS), max_size=3).map(tuple)


class Killed(BaseException):
    """The kernel is gone in the middle of a reply."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the `at`-th question of a run, after some pieces of its reply.

    `error` and `gone` come between the questions: the cell's own code fails, the kernel is killed.
    """

    kind: str
    at: int = 0
    pieces: int = 1

    @property
    def kills(self) -> bool:
        return self.kind in ("kill", "gone")


def faults(*kinds: str) -> st.SearchStrategy[Fault]:
    number, pieces = st.integers(0, 2), st.sampled_from((0, 1, 1, 3))
    return st.builds(Fault, st.sampled_from(kinds), number, pieces)


# --- The notebook, as `claude_magic.notebook` drives the session.


class Watch:
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

    def __call__(self, event: Event) -> None:
        match event:
            case Received(part):
                piece = part.get("delta", {}).get("text")
                if piece:
                    self.pieces.append(piece)
                if self.stop is not None and len(self.pieces) >= self.after:
                    self.stop()
            case Ended(_, reply):
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

    def history(self, page: Sequence[str]) -> list[small_commands.HistoryRow]:
        """The rows of `%claude_history`."""
        return small_commands.rows(self._as_magics_see_it(page))

    def undo(self) -> None:
        """`%claude_undo`. Raises InputError where there is nothing to undo."""
        small_commands.undo(self._as_magics_see_it(()))

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
        self._folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
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
    @rule(at=cells, fault=faults("interrupt", "cancel", "cut", "unauthorized", "error"))
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
    @rule(at=cells, fault=faults("kill", "gone"))
    def the_kernel_is_killed_while_a_cell_runs(self, at: int, fault: Fault) -> None:
        self._run(self._cell(at), fault)
        self._restarted(self.model)
        self._agree()

    @precondition(lambda self: self.model.page)
    @rule(at=cells, prompt=st.sampled_from(PROMPTS[:3]), stopped=st.booleans())
    def the_panel_asks(self, at: int, prompt: str, stopped: bool) -> None:
        self._ask_in_panel(self._cell(at), prompt, Fault("cancel") if stopped else None)
        self._agree()

    @precondition(lambda self: self.model.page)
    @rule(at=cells, below=cells, number=st.integers(0, 2), prompt=st.sampled_from(PROMPTS[:3]))
    def the_panel_asks_while_a_cell_runs(
        self, at: int, below: int, number: int, prompt: str
    ) -> None:
        def between(ordinal: int) -> None:
            if ordinal == number:
                self._ask_in_panel(self._cell(below), prompt)

        self._run(self._cell(at), between=between)

    @precondition(lambda self: self.notebook.metadata)
    @rule()
    def the_notebook_is_copied_and_the_copy_opened(self) -> None:
        before = self.notebook
        assert before.metadata
        self.originals.append((before.path, before.metadata, copy.deepcopy(self.model)))
        before.path = before.folder / f"copy{len(self.originals)}.ipynb"
        before.path.touch()
        self._restarted(self.model)

    @rule()
    def the_last_turn_is_undone(self) -> None:
        try:
            self.notebook.undo()
        except InputError:
            assert all(said.out and not said.aside for said in self.model.here[-1:])
        self.model.undone()
        self._agree()

    def _cell(self, at: int) -> str:
        return self.model.page[at % len(self.model.page)]

    def _restarted(self, model: Model, *, by_path: bool = False) -> None:
        self.notebook.session.close()
        self.notebook.session = self.notebook.started(model.page, by_path=by_path)
        self.model = model
        model.here, model.last_run = [], None

    def _run(
        self,
        cell: str,
        fault: Fault | None = None,
        between: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Run a cell, and compare each of its questions with the model."""
        model, prompts = self.model, self.model.prompts[cell]
        source = source_digest(f"{cell} {prompts}")
        session, order = self.notebook.session, tuple(model.page)
        session.history.match(cell, source, order)
        again, model.last_run = model.last_run == cell, cell
        asked: list[Turn] = []
        run = model.running[cell] = []
        ends = fault.at if fault and fault.kind in ("error", "gone") else None
        well, kept = ends is None, 0
        for ordinal, prompt in enumerate(prompts[:ends]):
            between(ordinal)
            question = Question(
                content=(text(prompt),),
                alone=prompt == ALONE,
                fresh=again,
                cell=cell,
                ordinal=ordinal,
                run=tuple(turn.id for turn in asked),
                order=order,
                source=source,
                prompt=prompt,
            )
            expected = model.expected(cell, run, prompt)
            known = [said for said in model.recorded.get(str(expected), []) if said not in run]
            now = fault if fault and fault.at == ordinal else None
            new = Said(cell, ordinal, expected)
            said = self._ask(question, new, known, asked, now)
            run.append(said)
            kept = len(run) if said is new and prompt != ALONE else kept
            if said.status != "complete":
                well = False
                break
        killed = fault is not None and fault.kills and not well
        if asked:
            self.asked_in.add(cell)
        if killed:  # what a run only showed again leaves no trace: what is new knows it
            model.ended(cell, run[:kept], whole=False)
            return
        session.cell_ended(cell, [turn.id for turn in asked], well=well)
        model.ended(cell, run, whole=well)
        self._agree()

    def _ask_in_panel(self, cell: str, prompt: str, fault: Fault | None = None) -> None:
        """Ask below `cell`, as another thread does, and compare."""
        model, order = self.model, tuple(self.model.page)
        expected = model.expected_in_panel(cell, prompt)
        said = Said(cell, 0, expected, panel=True, order=order)
        known = model.recorded.get(str(expected), [])
        question = Question(
            content=(text(prompt),), cell=cell, order=order, panel=True, prompt=prompt
        )
        said = self._ask(question, said, known, [], fault)
        said.out = False
        if said not in model.panel:
            model.panel.append(said)
        self.asked_in.add(cell)

    def _ask(
        self,
        question: Question,
        said: Said,
        known: Sequence[Said],
        asked: list[Turn],
        fault: Fault | None,
    ) -> Said:
        """Ask one question, and compare; what came of it. Its turn is added to `asked`."""
        model, server, session = self.model, self.notebook.server, self.notebook.session
        known = [] if question.fresh else known
        count = len(asked)
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
            assert messages(received[0]) == said.asked
            said.reply = "".join(watch.pieces)
            if said.status == "interrupted":  # by then the connection may be a word ahead
                assert asked[-1].text.startswith(said.reply)
                said.reply = asked[-1].text
        if said.status == "complete":
            model.recorded.setdefault(str(said.asked), []).append(said)
        if len(asked) > count:
            model.here.append(said)
        return said

    def _agree(self) -> None:
        """A question below all others sees what the model holds, the table of the turns shows it,
        and the same of it is stale."""
        model, below = self.model, "a cell below all others"
        seen = self.notebook.session.seen(below, (), (*model.page, below))
        told = model.above(len(model.page))
        assert [(t.cell, t.prompt, t.text) for t in seen] == [
            (said.cell, said.prompt, said.reply) for said in told
        ]
        rows = {row.turn.id: row for row in self.notebook.history(model.page)}
        assert [turn_id for turn_id in rows if turn_id in {t.id for t in seen}] == [
            t.id for t in seen
        ]
        for turn, said in zip(seen, told, strict=True):
            if not said.panel:
                held = model.counting(said.cell)
                stale = model.is_stale(said, held[: held.index(said)])
                assert rows[turn.id].stale == stale


def messages(request: RecordedRequest) -> list[Message]:
    """Role and text of each message of a request."""
    return [(m["role"], joined_text(content_blocks(m))) for m in request.json["messages"]]


TestStory = pytest.mark.timeout(600)(Story.TestCase)
TestStory.settings = hypothesis_settings(
    max_examples=STORIES or 100,
    stateful_step_count=20,
    # The same stories each time: what they find is found by whoever broke it.
    derandomize=not STORIES,
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
