"""What goes back to the server after a reply that is not the last one to its question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block, Message, content_blocks, joined_text, text
from ..messages.citing import agreed
from ..messages.sealed import Sealed, seal, sealed
from ..messages.usage import Usage, estimate_input
from .digest import digest
from .healing import no_result
from .plan import EXPECTED_OUTPUT, Plan, within_image_limits
from .steps import (
    Kind,
    Step,
    asked_again,
    calls,
    unanswered,
    with_results,
    without_thinking,
)

if TYPE_CHECKING:
    from ..messages.cancel import Cancel
    from .watcher import Watcher

# The server's own loop stops after some rounds; this many times it is let go on.
_MOST_PAUSES = 10
# Of a reply that ended so nothing is run, and no other one is asked for.
_NOT_WHOLE = frozenset({"max_tokens", "refusal", "model_context_window_exceeded"})
_SUM_UP = (
    "The limit of {} rounds of tool calls for this question is reached. Do not call any more "
    "tools: sum up what you found, and what is left to do."
)
_NO_FIT = "This does not fit what was asked for: {}\nAnswer again with the corrected JSON only."


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
        used = Usage(fresh=estimate_input(self.body, self._plan.model), output=EXPECTED_OUTPUT)
        return used.cost(self._plan.model) or 0.0

    def kind(self, reply: Mapping[str, Any], steps: Sequence[Step]) -> Kind | None:
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
        kind: Kind,
        reply: Sequence[Block],
        answer: list[Block],
        watcher: Watcher,
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
                watcher.calling(call)
                watcher.called(call, result, None)
                answer.append(result)
        elif kind == "tools" and tools is not None:
            for result in tools.run(calls(reply), watcher, cancel):
                answer.append(result)
        elif kind == "retry":
            answer.append(text(_NO_FIT.format(self._problem(reply))))

    def cut_short(self, reply: Sequence[Block], answer: Sequence[Block]) -> list[Block]:
        """`answer` with a result for each call that has none."""
        answered = {block.get("tool_use_id") for block in answer}
        return [*answer, *(no_result(c) for c in calls(reply) if c.get("id") not in answered)]

    def go_on(
        self, kind: Kind, reply: Sequence[Block], answer: list[Block], steps: Sequence[Step]
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
        self.body = within_image_limits(body, self._plan.images)
        self.digest = digest(self._plan.server.label, self.body)

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
