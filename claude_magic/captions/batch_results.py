"""What the result of one request of a batch comes to: an answer, or another try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..messages.errors import ClaudeError
from ..messages.usage import Usage
from .asking import ENDS, Answer, read_reply

if TYPE_CHECKING:
    from .job import Job

_PASSING = (408, 409, 429)


@dataclass(frozen=True)
class Verdict:
    """An answer, whether to ask again all the same, and USD paid for the result."""

    answer: Answer
    again: bool = False
    paid: float = 0.0


class Reader:
    """Reads results. `why` gives the error of one that is `errored`."""

    def __init__(self, job: Job, why: Callable[[Mapping[str, Any]], ClaudeError]) -> None:
        self._job = job
        self._why = why

    def read(self, result: Mapping[str, Any], before: Answer | None) -> Verdict:
        """What a result comes to; the tokens of what came `before` it count too."""
        used = before.usage if before else Usage()
        match result.get("type"):
            case "succeeded":
                return self._succeeded(result.get("message"), used)
            case "errored":
                error = self._why(result)
                passing = error.status in _PASSING or (error.status or 0) >= 500
                return Verdict(self._failed(str(error), used), again=passing)
            case "expired":
                said = "its batch expired before it was asked. Run it again to ask about it."
                return Verdict(self._failed(said, used), again=True)
            case "canceled":
                said = "its batch was canceled. Run it again to ask about it."
                return Verdict(self._failed(said, used), again=True)
        return Verdict(self._failed("the server gave a result that is none", used))

    def _succeeded(self, message: object, before: Usage) -> Verdict:
        if not isinstance(message, Mapping) or not isinstance(message.get("content"), list):
            return Verdict(self._failed("the server gave no message", before))
        used = Usage.from_wire(message.get("usage"))
        value, problem = read_reply(self._job, message)
        # As with single requests: what is no such value is asked again, what ended early is not.
        unfit = bool(problem) and message.get("stop_reason") not in ENDS
        both = before + used
        answer = Answer(value, problem, both, self._job.cost(both))
        return Verdict(answer, again=unfit, paid=self._job.paid(used))

    def _failed(self, error: str, used: Usage) -> Answer:
        return Answer(None, error, used, self._job.cost(used))
