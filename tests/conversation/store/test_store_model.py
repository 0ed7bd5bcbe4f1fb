"""Several stores on one folder hold what a simple model of a conversation holds."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from claude_magic.conversation.store.store import Store
from claude_magic.conversation.turns import Turn
from tests.conversation.store.store_child import asked, turn


class Model:
    """What a conversation holds, in plain words: turns in the order started, with their writer."""

    def __init__(self) -> None:
        self.turns: dict[str, Turn] = {}
        self.writer: dict[str, object] = {}  # of the turns that still run
        self.retired: set[str] = set()

    def restore(self, name: str) -> None:
        cell = self.turns[name].cell
        self.retired |= {other for other, t in self.turns.items() if t.cell == cell}
        self.retired.discard(name)

    def seen_by(self, store: object) -> tuple[Turn, ...]:
        return tuple(t for name, t in self.turns.items() if self.writer.get(name) is not store)


steps = st.lists(
    st.tuples(
        st.sampled_from(["start", "progress", "end", "retire", "restore", "restart", "whole"]),
        st.integers(0, 2),  # the store
        st.integers(0, 7),  # the turn, of those that there are
    ),
    max_size=30,
)


@given(steps=steps)
@settings(max_examples=100)
def test_stores_on_one_folder_agree_with_a_simple_model(
    steps: list[tuple[str, int, int]],
) -> None:
    with tempfile.TemporaryDirectory() as root:
        stores = [Store(Path(root), "c", clock=lambda: 5.0) for _ in range(3)]
        model = Model()
        for number, (step, which, chosen) in enumerate(steps):
            store = stores[which]
            store.load()
            running = [name for name, writer in model.writer.items() if writer is store]
            mine = running[chosen % len(running)] if running else None
            known = [*model.turns][chosen % len(model.turns)] if model.turns else None
            fresh = replace(turn(str(number), number), cell=f"cell {chosen % 3}")
            if step == "start":
                store.start(asked(fresh))
                model.turns[fresh.id] = replace(asked(fresh), status="broken", ended=5.0)
                model.writer[fresh.id] = store
            elif step == "whole":
                store.end(fresh)
                model.turns[fresh.id] = fresh
            elif step == "progress" and mine:
                store.progress(mine, fresh.reply)
                model.turns[mine] = replace(model.turns[mine], reply=fresh.reply)
            elif step == "end" and mine:
                ended = replace(model.turns[mine], status="interrupted", reply=fresh.reply[:1])
                store.end(ended)
                model.turns[mine] = ended
                del model.writer[mine]
            elif step == "retire" and known:
                store.retire([known])
                model.retired.add(known)
            elif step == "restore" and known:
                store.restore(known)
                model.restore(known)
            elif step == "restart":
                stores[which] = Store(Path(root), "c", clock=lambda: 5.0)
                for name in running:
                    del model.writer[name]
        for store in [*stores, Store(Path(root), "c")]:
            loaded = store.load()
            assert loaded.turns == model.seen_by(store)
            assert loaded.retired == model.retired
            assert (loaded.notes, store.warnings, loaded.read_only) == ((), [], False)
