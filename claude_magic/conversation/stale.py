"""Which turns would be asked differently today: what they saw has changed since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .ledger import written
from .settings import OFFLINE
from .turns import Turn, told


def stale_turns(turns: Sequence[Turn], seen: Callable[[Turn], Sequence[Turn]]) -> set[str]:
    """The ids of the turns whose earlier messages would be different ones if asked today.

    `turns` holds older versions too: what a turn saw is looked up among them, and what is not
    there any more counts as changed. `seen` gives the turns that stand above a turn on the page
    now. Only whole and interrupted turns go stale, and none that was asked alone or written by
    the user.
    """
    by_id = {turn.id: turn for turn in turns}

    def sent(turn: Turn) -> tuple[str, ...]:
        """The digests of the turn's messages."""
        return tuple(part.digest for part in turn.sealed)

    def history(of: Turn, shown: Iterable[Turn]) -> list[tuple[str, ...]]:
        """The digests of the messages that `of` has before its own."""
        offline = of.server == OFFLINE  # what was answered offline goes to no other server
        return [sent(turn) for turn in told(shown) if offline or turn.server != OFFLINE]

    def is_stale(turn: Turn) -> bool:
        saw, shown = tuple(turn.saw), seen(turn)
        if saw == tuple([other.id for other in shown]):  # the very same turns: mostly so
            return False
        if any(turn_id not in by_id for turn_id in saw):
            return True
        return history(turn, (by_id[turn_id] for turn_id in saw)) != history(turn, shown)

    return {turn.id for turn in turns if _can_go_stale(turn) and is_stale(turn)}


def _can_go_stale(turn: Turn) -> bool:
    ended = turn.status in ("complete", "interrupted")
    return ended and not turn.alone and not written(turn)
