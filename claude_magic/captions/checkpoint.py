"""What a job has got so far, on disk as it comes: a killed job goes on, and pays nothing twice.

A file of JSON lines beside the table: one line for each answer, with the key of its image and the
digest of the question. It is written in one piece each, so that a crash can tear the last line
only. It is not deleted: it is what the next run of the same job starts from.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ..messages.errors import InputError

_SYNC_EVERY = 100
"""Records between two fsyncs: what a power cut can lose; a kill loses nothing."""


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
            self._file.seek(place)
            record: Mapping[str, Any] = json.loads(self._file.readline())
        return record

    def add(self, key: str, record: Mapping[str, Any]) -> None:
        """Keep an answer. On disk when this returns."""
        with self._lock:
            self._places[bytes.fromhex(key)] = self._append({"key": key, **record})

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
            place = self._file.seek(0, os.SEEK_END)
            self._file.write(data)
            self._unsynced += 1
            if self._unsynced >= _SYNC_EVERY:
                self._sync()
        except OSError as error:
            raise InputError(f"{self.path} cannot be written ({error.strerror}).") from None
        return place

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._unsynced = 0

    def _load(self) -> None:
        """Find the records of this job; what is torn or foreign is passed over."""
        place = whole = self._file.seek(0)
        for line in self._file:
            start, place = place, place + len(line)
            if not line.endswith(b"\n"):
                break
            whole = place
            record = _record(line)
            if record.get("job") != self._job:
                continue
            if isinstance(record.get("key"), str) and "value" in record:
                self._places[bytes.fromhex(record["key"])] = start
        if whole < place:
            self._file.truncate(whole)  # torn by a crash: the next record begins a new line


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


def _record(line: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
