"""The folder of one conversation: segments that only grow, and images written once each.

No locks and no rewriting: home directories are on NFS, and several kernels write at once, each to
a segment of its own. Nothing here follows a symbolic link.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from ...files import append_line, replacing, write_all
from ...messages.blocks import text

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
            append_line(descriptor, line)
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
                write_all(descriptor, content)
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


_SHA256 = re.compile(r"[0-9a-f]{64}")
_BASE64_SOURCE = {"type", "media_type", "data"}


class Images:
    """The images of one conversation: each is on disk once, and once in memory.

    `folder` is None where nothing is kept on disk.
    """

    def __init__(self, folder: Folder | None) -> None:
        self._folder = folder
        self._held: dict[str, str] = {}
        self._damaged: set[str] = set()

    def hold(self, images: Mapping[str, str]) -> None:
        """Hold base64 texts by their SHA-256, so that `find` has no need of the disk."""
        self._held.update(images)

    def forget(self) -> None:
        """Hold nothing."""
        self._held.clear()

    def find(self, sha: str) -> str | None:
        """The base64 text, the same object each time; None if its file is missing or damaged.

        Raises RefusedError where a link or the like stands in its place.
        """
        data = self._held.get(sha)
        if data is not None:
            return data
        # What is no digest must not get near a path.
        content = self._content(sha) if _SHA256.fullmatch(sha) else None
        if content is None or hashlib.sha256(content).hexdigest() != sha:
            self._damaged.add(sha)
            return None
        data = self._held[sha] = _as_base64(content)
        return data

    def write(self, folder: Folder, images: Mapping[str, str]) -> None:
        """Keep images in `folder` unless they are there. Raises OSError."""
        for sha, data in images.items():
            folder.put_image(sha, base64.b64decode(data), again=sha in self._damaged)
            self._damaged.discard(sha)

    def _content(self, sha: str) -> bytes | None:
        try:
            return self._folder.image(sha) if self._folder else None
        except RefusedError:
            raise
        except OSError:
            return None


def take_out(value: Any, images: dict[str, str]) -> Any:
    """`value` as JSON has it, every base64 source in it a reference: a source of type `stored`.

    At any depth, so in the content of a tool_result too. Dataclasses become objects. What was
    taken out is added to `images`, base64 text by the SHA-256 of the bytes.
    """
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {
            key: _reference(part, images) if key == "source" else take_out(part, images)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [take_out(part, images) for part in value]
    return value


def put_back(value: Any, find: Callable[[str], str | None]) -> Any:
    """`value` as it was before `take_out`; `find` gives the base64 text of a SHA-256.

    A block whose image `find` does not give becomes a text block that says so.
    """
    if isinstance(value, list):
        return [put_back(part, find) for part in value]
    if not isinstance(value, dict):
        return value
    source = value.get("source")
    if not (isinstance(source, dict) and source.get("type") == "stored"):
        return {key: put_back(part, find) for key, part in value.items()}
    if "verbatim" in source:
        return {**value, "source": source["verbatim"]}
    sha, media_type = str(source.get("sha256")), str(source.get("media_type"))
    data = find(sha)
    if data is None:
        return text(f"[A file of type {media_type} stood here; its record is missing or damaged.]")
    return {**value, "source": {"type": "base64", "media_type": media_type, "data": data}}


def _as_base64(content: bytes) -> str:
    """Base64 text as the API takes it: no line breaks."""
    return base64.b64encode(content).decode("ascii")


def _reference(source: Any, images: dict[str, str]) -> Any:
    if isinstance(source, Mapping) and source.get("type") == "stored":
        # Somebody else's word for something else: it must not be taken for ours on the way back.
        return {"type": "stored", "verbatim": source}
    if not (isinstance(source, Mapping) and source.get("type") == "base64"):
        return take_out(source, images)
    data, media_type = source.get("data"), source.get("media_type")
    if set(source) == _BASE64_SOURCE and isinstance(data, str) and isinstance(media_type, str):
        content = _exact_bytes(data)
        if content is not None:
            sha = hashlib.sha256(content).hexdigest()
            images[sha] = data
            return {"type": "stored", "sha256": sha, "media_type": media_type}
    return take_out(source, images)


def _exact_bytes(data: str) -> bytes | None:
    """The bytes that give back this very text; None where the text is another kind of base64."""
    try:
        content = base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        return None
    return content if _as_base64(content) == data else None
