"""The one way to ask: magics, panel, Python API and command line are faces of `Session.ask`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..messages.blocks import joined_text, text
from ..messages.credentials import FoundKey, Secret, find_key, mask
from ..messages.errors import BrokenReply, ClaudeError, InputError, Interrupted, InvalidReply
from ..messages.once import Once, OwnLock
from ..messages.transport.cancel import Cancel
from .asking.connection import (
    Connections,
    KnownModels,
    Server,
    environment_headers,
    require_key,
    withheld,
)
from .asking.plan import Plan, about, begun, make_plan
from .asking.question import Question
from .asking.replay import RecordedReply, Replays
from .asking.run import ListedAdvice, QuestionRun
from .events import Ended, Failed, Listener, Sending, to_all
from .history import History
from .settings import OFFLINE, Settings
from .spending import Spending
from .turns import Status, Turn

if TYPE_CHECKING:
    from ..messages.address import CustomHeaders
    from ..messages.catalogue import Catalogue
    from ..messages.images.prepare import ImageCache
    from ..messages.transport.client import Client
    from ..offline import OfflineServer
    from .reply_value import Reply


class Session:
    """A conversation and the means to go on with it.

    `settings` is read at every question; `history` gives the conversation at the first one. `find`
    looks a key up, `headers` gives those that the environment adds; `clock` seconds since the
    epoch. `spending` is what is spent from, its own unless given; `secrets` gives what is masked
    in all that is sent. Safe to use from several threads, and in forked children: each keeps its
    turns in a segment of its own.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        history: Callable[[], History] = History,
        find: Callable[[], FoundKey | None] = find_key,
        headers: Callable[[], CustomHeaders] = environment_headers,
        clock: Callable[[], float] = time.time,
        spending: Spending | None = None,
        secrets: Callable[[], Sequence[Secret]] = tuple,
    ) -> None:
        self.settings = settings
        self.spending = spending or Spending()
        self._images = Once(_image_cache)
        self.listeners: list[Callable[[Question, Cancel], Listener]] = []
        """Who hears of every question, whoever asks it.

        Each gives the listener to one that is about to be asked; the Cancel stops that.
        """
        self._history = Once(history)
        self._find = find
        self._secrets = secrets
        self.headers = headers
        self._clock = clock
        self._replays = Replays(self._history)
        self._connections = Connections()
        self._known = KnownModels()
        self._lock = OwnLock()
        # Servers and models that were asked: what is said about each is said once.
        self._told: set[str] = set()

    @property
    def history(self) -> History:
        """The turns of the conversation and the store behind them, opened when first needed."""
        return self._history()

    @property
    def images(self) -> ImageCache:
        """Prepared images by digest, so that each is encoded once and not once a request."""
        return self._images()

    @property
    def opened(self) -> bool:
        """Whether the conversation was needed already."""
        return self._history.made

    @property
    def turns(self) -> list[Turn]:
        """All turns, in the order asked."""
        return self.history.turns

    def plan(self, question: Question) -> Plan:
        """What `question` would send, and to whom. Nothing leaves.

        Raises InputError where it cannot be asked so.
        """
        return self._plan(question, self.settings())

    def _plan(self, question: Question, settings: Settings) -> Plan:
        q, history = question, self.history
        seen: Sequence[Turn] = ()
        replaced = [i for i in q.instead if i not in history.retired and history[i].sent_later]
        if not q.alone:
            seen = history.seen(q.cell, q.run, q.order, panel=q.panel, going_on=q.going_on)
            seen = [turn for turn in seen if turn.id not in q.instead] if q.instead else seen
        plan = make_plan(
            question,
            settings,
            seen,
            standing=history.how_many(q.cell, q.run, panel=q.panel) - len(replaced),
            asked=self._told,
            images=lambda: self.images,
            known=self._known,
            secrets=self._secrets(),
        )
        held_back = withheld(self.headers(), plan.server) if plan.first else None
        return plan.noting(held_back) if held_back else plan

    def ask(
        self,
        question: Question,
        *listeners: Listener,
        ended: Listener | None = None,
        cancel: Cancel | None = None,
    ) -> Reply:
        """The reply to `question`; its turn is in `turns` afterwards. The listeners hear all of it.

        `ended` hears how it ended, before them, and is not called for each word that comes.

        A request that was answered before, and has not changed, is not sent again: the recorded
        reply is shown. No key is needed for that.

        Raises CredentialError and BudgetError before anything leaves, and InputError where the
        conversation was at another server and none was named since; NotRecordedError where only
        the record may answer; the client's errors; BrokenReply and Interrupted after the turn,
        with what came, was kept.
        """
        if self.listeners:
            stop = cancel = cancel or Cancel()
            listeners += tuple(hears(question, stop) for hears in tuple(self.listeners))
        tell = to_all(*listeners)
        try:
            return self._ask(question, tell, to_all(ended, tell) if ended else tell, cancel)
        except BaseException as error:
            tell(Failed(error))
            raise

    def _ask(
        self, question: Question, tell: Listener, end: Listener, cancel: Cancel | None
    ) -> Reply:
        settings = self.settings()
        plan = self._plan(question, settings)
        recorded = self._replays.find(plan, settings)
        asked = plan
        if recorded is not None:
            plan = plan.from_record(*recorded.notices)
            if recorded.last and not recorded.turn.steps:
                return _checked(plan, self._replay(plan, recorded.turn, end))
        elif settings.replay == "on" and (why := self._replays.miss(plan)):
            plan = plan.noting(why)
        if question.tools is not None and not (recorded and question.tools.once):
            question.tools.check()
        turn = begun(asked, self._first_version(question), self._clock())
        informer = ListedAdvice(self._known, plan, lambda: self.plan(question))
        run = QuestionRun(turn, plan, tell, end, cancel, clock=self._clock, learn=informer)
        return _checked(plan, self._run(run, settings, recorded))

    def _run(self, run: QuestionRun, settings: Settings, recorded: RecordedReply | None) -> Reply:
        """The reply, after all the requests that it takes; the turn is kept, however it ends."""
        try:
            recorded = self._answer(run, settings, recorded)
        except KeyboardInterrupt:
            reply = self._end(run, "interrupted")
            kept = "what came of the reply is kept" if reply.text else "no word had come yet"
            raise Interrupted(f"you stopped it; {kept}.") from None
        except BrokenReply:
            self._end(run, "broken")
            raise
        except ClaudeError:
            if run.sent and (run.steps or run.reply):
                self._end(run, "broken")
            elif run.sent:
                self.history.drop(run.turn)
            raise
        if recorded is not None:
            return self._replay(run.plan, run.gone_on(recorded.turn), run.end)
        refused = run.snapshot.get("stop_reason") == "refusal"
        return self._end(run, "refused" if refused else "complete")

    def _answer(
        self, run: QuestionRun, settings: Settings, recorded: RecordedReply | None
    ) -> RecordedReply | None:
        """Have each request answered, from the record as long as that holds it: its last reply.

        Tools run again in any case; what they give decides whether the record still answers.
        """
        if recorded is not None:
            run.tell(Sending(run.plan))
        while True:
            if recorded is not None:
                run.show(recorded)
            else:
                run.leave_record()
                self._send(run, settings)
            if not run.follow(self.history):
                return recorded
            if recorded is not None:
                answer = run.steps[-1].answer
                recorded = self._replays.go_on(run.plan, run.digest, recorded, settings, answer)
                run.plan = run.plan.noting(*(recorded.notices if recorded else ()))

    def _send(self, run: QuestionRun, settings: Settings) -> None:
        """Send the request whose turn it is, within the budget, and take what it cost."""
        plan = run.plan
        self._check_server(plan, settings)
        headers = self.headers()
        found = self._credential(plan.server, headers)
        with self.spending.reserved(run.price, settings.budget):
            with self._lock:
                client = self._connections.client(settings, plan.server, found, headers)
                self._told |= {plan.server.label, plan.model.id}
            if not run.sent:
                run.sent = True
                self.history.start(run.ended("broken"))
            try:
                run.receive(client, self.history)
            finally:
                if not plan.server.offline:
                    self.spending.add(run.used.cost(plan.model) or 0.0)

    def add(self, question: Question, reply: str) -> Reply:
        """A turn whose answer the user wrote: it joins the conversation and nothing is sent.

        Raises InputError where JSON was asked for and it is not that.
        """
        value = None
        if question.shape is not None:
            from .asking.shape import read_own

            value = read_own(question.shape, reply)
        from .reply_value import Reply

        plan = self.plan(question)
        turn = replace(
            begun(plan, self._first_version(question), self._clock()),
            reply=(text(mask(reply, *self._secrets())),),
            server="",
            parameters={"synthetic": True},
            status="complete",
            stop_reason="end_turn",
            digest="",
        )
        self.history.end(turn)
        return Reply(turn, (*plan.notices, *self.history.take_warnings()), value=value)

    def seen(
        self, cell: str | None, run: Collection[str], order: Sequence[str], *, panel: bool = False
    ) -> list[Turn]:
        """The turns that a question in `cell` would see; see `History.seen`."""
        return self.history.seen(cell, run, order, panel=panel)

    def cell_ended(self, cell: str, run: Collection[str], *, well: bool = True) -> None:
        """A run of `cell` has ended; `run` holds the ids of the turns that it asked.

        See `History.ran` for what counts from now on.
        """
        self.history.ran(cell, run, well=well)

    @property
    def catalogue(self) -> Catalogue:
        """What is known of the models of the server in use: no request is made for it.

        Raises InputError for a file of models that does not fit.
        """
        settings = self.settings()
        return self._known.of(settings, Server.of(settings.base_url))

    def about_model(self, name: str) -> str:
        """What the user should know of a model before asking it; "" if nothing.

        Raises InputError for one that the server in use does not have.
        """
        server, known = Server.of(self.settings().base_url), self.catalogue
        model = known.choose(name, anthropic=server.anthropic)
        return " ".join(about(model, known, server))

    def models(self) -> Catalogue:
        """The same, after the server was asked for its list. Raises the client's errors.

        From then on that list decides, in this kernel, which models there are and how each takes
        thinking and effort.
        """
        server = Server.of(self.settings().base_url)
        self._known.learn(server, self._client().models())
        return self.catalogue

    def count_tokens(self, plan: Plan) -> int:
        """The server's own count of the input tokens of `plan`. Raises the client's errors.

        Raises InputError where the plan would not be sent to that server.
        """
        self._check_server(plan, self.settings())
        return self._client().count_tokens(plan.request.body)

    @property
    def offline(self) -> OfflineServer | None:
        """The offline server of this process, once it was asked; it keeps what it received."""
        return self._connections.offline

    def close(self) -> None:
        """Close the connections and stop the offline server; the turns stay."""
        with self._lock:
            self._connections.close()

    def _client(self) -> Client:
        settings = self.settings()
        server = Server.of(settings.base_url)
        headers = self.headers()
        found = self._credential(server, headers)
        with self._lock:
            return self._connections.client(settings, server, found, headers)

    def _replay(self, plan: Plan, recorded: Turn, end: Listener) -> Reply:
        """The recorded reply, shown again: nothing is sent and nothing is paid."""
        turn = self._replays.bound(plan, recorded, self._clock())
        self.history.replayed.add(turn.id)
        if turn.id in self.history:
            self.history.shown(turn)
        else:
            turn = replace(turn, version_of=self._first_version(plan.question))
            self.history.end(turn)
        self._replace(plan.question, turn)
        notices = (*plan.notices, *self.history.take_warnings())
        reply = _reply_to(plan, turn, notices, replayed=True)
        end(Ended(plan, reply))
        return reply

    def _check_server(self, plan: Plan, settings: Settings) -> None:
        """Nothing. Raises InputError where the conversation was at another server in the end.

        That is, where an earlier kernel was told to ask there and this one was told nothing: what
        is meant for a local server goes nowhere else because the cell that says so has not run.
        """
        if settings.named or plan.server.offline:
            return
        history, question = self.history, plan.question
        turns = [turn for turn in history.turns if turn.id not in history.retired]
        if question.cell is None and not question.panel:  # of the others it knows nothing
            turns = [turn for turn in turns if turn.id in plan.saw]
        asked = [turn for turn in turns if turn.server not in ("", OFFLINE)]
        if not asked or asked[-1].server == plan.server.label or asked[-1].id in history.latest:
            return
        last, now = asked[-1].server, plan.server.label
        raise InputError(
            f"Nothing was sent: the last questions here went to {last}, and this one would go to "
            f"{now}, for no base_url was said since the kernel started. Run the cell that says "
            f"%claude_config base_url={last}, or say %claude_config base_url={now} to ask there."
        )

    def _credential(self, server: Server, headers: CustomHeaders) -> FoundKey | None:
        """The key for `server`. Raises CredentialError where one is needed and there is none."""
        found = None if server.offline else self._find()
        require_key(server, found, headers)
        return found

    def _first_version(self, question: Question) -> str:
        """The id of the turn whose place it is that the question takes; "" if it is a new one."""
        if not question.instead:
            return ""
        replaced = self.history[question.instead[0]]
        return replaced.version_of or replaced.id

    def _replace(self, question: Question, turn: Turn) -> None:
        """Retire what `turn` was asked in place of, if it came to something."""
        if turn.sent_later:
            self.history.retire([i for i in question.instead if i != turn.id])

    def _end(self, run: QuestionRun, status: Status) -> Reply:
        """Keep the turn and show how it ended; an interrupt meanwhile comes after that."""
        try:
            return self._ended(run, status)
        except KeyboardInterrupt:
            reply = self._ended(run, status)
            if status == "complete":
                raise Interrupted("you stopped it as it ended: the reply is whole.") from None
            return reply

    def _ended(self, run: QuestionRun, status: Status) -> Reply:
        plan, turn = run.plan, run.ended(status)
        self.history.end(turn)
        self._replace(plan.question, turn)
        notices = (*plan.notices, *run.late, *plan.request.remarks, *run.healed)
        reply = _reply_to(plan, turn, (*notices, *self.history.take_warnings()))
        run.end(Ended(plan, reply))
        recording = self._replays.recording(self.settings())
        if recording is not None and status == "complete":
            recording.add(turn)
        return reply


def _image_cache() -> ImageCache:
    from ..messages.images.prepare import ImageCache

    return ImageCache()


def _reply_to(plan: Plan, turn: Turn, notices: tuple[str, ...], *, replayed: bool = False) -> Reply:
    """The reply of a turn, with its value where JSON was asked for."""
    from .reply_value import Reply

    tools, shape = plan.question.tools, plan.question.shape
    made = () if tools is None else tools.ended(turn.answered)
    reply = Reply(turn, notices, replayed, known=plan.known, steps=tuple(made))
    if shape is None or turn.status != "complete":
        return reply
    try:
        return replace(reply, value=shape.read(joined_text(turn.reply)))
    except ValueError as error:
        return replace(reply, problem=str(error) or "it is no such value")


def _checked(plan: Plan, reply: Reply) -> Reply:
    """The reply. Raises InvalidReply where JSON was asked for and it is not that."""
    shape = plan.question.shape
    if shape is None or (reply.turn.status == "complete" and not reply.problem):
        return reply
    if reply.stop_reason == "max_tokens":
        why = "it was cut off: raise --max-tokens"
    elif reply.turn.status == "refused":
        why = "the model declined to answer: ask otherwise, or another model"
    else:
        why = f"{reply.problem} Ask again with --fresh, or ask for less"
    raise InvalidReply(f"The reply is no {shape.name}: {why}. It is kept as it came.")
