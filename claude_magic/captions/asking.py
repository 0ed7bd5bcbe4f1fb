"""One image, one value: the request, what may go wrong with it, what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..messages.blocks import Block, joined_text
from ..messages.errors import BrokenReply, ClaudeError, CredentialError, InputError
from ..messages.retry import is_spend_limit
from ..messages.usage import Usage

if TYPE_CHECKING:
    from ..messages.cancel import Cancel
    from ..messages.client import Client
    from .job import Job
    from .purse import Purse

# Beyond the client's own retries, which end where a reply has begun.
_MOST_BROKEN = 2
_NO_FIT = "This does not fit what was asked for: {}\nAnswer again with the corrected JSON only."
# What is wrong with one image is wrong with one row; with these it is wrong with all of them.
_FATAL = (401, 402, 403, 404)
ENDS: Mapping[str | None, str] = {
    "max_tokens": "the reply was cut off: raise max_tokens",
    "refusal": "the model declined to answer",
    "model_context_window_exceeded": "too long for the model",
}
"""How a reply ends that holds no value, and will not if it is asked for again."""


@dataclass(frozen=True)
class Answer:
    """What came back for one image: `value` has the shape that was asked for, None with `error`.

    `cost` in USD, None where the price is not known.
    """

    value: Any = None
    error: str = ""
    usage: Usage = field(default_factory=Usage)
    cost: float | None = 0.0


OVER_BUDGET = "not asked: the budget is used up. Give `budget` more USD."


class Asker:
    """Asks the question of a job about one image after the other. Threads share it."""

    def __init__(self, client: Client, job: Job, purse: Purse) -> None:
        self.job = job
        self._client = client
        self._purse = purse

    def ask(self, content: Sequence[Block], cancel: Cancel) -> Answer:
        """The answer about `content`; what concerns this image alone is an error in it.

        Raises Interrupted, and what concerns all images: no key, no such model, no money.
        """
        request = self.job.request(content)
        price = self.job.price(request.body)
        if not self._purse.hold(price):
            return Answer(error=OVER_BUDGET)
        tally = _Tally()
        try:
            return self._answer(request.body, request.betas, tally, cancel)
        except ClaudeError as error:
            if is_fatal(error):
                raise
            return Answer(None, str(error), tally.used, self.job.cost(tally.used))
        finally:
            self._purse.settle(price, self.job.paid(tally.used))

    def _answer(
        self, body: Mapping[str, Any], betas: Sequence[str], tally: _Tally, cancel: Cancel
    ) -> Answer:
        value, problem, reply = None, "", self._reply(body, betas, tally, cancel)
        for attempt in range(2):
            value, problem = read_reply(self.job, reply)
            unfit = problem and reply.get("stop_reason") not in ENDS
            if not unfit or attempt:
                break
            again = [
                *body["messages"],
                {"role": "assistant", "content": joined_text(reply["content"]) or "(nothing)"},
                {"role": "user", "content": _NO_FIT.format(problem)},
            ]
            reply = self._reply({**body, "messages": again}, betas, tally, cancel)
        return Answer(value, problem, tally.used, self.job.cost(tally.used))

    def _reply(
        self, body: Mapping[str, Any], betas: Sequence[str], tally: _Tally, cancel: Cancel
    ) -> Mapping[str, Any]:
        """The whole reply. One that breaks off is asked for again, and counted too."""
        for attempt in range(_MOST_BROKEN + 1):
            with self._client.stream(body, cancel=cancel, betas=betas) as stream:
                try:
                    for _ in stream:
                        pass
                except BrokenReply:
                    if attempt == _MOST_BROKEN:
                        raise
                    continue
                finally:
                    tally.add(stream.snapshot)
                return stream.snapshot
        raise AssertionError  # the last attempt returns or raises


class _Tally:
    """The tokens of all requests about one image."""

    def __init__(self) -> None:
        self.used = Usage()

    def add(self, reply: Mapping[str, Any]) -> None:
        self.used += Usage.from_wire(reply.get("usage"))


def read_reply(job: Job, reply: Mapping[str, Any]) -> tuple[Any, str]:
    """The value that a reply stands for, and why it stands for none."""
    stop = reply.get("stop_reason")
    if stop in ENDS:
        return None, ENDS[stop]
    try:
        return job.shape.read(joined_text(reply.get("content", ()))), ""
    except ValueError as error:
        return None, str(error) or "it is no such value"


def is_fatal(error: ClaudeError) -> bool:
    """Whether the error will come for every other image too."""
    if isinstance(error, CredentialError) or is_spend_limit(error.details):
        return True
    return error.status in _FATAL


class SameTrouble:
    """Notices that nothing works: the first requests all fail, and in the same way."""

    def __init__(self, most: int = 20) -> None:
        self._most = most
        self._errors: list[str] | None = []

    def check(self, answer: Answer) -> None:
        """Raises InputError with the common error, once so many failed and none has succeeded."""
        if self._errors is None:
            return
        if not answer.error:
            self._errors = None
            return
        self._errors.append(answer.error)
        if len(self._errors) >= self._most and len(set(self._errors)) == 1:
            raise InputError(f"The first {self._most} images all failed: {answer.error}")
