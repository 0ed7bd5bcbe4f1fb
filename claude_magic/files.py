"""Files that are replaced at once or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
