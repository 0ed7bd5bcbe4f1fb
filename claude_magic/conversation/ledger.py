"""What was spent, by turn, by model and by day.

Only what a server was paid for costs: a turn that was answered offline, that the user wrote, or
that shows a recorded reply again is counted apart, as free. `known` says what models cost.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import TypeVar

from ..messages.catalogue import BUILT_IN, Catalogue
from ..messages.models import Model
from ..messages.usage import Usage
from .settings import OFFLINE
from .turns import Turn

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Entry:
    """A sum over turns.

    `turns` counts those that a server was paid for, `usage` holds their tokens and `cost` their
    price in USD, as far as prices are known: `unpriced` counts those whose price is not. `free`
    counts the others, which cost nothing and whose tokens are not in `usage`.
    """

    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    unpriced: int = 0
    free: int = 0

    def __add__(self, other: Entry) -> Entry:
        return Entry(
            self.turns + other.turns,
            self.usage + other.usage,
            self.cost + other.cost,
            self.unpriced + other.unpriced,
            self.free + other.free,
        )


def model_of(turn: Turn, known: Catalogue = BUILT_IN) -> Model | None:
    """The model that answered; by the name requested where the answer's name is not known."""
    return known.priced(turn.model, turn.requested)


def written(turn: Turn) -> bool:
    """Whether the user wrote the reply, and nothing was sent."""
    return bool(turn.parameters.get("synthetic"))


def entry(turn: Turn, known: Catalogue = BUILT_IN) -> Entry:
    """What one turn cost."""
    if turn.server in ("", OFFLINE) or turn.copy_of:
        return Entry(free=1)
    model = model_of(turn, known)
    cost = turn.cost(model) if model else None
    return Entry(1, turn.usage, cost or 0.0, int(cost is None))


def total(turns: Iterable[Turn], known: Catalogue = BUILT_IN) -> Entry:
    """What all turns cost."""
    return sum((entry(turn, known) for turn in turns), Entry())


def by_turn(turns: Iterable[Turn], known: Catalogue = BUILT_IN) -> dict[str, Entry]:
    """What each turn cost, by its id."""
    return _grouped(((turn.id, turn) for turn in turns), known)


def by_model(turns: Iterable[Turn], known: Catalogue = BUILT_IN) -> dict[str, Entry]:
    """What each model cost, by its id, a dated id under the undated one; in order of first use."""
    return _grouped(((_model_id(turn, known), turn) for turn in turns), known)


def by_day(
    turns: Iterable[Turn], zone: tzinfo | None = None, known: Catalogue = BUILT_IN
) -> dict[date, Entry]:
    """What each day cost, the first day first: the day on which a turn ended, in local time.

    `zone` is the time zone that is local; None is that of this machine.
    """
    dated = ((datetime.fromtimestamp(turn.ended, zone).date(), turn) for turn in turns)
    days = _grouped(dated, known)
    return dict(sorted(days.items()))


def _model_id(turn: Turn, known: Catalogue) -> str:
    model = known.lookup(turn.model)
    return model.id if model else turn.model or turn.requested


def _grouped(found: Iterable[tuple[Key, Turn]], known: Catalogue) -> dict[Key, Entry]:
    sums: dict[Key, Entry] = {}
    for key, turn in found:
        sums[key] = sums.get(key, Entry()) + entry(turn, known)
    return sums
