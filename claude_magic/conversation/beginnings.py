"""A turn as it is asked."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from ..messages.once import OwnLock
from .ids import Shared
from .plan import Plan, parameters
from .turns import Turn


class Beginnings:
    """Makes the turns of plans. `clock` gives seconds since the epoch.

    Turns hold what they saw and the order of the cells; those that saw the same share it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._saw, self._order = Shared(), Shared()
        self._lock = OwnLock()

    def turn(self, plan: Plan, version_of: str) -> Turn:
        """The turn of `plan`: broken, until it has ended. `version_of` as Turn has it."""
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
            version_of=version_of,
            shown=plan.shown,
        )
