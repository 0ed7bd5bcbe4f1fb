"""Images and documents of a turn, taken out of its blocks to be kept once each, and put back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ..messages.blocks import text
from .store_files import Folder, RefusedError

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
