"""What a job has got so far, on disk as it comes: a killed job goes on, and pays nothing twice.

A file of JSON lines beside the table: one line for each answer, with the key of its image and the
digest of the question, and lines about batches that are under way. Each is written in one piece, so
that a crash can tear the last one only. It is not deleted: it is what the next run of the same job
starts from.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

from ...files import append_line, record_in
from ...messages.errors import InputError

_SYNC_EVERY = 100
"""Records between two fsyncs: what a power cut can lose; a kill loses nothing."""
_PIECE = 8 * 1024
_READ_AHEAD = 1024 * 1024


class Checkpoint:
    """The answers of one job by the key of their image; other jobs may share the file.

    `path` None keeps them in a temporary file. A context manager. Threads share it.

    Raises InputError where the file cannot be read or written, or another process writes it.
    """

    def __init__(self, path: Path | None, job: str) -> None:
        self.path = path
        self._job = job
        self._lock = threading.Lock()
        self._places: dict[bytes, int] = {}
        self._notes: dict[str, dict[str, Any]] = {}
        self.past: set[str] = set()
        """The ids of batches that are over."""
        self._unsynced = 0
        self._file = _opened(path)
        self._load()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return bytes.fromhex(key) in self._places

    def get(self, key: str) -> Mapping[str, Any] | None:
        """The record of an answer: `value`, `usage`, `cost`."""
        place = self._places.get(bytes.fromhex(key))
        if place is None:
            return None
        with self._lock:
            line = self._line_at(place)
        record: Mapping[str, Any] = json.loads(line)
        return record

    def add(self, key: str, record: Mapping[str, Any]) -> None:
        """Keep an answer. On disk when this returns."""
        with self._lock:
            self._places[bytes.fromhex(key)] = self._append({"key": key, **record})

    def note(self, batch: str, **said: Any) -> None:
        """Keep what is known of a batch, beside what was said before; `over=True` forgets it."""
        with self._lock:
            self._append({"batch": batch, **said})
            self._sync()
            self._heard(batch, said)

    @property
    def notes(self) -> Mapping[str, Mapping[str, Any]]:
        """What was said of each batch of this job that is not over."""
        return self._notes

    def close(self) -> None:
        """Have all of it on the disk."""
        with self._lock:
            if not self._file.closed:
                self._sync()
                self._file.close()

    def _append(self, record: Mapping[str, Any]) -> int:
        line = json.dumps({"job": self._job, **record}, ensure_ascii=False, separators=(",", ":"))
        data = line.encode("utf-8", "replace") + b"\n"
        try:
            place = append_line(self._file.fileno(), data)
            self._unsynced += 1
            if self._unsynced >= _SYNC_EVERY:
                self._sync()
        except OSError as error:
            raise InputError(f"{self.path} cannot be written ({error.strerror}).") from None
        return place

    def _line_at(self, place: int) -> bytes:
        # Not readline: of a file without a buffer that reads byte by byte.
        self._file.seek(place)
        line = bytearray()
        while b"\n" not in line and (piece := self._file.read(_PIECE)):
            line += piece
        return bytes(line.partition(b"\n")[0])

    def _heard(self, batch: str, said: Mapping[str, Any]) -> None:
        if said.get("over"):
            self.past.add(str(self._notes.pop(batch, {}).get("id")))
        else:
            self._notes.setdefault(batch, {}).update(said)

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._unsynced = 0

    def _load(self) -> None:
        """Find the records of this job; what is torn or foreign is passed over."""
        place = self._file.seek(0)
        reader = io.BufferedReader(cast(io.RawIOBase, self._file), _READ_AHEAD)
        for line in reader:
            start, place = place, place + len(line)
            record = record_in(line)
            if record.get("job") != self._job:
                continue
            if isinstance(record.get("key"), str) and "value" in record:
                self._places[bytes.fromhex(record["key"])] = start
            elif isinstance(record.get("batch"), str):
                self._heard(record.pop("batch"), record)
        reader.detach()


def _opened(path: Path | None) -> IO[bytes]:
    if path is None:
        return tempfile.TemporaryFile(buffering=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("r+b" if path.exists() else "w+b", buffering=0)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}).") from None
    if not _locked(file):
        file.close()
        raise InputError(f"Another process works on {path}: wait for it, or give another `out`.")
    return file


def _locked(file: IO[bytes]) -> bool:
    """Whether this process is the only one that writes; True where that cannot be found out."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system that knows no locks
        return True
    return True
