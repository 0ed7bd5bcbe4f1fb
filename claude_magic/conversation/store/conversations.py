"""All conversations on this machine, and which of them belongs to a notebook."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from ...value_classes import frozen
from ..history import History
from ..other_turns import Kept, OtherTurns
from ..turns import new_id, text_digest
from .folder import Folder
from .store import Loaded, Store

STORE = "claude_magic"
"""The folder in Jupyter's data folder that holds the conversations."""

# Not names that a conversation can have.
_PATHS = ".paths"
CAPTIONS = ".captions"
"""The folder among them that holds the captions of notebooks' figures."""


@frozen
class Whereabouts:
    """What is known of a notebook: `path` absolute ("" in none), `conversation` the id in its
    metadata, `cells` the ids of its cells and `sources` the digests of their texts.

    `kind`: where there is no file, `path` is the "folder" that the kernel works in, or the "name"
    of a script's conversation.
    """

    path: str = ""
    conversation: str | None = None
    cells: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    kind: Literal["notebook", "folder", "name"] = "notebook"

    def holds(self, loaded: Loaded) -> bool:
        """Whether the notebook still holds a cell of that conversation.

        In a folder there may be several pages whose cells have the same texts.
        """
        if self.kind == "folder":
            known = (cell for turn in loaded.turns for cell in (turn.cell, *turn.order))
            return not self.cells.isdisjoint(known)
        return self.kind == "name" or any(
            t.cell in self.cells or t.source in self.sources for t in loaded.turns
        )


class Conversations:
    """The conversations under `root`; nothing is made there before a turn is kept.

    `named` is told the id of a conversation as its first turn is kept. `host` names this machine.
    `fresh` is the id for a conversation that begins: forked children that each come to begin it
    then begin the same one.
    """

    def __init__(
        self,
        root: Path,
        *,
        named: Callable[[str], None] = lambda _: None,
        host: str = "",
        clock: Callable[[], float] = time.time,
        fresh: str = "",
    ) -> None:
        self._root = root
        self._fresh = fresh
        self._named = named
        self._host = host or platform.node()
        self._clock = clock

    def open(self, where: Whereabouts) -> History:
        """The history of the conversation that belongs to `where`, or of a new one.

        In a folder a kernel has one of its own, unless cells say that it was its page's before;
        replies of all others that were had there are shown again.
        """
        if where.conversation:
            store = Store(self._root, where.conversation, clock=self._clock)
            loaded = store.load()
            place = _place(loaded)
            if place is not None and where.path and not self._is_here(where, place):
                fork = self._had_here(where, _is_fork_of(where.conversation))
                if fork is not None:
                    return fork
                if self._stands(place, where):
                    return self._forked(where, where.conversation, loaded)
            return self._history(where, where.conversation, store, loaded)
        here = self._had_here(where, where.holds)
        if here is not None:
            return here
        conversation = self._fresh or new_id()
        store = Store(self._root, conversation, clock=self._clock)
        return self._history(where, conversation, store, store.load())

    def all(self) -> Iterator[tuple[str, Loaded]]:
        """Every conversation that has turns: the path of its notebook, and what it holds."""
        try:
            names = sorted(p.name for p in self._root.iterdir() if p.name[:1] != ".")
        except OSError:
            return
        for name in names:
            loaded = Store(self._root, name, clock=self._clock).load()
            if loaded.turns:
                yield str((_place(loaded) or {}).get("path") or name), loaded

    def forget(self, where: Whereabouts) -> None:
        """Delete what says which conversations were had at this path, if none is kept."""
        if where.kind == "folder" and any(self._kept_at(where)):
            return
        try:
            (self._paths.path / f"{_name(where.path)}.jsonl").unlink(missing_ok=True)
        except OSError:
            pass  # read only: the store said so

    def _kept_at(self, where: Whereabouts) -> Iterator[Kept]:
        """The conversations with turns that were had at this path, the newest first."""
        for conversation in self._at(where):
            store = Store(self._root, conversation, clock=self._clock)
            loaded = store.load()
            if loaded.turns:
                yield store, loaded

    def _had_here(self, where: Whereabouts, fits: Callable[[Loaded], bool]) -> History | None:
        """The newest conversation that was had at this path and `fits`."""
        for conversation in self._at(where):
            store = Store(self._root, conversation, clock=self._clock)
            loaded = store.load()
            if loaded.turns and fits(loaded):
                return self._history(where, conversation, store, loaded)
        return None

    def _history(
        self, where: Whereabouts, conversation: str, store: Store, loaded: Loaded
    ) -> History:
        settled = self._is_here(where, _place(loaded))

        def begin() -> Store:
            nonlocal settled
            if not settled:
                self._settle(where, conversation, store)
            settled = False  # it begins a second time only once all was deleted
            self._named(conversation)
            return store

        return self._made(loaded, begin, store, where)

    def _forked(self, where: Whereabouts, parent: str, loaded: Loaded) -> History:
        """The turns of `parent`; the first new one begins a conversation of its own."""
        conversation = self._fresh or new_id()
        store = Store(self._root, conversation, clock=self._clock)
        store.load()
        adopted = False

        def begin() -> Store:
            nonlocal adopted
            if not adopted:
                store.adopt(loaded)
                store.note("forked", {"forked_from": parent})
            adopted = True
            self._settle(where, conversation, store)
            self._named(conversation)
            return store

        return self._made(loaded, begin, store, where)

    def _made(
        self, loaded: Loaded, begin: Callable[[], Store], store: Store, where: Whereabouts
    ) -> History:
        def others() -> list[Kept]:
            return list(self._kept_at(where))[::-1] if where.kind == "folder" else []

        history = History(
            loaded.turns, loaded.retired, begin=begin, store=store, others=OtherTurns(others)
        )
        ended = set(loaded.restored)
        for note in loaded.notes:
            _recall(history, note, ended)
        history.settle(ended)
        return history

    def _stands(self, place: Mapping[str, Any], where: Whereabouts) -> bool:
        """Whether the conversation's own notebook is still there: then this one is a copy."""
        old = str(place.get("path"))
        if place.get("host") != self._host:
            return old != where.path  # what stands on the other machine cannot be looked at
        return Path(old).exists()

    def _is_here(self, where: Whereabouts, place: Mapping[str, Any] | None) -> bool:
        return place is not None and (place.get("path"), place.get("host")) == (
            where.path,
            self._host,
        )

    def _settle(self, where: Whereabouts, conversation: str, store: Store) -> None:
        """Record that the conversation is that of `where`."""
        store.note("place", {"path": where.path, "host": self._host})
        if where.path:
            line = json.dumps({"conversation": conversation, "path": where.path})
            try:
                self._paths.append(_name(where.path), line.encode() + b"\n", sync=False)
            except OSError:
                pass  # the store itself says what is wrong with the disk

    def _at(self, where: Whereabouts) -> list[str]:
        """The conversations that were had at this path, the newest first."""
        found: dict[str, None] = {}
        if where.path:
            try:
                for line in self._paths.lines(f"{_name(where.path)}.jsonl"):
                    conversation = _conversation(line)
                    found.pop(conversation, None)
                    found[conversation] = None
            except OSError:
                pass  # none yet
        return [conversation for conversation in reversed(found) if conversation]

    @property
    def _paths(self) -> Folder:
        return Folder(self._root / _PATHS)


def _recall(history: History, note: Mapping[str, Any], ended: set[str]) -> None:
    """Take over what `History` noted in an earlier kernel; whatever does not fit is left out.

    The turns whose run has ended are added to `ended`.
    """
    match note:
        case {"kind": "rejected", "server": str(server), "blocks": [*blocks]}:
            known = history.rejected.setdefault(server, set())
            known |= {key for key in blocks if isinstance(key, str)}
        case {"kind": "aside", "aside": [*aside]}:
            history.aside |= {turn_id for turn_id in aside if isinstance(turn_id, str)}
        case {"kind": "ran", "cell": str(cell), "whole": bool(whole), "turns": [*turns]}:
            (history.stopped.discard if whole else history.stopped.add)(cell)
            ended |= {turn_id for turn_id in turns if isinstance(turn_id, str)}


def _is_fork_of(parent: str) -> Callable[[Loaded], bool]:
    """A copy whose metadata still name `parent`: where no front end writes them."""
    return lambda loaded: any(note.get("forked_from") == parent for note in loaded.notes)


def _name(path: str) -> str:
    return text_digest(path)[:32]


def _conversation(line: bytes) -> str:
    try:
        record = json.loads(line)
        return str(record["conversation"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _place(loaded: Loaded) -> Mapping[str, Any] | None:
    """Where the conversation's notebook stood when it was last written to."""
    return next((note for note in reversed(loaded.notes) if note.get("kind") == "place"), None)
