"""Tokens of a reply as HTML that can run nothing, load nothing and look like nothing else.

Whatever in it comes from elsewhere is escaped here; the classes are those of `style.py`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from ..value_classes import frozen
from .markdown import parser
from .style import highlighted, shielded, token_classes
from .terminal import plain

if TYPE_CHECKING:
    from nh3 import Cleaner


CONTAINER = "claude-magic"
_LANGUAGE = re.compile(r"[\w+#.-]+")
_DISPLAY = {"$$", "\\["}
_ALIGN = {"text-align:right": "right", "text-align:center": "center"}
_TAGS = (
    "a blockquote br code del div em h1 h2 h3 h4 h5 h6 hr li ol p pre s span strong table tbody td"
    " th thead tr ul"
)


def to_html(tokens: Sequence[Token]) -> str:
    """The tokens as sanitised HTML in our container element."""
    body = _Renderer().render(tokens, parser().options, {})
    return _cleaner().clean(f'<div class="{CONTAINER}">{body}</div>')


def as_written(clean: str) -> str:
    """HTML that shows a text as it is, for one that cannot be parsed."""
    return f'<div class="{CONTAINER}"><pre><code>{html.escape(clean)}</code></pre></div>'


def language_of(info: str) -> str:
    """The language of a fence's info string, "" if there is none: "python" of "{.python} a.py"."""
    found = _LANGUAGE.search(info)
    return found.group().strip(".") if found else ""


def image_text(source: str, alt: str) -> str:
    """What stands for an image, which is never fetched. `alt` is Markdown, shown as written."""
    shown = " ".join(alt.split())
    parts = ["[image:", shown, f"({source})" if shown and source else source]
    return " ".join(part for part in parts if part) + "]"


class _Renderer(RendererHTML):
    """markdown-it's renderer; a method named like a kind of token renders it."""

    def text(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return shielded(tokens[idx].content)

    text_special = text

    def image(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return shielded(image_text(str(tokens[idx].attrGet("src")), tokens[idx].content))

    def footnote(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f'<span class="claude-magic-footnote">[{tokens[idx].content}]</span>'

    def maths(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        token = tokens[idx]
        opening, closing = ("\\[", "\\]") if token.markup in _DISPLAY else ("\\(", "\\)")
        tex = html.escape(token.content)
        return f'<span class="claude-magic-maths">{opening}{tex}{closing}</span>'

    def maths_block(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        tex = html.escape(tokens[idx].content)
        return f'<div class="claude-magic-maths">\\[{tex}\\]</div>\n'

    def maths_source(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return f"<p>{shielded(tokens[idx].content)}</p>\n"

    def code_block(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        code = highlighted(tokens[idx].content, language_of(tokens[idx].info))
        return f'<div class="highlight"><pre><code>{code}</code></pre></div>\n'

    def fence(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        return self.code_block(tokens, idx)

    def th_open(self, tokens: Sequence[Token], idx: int, *_: Any) -> str:
        token = tokens[idx]
        side = _ALIGN.get(str(token.attrGet("style")))
        return f'<{token.tag} class="claude-magic-{side}">' if side else f"<{token.tag}>"

    td_open = th_open


@lru_cache(maxsize=1)
def _cleaner() -> Cleaner:
    import nh3

    aligned = {f"claude-magic-{side}" for side in _ALIGN.values()}
    return nh3.Cleaner(
        tags=set(_TAGS.split()),
        attributes={"*": set(), "a": {"href"}, "ol": {"start"}},  # "*": else `title` and `lang`
        set_tag_attribute_values={"a": {"target": "_blank"}},
        allowed_classes={
            "div": {CONTAINER, "claude-magic-maths", "highlight"},
            "span": {"claude-magic-maths", "claude-magic-footnote", *token_classes()},
            "td": aligned,
            "th": aligned,
        },
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


@frozen
class CodeBlock:
    """`language` as the fence names it, in lower case, "" if it does not; `code` without fences."""

    language: str
    code: str


def code_blocks(markdown: str) -> list[CodeBlock]:
    """The fenced blocks in their order, those within lists and quotes too; indented code is not."""
    from .markdown import block_tokens

    return [
        CodeBlock(language_of(token.info).lower(), token.content.removesuffix("\n"))
        for token in block_tokens(plain(markdown))
        if token.type == "fence"
    ]
