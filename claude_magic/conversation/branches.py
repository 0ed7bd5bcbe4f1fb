"""Panel turns that were asked again, in other words, or from an earlier point: their branches.

A question asked in place of another retires it, with all that was asked after it in the panel. The
turns are kept: each knows the first version of the question that it answers, and what it saw.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from .turns import Turn

if TYPE_CHECKING:
    from .history import History


def followers(turns: Sequence[Turn], retired: Collection[str], turn_id: str) -> list[str]:
    """The ids of the panel turns that count and that saw this one, in the order asked."""
    return [t.id for t in turns if t.panel and t.id not in retired and turn_id in t.saw]


def versions(turns: Sequence[Turn], turn: Turn) -> list[Turn]:
    """The panel turns that answer the question of `turn`, itself among them, in the order asked."""
    return [t for t in turns if t.panel and _origin(t) == _origin(turn)]


def path(turns: Sequence[Turn], turn: Turn) -> list[str]:
    """The ids of `turn` and of what was asked after it in the panel, as the newest of it saw it."""
    after = [t for t in turns if t.panel and turn.id in t.saw]
    if not after:
        return [turn.id]
    newest = max(after, key=lambda t: t.started)
    between = {t.id for t in after}.intersection(newest.saw)
    return [turn.id, *(t.id for t in after if t.id in between), newest.id]


def switch(history: History, turn: Turn) -> None:
    """Have this version of a question count, with what was asked after it, and no other one."""
    turns = list(history.turns)
    kept = path(turns, turn)
    others = [t.id for t in versions(turns, turn) if t.id != turn.id]
    gone = {*others, *(t.id for t in turns if t.panel and not set(others).isdisjoint(t.saw))}
    history.retire([t.id for t in turns if t.id in gone and t.id not in kept])
    for turn_id in kept:
        history.restore(history[turn_id])


def _origin(turn: Turn) -> str:
    return turn.version_of or turn.id
