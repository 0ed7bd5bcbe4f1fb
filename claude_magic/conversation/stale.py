"""Which turns would be asked differently today: what they saw has changed since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import starmap, zip_longest

from .ledger import written
from .settings import OFFLINE
from .turns import Turn


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
    """Whether both have the same two messages."""
    if one is None or other is None or one is other:
        return one is other
    return [part.digest for part in one.sealed] == [part.digest for part in other.sealed]


def _can_go_stale(turn: Turn) -> bool:
    ended = turn.status in ("complete", "interrupted")
    return ended and not turn.alone and not written(turn)
