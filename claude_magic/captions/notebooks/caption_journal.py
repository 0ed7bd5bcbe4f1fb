"""What was paid for, on disk as it comes: a run that is killed pays for no figure twice.

Lines of JSON, each with the key of a picture and the digest of the question, in a file of each
run's own: two runs may go on at once. Notebooks hold their alt text once they are done; what stands
here is for those that are not, and for figures that have lost theirs. It is kept for a month.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...conversation.store.folder import Folder
from ...files import record_in
from ..datasets.work import record_of
from ..image_question import ImageAnswer

_KEPT = 30 * 24 * 3600 * 10**9
"""Nanoseconds that an answer is kept."""
_FIGURES = 20
"""Digits of the nanosecond in which a file was begun, by which they are in order."""


class Journal:
    """The answers of one question, `job` its digest, by the keys of pictures. Threads share it.

    `folder` None keeps nothing on disk. With `redo` only those are known that such a run has paid
    for and has not come to its end. `problem` says why nothing can be kept, if that is so.
    """

    def __init__(self, folder: Path | None, job: str, *, redo: bool = False) -> None:
        self.problem = ""
        self._job, self._redo = job, redo
        self._lock = threading.Lock()
        self._known: dict[str, Mapping[str, Any]] = {}
        self._folder = Folder(folder) if folder is not None else None
        self._name = f"{time.time_ns():0{_FIGURES}}-{secrets.token_hex(4)}"
        if self._folder is not None:
            self._load(self._folder)

    def get(self, key: str) -> ImageAnswer | None:
        """The answer about a picture, which costs nothing more; None where there is none."""
        with self._lock:
            record = self._known.get(key)
        return None if record is None else ImageAnswer(record["value"])

    def add(self, key: str, answer: ImageAnswer) -> None:
        """Keep an answer. In the file when this returns."""
        record = {**record_of(answer), "redo": self._redo}
        with self._lock:
            self._known[key] = record
            self._append({"key": key, **record})

    def finished(self) -> None:
        """All is where it belongs: the next `redo` asks anew."""
        with self._lock:
            if self._redo:
                for key in self._known:
                    self._append({"key": key, "over": True})

    def _append(self, record: Mapping[str, Any]) -> None:
        if self._folder is None or self.problem:
            return
        line = json.dumps({"job": self._job, **record}, separators=(",", ":"))
        try:
            self._folder.append(self._name, line.encode() + b"\n", sync=False)
        except OSError as error:  # what was paid is still written into the notebooks
            self._failed(error)

    def _load(self, folder: Folder) -> None:
        try:
            for record in _records(folder, self._job):
                key = str(record.get("key"))
                if record.get("over"):
                    if self._redo:
                        self._known.pop(key, None)
                elif "value" in record and (record.get("redo") or not self._redo):
                    self._known[key] = record
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.problem = f"Answers are not kept beside the notebooks ({error.strerror or error})."


def _records(folder: Folder, job: str) -> Iterator[dict[str, Any]]:
    """The records of one question, oldest first; files that are too old are removed."""
    mark, oldest = job.encode(), time.time_ns() - _KEPT
    for name in folder.segments():
        begun = name[:_FIGURES]
        if begun.isdecimal() and int(begun) < oldest:
            (folder.path / name).unlink(missing_ok=True)
            continue
        for line in folder.lines(name):
            if mark in line:
                yield record_in(line)
