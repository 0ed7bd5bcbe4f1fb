"""The folder of one conversation: segments that only grow, and images written once each.

No locks and no rewriting: home directories are on NFS, and several kernels write at once, each to
a segment of its own. Nothing here follows a symbolic link.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from ..files import replacing

_SUFFIX = ".jsonl"
_IMAGES = "images"
# Windows lacks some of these, POSIX the last one. A FIFO in a file's place must not block us.
_SAFE = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class RefusedError(OSError):
    """Something else stands in the place of one of our files or folders, such as a link."""


class Folder:
    """The files of one conversation. Made with its first file; 0700, its files 0600.

    Every method raises OSError where the file system does, and RefusedError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def segments(self) -> list[str]:
        """The names of the segments; none where there is no folder."""
        if not _is_folder(self.path):
            return []
        return sorted(path.name for path in self.path.iterdir() if path.suffix == _SUFFIX)

    def lines(self, segment: str) -> Iterator[bytes]:
        """The lines of a segment, each with its newline; a torn last one has none."""
        with os.fdopen(_open(self.path / segment, os.O_RDONLY), "rb") as file:
            yield from file

    def append(self, segment: str, line: bytes, *, sync: bool) -> None:
        """Add `line` at the end; with `sync` it is on disk afterwards. All of it or nothing."""
        _make(self.path)
        path = self.path / f"{segment}{_SUFFIX}"
        new = not path.exists()
        descriptor = _open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            if size and not _ends_line(descriptor):
                line = b"\n" + line
            try:
                _write(descriptor, line)
            except BaseException:
                os.ftruncate(descriptor, size)
                raise
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)  # on NFS this is what can say that there is no space
        if new:
            _sync_folder(self.path)

    def image(self, sha: str) -> bytes:
        """The bytes kept under this SHA-256, whatever they are."""
        _is_folder(self.path / _IMAGES)
        with os.fdopen(_open(self.path / _IMAGES / sha, os.O_RDONLY), "rb") as file:
            return file.read()

    def put_image(self, sha: str, content: bytes, *, again: bool = False) -> None:
        """Keep `content`, unless a file of its size is there; with `again` in any case."""
        _make(self.path)
        folder = self.path / _IMAGES
        _make(folder)
        path = folder / sha
        if _size(path) == len(content) and not again:
            return
        with replacing(path) as beside:
            descriptor = _open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                _write(descriptor, content)
            finally:
                os.close(descriptor)
        _sync_folder(folder)

    def remove(self) -> None:
        """Delete the folder with all that is in it."""
        if _is_folder(self.path):
            shutil.rmtree(self.path)


def _open(path: Path, flags: int) -> int:
    """A descriptor of a regular file, 0600 if it is new whatever the umask."""
    _size(path)
    descriptor = os.open(path, flags | _SAFE, 0o600)
    if flags & os.O_CREAT and hasattr(os, "fchmod"):
        try:
            os.fchmod(descriptor, 0o600)
        except BaseException:
            os.close(descriptor)
            raise
    return descriptor


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _ends_line(descriptor: int) -> bool:
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1) == b"\n"


def _size(path: Path) -> int | None:
    """The bytes of a regular file, None where there is nothing. Raises RefusedError."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise RefusedError(f"{path} is not a file")
    return found.st_size


def _is_folder(path: Path) -> bool:
    """Whether there is a folder; False where there is nothing. Raises RefusedError."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(mode):
        raise RefusedError(f"{path} is not a folder")
    return True


def _make(path: Path) -> None:
    """Make a folder and those above it as far as they are missing; it is 0700 afterwards."""
    if not _is_folder(path):
        missing = [path, *(above for above in path.parents if not above.exists())]
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)  # a umask may have taken more than it should
        _sync_folder(path.parent)
    elif stat.S_IMODE(path.lstat().st_mode) != 0o700:
        path.chmod(0o700)


def _sync_folder(path: Path) -> None:
    """Have the names in a folder on disk, where the system and the file system can do that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _SAFE)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # SMB and some FUSE cannot; the file itself was synced
    finally:
        os.close(descriptor)
