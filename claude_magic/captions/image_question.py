"""One image, one value: the request, what may go wrong with it, what it cost and may cost."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Literal

from ..messages.blocks import Block, joined_text
from ..messages.credentials import masked_body
from ..messages.errors import BrokenReply, ClaudeError, CredentialError, InputError
from ..messages.models import Model
from ..messages.request import Options, Request, build
from ..messages.transport.retry import is_spend_limit
from ..messages.usage import Usage, estimate_input
from ..value_classes import frozen

if TYPE_CHECKING:
    from ..conversation.asking.question import Shape
    from ..messages.transport.cancel import Cancel
    from ..messages.transport.client import Client
    from ..messages.transport.retry import Waiter
    from .limits import Limit

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


@frozen
class ImageAnswer:
    """What came back for one image: `value` has the shape that was asked for, None with `error`.

    `cost` in USD, None where the price is not known. `trouble` is the kind of an error that the
    server gave rise to: the same for all that fail in the same way, whatever their words.
    """

    value: Any = None
    error: str = ""
    usage: Usage = field(default_factory=Usage)
    cost: float | None = 0.0
    trouble: str = ""


OVER_BUDGET = (
    "not asked: what the budget has left, with what is under way set aside, is less than this may "
    "cost. Give `budget` more USD."
)


class ImageAsker:
    """Asks the question of a job about one image after the other. Threads share it."""

    def __init__(self, client: Client, job: Job, purse: JobBudget, limit: Limit) -> None:
        self.job = job
        self._client = client
        self._purse = purse
        self._limit = limit

    def ask(
        self,
        content: Sequence[Block],
        cancel: Cancel,
        *,
        begin: Callable[[], None] = lambda: None,
        keep: Callable[[ImageAnswer], None] = lambda _: None,
    ) -> ImageAnswer:
        """The answer about `content`; what concerns this image alone is an error in it.

        `begin` is called once there is room for the request, `keep` before there is any for the
        next: should the job be killed then, no more is paid twice than may be under way at once.

        Raises Interrupted, what those two raise, and what concerns all images: no key, no such
        model, no money.
        """
        request = self.job.request(content)
        price = self.job.price(request.body)
        # Before the slot: who waits for money must not keep those from going on who hold it.
        if not self._purse.hold(price, cancel):
            return ImageAnswer(error=OVER_BUDGET)
        tally = _Tally()
        try:
            with self._limit.slot(cancel):
                begin()
                answer = self._asked(request, tally, cancel)
                keep(answer)
                return answer
        finally:
            self._purse.settle(price, self.job.paid(tally.used))

    def _asked(self, request: Request, tally: _Tally, cancel: Cancel) -> ImageAnswer:
        try:
            return self._answer(request.body, request.betas, tally, cancel)
        except ClaudeError as error:
            if is_fatal(error):
                raise
            kind = " ".join(map(str, (type(error).__name__, error.status, error.error_type)))
            return ImageAnswer(None, str(error), tally.used, self.job.cost(tally.used), kind)

    def _answer(
        self, body: Mapping[str, Any], betas: Sequence[str], tally: _Tally, cancel: Cancel
    ) -> ImageAnswer:
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
        kind = trouble_of(reply) if problem else ""
        return ImageAnswer(value, problem, tally.used, self.job.cost(tally.used), kind)

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


def trouble_of(reply: Mapping[str, Any]) -> str:
    """The kind of trouble where a reply stands for no value."""
    stop = reply.get("stop_reason")
    return str(stop) if stop in ENDS else "no such value"


def is_fatal(error: ClaudeError) -> bool:
    """Whether the error will come for every other image too."""
    if isinstance(error, CredentialError) or is_spend_limit(error.details):
        return True
    return error.status in _FATAL


GoOn = Callable[[str], bool]
"""Whether to go on, though what is said in these words goes wrong."""

FIRST_IN_A_ROW, LATER_IN_A_ROW = 5, 10
"""So many that fail in the same way stop a job: before anything has worked, and afterwards."""
_ALL_THE_SAME = "To ask about the rest all the same: --keep-going, in Python keep_going=True."


class SameTrouble:
    """Notices that the same goes wrong with image after image, and stops there.

    `go_on` is asked then, once for each kind of trouble; while it is, no thread that has an answer
    goes on. Without it, or where it says no, all ends. Threads share it.
    """

    def __init__(self, go_on: GoOn | None = None, *, first: int = FIRST_IN_A_ROW) -> None:
        self.go_on = go_on
        self._first = first
        self._lock = threading.Lock()
        self._worked = False
        self._accepted: set[str] = set()
        self._kind, self._count = "", 0
        self._stopped = ""

    def wait(self) -> None:
        """Returns once nobody is being asked. Raises InputError where all has been stopped."""
        with self._lock:
            if self._stopped:
                raise InputError(self._stopped)

    def check(self, answer: ImageAnswer) -> None:
        """Raises InputError with the newest error, once so many in a row failed in the same way.

        What no request was made for does not count.
        """
        with self._lock:
            if not answer.error:
                self._worked, self._count = True, 0
            if not answer.trouble or answer.trouble in self._accepted:
                return
            if answer.trouble != self._kind:
                self._kind, self._count = answer.trouble, 0
            self._count += 1
            most = LATER_IN_A_ROW if self._worked else self._first
            if self._count < most:
                return
            which = f"{most} images in a row" if self._worked else f"The first {most} images all"
            said = f"{which} failed in the same way, the last: {answer.error}"
            if self.go_on is None or not self.go_on(said):
                self._stopped = f"{said.rstrip('.')}. {_ALL_THE_SAME}"
                raise InputError(self._stopped)
            self._accepted.add(answer.trouble)


EXPECTED_OUTPUT = 500
"""Tokens of output that a caption is reckoned with before it is there."""


@frozen
class Job:
    """One question about many images. `server` is the label of who is asked.

    `anthropic` says that the server knows all of the API, `free` that it costs nothing.
    `long_edge` is the most pixels of an image's longer side, `discount` what is paid of the price.
    `notices` are lines for the user to read before anything is asked.
    """

    model: Model
    shape: Shape
    options: Options
    prompt: str
    server: str
    anthropic: bool = True
    free: bool = False
    long_edge: int = 1568
    discount: float = 1.0
    notices: tuple[str, ...] = field(default=())

    def request(self, content: Sequence[Block]) -> Request:
        """The request that asks about `content`, prompt and all."""
        options = replace(self.options, schema=self.shape.schema or None, cache=False)
        made = build(self.model, [], content, options, anthropic=self.anthropic)
        return replace(made, body=masked_body(made.body, ()))

    @property
    def digest(self) -> str:
        """SHA-256 of all that an answer depends on beside the image itself."""
        body = self.request([]).body
        said = {key: value for key, value in body.items() if key != "messages"}
        asked = [self.server, said, self.prompt, self.long_edge]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()

    def estimate(self, body: Mapping[str, Any]) -> tuple[int, float | None]:
        """Input tokens of a request, and USD that it and its answer may cost."""
        tokens = estimate_input(body, self.model)
        return tokens, self.cost(Usage(fresh=tokens, output=EXPECTED_OUTPUT))

    def price(self, body: Mapping[str, Any]) -> float:
        """USD that a request may be charged; 0 where it is free or the price is not known."""
        return 0.0 if self.free else self.estimate(body)[1] or 0.0

    def cost(self, used: Usage) -> float | None:
        """USD that it costs, at the offline server would cost; None where no price is known."""
        cost = used.cost(self.model)
        return None if cost is None else cost * self.discount

    def paid(self, used: Usage) -> float:
        """USD that is charged for it."""
        return 0.0 if self.free else self.cost(used) or 0.0


class JobBudget:
    """USD spent, and held back for what is under way; `budget` None has no end.

    `spend` is told of every payment, so that a kernel counts it too.
    """

    def __init__(
        self, budget: float | None = None, spend: Callable[[float], None] | None = None
    ) -> None:
        self.budget = budget
        self.spent = 0.0
        self._held = 0.0
        self._spend = spend
        self._lock = threading.Condition()

    def hold(self, price: float, cancel: Waiter | None = None) -> bool:
        """Whether `price` is held back for one request; False where it would pass the budget.

        With `cancel` it waits for what is held back for others, of which most is not spent.
        """
        with self._lock:
            while (lent := self._lend(price)) != "yes":
                if lent == "no" or cancel is None or cancel.wait(0):
                    return False
                self._lock.wait(0.1)
            return True

    def lend(self, price: float) -> Literal["yes", "later", "no"]:
        """Whether `price` is held back now, may be once others have settled, or cannot be."""
        with self._lock:
            return self._lend(price)

    def _lend(self, price: float) -> Literal["yes", "later", "no"]:
        if price and self.budget is not None and self.spent + self._held + price > self.budget:
            return "later" if self._held > 0 and self.spent + price <= self.budget else "no"
        self._held += price
        return "yes"

    def owe(self, price: float) -> None:
        """Hold back `price` for what is under way already, whatever the budget."""
        with self._lock:
            self._held += price

    def settle(self, price: float, paid: float) -> None:
        """What was held back is free again; `paid` of it was spent."""
        with self._lock:
            self._held = max(0.0, self._held - price)
            self.spent += paid
            self._lock.notify_all()
        if paid and self._spend is not None:
            self._spend(paid)
