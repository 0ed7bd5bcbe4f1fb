"""A portable recording: replies in a file that can be committed, so that CI needs no key.

One JSON object a line, one line a turn. It holds what was asked in the user's words and the digest
of the request, not what went along: so it stays small, and tells nothing that the notebook does
not show.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..files import replacing
from ..messages.errors import InputError
from ..messages.once import OwnLock
from .turns import Turn

_VERSION = 1
_LEFT_OUT = ("asked", "saw", "order", "source")


class Recording:
    """The turns of one file, read once and then kept up with what is added."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turns = list(_read(path))
        self._lock = OwnLock()

    def __iter__(self) -> Iterator[Turn]:
        return iter(list(self._turns))

    def of_digest(self, digest: str) -> list[Turn]:
        """The turns one of whose requests had this digest, in the order recorded."""
        return [turn for turn in self if digest in turn.digests]

    def add(self, turn: Turn) -> None:
        """Append a turn, unless this very one is there. Raises InputError where it cannot."""
        with self._lock:
            if any(turn.id == known.id for known in self._turns):
                return
            problem = ""
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(_line(turn))
            except OSError as error:
                problem = error.strerror or str(error)
            if problem:
                raise InputError(
                    f"The recording {self.path} cannot be written ({problem}): "
                    "choose another file with %claude_config record=FILE"
                )
            self._turns.append(turn)


def write(path: Path, turns: Iterable[Turn]) -> int:
    """Write a recording of the complete ones of `turns` in place of the file; how many.

    Raises InputError where it cannot be written.
    """
    kept = [turn for turn in turns if turn.status == "complete"]
    try:
        with replacing(path) as beside:
            beside.write_text("".join(map(_line, kept)), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}).") from None
    return len(kept)


def is_recording(path: Path) -> bool:
    """Whether the file is a recording."""
    try:
        return next(iter(_read(path)), None) is not None
    except InputError:
        return False


def _line(turn: Turn) -> str:
    values = {k: v for k, v in turn.to_json().items() if k not in _LEFT_OUT}
    # Nor what tools gave: they run again. What they gave is in the digest of the next request.
    values["steps"] = [{**step, "answer": []} for step in values["steps"]]
    return json.dumps({"recording": _VERSION, **values}, ensure_ascii=True) + "\n"


def _read(path: Path) -> Iterator[Turn]:
    try:
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The recording {path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        turn = _turn(line)
        if turn is None:
            raise InputError(
                f"{path}, line {number}: not a line of a recording; give a file made with "
                "%claude_export --record FILE"
            )
        yield turn


def _turn(line: str) -> Turn | None:
    from .store_fold import checked_turn

    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, Mapping) or values.get("recording") != _VERSION:
        return None
    missing: dict[str, Any] = {"asked": [], "saw": (), "order": ()}
    return checked_turn({**missing, **values})
