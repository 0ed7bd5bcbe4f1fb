"""The one way to ask: magics, panel, Python API and command line are faces of `Session.ask`."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..messages.blocks import text
from ..messages.credentials import Found, find_key
from ..messages.errors import BrokenReply, ClaudeError, Interrupted
from .connection import Connections, Server, require_key
from .history import History
from .ids import Shared
from .plan import Plan, Transcripts, make_plan, parameters
from .question import Question
from .replay import Replays
from .reply import Reply
from .run import Run
from .settings import OFFLINE, Settings
from .spending import Spending
from .turns import Status, Turn
from .watcher import Watcher

if TYPE_CHECKING:
    from ..messages.client import Cancel, Client
    from ..messages.images import ImageCache
    from ..offline import OfflineServer


class Session:
    """A conversation and the means to go on with it.

    `settings` is read at every question; `history` gives the conversation at the first one. `find`
    looks a key up; `clock` gives seconds since the epoch. Safe to use from several threads.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        history: Callable[[], History] = History,
        find: Callable[[], Found | None] = find_key,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.spending = Spending()
        self._open = history
        self._find = find
        self._clock = clock
        self._replays = Replays(lambda: self.history)
        self._connections = Connections()
        self._transcripts = Transcripts()
        self._saw, self._order = Shared(), Shared()
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
        if not q.alone:
            seen = history.seen(q.cell, q.run, q.order, panel=q.panel, going_on=q.going_on)
        return make_plan(
            question,
            self.settings(),
            seen,
            standing=history.how_many(q.cell, q.run, panel=q.panel),
            asked=self._told,
            images=lambda: self.images,
            transcripts=self._transcripts,
        )

    def ask(self, question: Question, watcher: Watcher, *, cancel: Cancel | None = None) -> Reply:
        """The reply to `question`; its turn is in `turns` afterwards.

        A request that was answered before, and has not changed, is not sent again: the recorded
        reply is shown. No key is needed for that.

        Raises CredentialError and BudgetError before anything leaves; NotRecordedError where only
        the record may answer; the client's errors; BrokenReply and Interrupted after the turn,
        with what came, was kept.
        """
        settings = self.settings()
        plan = self.plan(question)
        recorded = self._replays.find(plan, settings)
        if recorded is not None:
            plan = plan.as_shown(recorded[0].shown)
            return self._replay(_with_notices(plan, *recorded[1]), recorded[0], watcher)
        reason = self._replays.miss(plan)
        if reason and settings.replay == "on":
            plan = _with_notices(plan, reason)
        found = self._credential(plan.server)
        price = 0.0 if plan.server.offline else plan.price or 0.0
        with self.spending.reserved(price, settings.budget):
            return self._send(plan, settings, found, watcher, cancel)

    def _send(
        self,
        plan: Plan,
        settings: Settings,
        found: Found | None,
        watcher: Watcher,
        cancel: Cancel | None,
    ) -> Reply:
        with self._lock:
            client = self._connections.client(settings, plan.server, found)
            self._told |= {plan.server.label, plan.model.id}
        turn = self._turn(plan)
        run = Run(turn, plan, watcher, cancel, self._clock)
        try:
            self.history.start(turn)
            watcher.sending(plan)
            run.receive(client, self.history)
        except KeyboardInterrupt:
            reply = self._end(run, "interrupted")
            kept = "what came of the reply is kept" if reply.text else "no word had come yet"
            raise Interrupted(f"you stopped it; {kept}.") from None
        except BrokenReply:
            self._end(run, "broken")
            raise
        except ClaudeError:
            self.history.drop(turn)
            raise
        refused = run.snapshot.get("stop_reason") == "refusal"
        return self._end(run, "refused" if refused else "complete")

    def add(self, question: Question, reply: str) -> Reply:
        """A turn whose answer the user wrote: it joins the conversation and nothing is sent."""
        plan = self.plan(question)
        turn = replace(
            self._turn(plan),
            reply=(text(reply),),
            server="",
            parameters={"synthetic": True},
            status="complete",
            stop_reason="end_turn",
            digest="",
        )
        self.history.end(turn)
        return Reply(turn, (*plan.notices, *self.history.take_warnings()))

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

    def models(self) -> Sequence[Mapping[str, Any]]:
        """The server's own list of models. Raises the client's errors."""
        return self._client().models()

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
            return self._connections.client(settings, server, found)

    def _replay(self, plan: Plan, recorded: Turn, watcher: Watcher) -> Reply:
        """The recorded reply, shown again: nothing is sent and nothing is paid."""
        turn = self._replays.bound(plan, recorded, self._clock())
        if turn.id in self.history:
            self.history.shown(turn)
        else:
            self.history.end(turn)
        reply = Reply(turn, (*plan.notices, *self.history.take_warnings()), replayed=True)
        watcher.ended(plan, reply)
        return reply

    def _credential(self, server: Server) -> Found | None:
        """The key for `server`. Raises CredentialError where one is needed and there is none."""
        found = None if server.offline else self._find()
        require_key(server, found)
        return found

    def _turn(self, plan: Plan) -> Turn:
        """The turn of `plan` as it is asked: broken, until it has ended."""
        question, now = plan.question, self._clock()
        with self._lock:
            saw, order = self._saw.of(plan.saw), self._order.of(question.order)
        return Turn(
            id=uuid.uuid4().hex,
            asked=tuple(plan.asked),
            reply=(),
            model=plan.model.id,
            server=plan.server.label,
            parameters=parameters(plan.request),
            status="broken",
            cell=question.cell,
            ordinal=question.ordinal,
            saw=saw,
            order=order,
            started=now,
            ended=now,
            digest=plan.digest,
            prompt=question.prompt,
            requested=plan.model.id,
            source=question.source,
            counts=question.counts,
            alone=question.alone,
            panel=question.panel,
            going_on=question.going_on,
            shown=plan.shown,
        )

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
        if not run.paid and plan.server.label != OFFLINE:
            self.spending.add(turn.usage.cost(plan.model) or 0.0)
        run.paid = True
        reply = Reply(turn, (*plan.notices, *run.healed, *self.history.take_warnings()))
        run.watcher.ended(plan, reply)
        recording = self._replays.recording(self.settings())
        if recording is not None and status == "complete":
            recording.add(turn)
        return reply


def _with_notices(plan: Plan, *lines: str) -> Plan:
    return replace(plan, notices=(*plan.notices, *lines))
