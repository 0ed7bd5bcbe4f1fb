"""The one way to ask: magics, panel, Python API and command line are faces of `Session.ask`."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from ..messages import models
from ..messages.blocks import Block, ImageBlock, Message, content_blocks, text
from ..messages.credentials import Found, find_key
from ..messages.errors import BrokenReply, BudgetError, InputError, Interrupted
from ..messages.request import Options, build
from ..messages.usage import Usage, estimate_input
from .connection import Connections, Server, require_key
from .question import Plan, Question
from .reply import Reply
from .settings import OFFLINE, Settings
from .turns import Status, Turn, messages

if TYPE_CHECKING:
    from ..messages.client import Cancel, ReplyStream
    from ..messages.images import ImageCache
    from ..messages.retry import Wait
    from ..offline import OfflineServer

_MANY_IMAGES = 20


class Watcher(Protocol):
    """Who is told how a question fares; called in the thread that asks."""

    def sending(self, plan: Plan) -> None:
        """The request is about to leave."""

    def waiting(self, wait: Wait) -> None:
        """The server asked for patience; called about once a second."""

    def received(self, event: Mapping[str, Any]) -> None:
        """An event of the stream came."""

    def ended(self, plan: Plan, reply: Reply) -> None:
        """The reply is over, however it ended: see `reply.turn.status`."""


class Silent:
    """A watcher that shows nothing: the caller has the reply."""

    def __enter__(self) -> None: ...

    def __exit__(self, *exception: object) -> None: ...

    def sending(self, plan: Plan) -> None: ...

    def waiting(self, wait: Wait) -> None: ...

    def received(self, event: Mapping[str, Any]) -> None: ...

    def ended(self, plan: Plan, reply: Reply) -> None: ...


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
        self.spent = 0.0
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
        settings = self.settings()
        server = Server.of(settings.base_url)
        model = _model(question.model or settings.model, server)
        notice = None if model.id in self._told else models.retirement_notice(model)
        visible = [] if question.alone else [t for t in self.turns if t.sent_later]
        told = [t for t in visible if t.server == server.label or t.server != OFFLINE]
        request = build(
            model,
            messages(told),
            question.content,
            _options(question, settings),
            anthropic=server.anthropic,
        )
        body = _within_image_limits(request.body, lambda: self.images)
        return Plan(
            question,
            server,
            model,
            replace(request, body=body),
            tuple(t.id for t in told),
            estimate_input(body, model),
            left_out=len(visible) - len(told),
            first=server.label not in self._told,
            notices=(*question.notices, *((notice,) if notice else ()), *request.notices),
        )

    def ask(self, question: Question, watcher: Watcher, *, cancel: Cancel | None = None) -> Reply:
        """The reply to `question`; its turn is in `turns` afterwards, unless it was `alone`.

        Raises CredentialError and BudgetError before anything leaves; the client's errors;
        BrokenReply and Interrupted after the turn, with what came, was kept.
        """
        plan = self.plan(question)
        settings = self.settings()
        found = self._credential(plan.server)
        self._check_budget(plan, settings.budget)
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
            started=now,
            ended=now,
        )
        with self._lock:
            self.turns.append(turn)
        return Reply(turn, plan.notices)

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

    def _credential(self, server: Server) -> Found | None:
        """The key for `server`. Raises CredentialError where one is needed and there is none."""
        found = None if server.offline else self._find()
        require_key(server, found)
        return found

    def _check_budget(self, plan: Plan, budget: float) -> None:
        if plan.server.offline or plan.price is None:
            return
        if self.spent + plan.price > budget:
            raise BudgetError(
                f"Not sent: it would cost about ${plan.price:.2f}, and ${self.spent:.2f} of the "
                f"budget of ${budget:.2f} are spent. Raise it with "
                f"%claude_config budget={int(2 * (self.spent + plan.price)) + 1}"
            )

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


def _model(name: str, server: Server) -> models.Model:
    found = models.lookup(name)
    if found is not None:
        return replace(found, id=models.resolve(name))  # a dated id is sent as it was given
    model_id, nearest = models.resolve(name), models.nearest(name)
    if server.anthropic and not model_id.startswith("claude-"):
        hint = f"did you mean {nearest}? " if nearest else ""
        raise InputError(f"{name!r} is no model of this server: {hint}%claude_models lists them.")
    return models.unknown(model_id)


def _options(question: Question, settings: Settings) -> Options:
    return Options(
        system=settings.system if question.system is None else question.system,
        max_tokens=question.max_tokens or settings.max_tokens or None,
        stop=question.stop,
        prefill=question.prefill,
        effort=question.effort or settings.effort,
        effort_named=question.effort is not None,
        think=question.think or settings.think,
        cache=not question.alone,
    )


def _within_image_limits(
    body: Mapping[str, Any], cache: Callable[[], ImageCache]
) -> Mapping[str, Any]:
    """The body with every image at most 2000 px a side, which the API asks for over 20 images."""
    found = [b for m in body["messages"] for b in content_blocks(m) if b.get("type") == "image"]
    if len(found) <= _MANY_IMAGES:
        return body
    from ..messages.images import fit_many

    def fitted(message: Message) -> Message:
        if isinstance(message["content"], str):
            return message
        blocks: list[Block] = [
            fit_many(cast(ImageBlock, b), cache=cache()) if b.get("type") == "image" else b
            for b in message["content"]
        ]
        return {"role": message["role"], "content": blocks}

    return {**body, "messages": [fitted(m) for m in body["messages"]]}
