"""The one way to ask: magics, panel, Python API and command line are faces of `Session.ask`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..messages.blocks import text
from ..messages.cancel import Cancel
from ..messages.credentials import Found, find_key
from ..messages.errors import BrokenReply, ClaudeError, Interrupted
from .answering import checked, reply_to
from .connection import Connections, Server, environment_headers, require_key, withheld
from .history import History
from .informer import Informer
from .known_models import KnownModels
from .listeners import Heard, Hears
from .plan import Plan, about, begun, make_plan
from .question import Question
from .replay import Recorded, Replays
from .reply import Reply
from .run import Run
from .settings import Settings
from .spending import Spending
from .turns import Status, Turn
from .watcher import Watcher

if TYPE_CHECKING:
    from ..messages.catalogue import Catalogue
    from ..messages.client import Client
    from ..messages.custom_headers import CustomHeaders
    from ..messages.images import ImageCache
    from ..offline import OfflineServer


class Session:
    """A conversation and the means to go on with it.

    `settings` is read at every question; `history` gives the conversation at the first one. `find`
    looks a key up, `headers` gives those that the environment adds; `clock` seconds since the
    epoch. Safe to use from several threads.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        history: Callable[[], History] = History,
        find: Callable[[], Found | None] = find_key,
        headers: Callable[[], CustomHeaders] = environment_headers,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.spending = Spending()
        self.listeners: list[Hears] = []
        """Who hears of every question, whoever asks it."""
        self._open = history
        self._find = find
        self.headers = headers
        self._clock = clock
        self._replays = Replays(lambda: self.history)
        self._connections = Connections()
        self._known = KnownModels()
        self._lock = threading.RLock()
        # Servers and models that were asked: what is said about each is said once.
        self._told: set[str] = set()

    @property
    def history(self) -> History:
        """The turns of the conversation and the store behind them, opened when first needed."""
        with self._lock:
            return self._history

    @cached_property
    def _history(self) -> History:
        return self._open()

    @property
    def opened(self) -> bool:
        """Whether the conversation was needed already."""
        return "_history" in vars(self)

    @property
    def turns(self) -> list[Turn]:
        """All turns, in the order asked."""
        return self.history.turns

    @cached_property
    def images(self) -> ImageCache:
        """Prepared images by digest, so that each is encoded once and not once a request."""
        from ..messages.images import ImageCache

        return ImageCache()

    def plan(self, question: Question) -> Plan:
        """What `question` would send, and to whom. Nothing leaves.

        Raises InputError where it cannot be asked so.
        """
        q, history = question, self.history
        seen: Sequence[Turn] = ()
        replaced = [i for i in q.instead if i not in history.retired and history[i].sent_later]
        if not q.alone:
            seen = history.seen(q.cell, q.run, q.order, panel=q.panel, going_on=q.going_on)
            seen = [turn for turn in seen if turn.id not in q.instead] if q.instead else seen
        plan = make_plan(
            question,
            self.settings(),
            seen,
            standing=history.how_many(q.cell, q.run, panel=q.panel) - len(replaced),
            asked=self._told,
            images=lambda: self.images,
            known=self._known,
        )
        return plan.noting(withheld(self.headers(), plan.server)) if plan.first else plan

    def ask(self, question: Question, watcher: Watcher, *, cancel: Cancel | None = None) -> Reply:
        """The reply to `question`; its turn is in `turns` afterwards.

        A request that was answered before, and has not changed, is not sent again: the recorded
        reply is shown. No key is needed for that.

        Raises CredentialError and BudgetError before anything leaves; NotRecordedError where only
        the record may answer; the client's errors; BrokenReply and Interrupted after the turn,
        with what came, was kept.
        """
        if not self.listeners:
            return self._ask(question, watcher, cancel)
        cancel = cancel or Cancel()
        heard = Heard(watcher, [hears(question, cancel) for hears in tuple(self.listeners)])
        try:
            return self._ask(question, heard, cancel)
        except BaseException as error:
            heard.failed(error)
            raise

    def _ask(self, question: Question, watcher: Watcher, cancel: Cancel | None) -> Reply:
        settings = self.settings()
        plan = self.plan(question)
        recorded = self._replays.find(plan, settings)
        if recorded is not None:
            plan = plan.as_shown(recorded.turn.shown).noting(*recorded.notices)
            if recorded.last and not recorded.turn.steps:
                return checked(plan, self._replay(plan, recorded.turn, watcher))
        elif settings.replay == "on":
            plan = plan.noting(self._replays.miss(plan))
        if question.tools is not None and not (recorded and question.tools.once):
            question.tools.check()
        informer = Informer(self._known, plan, lambda: self.plan(question))
        turn = begun(plan, self._first_version(question), self._clock())
        run = Run(turn, plan, watcher, cancel, clock=self._clock, learn=informer)
        return checked(plan, self._run(run, settings, recorded))

    def _run(self, run: Run, settings: Settings, recorded: Recorded | None) -> Reply:
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
            if run.sent and run.steps:
                self._end(run, "broken")
            elif run.sent:
                self.history.drop(run.turn)
            raise
        if recorded is not None:
            return self._replay(run.plan, recorded.turn, run.watcher)
        refused = run.snapshot.get("stop_reason") == "refusal"
        return self._end(run, "refused" if refused else "complete")

    def _answer(self, run: Run, settings: Settings, recorded: Recorded | None) -> Recorded | None:
        """Have each request answered, from the record as long as that holds it: its last reply.

        Tools run again in any case; what they give decides whether the record still answers.
        """
        if recorded is not None:
            run.watcher.sending(run.plan)
        while True:
            if recorded is not None:
                run.show(recorded)
            else:
                self._send(run, settings)
            if not run.follow(self.history):
                return recorded
            if recorded is not None:
                recorded = self._replays.go_on(run.plan, run.digest, recorded, settings)
                run.plan = run.plan.noting(*(recorded.notices if recorded else ()))

    def _send(self, run: Run, settings: Settings) -> None:
        """Send the request whose turn it is, within the budget, and take what it cost."""
        plan = run.plan
        found = self._credential(plan.server)
        with self.spending.reserved(run.price, settings.budget):
            with self._lock:
                client = self._connections.client(settings, plan.server, found, self.headers())
                self._told |= {plan.server.label, plan.model.id}
            if not run.sent:
                run.sent = True
                self.history.start(run.ended("broken"))
                if not run.steps:
                    run.watcher.sending(plan)
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
            from .shape import read_own

            value = read_own(question.shape, reply)
        plan = self.plan(question)
        turn = replace(
            begun(plan, self._first_version(question), self._clock()),
            reply=(text(reply),),
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
        """The server's own count of the input tokens of `plan`. Raises the client's errors."""
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
        found = self._credential(server)
        with self._lock:
            return self._connections.client(settings, server, found, self.headers())

    def _replay(self, plan: Plan, recorded: Turn, watcher: Watcher) -> Reply:
        """The recorded reply, shown again: nothing is sent and nothing is paid."""
        turn = self._replays.bound(plan, recorded, self._clock())
        if turn.id in self.history:
            self.history.shown(turn)
        else:
            turn = replace(turn, version_of=self._first_version(plan.question))
            self.history.end(turn)
        self._replace(plan.question, turn)
        notices = (*plan.notices, *plan.request.remarks, *self.history.take_warnings())
        reply = reply_to(plan, turn, notices, replayed=True)
        watcher.ended(plan, reply)
        return reply

    def _credential(self, server: Server) -> Found | None:
        """The key for `server`. Raises CredentialError where one is needed and there is none."""
        found = None if server.offline else self._find()
        require_key(server, found, self.headers())
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

    def _end(self, run: Run, status: Status) -> Reply:
        """Keep the turn and show how it ended; an interrupt meanwhile comes after that."""
        try:
            return self._ended(run, status)
        except KeyboardInterrupt:
            reply = self._ended(run, status)
            if status == "complete":
                raise Interrupted("you stopped it as it ended: the reply is whole.") from None
            return reply

    def _ended(self, run: Run, status: Status) -> Reply:
        plan, turn = run.plan, run.ended(status)
        self.history.end(turn)
        self._replace(plan.question, turn)
        notices = (*plan.notices, *plan.request.remarks, *run.healed)
        reply = reply_to(plan, turn, (*notices, *self.history.take_warnings()))
        run.watcher.ended(plan, reply)
        recording = self._replays.recording(self.settings())
        if recording is not None and status == "complete":
            recording.add(turn)
        return reply
