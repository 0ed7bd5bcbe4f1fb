"""A file that goes along with a question (`-f`) as a document block."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from ..messages.blocks import Block, document_base64, document_text, document_url
from ..messages.errors import InputError
from ..messages.sniff import media_type

_MOST_BYTES = 24_000_000  # as base64 this fills the API's 32 MB request


def file_block(name: str, prepare: Callable[[object], Block]) -> Block:
    """The file `name` as a PDF or text document, or as an image; an address as a PDF there.

    Raises InputError if it cannot be read, is too large, or is neither text, PDF nor image.
    """
    if name.startswith(("https://", "http://")):
        return document_url(name)
    path = Path(name).expanduser()
    try:
        data = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else None
    except (OSError, ValueError) as error:
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
        return prepare(data)
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"-f {name}: neither UTF-8 text nor PDF; convert it, or send its text by {{{{ }}}}."
        ) from None
    if not content.strip():
        raise InputError(f"-f {name}: the file is empty.")
    return document_text(content, path.name)
