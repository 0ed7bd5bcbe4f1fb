"""A file that goes along with a question (`-f`) as a document block."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..messages.blocks import Block, document_base64, document_text, document_url
from ..messages.errors import ImageError, InputError
from ..messages.sniff import media_type

if TYPE_CHECKING:
    from ..messages.images import Prepared

_MOST_BYTES = 24_000_000  # as base64 this fills the API's 32 MB request


def file_blocks(
    names: Sequence[str], prepare: Callable[[object], Prepared]
) -> tuple[list[Block], list[str]]:
    """Each file as a PDF or text document, or as an image; an address as a PDF there. Notices.

    Raises InputError if one cannot be read, is too large, or is neither text, PDF nor image.
    """
    notices: list[str] = []
    return [_file_block(name, prepare, notices) for name in names], notices


def _file_block(name: str, prepare: Callable[[object], Prepared], notices: list[str]) -> Block:
    if name.startswith(("https://", "http://")):
        return document_url(name)
    try:
        path = Path(name).expanduser()
        if path.exists() and not path.is_file():
            raise InputError(f"-f {name}: not a file. Give the path of a text, PDF or image file.")
        data = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else None
    except (OSError, ValueError, RuntimeError) as error:  # the last: ~nobody
        reason = getattr(error, "strerror", None) or "not a path"
        raise InputError(
            f"-f {name}: {reason}. Give the path of a text, PDF or image file."
        ) from None
    if data is None:
        raise InputError(f"-f {name}: over {_MOST_BYTES // 1_000_000} MB; send a part of it.")
    kind = media_type(data)
    if kind == "application/pdf":
        return document_base64(kind, base64.b64encode(data).decode("ascii"), path.name)
    if kind is not None and kind.startswith("image/") and kind != "image/svg+xml":
        return _image_block(name, data, prepare, notices)
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"-f {name}: neither UTF-8 text nor PDF; convert it, or send its text by {{{{ }}}}."
        ) from None
    if not content.strip():
        raise InputError(f"-f {name}: the file is empty.")
    return document_text(content, path.name)


def _image_block(
    name: str, data: bytes, prepare: Callable[[object], Prepared], notices: list[str]
) -> Block:
    try:
        prepared = prepare(data)
    except ImageError as error:
        raise ImageError(f"-f {name}: {error}") from None
    notices += [prepared.note] if prepared.note else []
    return prepared.block
