"""The mimebundle of a reply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .inert import as_code, to_markdown
from .marks import spelled
from .page import as_written, to_html
from .parser import parsed
from .terminal import plain

if TYPE_CHECKING:
    from markdown_it.token import Token


def code_bundle(code: str, language: str) -> dict[str, str]:
    """The bundle of a text as it is, in a block of code that it cannot end."""
    fence = "```"
    while fence in code:
        fence += "`"
    bundle = reply_bundle(f"{fence}{language}\n{code}\n{fence}")
    return {**bundle, "text/plain": plain(code)}


def words_of(markdown: str) -> str:
    """The words of a text in Markdown, in one line, without what makes them bold, code or a link.

    Never raises: what cannot be parsed stays as it is.
    """
    clean = plain(markdown)
    try:
        tokens = parsed(clean)
    except Exception:  # as in `reply_bundle`
        return " ".join(spelled(clean).split())
    return " ".join("".join(_words(tokens)).split())


def _words(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.children:
            yield from _words(token.children)
        elif token.type == "footnote":
            yield f"[{token.content}]"
        else:
            yield token.content
        # Where a line or a block ends, a word ends.
        if token.block or token.type in ("softbreak", "hardbreak"):
            yield " "


def reply_bundle(markdown: str) -> dict[str, str]:
    """`text/html`, `text/markdown` and `text/plain` of a reply or of a part of one.

    Never raises. Unfinished Markdown, as while it streams, is fine. What cannot be parsed (nested
    too deep, too long, or a fault of the parser) is shown as it is. Marks of `Text` are
    numbers of footnotes.
    """
    clean = plain(markdown)
    try:
        tokens = parsed(clean)
        return {
            "text/html": to_html(tokens),
            "text/markdown": to_markdown(tokens),
            "text/plain": spelled(clean),
        }
    except Exception:  # whatever goes wrong, the reply must be seen, and is
        shown = spelled(clean)
        return {
            "text/html": as_written(shown),
            "text/markdown": as_code(shown),
            "text/plain": shown,
        }
