"""The fenced code of a reply, for putting it into cells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CodeBlock:
    """`language` as the fence names it, in lower case, "" if it does not; `code` without fences."""

    language: str
    code: str


def code_blocks(markdown: str) -> list[CodeBlock]:
    """The fenced blocks in their order, those within lists and quotes too; indented code is not."""
    from .page import language_of
    from .parser import block_tokens
    from .terminal import plain

    return [
        CodeBlock(language_of(token.info).lower(), token.content.removesuffix("\n"))
        for token in block_tokens(plain(markdown))
        if token.type == "fence"
    ]
