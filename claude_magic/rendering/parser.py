"""The Markdown parser of replies: CommonMark, tables, strikethrough, bare links, maths, no HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .marks import OPENING, address, pieces, spelled
from .maths import add_maths

if TYPE_CHECKING:
    from markdown_it.rules_inline import StateInline

MAX_NESTING = 40  # block levels; a list takes two
MAX_LENGTH = 1_000_000  # characters; more than any model's reply

_SAFE_LINK = re.compile(r"https?://[^/?#\s]|mailto:[^\s]", re.IGNORECASE)
_BARE_LINK = re.compile(rf"https?://[^\s<>\"`\\$*|\[\]{{}}{OPENING}]*", re.IGNORECASE)
_SCHEME = re.compile(r"(?<![A-Za-z0-9+.\-])https?$", re.IGNORECASE)


class ComplexityError(Exception):
    """The text is longer or nested deeper than the parser may go; show it as it is."""


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 # markdown-it's name
        """Only absolute web and mail addresses. Anything else stays text, visible as written."""
        return _SAFE_LINK.match(url) is not None


def _bare_link(state: StateInline, silent: bool) -> bool:
    """An inline rule at the colon of a bare http(s) address: makes it a link to itself."""
    if state.linkLevel > 0 or not state.src.startswith("://", state.pos):
        return False
    scheme = _SCHEME.search(state.pending[-6:])  # the scheme and what stands before it
    if scheme is None:
        return False
    length = len(scheme.group())
    found = _BARE_LINK.match(state.src, state.pos - length, state.posMax)
    if found is None:
        return False
    shown = _without_trailing_punctuation(found.group())
    href = state.md.normalizeLink(shown)
    if not state.md.validateLink(href):
        return False
    if not silent:
        state.pending = state.pending[:-length]
        token = state.push("link_open", "a", 1)
        token.attrs = {"href": href}
        token.info = "auto"
        state.push("text", "", 0).content = shown
        state.push("link_close", "a", -1).info = "auto"
    state.pos += len(shown) - length
    return True


def _without_trailing_punctuation(url: str) -> str:
    """The address without what more likely belongs to the sentence around it."""
    while url:
        stripped = url.rstrip(".,:;!?'_~")
        if stripped.endswith(")") and stripped.count(")") > stripped.count("("):
            stripped = stripped[:-1]
        if stripped == url:
            break
        url = stripped
    return url


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """The parser; its rules are never changed after this, so threads may share it."""
    md = _Parser("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    md.enable(["table", "strikethrough"])
    # `text_join` would merge escapes into text; the inert Markdown needs them as written.
    md.disable(["html_block", "html_inline", "text_join"])
    md.inline.ruler.push("bare_link", _bare_link)
    add_maths(md)
    return md


def parsed(clean: str) -> list[Token]:
    """The tokens of `clean`, a text that has gone through `plain`.

    Raises ComplexityError where markdown-it would silently leave out what is nested too deep.
    """
    if len(clean) > MAX_LENGTH:
        raise ComplexityError
    tokens = _with_footnotes(parser().parse(clean))
    if any(token.level >= MAX_NESTING - 2 for token in tokens):
        raise ComplexityError
    for token in tokens:
        _unlink_empty(token.children or ())
    return tokens


def _with_footnotes(tokens: Iterable[Token]) -> list[Token]:
    """The tokens, each mark in running text as a token `footnote`, elsewhere as it is read."""
    found: list[Token] = []
    for token in tokens:
        if token.children:
            token.children = _with_footnotes(token.children)
        for name in {"href", "src"} & token.attrs.keys():
            token.attrSet(name, address(str(token.attrGet(name))))
        cut = pieces(token.content) if token.type == "text" else []
        if len(cut) < 2:
            token.content = spelled(token.content)
            found.append(token)
        for place, piece in enumerate(cut if len(cut) > 1 else ()):
            kind = ("footnote", "span") if place % 2 else ("text", "")
            found.append(Token(*kind, 0, content=piece, level=token.level))
    return found


def _unlink_empty(tokens: Sequence[Token]) -> None:
    """Makes text of a link to nowhere, `[a]()`, in place: it would lead to the page itself."""
    end = ""  # what the end of the link becomes; links do not nest
    for token in tokens:
        if token.type == "link_open":
            end = "" if token.attrGet("href") else "]()"
        if token.type in ("link_open", "link_close") and end:
            token.content = "[" if token.type == "link_open" else end
            token.type, token.tag, token.nesting = "text", "", 0


def block_tokens(clean: str) -> list[Token]:
    """Only the block structure of `clean`: much cheaper, inline content not looked at."""
    md = parser()
    tokens: list[Token] = []
    md.block.parse(clean, md, {}, tokens)
    return tokens
