"""A job through Message Batches: half the price, and hours instead of minutes.

Images are looked at, put together to chunks and sent, then the batches are looked after until all
have ended. What is under way is in the checkpoint: another process goes on from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from ...messages.errors import (
    ClaudeError,
    ImageError,
    InputError,
    Interrupted,
    ProtocolError,
    RateLimited,
)
from ...messages.transport.batches import PRICE
from ...messages.transport.cancel import Cancel
from ...messages.transport.retry import Clock, SystemClock, is_spend_limit
from ...messages.usage import Usage
from ...value_classes import frozen
from ..image_question import (
    ENDS,
    OVER_BUDGET,
    ImageAnswer,
    ImageAsker,
    SameTrouble,
    read_reply,
    trouble_of,
)
from ..limits import Threads
from .batch_post import Chunk, CustomIds, Limits, Post, SentBatch, as_request
from .work import ask_row

if TYPE_CHECKING:
    from ...messages.request import Request
    from ...messages.transport.client import Client
    from ..image_question import GoOn, Job, JobBudget
    from ..limits import Limit
    from .rows import ImageRow, ImageRows
    from .work import Bar, CaptionWork

_PASSING = (408, 409, 429)


@frozen
class Verdict:
    """An answer, whether to ask again all the same, and USD paid for the result."""

    answer: ImageAnswer
    again: bool = False
    paid: float = 0.0


class Reader:
    """Reads results. `why` gives the error of one that is `errored`."""

    def __init__(self, job: Job, why: Callable[[Mapping[str, Any]], ClaudeError]) -> None:
        self._job = job
        self._why = why

    def read(self, result: Mapping[str, Any], before: ImageAnswer | None) -> Verdict:
        """What a result comes to; the tokens of what came `before` it count too."""
        used = before.usage if before else Usage()
        match result.get("type"):
            case "succeeded":
                return self._succeeded(result.get("message"), used)
            case "errored":
                error = self._why(result)
                passing = error.status in _PASSING or (error.status or 0) >= 500
                kind = f"{type(error).__name__} {error.status} {error.error_type}"
                return Verdict(self._failed(str(error), used, kind), again=passing)
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
        kind = trouble_of(message) if problem else ""
        answer = ImageAnswer(value, problem, both, self._job.cost(both), kind)
        return Verdict(answer, again=unfit, paid=self._job.paid(used))

    def _failed(self, error: str, used: Usage, trouble: str = "") -> ImageAnswer:
        return ImageAnswer(None, error, used, self._job.cost(used), trouble)


DISCOUNT = PRICE
LIMITS = Limits()
# Images asked about one by one before the others go: a batch says what is wrong only at its end.
_FIRST = 3
_ROUNDS = 2
"""How often what has expired, or met trouble of the server, is asked again."""
# Seconds between two looks, ever longer; and how many batches are looked at each time.
_SHORTEST, _LONGEST, _LONGER = 1.0, 60.0, 1.5
_LOOKED_AT = 10


@frozen
class BatchParts:
    """What a run gives to the one who asks for it."""

    client: Client
    limit: Limit
    purse: JobBudget
    bar: Bar
    work: CaptionWork
    clock: Clock | None = None
    threads: int = 16
    limits: Limits = LIMITS
    go_on: GoOn | None = None


class Batching:
    """Asks the question of a job by batches."""

    def __init__(self, job: Job, parts: BatchParts) -> None:
        self._parts = parts
        self._job = job
        self._work, self._purse = parts.work, parts.purse
        self._clock = parts.clock or SystemClock()
        self._ids = CustomIds(job.digest)
        self._post = Post(parts.client, parts.limit, parts.work.checkpoint, self._clock)
        self._reader = Reader(job, self._post.why)
        self._chunk = Chunk(parts.limits)
        self._filling = threading.Lock()
        # What is to be asked again, and what has come of it so far.
        self._again: dict[bytes, ImageAnswer] = {}
        # Of these the row is counted already: an earlier run has asked about them.
        self._counted: set[bytes] = set()
        # The results of a batch are all looked at, whatever is wrong with them; no more is sent.
        self._trouble = SameTrouble(parts.go_on)
        self._stopped: InputError | None = None

    def run(self, images: ImageRows) -> None:
        """Ask about every image that is not known. Raises Interrupted, and what concerns all."""
        try:
            self._go_on()
            rows = iter(images)
            if not len(self._work.checkpoint) and not self._post.open:
                self._first(rows)
            self._ask(rows)
            for _ in range(_ROUNDS):
                if not self._again or images.again is None:
                    break
                if self._stopped is not None:
                    raise self._stopped
                places = self._work.release(self._again)
                self._ask(row for row in images.again() if row.index in places)
        except ClaudeError as error:
            waiting = f"no answer yet ({error}) Run it again to go on."
            for sent in self._post.open:
                self._work.unanswered(sent.each_key(), waiting)
            raise
        finally:
            for key, answer in self._again.items():
                self._final(key, answer)

    def stop(self) -> str:
        """Cancel what is under way; in words what becomes of it."""
        canceled, failed = self._post.stop()
        said = ""
        if canceled:
            said += f" {_batches(canceled)} canceled: what they have answered already is paid."
        if failed:
            said += f" {_batches(failed)} could not be canceled and may go on."
        return said

    def _ask(self, rows: Iterable[ImageRow]) -> None:
        Threads(self._do, self._parts.threads).run(rows, self._parts.bar.tick)
        if len(self._chunk):
            self._send(Cancel())
        self._wait(lambda: not self._post.open, Cancel())

    def _first(self, rows: Iterable[ImageRow]) -> None:
        """Ask about the first image at once: whether key, model and schema will do."""
        parts, job = self._parts, replace(self._job, discount=1.0)
        asker = ImageAsker(parts.client, job, self._purse, parts.limit)
        do = ask_row(self._work, asker, SameTrouble(parts.go_on, first=_FIRST))
        for row in islice(rows, 2 * _FIRST):
            do(row, Cancel())
            self._parts.bar.tick()
            if len(self._work.checkpoint):
                break

    def _do(self, row: ImageRow, cancel: Cancel) -> None:
        """What a thread does with a row: find out whether to ask, prepare, put it to the others."""
        claimed = self._work.claimed(row)
        if claimed is None:
            self._work.tally.row()
            return
        key, found = claimed
        try:
            request = self._job.request(self._work.content(found))
        except ImageError as error:
            self._work.failed(row, str(error))
            self._work.tally.row()
            return
        price = self._job.price(request.body)
        if self._purse.hold(price):
            self._put(bytes.fromhex(key), request, price, cancel)
        else:
            self._final(bytes.fromhex(key), ImageAnswer(error=OVER_BUDGET))

    def _put(self, key: bytes, request: Request, price: float, cancel: Cancel) -> None:
        data = as_request(self._ids.of(key), request.body)
        with self._filling:
            if not self._chunk.takes(data):
                self._send(cancel)
            self._chunk.betas = request.betas
            self._chunk.add(key, data, price)

    def _send(self, cancel: Cancel) -> None:
        if self._stopped is not None:
            raise self._stopped
        chunk, self._chunk = self._chunk, Chunk(self._parts.limits)
        while True:
            try:
                self._post.send(chunk, cancel)
                return
            except RateLimited as error:
                # As much is waiting there as may: once some of it is over there is room.
                before = len(self._post.open)
                if not before or is_spend_limit(error.details):
                    raise
                self._wait(lambda before=before: len(self._post.open) < before, cancel)  # type: ignore[misc]

    def _go_on(self) -> None:
        cancel = Cancel()
        self._post.go_on(cancel)
        for sent in self._post.open:
            self._work.reserve(sent.each_key())
            self._purse.owe(sent.price)
        # What an interrupt has canceled is asked again, once it is known what that is.
        self._wait(lambda: not any(sent.canceled for sent in self._post.open), cancel)
        left, self._again = self._again, {}
        self._work.release(left)
        self._counted -= set(left)  # their rows come again

    def _wait(self, is_enough: Callable[[], bool], cancel: Cancel) -> None:
        """Look after the batches that are under way until it is enough."""
        pause, began = _SHORTEST, self._clock.now()
        while not is_enough():
            over = [s for s in self._post.open[:_LOOKED_AT] if self._post.ended(s, cancel)]
            for sent in over:
                self._fetch(sent, cancel)
            if over:
                pause = _SHORTEST
                continue
            self._parts.bar.tick(self._under_way(self._clock.now() - began))
            self._clock.sleep(pause, cancel)
            if cancel.is_set:
                raise Interrupted("Interrupted.")
            pause = min(_LONGEST, pause * _LONGER)
            # Those that were looked at go to the end of the line.
            looked_at = self._post.open[:_LOOKED_AT]
            self._post.open[:] = self._post.open[_LOOKED_AT:] + looked_at

    def _fetch(self, sent: SentBatch, cancel: Cancel) -> None:
        """Keep the results of a batch. Raises ProtocolError where not all of them came."""
        left = set(sent.each_key())
        for line in self._post.results(sent, cancel):
            key = self._ids.key(line.get("custom_id"))
            if key is not None and key in left:
                left.remove(key)
                if key.hex() not in self._work.checkpoint:
                    self._keep(sent, key, line["result"])
                    self._parts.bar.tick()
        if left and len(left) < sent.count:
            came = sent.count - len(left)
            raise ProtocolError(f"Of {sent.count:,} results of a batch {came:,} came.")
        for key in left:  # it was the batch of someone else
            self._keep(sent, key, {"type": "canceled"})
        self._post.over(sent)

    def _keep(self, sent: SentBatch, key: bytes, result: Mapping[str, Any]) -> None:
        verdict: Verdict = self._reader.read(result, self._again.pop(key, None))
        self._purse.settle(sent.share, verdict.paid)
        try:
            self._trouble.check(verdict.answer)
        except InputError as error:
            self._stopped = error
        if not sent.here:
            self._counted.add(key)
        if verdict.again:
            self._again[key] = verdict.answer
        else:
            self._final(key, verdict.answer)

    def _final(self, key: bytes, answer: ImageAnswer) -> None:
        self._work.answered(key.hex(), answer)
        if key not in self._counted:
            self._work.tally.row()

    def _under_way(self, seconds: float) -> str:
        requests = sum(sent.count for sent in self._post.open)
        said = f"{_batches(len(self._post.open))} under way ({requests:,} images)"
        return f"{said}, {seconds // 60:.0f} min"


def _batches(count: int) -> str:
    return f"{count:,} batch" if count == 1 else f"{count:,} batches"
