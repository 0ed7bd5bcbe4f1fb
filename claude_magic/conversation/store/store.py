"""Where the turns of a conversation are kept between kernels."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from ...messages.blocks import Block
from ..turns import Step, Turn
from .fold import Loaded, RecordFold, turn_of
from .folder import Folder, Images, RefusedError, put_back
from .records import END_FIELDS, FIELDS, KINDS, Compact, Line, ReadRecords, Record, Segment

__all__ = ["Loaded", "Store"]

# The id comes from a notebook, which may come from anywhere: it must name a folder in `root`.
_CONVERSATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


# Notes on turns: what else is noted, such as the place, is of one conversation only.
_ADOPTED = frozenset({"aside", "ran", "rejected"})


class Store:
    """The records of one conversation, in `<root>/<conversation id>/`.

    Nothing is made there before the first write. Call `load` before it: only then do the new
    records come after those that are there. No method raises for what the file system does: what
    cannot be written waits in memory, is tried again with the next record, and `warnings` says so
    once. `clock` gives seconds since the epoch. Safe to use from several threads.
    """

    def __init__(
        self, root: Path, conversation: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        named = _CONVERSATION.fullmatch(conversation)
        self._folder = Folder(root / conversation) if named else None
        self._images = Images(self._folder)
        self._clock = clock
        self._lamport = 0
        self._read_only = False
        self._warnings: list[str] = []
        self._said: set[str] = set()
        self._told_memory = False
        self._lock = threading.RLock()
        self._begin()
        if not named:
            self._stop("The notebook's conversation id cannot name a folder")

    def load(self) -> Loaded:
        """What all segments hold, those of other kernels too."""
        with self._here():
            found, torn = self._read()
            self._lamport = max(self._lamport, *(key[0] for key in found.records), 0)
            if found.newer:
                self._stop("A newer version of claude_magic has written to this conversation")
            fold = RecordFold(self._compact)
            for record in found.ordered():
                fold.add(record)
            turns, notes = self._restored(fold)
            aside = found.garbage + fold.aside
            if aside:
                self._say(
                    f"Records of this conversation that could not be read: {aside}. They were "
                    "set aside, the files are unchanged, and what the others hold is here."
                )
            retired, restored = frozenset(fold.retired), frozenset(fold.restored)
            return Loaded(tuple(turns), retired, (*notes, *torn), self._read_only, restored)

    def start(self, turn: Turn) -> None:
        """Record a turn as it is asked, with the steps that it has; it is on disk afterwards."""
        with self._here():
            self._running[turn.id] = len(turn.steps)
            self._add_start(turn, sync=True)
            self._add_steps(turn)

    def step(self, turn_id: str, step: Step) -> None:
        """Record a reply of a turn that runs and is not the last; it is on disk afterwards."""
        with self._here():
            if turn_id in self._running:
                at = self._running[turn_id]
                self._running[turn_id] += 1
                self._add("turn_step", {"turn": turn_id, "step": step, "at": at})

    def progress(self, turn_id: str, reply: Sequence[Block]) -> None:
        """Record what has come so far of a turn that runs; the caller limits how often."""
        with self._here():
            # It is for a kernel that is killed: where the disk fails there is no use in more of it.
            if turn_id in self._running and not self._waiting:
                self._add("turn_progress", {"turn": turn_id, "reply": reply}, sync=False)

    def end(self, turn: Turn) -> None:
        """Record how a turn ended; it is on disk afterwards. One never started is kept whole."""
        with self._here():
            if turn.id not in self._running:
                self._add_start(turn)
            self._add_end(turn, kept=self._running.pop(turn.id, 0))

    def adopt(self, loaded: Loaded) -> None:
        """Record what is known of another conversation, from which this one goes on."""
        with self._here():
            for turn in loaded.turns:
                self._add_start(turn)
                self._add_end(turn, sync=False)
            self._add("retire", {"turns": sorted(loaded.retired)})
            for turn_id in sorted(loaded.restored - loaded.retired):
                self._add("restore", {"turn": turn_id})
            for note in loaded.notes:
                if note["kind"] in _ADOPTED:
                    self._add(note["kind"], {k: v for k, v in note.items() if k not in FIELDS})

    def retire(self, turn_ids: Sequence[str]) -> None:
        """Record that these turns are superseded: never sent, still there to be looked at."""
        if turn_ids:
            with self._here():
                self._add("retire", {"turns": list(turn_ids)})

    def restore(self, turn_id: str) -> None:
        """Record that a retired turn counts again, in place of those of its cell and ordinal."""
        with self._here():
            self._add("restore", {"turn": turn_id})

    def note(self, kind: str, values: Mapping[str, Any]) -> None:
        """Record something else, such as a fork; `load` gives it back in `notes`.

        Raises ValueError for a kind or a name in `values` that the store itself uses.
        """
        if kind in KINDS or not FIELDS.isdisjoint(values):
            raise ValueError(f"{kind} {sorted(values)}: the store uses {sorted(KINDS | FIELDS)}")
        with self._here():
            self._add(kind, values)

    def purge(self) -> None:
        """Delete all records and images of this conversation, those of other kernels too."""
        with self._here():
            self._begin()
            self._images.forget()
            try:
                if self._folder:
                    self._folder.remove()
                    self._read_only = False
            except OSError as error:
                self._say(f"Not all records could be deleted ({_reason(error)}).")

    @property
    def warnings(self) -> list[str]:
        """Lines for the user that were not taken yet; each comes once."""
        return list(self._warnings)

    def take_warnings(self) -> list[str]:
        """The lines of `warnings`, which are gone afterwards."""
        with self._here():
            taken, self._warnings = self._warnings, []
            return taken

    def _here(self) -> AbstractContextManager[bool]:
        """The lock of this process; after a fork the child starts a segment of its own."""
        if self._pid != os.getpid():
            self._lock = threading.RLock()  # another thread of the parent may hold the old one
            self._begin()
        return self._lock

    def _begin(self) -> None:
        """Start a segment. What the one before had under way is not ours any more."""
        self._pid = os.getpid()
        self._segment = Segment()
        self._running: dict[str, int] = {}  # how many steps of each are on disk
        self._waiting: deque[Line] = deque()
        self._compact = Compact()

    def _add_start(self, turn: Turn, *, sync: bool = False) -> None:
        values, order = self._compact.shortened(turn)
        if order:
            self._add("order", order, sync=False)
        self._add("turn_start", {"turn": values}, sync=sync)

    def _add_steps(self, turn: Turn, kept: int = 0) -> None:
        for at, step in enumerate(turn.steps[kept:], kept):
            self._add("turn_step", {"turn": turn.id, "step": step, "at": at}, sync=False)

    def _add_end(self, turn: Turn, *, kept: int = 0, sync: bool = True) -> None:
        """Record how a turn ended, with those of its steps that are not `kept` yet."""
        self._add_steps(turn, kept)
        ended = {name: getattr(turn, name) for name in END_FIELDS}
        self._add("turn_end", {"turn": turn.id, **ended}, sync=sync)

    def _add(self, kind: str, values: Mapping[str, Any], *, sync: bool = True) -> None:
        self._lamport += 1
        try:
            line = self._segment.line(
                kind, values, lamport=self._lamport, time=self._clock(), sync=sync
            )
        except (TypeError, ValueError, RecursionError) as error:
            self._say(f"A record of this conversation is not JSON and was not kept ({error}).")
            return
        self._images.hold(line.images)
        self._waiting.append(line)
        self._write()

    def _write(self) -> None:
        """Write what waits, in its order, as far as the file system lets us."""
        with self._guarded():
            while self._waiting and self._folder and not self._read_only:
                line = self._waiting[0]
                self._images.write(self._folder, line.images)
                self._folder.append(self._segment.name, line.content, sync=line.sync)
                self._waiting.popleft()

    def _read(self) -> tuple[ReadRecords, list[Record]]:
        """The records of all segments with those that wait, and a note for each torn line."""
        found = ReadRecords()
        torn: list[Record] = []
        segments: list[str] = []
        found.read(line.content for line in self._waiting)
        if self._folder:
            with self._guarded():
                segments = self._folder.segments()
            for segment in segments:
                with self._guarded():
                    lost = found.read(self._folder.lines(segment))
                    if lost:
                        torn.append({"kind": "torn", "segment": segment, "bytes": lost})
        return found, torn

    def _restored(self, fold: RecordFold) -> tuple[list[Turn], list[Record]]:
        """Turns and notes with their images; what makes no turn is counted in `fold.aside`."""
        lost: set[str] = set()

        def find(sha: str) -> str | None:
            data = None
            with self._guarded():
                data = self._images.find(sha)
            if data is None:
                lost.add(sha)
            return data

        turns: list[Turn] = []
        for name in list(fold.turns):
            standing = fold.turns.pop(name)
            standing.start = self._compact.whole(standing.start)
            if name in self._running:
                continue
            turn = turn_of(standing, lambda value: put_back(value, find))
            turns += [turn] if turn else []
            fold.aside += turn is None
        notes: list[Record] = []
        for note in fold.notes:
            try:
                notes.append({name: put_back(value, find) for name, value in note.items()})
            except RecursionError:
                fold.aside += 1
        if lost:
            self._say(
                f"Images of this conversation that are missing or damaged: {len(lost)}. Text stands"
                " in their place; run the cells that sent them again to have them back."
            )
        return turns, notes

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Let nothing out that the file system does; from then on memory has to do."""
        try:
            yield
        except RefusedError as error:
            self._stop(_reason(error))
        except OSError as error:
            self._say_memory(_reason(error))

    def _stop(self, reason: str) -> None:
        """Write nothing from now on."""
        self._read_only = True
        self._say_memory(reason)

    def _say_memory(self, reason: str) -> None:
        if not self._told_memory:
            self._told_memory = True
            self._say(f"{reason}: new turns are kept in memory, until the kernel ends.")

    def _say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._warnings.append(line)


def _reason(error: OSError) -> str:
    return f"The conversation's records cannot be used ({error.strerror or error})"
