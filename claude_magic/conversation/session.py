"""The one way to ask: magics, panel, Python API and command line are faces of `Session.ask`."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..messages.blocks import content_blocks, text
from ..messages.credentials import Found, find_key
from ..messages.errors import BrokenReply, BudgetError, Interrupted
from ..messages.usage import Usage
from .connection import Connections, Server, require_key
from .page import seen_by, superseded
from .plan import Plan, make_plan
from .question import Question
from .reply import Reply
from .settings import Settings
from .turns import Status, Turn
from .watcher import Watcher

if TYPE_CHECKING:
    from ..messages.client import Cancel, ReplyStream
    from ..messages.images import ImageCache
    from ..offline import OfflineServer


class Session:
    """A conversation and the means to go on with it.

    `settings` is read at every question. `find` looks a key up; `clock` gives seconds since the
    epoch. Safe to use from several threads.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        *,
        find: Callable[[], Found | None] = find_key,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.turns: list[Turn] = []
        self.retired: set[str] = set()
        self.spent = 0.0
        # Expected cost of the questions under way.
        self._pending = 0.0
        self._find = find
        self._clock = clock
        self._connections = Connections()
        self._lock = threading.Lock()
        # Servers and models that were asked: what is said about each is said once.
        self._told: set[str] = set()
        self._images: ImageCache | None = None

    @property
    def images(self) -> ImageCache:
        """Prepared images by digest, so that each is encoded once and not once a request."""
        if self._images is None:
            from ..messages.images import ImageCache

            self._images = ImageCache()
        return self._images

    def plan(self, question: Question) -> Plan:
        """What `question` would send, and to whom. Nothing leaves.

        Raises InputError where it cannot be asked so.
        """
        return make_plan(
            question,
            self.settings(),
            self.turns,
            self.retired,
            asked=self._told,
            images=lambda: self.images,
        )

    def ask(self, question: Question, watcher: Watcher, *, cancel: Cancel | None = None) -> Reply:
        """The reply to `question`; its turn is in `turns` afterwards, unless it was `alone`.

        A request that was answered before, and has not changed, is not sent again: the recorded
        reply is shown. No key is needed for that.

        Raises CredentialError and BudgetError before anything leaves; the client's errors;
        BrokenReply and Interrupted after the turn, with what came, was kept.
        """
        plan = self.plan(question)
        settings = self.settings()
        recorded = self._recorded(plan, settings)
        if recorded is not None:
            return self._replay(plan, recorded, watcher)
        found = self._credential(plan.server)
        with self._reserved(plan, settings.budget):
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
        started = self._clock()
        stream: ReplyStream | None = None
        try:
            watcher.sending(plan)
            with client.stream(plan.request.body, cancel=cancel, waiting=watcher.waiting) as stream:
                for event in stream:
                    watcher.received(event)
        except KeyboardInterrupt:
            reply = self._end(plan, stream, "interrupted", started, watcher)
            kept = "what came of the reply is kept" if reply.text else "no word had come yet"
            raise Interrupted(f"you stopped it; {kept}.") from None
        except BrokenReply:
            self._end(plan, stream, "broken", started, watcher)
            raise
        status: Status = "complete"
        if stream.snapshot.get("stop_reason") == "refusal":
            status = "refused"
        return self._end(plan, stream, status, started, watcher)

    def add(self, question: Question, reply: str) -> Reply:
        """A turn whose answer the user wrote: it joins the conversation and nothing is sent."""
        plan = self.plan(question)
        now = self._clock()
        turn = Turn(
            id=uuid.uuid4().hex,
            asked=tuple(question.content),
            reply=(text(reply),),
            model=plan.model.id,
            server="",
            parameters={"synthetic": True},
            stop_reason="end_turn",
            cell=question.cell,
            ordinal=question.ordinal,
            saw=plan.saw,
            order=question.order,
            started=now,
            ended=now,
        )
        with self._lock:
            self.turns.append(turn)
        return Reply(turn, plan.notices)

    def seen(self, cell: str | None, run: Collection[str], order: Sequence[str]) -> list[Turn]:
        """The turns that a question in `cell` would see; see `page.seen_by`."""
        return seen_by(cell, run, self.turns, self.retired, order)

    def cell_ended(self, cell: str, run: Collection[str]) -> None:
        """A run of `cell` has ended well: what it did not ask again is not part of the page now.

        `run` holds the ids of the turns that it asked. Older versions are kept, and never sent.
        """
        with self._lock:
            self.retired |= set(superseded(self.turns, cell, run))

    def models(self) -> Sequence[Mapping[str, Any]]:
        """The server's own list of models. Raises the client's errors."""
        settings = self.settings()
        server = Server.of(settings.base_url)
        found = self._credential(server)
        with self._lock:
            client = self._connections.client(settings, server, found)
        return client.models()

    @property
    def offline(self) -> OfflineServer | None:
        """The offline server of this process, once it was asked; it keeps what it received."""
        return self._connections.offline

    def close(self) -> None:
        """Close the connections and stop the offline server; the turns stay."""
        with self._lock:
            self._connections.close()

    def _recorded(self, plan: Plan, settings: Settings) -> Turn | None:
        """The newest complete turn of the very same request to the same server, if wanted."""
        if settings.replay == "off" or plan.question.fresh or plan.question.alone:
            return None
        wanted = digest(plan.server, plan.request.body)
        found = (t for t in reversed(self.turns) if t.digest == wanted and t.status == "complete")
        return next(found, None)

    def _replay(self, plan: Plan, recorded: Turn, watcher: Watcher) -> Reply:
        """The recorded reply, shown again: nothing is sent and nothing is paid."""
        question = plan.question
        turn = recorded
        if (recorded.cell, recorded.ordinal) != (question.cell, question.ordinal):
            # The same question stands in another place now, or a second time.
            turn = replace(
                recorded,
                id=uuid.uuid4().hex,
                cell=question.cell,
                ordinal=question.ordinal,
                order=question.order,
            )
        with self._lock:
            self.retired.discard(turn.id)
            if turn is not recorded:
                self.turns.append(turn)
        reply = Reply(turn, plan.notices, replayed=True)
        watcher.ended(plan, reply)
        return reply

    def _credential(self, server: Server) -> Found | None:
        """The key for `server`. Raises CredentialError where one is needed and there is none."""
        found = None if server.offline else self._find()
        require_key(server, found)
        return found

    @contextmanager
    def _reserved(self, plan: Plan, budget: float) -> Iterator[None]:
        """Hold the expected price back from other threads' questions. Raises BudgetError."""
        price = 0.0 if plan.server.offline else plan.price or 0.0
        with self._lock:
            spent = self.spent + self._pending
            if price and spent + price > budget:
                raise BudgetError(
                    f"Not sent: it would cost about ${price:.2f}, and ${spent:.2f} of the "
                    f"budget of ${budget:.2f} are spent. Raise it with "
                    f"%claude_config budget={int(2 * (spent + price)) + 1}"
                )
            self._pending += price
        try:
            yield
        finally:
            with self._lock:
                self._pending -= price

    def _end(
        self,
        plan: Plan,
        stream: ReplyStream | None,
        status: Status,
        started: float,
        watcher: Watcher,
    ) -> Reply:
        snapshot: Mapping[str, Any] = stream.snapshot if stream else {}
        turn = _turn(plan, snapshot, status, started, self._clock())
        with self._lock:
            if not plan.question.alone:
                self.turns.append(turn)
            if not plan.server.offline:
                self.spent += turn.usage.cost(plan.model) or 0.0
        reply = Reply(turn, plan.notices)
        watcher.ended(plan, reply)
        return reply


def _turn(
    plan: Plan, snapshot: Mapping[str, Any], status: Status, started: float, ended: float
) -> Turn:
    request, question = plan.request, plan.question
    last = request.body["messages"][-1 if request.body["messages"][-1]["role"] == "user" else -2]
    return Turn(
        id=uuid.uuid4().hex,
        asked=tuple(content_blocks(last)),
        reply=tuple(snapshot.get("content", ())),
        model=str(snapshot.get("model") or plan.model.id),
        server=plan.server.label,
        parameters=_parameters(request.body, request.prefill, emulated=request.emulated),
        usage=Usage.from_wire(snapshot.get("usage")),
        status=status,
        stop_reason=snapshot.get("stop_reason"),
        cell=question.cell,
        ordinal=question.ordinal,
        saw=plan.saw,
        order=question.order,
        started=started,
        ended=ended,
        digest=digest(plan.server, request.body),
    )


def _parameters(body: Mapping[str, Any], prefill: str, *, emulated: bool) -> dict[str, Any]:
    parameters = {k: v for k, v in body.items() if k not in ("messages", "model", "cache_control")}
    if prefill:
        parameters |= {"prefill": prefill, "emulated": emulated}
    return parameters


def digest(server: Server, body: Mapping[str, Any]) -> str:
    """SHA-256 of what was asked of whom: not of transport, not of caching."""
    asked = {k: v for k, v in body.items() if k != "cache_control"}
    canonical = json.dumps([server.label, asked], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()
