"""A call of a tool that is to be allowed: all that it would run, every character visible."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..messages.blocks import Block
from ..messages.plain_text import count
from ..rendering import STYLE, plain
from ..rendering.html import box, code, line
from ..rendering.part_bundles import given_to
from .frame import Bundle

if TYPE_CHECKING:
    from ..tools.tool import Tool


def asked(call: Block, tool: Tool) -> Bundle:
    """A call that is to be allowed: its name and all that it would run, every character visible."""
    language, given = (
        tool.preview(call["input"]) if tool.preview else given_to("", call.get("input"))
    )
    given = visible(given)
    rows = given.count("\n") + 1
    lines = f", {count(rows, 'line')}" if rows > 1 else ""
    top = f"{name(call)} is to run{lines}:"
    return {
        "text/html": STYLE + box(line(top) + code(given, language)),
        "text/plain": f"{top}\n{given}",
    }


def name(call: Mapping[str, object]) -> str:
    """What is called, for the line that says what is under way."""
    return plain(str(call.get("name")))


def visible(text: str) -> str:
    r"""`text` with what would not be seen, or shown in another order than it stands, as `\u202e`.

    Whoever allows code has to see all of it: control characters, bidi overrides, zero widths.
    """
    return "".join(c if _is_seen(c) else _escaped(c) for c in text)


def _is_seen(character: str) -> bool:
    if character in "\n\t":
        return True
    return unicodedata.category(character)[0] != "C" and character not in "\u2028\u2029"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
