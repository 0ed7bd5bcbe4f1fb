"""One question on its way to the server: its requests, what came of it, and what goes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from ...messages.blocks import Block, Message, content_blocks, joined_text, text
from ...messages.body import Sealed, seal, sealed
from ...messages.credentials import masked_body, masked_value
from ...messages.errors import (
    APIError,
    BadRequest,
    ClaudeError,
    ImageError,
    InputError,
    NotFound,
)
from ...messages.request import agreed
from ...messages.usage import Usage, estimate_input
from ..events import Called, Calling, Listener, Received, Sending, Waiting
from ..history import History
from ..turns import (
    FORM,
    Status,
    Step,
    StepKind,
    Turn,
    asked_again,
    calls,
    following_digest,
    unanswered,
    with_results,
    without_thinking,
)
from . import healing
from .connection import KnownModels
from .plan import EXPECTED_OUTPUT, Plan, within_image_limits
from .replay import RecordedReply

if TYPE_CHECKING:
    from ...messages.blocks import ImageBlock
    from ...messages.transport.client import Cancel, Client, ReplyStream
    from ...messages.transport.retry import Wait

# Seconds between two records of what has come so far: what a killed kernel can lose.
_PROGRESS = 1.0
# A server names one block that it cannot take at a time.
_MOST_TRIES = 5
# The server's own loop stops after some rounds; this many times it is let go on.
_MOST_PAUSES = 10
# Of a reply that ended so nothing is run, and no other one is asked for.
_NOT_WHOLE = frozenset({"max_tokens", "refusal", "model_context_window_exceeded"})
_SUM_UP = (
    "The limit of {} rounds of tool calls for this question is reached. Do not call any more "
    "tools: sum up what you found, and what is left to do."
)
_NO_FIT = "This does not fit what was asked for: {}\nAnswer again with the corrected JSON only."


class QuestionRun:
    """One question on its way: its requests, and what came of it so far."""

    def __init__(
        self,
        turn: Turn,
        plan: Plan,
        tell: Listener,
        end: Listener,
        cancel: Cancel | None,
        *,
        clock: Callable[[], float],
        learn: Callable[[Client, APIError], Mapping[str, Any]],
    ) -> None:
        """`tell` hears what happens, `end` how it ended.

        `learn` gives the fields that a refused request should have had; see `ListedAdvice`.
        """
        self.turn = turn
        self.plan = plan
        self.tell = tell
        self.end = end
        self.healed: list[str] = []
        self.late: tuple[str, ...] = ()
        """What was not said above the reply, since the record answered at first."""
        self.steps: list[Step] = []
        self.sent = False
        """Whether a request has left, and was not answered from the record."""
        self._following = Following(plan)
        self._recorded: RecordedReply | None = None
        self._cancel = cancel
        self._clock = clock
        self._learn = learn
        self._stream: ReplyStream | None = None
        self._left_out = 0
        self._tries = 0
        self._announced = False

    @property
    def digest(self) -> str:
        """The digest of the request whose turn it is."""
        return self._following.digest

    @property
    def price(self) -> float:
        """USD that the request whose turn it is may cost."""
        return self._following.price

    @property
    def snapshot(self) -> Mapping[str, Any]:
        """The newest reply as far as it came."""
        if self._recorded is not None:
            return self._recorded.message
        return self._stream.snapshot if self._stream else {}

    @property
    def reply(self) -> tuple[Block, ...]:
        """The content of the newest reply as far as it came."""
        return tuple(self.snapshot.get("content", ()))

    def show(self, recorded: RecordedReply) -> None:
        """Take a recorded reply for the answer to the request whose turn it is."""
        self._recorded = recorded
        for index, block in enumerate(recorded.reply):
            start = {"type": "content_block_start", "index": index, "content_block": block}
            self.tell(Received(start))
            self.tell(Received({"type": "content_block_stop", "index": index}))

    def leave_record(self) -> None:
        """From now on requests are sent: what is to be said of that is said below the reply."""
        plan = self.plan
        if plan.recorded is not None:
            from ..reply_value import header_of

            self.late = header_of(plan.recorded).notices
            self.plan = replace(plan, recorded=None)

    def receive(self, client: Client, history: History) -> None:
        """Send the request and pass on what comes; what the server cannot take is left out.

        Raises the client's errors.
        """
        self._recorded = self._stream = None
        while True:
            body = self._sendable(history)
            try:
                return self._receive(client, history, body)
            except APIError as error:
                if not (self._heal(error, body, history) or self._inform(client, error)):
                    raise

    def follow(self, history: History) -> bool:
        """Whether something has to go back: the next request then holds it. Tools run meanwhile."""
        kind = self._following.kind(self.snapshot, self.steps)
        if kind is None:
            return False
        answer: list[Block] = []
        try:
            self._following.answer(
                kind,
                self.reply,
                answer,
                self.tell,
                self._cancel,
                recorded=self._answered_then,
            )
        except KeyboardInterrupt:
            self._add(kind, self._following.cut_short(self.reply, answer), "", history)
            raise
        self._following.go_on(kind, self.reply, answer, self.steps)
        self._add(kind, answer, self.digest, history)
        return True

    def gone_on(self, recorded: Turn) -> Turn:
        """The recorded turn with what went back now, where its record does not say what did.

        A recording holds nothing that tools gave; the questions below see it all the same.
        """
        if len(recorded.steps) != len(self.steps):
            return recorded
        pairs = zip(recorded.steps, self.steps, strict=True)
        steps = [
            replace(
                then,
                answer=then.answer or now.answer,
                digest=then.digest if recorded.form == FORM else now.digest,
            )
            for then, now in pairs
        ]
        return replace(recorded, steps=tuple(steps))

    def ended(self, status: Status) -> Turn:
        """The turn with what came, and how it ended."""
        snapshot = self.snapshot
        used = [step.usage for step in self.steps]
        return replace(
            self.turn,
            reply=self.reply,
            model=str(snapshot.get("model") or self.turn.model),
            usage=sum(used, self.used),
            status=status,
            stop_reason=snapshot.get("stop_reason"),
            ended=self._clock(),
            healed=tuple(self.healed),
            steps=tuple(self.steps),
        )

    @property
    def used(self) -> Usage:
        """What the newest reply used: nothing where it is a recorded one."""
        if self._recorded is not None:
            return Usage()
        return Usage.from_wire(self.snapshot.get("usage"))

    @property
    def _answered_then(self) -> Sequence[Block]:
        """What went back after the reply when it was recorded; nothing of one that is new."""
        recorded = self._recorded
        if recorded is None or recorded.last:
            return ()
        return recorded.turn.steps[recorded.index].answer

    def _add(self, kind: StepKind, answer: Sequence[Block], digest: str, history: History) -> None:
        """The newest reply was not the last: keep it, and what goes back."""
        step = Step(
            kind,
            tuple(self.reply),
            tuple(answer),
            digest,
            self.snapshot.get("stop_reason"),
            self.used,
        )
        model = self.snapshot.get("model")
        self.turn = replace(self.turn, model=str(model)) if model else self.turn
        self.steps.append(step)
        self._recorded = self._stream = None
        history.step(self.turn.id, step)

    def _receive(self, client: Client, history: History, body: Mapping[str, Any]) -> None:
        kept = self._clock()
        betas = self.plan.request.betas
        tell = self.tell

        def waiting(wait: Wait) -> None:
            tell(Waiting(wait))

        first = not self._announced and not self.steps
        stream = client.stream(
            body,
            cancel=self._cancel,
            waiting=waiting,
            leaving=self._announce if first else None,
            betas=betas,
        )
        with stream as self._stream:
            for event in self._stream:
                tell(Received(event))
                if self._clock() - kept >= _PROGRESS:
                    kept = self._clock()
                    history.progress(self.turn.id, self.reply)

    def _announce(self) -> None:
        # What shows a reply is loaded here, and by whoever listens, while the server works.
        from .. import reply_value  # noqa: F401

        self._announced = True
        self.tell(Sending(self.plan))

    def _sendable(self, history: History) -> Mapping[str, Any]:
        """The request without what this server could not take."""
        body = self._following.body
        body = healing.with_copies(body, history.copies_for(self.plan.server.label))
        refused = history.rejected_by(self.plan.server.label)
        if refused:
            body, _ = healing.without(body, refused)
        return healing.without_oldest(body, self._left_out) if self._left_out else body

    def _scale(
        self,
        keys: frozenset[str],
        limit: healing.ImageLimit,
        body: Mapping[str, Any],
        history: History,
    ) -> int:
        """How many of these images a smaller copy stands for from now on; 0 where none can be.

        What is a copy already is not made smaller once more: a word will stand in its place.
        """
        server = self.plan.server.label
        before = {healing.block_key(copy) for copy in history.copies_for(server).values()}
        copies: dict[str, Block] = {}
        for block in healing.image_blocks(body, keys - before):
            from ...messages.images.prepare import smaller

            with suppress(ImageError):  # it is no image that can be decoded: a word stands for it
                copy = smaller(
                    cast("ImageBlock", block),
                    side=limit.side,
                    characters=limit.characters,
                    cache=self.plan.images(),
                )
                if copy is not None:
                    copies[healing.block_key(block)] = copy
        history.take_copies(server, copies)
        return len(copies)

    def _inform(self, client: Client, error: APIError) -> bool:
        """Whether the server's list of models says how the request should have been."""
        fields = self._learn(client, error)
        if fields:
            self._following.change(fields)
            self.healed.append(
                f"The server did not take it as it was ({error}): asked again by what it lists "
                f"for {self.plan.model.name}."
            )
        return bool(fields)

    def _heal(self, error: APIError, body: Mapping[str, Any], history: History) -> bool:
        """Whether the request can be sent once more, with less in it; the user is told."""
        self._tries += 1
        if self._tries > _MOST_TRIES:
            return False
        keys = healing.rejected(error, body)
        limit = healing.image_limit(error) if keys else None
        if limit is not None and (count := self._scale(keys, limit, body, history)):
            images = "1 image" if count == 1 else f"{count} images"
            self.healed.append(
                f"The server takes images of at most {limit.in_words}: {images} went scaled down."
            )
            return True
        if keys:
            history.reject(self.plan.server.label, keys)
            said = "1 block" if len(keys) == 1 else f"{len(keys)} blocks"
            self.healed.append(
                f"The server could not take {said} (an image, a document): a line of text went in "
                f"place of it. It said: {error}"
            )
            return True
        if healing.about_thinking(error) and self._following.drop_thinking():
            return True
        long = healing.too_long(error)
        count = healing.how_many_oldest(body, long, self.plan.model) if long else 0
        if count:
            self._left_out += count
            self.healed.append(
                f"Too long for the model: the oldest {self._left_out} of "
                f"{len(self.plan.saw)} earlier turns were left out of this request."
            )
        return bool(count)


class Following:
    """The request of a question whose turn it is, and whether another one follows."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.body: Mapping[str, Any] = plan.request.body
        self.digest = plan.digest
        self._first: list[Sealed] = self.body["messages"]
        self._changed: Mapping[str, Any] = {}

    @property
    def price(self) -> float:
        """USD that the request may cost; nothing where it is free or the price is not known."""
        if self._plan.server.offline:
            return 0.0
        plan = self._plan
        if self.body is plan.request.body:
            return plan.price or 0.0
        used = Usage(fresh=estimate_input(self.body, plan.model), output=EXPECTED_OUTPUT)
        return used.cost(plan.model) or 0.0

    def kind(self, reply: Mapping[str, Any], steps: Sequence[Step]) -> StepKind | None:
        """Why something has to go back after `reply`; None where it is the last one."""
        stop, question = reply.get("stop_reason"), self._plan.question
        content = reply.get("content", ())
        count = sum(step.kind == "pause" for step in steps)
        if stop == "pause_turn":
            return "pause" if count < _MOST_PAUSES else None
        if stop in _NOT_WHOLE:
            return None
        if question.tools is not None and calls(content):
            done = sum(step.kind == "tools" for step in steps)
            return "tools" if done < question.tools.most_steps else None
        tried = any(step.kind == "retry" for step in steps)
        return "retry" if not tried and self._problem(content) else None

    def answer(
        self,
        kind: StepKind,
        reply: Sequence[Block],
        answer: list[Block],
        tell: Listener,
        cancel: Cancel | None,
        *,
        recorded: Sequence[Block] = (),
    ) -> None:
        """Fill `answer` with what goes back after `reply`, block by block as tools give it.

        `recorded` is what went back when `reply` came, where it comes from the record.
        """
        tools = self._plan.question.tools
        if kind == "tools" and tools is not None and tools.once and recorded:
            for call, result in with_results(reply, recorded):
                tell(Calling(call))
                tell(Called(call, result, None))
                answer.append(result)
        elif kind == "tools" and tools is not None:
            for result in tools.run(calls(reply), tell, cancel):
                answer.append(masked_value(result, self._plan.secrets))
        elif kind == "retry":
            answer.append(text(_NO_FIT.format(self._problem(reply))))

    def cut_short(self, reply: Sequence[Block], answer: Sequence[Block]) -> list[Block]:
        """`answer` with a result for each call that has none."""
        answered = {block.get("tool_use_id") for block in answer}
        return [
            *answer,
            *(healing.no_result(c) for c in calls(reply) if c.get("id") not in answered),
        ]

    def go_on(
        self, kind: StepKind, reply: Sequence[Block], answer: list[Block], steps: Sequence[Step]
    ) -> None:
        """The next request: it holds `steps`, and then `reply` and its `answer`."""
        question = self._plan.question
        answer[:] = self.cut_short(reply, answer) if kind == "tools" else answer
        done = sum(step.kind == "tools" for step in steps) + 1
        last = kind == "tools" and question.tools is not None and done >= question.tools.most_steps
        if last and not unanswered(reply):  # a call at the server waits, for results alone
            answer.append(text(_SUM_UP.format(done)))
        step = Step(kind, tuple(reply), tuple(answer))
        messages = self._opened(asked_again([*steps, step]))
        messages = agreed(messages, cite=question.cite, allowed=question.shape is None)
        body = _with(self._plan.request.body, {**self._changed, "messages": messages})
        if last:
            body["tool_choice"] = {"type": "none"}
        masked = masked_body(body, self._plan.secrets)
        self.body = within_image_limits(masked, self._plan.images)
        self.digest = following_digest(self._plan.digest, [*steps, step], last=last)

    def change(self, fields: Mapping[str, Any]) -> None:
        """Send these fields from now on; those that are None not at all."""
        self._changed = fields
        self.body = _with(self.body, fields)

    def drop_thinking(self) -> bool:
        """Send the request without thinking, which the server did not take; False without any."""
        first = len(self._first)
        messages = self.body["messages"]
        loop = [_thoughtless(message) for message in messages[first:]]
        if all(new is old for new, old in zip(loop, messages[first:], strict=True)):
            return False
        self.body = {**self.body, "messages": [*messages[:first], *sealed(loop)]}
        return True

    def _opened(self, loop: list[Message]) -> list[Sealed]:
        """The messages of the first request and those of the loop; a prefill begins its reply."""
        prefill = self._plan.request.prefill
        if not prefill or self._plan.request.emulated:
            return [*self._first, *sealed(loop)]
        start: Message = {"role": "assistant", "content": prefill}
        opened = [text(prefill), *content_blocks(loop[0])] if loop else []
        return [*self._first[:-1], seal({**start, "content": opened}), *sealed(loop[1:])]

    def _problem(self, reply: Sequence[Block]) -> str:
        """Why a reply does not have the shape that was asked for; "" where it does."""
        shape = self._plan.question.shape
        if shape is None:
            return ""
        try:
            shape.read(joined_text(reply))
        except ValueError as error:
            return str(error) or "it is no such value"
        return ""


def _with(body: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**body, **fields}.items() if value is not None}


def _thoughtless(message: Mapping[str, Any]) -> Mapping[str, Any]:
    blocks = content_blocks(message)
    kept = without_thinking(blocks)
    return message if len(kept) == len(blocks) or not kept else {**message, "content": kept}


# What the list decides about a request; a refusal of anything else is none of its business.
_SHAPED = ("thinking", "output_config", "max_tokens")


class ListedAdvice:
    """Asks for the list of models once, after the first refusal that it may explain.

    `again` gives the plan of the same question as it would be made now.
    """

    def __init__(self, known: KnownModels, plan: Plan, again: Callable[[], Plan]) -> None:
        self._known = known
        self._plan = plan
        self._again = again

    def __call__(self, client: Client, error: APIError) -> Mapping[str, Any]:
        """The fields of the request that the list has otherwise; None in place of one to leave out.

        Empty where it has none, or is not to be had: the refusal stands. Raises NotFound, naming
        what comes nearest, if the list does not have the model.
        """
        if not isinstance(error, NotFound | BadRequest) or self._known.knows(self._plan.server):
            return {}
        try:
            self._known.learn(self._plan.server, client.models())
        except ClaudeError:
            self._known.learn(self._plan.server, None)
            return {}
        if isinstance(error, NotFound):
            self._check_listed(error)
            return {}
        try:
            now = self._again().request.body
        except InputError:
            return {}
        before = self._plan.request.body
        return {n: now.get(n) for n in _SHAPED if now.get(n) != before.get(n)}

    def _check_listed(self, error: NotFound) -> None:
        server, model = self._plan.server, self._plan.model
        known = self._known.listed_by(server, self._plan.known)
        unlisted = known.unlisted(model.id, server.host)
        if unlisted:
            raise NotFound(
                f"{unlisted} (404). %claude_models shows the list.",
                status=error.status,
                error_type=error.error_type,
                request_id=error.request_id,
                details=error.details,
            )
