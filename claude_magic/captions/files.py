"""A file read whole, and replaced at once or not at all."""

from __future__ import annotations

from pathlib import Path

from ..files import replacing
from ..messages.errors import InputError


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from None


def replace(path: Path, content: bytes) -> None:
    """Write beside the file, then move it there: a crash leaves the old one or the new one."""
    path = path.resolve()  # what a link leads to is replaced, not the link
    try:
        with replacing(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}).") from None
