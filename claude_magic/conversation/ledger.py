"""What was spent, by turn, by model and by day, and which turns would be asked otherwise today.

Only what a server was paid for costs: a turn that was answered offline, that the user wrote, or
that shows a recorded reply again is counted apart, as free. `known` says what models cost.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import field
from datetime import date, datetime, tzinfo
from itertools import starmap, zip_longest
from typing import TypeVar

from ..messages.catalogue import BUILT_IN, Catalogue
from ..messages.models import Model
from ..messages.usage import Usage
from ..value_classes import frozen
from .settings import OFFLINE
from .turns import Turn

GroupKey = TypeVar("GroupKey", bound=Hashable)


@frozen
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


def _grouped(found: Iterable[tuple[GroupKey, Turn]], known: Catalogue) -> dict[GroupKey, Entry]:
    sums: dict[GroupKey, Entry] = {}
    for key, turn in found:
        sums[key] = sums.get(key, Entry()) + entry(turn, known)
    return sums


def stale_turns(turns: Sequence[Turn], seen: Callable[[Turn], Sequence[Turn]]) -> set[str]:
    """The ids of the turns whose earlier messages would be different ones if asked today.

    `turns` holds older versions too: what a turn saw is looked up among them, and what is not
    there any more counts as changed. `seen` gives the turns that stand above a turn on the page
    now. Only whole and interrupted turns go stale, and none that was asked alone or written by
    the user.
    """
    by_id = {turn.id: turn for turn in turns}

    def is_stale(turn: Turn) -> bool:
        saw, shown = tuple(turn.saw), seen(turn)
        if saw == tuple([other.id for other in shown]):  # the very same turns: mostly so
            return False
        if not by_id.keys() >= set(saw):
            return True
        before = _sent(turn, [by_id[turn_id] for turn_id in saw])
        return not all(starmap(_alike, zip_longest(before, _sent(turn, shown))))

    return {turn.id for turn in turns if _can_go_stale(turn) and is_stale(turn)}


def _sent(of: Turn, shown: Sequence[Turn]) -> Iterator[Turn]:
    """Those of the turns `shown` whose messages `of` has before its own."""
    offline = of.server == OFFLINE  # what was answered offline goes to no other server
    goals = {turn.going_on for turn in shown}
    for turn in shown:
        if (turn.sent_later or turn.id in goals) and (offline or turn.server != OFFLINE):
            yield turn


def _alike(one: Turn | None, other: Turn | None) -> bool:
    """Whether both were asked the same and came to the same."""
    if one is None or other is None or one is other:
        return one is other
    return one.alike(other)


def _can_go_stale(turn: Turn) -> bool:
    ended = turn.status in ("complete", "interrupted")
    return ended and not turn.alone and not turn.written
