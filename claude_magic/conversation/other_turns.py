"""The turns of other conversations that answer in this one too.

Where no notebook's file is known, a kernel has a conversation of its own; what was asked before by
kernels in the same folder is shown again, and can be taken up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from ..messages.once import Once
from .store.store import Loaded, Store
from .turns import Turn

Kept = tuple[Store, Loaded]
"""A conversation, and what it held when it was read."""


class OtherTurns:
    """Turns by id, each as the newest conversation holds it; read when one is first asked for.

    `read` gives the conversations, the oldest first.
    """

    def __init__(self, read: Callable[[], Iterable[Kept]] = tuple) -> None:
        self._by_id = Once(lambda: {t.id: (t, kept) for kept in read() for t in kept[1].turns})

    def __iter__(self) -> Iterator[Turn]:
        return iter([turn for turn, _ in self._by_id().values()])

    def __contains__(self, turn_id: object) -> bool:
        return turn_id in self._by_id()

    def __getitem__(self, turn_id: str) -> Turn:
        return self._by_id()[turn_id][0]

    def retired(self, turn_id: str) -> bool:
        """Whether the newest conversation that holds it never sends it."""
        _, (_, loaded) = self._by_id()[turn_id]
        return turn_id in loaded.retired

    def beside(self, turn_id: str) -> Sequence[Turn]:
        """All turns of the conversation of this one."""
        _, (_, loaded) = self._by_id()[turn_id]
        return loaded.turns

    def purge(self, turn_ids: Collection[str]) -> int:
        """Forget the conversations that hold any of these turns, here and on disk; how many."""
        if not turn_ids:
            return 0
        gone = 0
        known = {id(kept): kept for _, kept in self._by_id().values()}
        for store, loaded in known.values():
            held = {turn.id for turn in loaded.turns}
            if not held.isdisjoint(turn_ids):
                store.purge()
                gone += 1
                for turn_id in held:
                    self._by_id().pop(turn_id, None)
        return gone
