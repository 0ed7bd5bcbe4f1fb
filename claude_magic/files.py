"""Files that are replaced at once or not at all, and files to which whole lines are added."""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to, which takes its place at the end of the block.

    What stood there before is replaced by what is on disk whole, and keeps its permissions; where
    the block raises, it stays, and nothing is left beside it. Raises OSError.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        yield beside
        if path.exists():
            beside.chmod(stat.S_IMODE(path.stat().st_mode))
        with beside.open("r+b") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def append_line(descriptor: int, line: bytes) -> int:
    """Where `line`, which has its end, now begins, at the end of the file. All of it or nothing.

    A last line that a crash has torn is ended first, so that no other one is lost with it; who
    reads the file passes over what is no record. Raises OSError.
    """
    size = os.lseek(descriptor, 0, os.SEEK_END)
    torn = False
    if size:
        os.lseek(descriptor, size - 1, os.SEEK_SET)
        torn = os.read(descriptor, 1) != b"\n"
    try:
        write_all(descriptor, b"\n" + line if torn else line)
    except BaseException:
        os.ftruncate(descriptor, size)
        raise
    return size + torn


def record_in(line: bytes) -> dict[str, Any]:
    """The JSON object of a line; an empty one where it is none, as one that a crash has torn."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`. Raises OSError."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
