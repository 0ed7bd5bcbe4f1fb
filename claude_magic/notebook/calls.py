"""A call of a tool as it stands in the cell: a folded line with what went in and what came out."""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..messages.blocks import Block, content_blocks
from ..messages.plain_text import trim_middle
from ..rendering import STYLE, escape, plain
from ..rendering.highlight import highlighted
from ..tools.approval import NOT_ALLOWED
from .frame import Bundle, box, thumbnails

if TYPE_CHECKING:
    from ..messages.images import ImageCache
    from ..tools.tool import Tool

# Tools of ours whose arguments are shown as the text that one of them holds.
_TEXTS: Mapping[str, str] = {"run_python": "code"}
_LONGEST = 8_000


def shown(call: Block, result: Block, seconds: float | None, cache: ImageCache) -> Bundle:
    """Name, outcome and time, if known, in one line; arguments and result folded below it."""
    language, given = _given(call)
    said = trim_middle(_words(result), _LONGEST)
    pictures = tuple(b for b in _content(result) if b.get("type") == "image")
    folded = (
        f'<details class="claude-magic-fold"><summary>{escape(_top(call, result, seconds))}'
        f"</summary>{_code(given, language)}{_pre(said)}{thumbnails(pictures, cache)}</details>"
    )
    return {"text/html": box(folded), "text/plain": text(call, result, seconds)}


def text(call: Block, result: Block, seconds: float | None) -> str:
    """The same as text."""
    _, given = _given(call)
    said = trim_middle(_words(result), _LONGEST)
    count = sum(b.get("type") == "image" for b in _content(result))
    pictures = f"[{count} image{'s' if count > 1 else ''}]" if count else ""
    parts = (f"[{_top(call, result, seconds)}]", given, said, pictures)
    return plain("\n".join(part for part in parts if part))


def asked(call: Block, tool: Tool) -> Bundle:
    """A call that is to be allowed: its name and all that it would run, every character visible."""
    language, given = tool.preview(call["input"]) if tool.preview else _arguments(call)
    given = visible(given)
    count = given.count("\n") + 1
    lines = f", {count:,} lines" if count > 1 else ""
    top = f"{name(call)} is to run{lines}:"
    body = f'<div class="claude-magic-line">{escape(top)}</div>{_code(given, language)}'
    return {"text/html": STYLE + box(body), "text/plain": f"{top}\n{given}"}


def name(call: Mapping[str, object]) -> str:
    """What is called, for the line that says what is under way."""
    return plain(str(call.get("name")))


def outcome(result: Block) -> str:
    """How a call ended: ok, error or denied."""
    if not result.get("is_error"):
        return "ok"
    return "denied" if _words(result).startswith(NOT_ALLOWED) else "error"


def visible(text: str) -> str:
    r"""`text` with what would not be seen, or shown in another order than it stands, as `\u202e`.

    Whoever allows code has to see all of it: control characters, bidi overrides, zero widths.
    """
    return "".join(c if _is_seen(c) else _escaped(c) for c in text)


def _top(call: Block, result: Block, seconds: float | None) -> str:
    """For example "run_python · 1.2 s · ok"."""
    took = "" if seconds is None else f" · {seconds:.1f} s"
    return f"{name(call)}{took} · {outcome(result)}"


def _given(call: Block) -> tuple[str, str]:
    """What was given to a call, with its language: the code of one of ours, else JSON."""
    given = call.get("input")
    field = _TEXTS.get(str(call.get("name")))
    if isinstance(given, Mapping) and set(given) == {field} and isinstance(given[field], str):
        return "python", trim_middle(given[field], _LONGEST)
    language, words = _arguments(call)
    return language, trim_middle(words, _LONGEST)


def _arguments(call: Block) -> tuple[str, str]:
    given = call.get("input")
    if isinstance(given, str):  # cut off: as it came
        return "", given
    return "json", json.dumps(given, ensure_ascii=False, indent=1) if given else ""


def _content(result: Block) -> list[Block]:
    return content_blocks(result) if result.get("content") else []


def _words(result: Block) -> str:
    """The texts of a result, each on lines of its own: they are of different things."""
    return "\n".join(str(b["text"]) for b in _content(result) if b.get("type") == "text")


def _pre(text: str) -> str:
    return f'<div class="claude-magic-pre">{escape(text)}</div>' if text else ""


def _code(text: str, language: str) -> str:
    """Code as it is, wrapped and not cut: what stands far to the right is seen too."""
    if not text:
        return ""
    inside = highlighted(plain(text), language) if language else html.escape(plain(text))
    return f'<pre class="claude-magic-pre"><code>{inside}</code></pre>'


def _is_seen(character: str) -> bool:
    if character in "\n\t":
        return True
    return unicodedata.category(character)[0] != "C" and character not in "\u2028\u2029"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
