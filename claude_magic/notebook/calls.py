"""A call of a tool as it stands in the cell: a folded line with what went in and what came out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..messages.blocks import Block, content_blocks, joined_text
from ..rendering import escape, plain
from .frame import Bundle, box, thumbnails

if TYPE_CHECKING:
    from ..messages.images import ImageCache


def shown(call: Block, result: Block, seconds: float, cache: ImageCache) -> Bundle:
    """Name, outcome and time in one line; arguments and result folded below it."""
    top, arguments, said = _parts(call, result, seconds)
    body = "".join(_pre(part) for part in (arguments, said) if part)
    folded = (
        f'<details class="claude-magic-fold"><summary>{escape(top)}</summary>{body}</details>'
        + thumbnails(tuple(b for b in _content(result) if b.get("type") == "image"), cache)
    )
    return {"text/html": box(folded), "text/plain": text(call, result, seconds)}


def text(call: Block, result: Block, seconds: float) -> str:
    """The same as text."""
    top, arguments, said = _parts(call, result, seconds)
    return plain("\n".join(part for part in (f"[{top}]", arguments, said) if part))


def _parts(call: Block, result: Block, seconds: float) -> tuple[str, str, str]:
    """The line of the call, its arguments, what it gave."""
    outcome = "error" if result.get("is_error") else "ok"
    arguments = json.dumps(call.get("input"), ensure_ascii=False, indent=1)
    top = f"{name(call)} · {outcome} · {seconds:.1f} s"
    return top, arguments, joined_text(_content(result))


def _content(result: Block) -> list[Block]:
    return content_blocks(result) if result.get("content") else []


def _pre(text: str) -> str:
    return f'<div class="claude-magic-pre">{escape(text)}</div>'


def name(call: Mapping[str, object]) -> str:
    """What is called, for the line that says what is under way."""
    return plain(str(call.get("name")))
