"""A file read whole, and replaced at once or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from ..messages.errors import InputError


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from None


def replace(path: Path, content: bytes) -> None:
    """Write beside the file, then move it there: a crash leaves the old one or the new one."""
    path = path.resolve()  # what a link leads to is replaced, not the link
    made = None
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            made = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        made.chmod(mode)
        made.replace(path)
    except OSError as error:
        if made is not None:
            made.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written ({error.strerror}).") from None
